"""A run folder as MLflow and Weights & Biases want it: the plan, every curve with steps and times, scores, findings."""

import hashlib
import json
import math
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from thalweg.core.codec import from_plain
from thalweg.core.curve_tags import BY_EPOCH, BY_STEP, ENDS, EPOCH, MEASURED, SCORES
from thalweg.core.errors import RunError
from thalweg.core.files import printable
from thalweg.core.finding import Finding
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.results import TrainResult
from thalweg.core.run_folder import RunFolder
from thalweg.exporting.tracked_run import TrackedCurve, TrackedFile, TrackedRun, Tracking
from thalweg.histories.log_file import LogFile
from thalweg.histories.readers import own
from thalweg.histories.recording import Curve, Floats
from thalweg.histories.steps_tail import StepsTail
from thalweg.workbench.diagnose import diagnose_run
from thalweg.workbench.export_report import NOT_OF_THE_ANSWER, write_card, write_figures, write_tables
from thalweg.workbench.following.run_states import run_state

__all__ = ["MOST_STEPS", "run_key", "to_mlflow", "to_wandb", "tracked_run"]

MOST_STEPS = 20_000
"""Values a curve by step is written with, at most; of longer runs every second, third, ... step is kept."""
_STATUS = {"finished": "finished", "training": "training", "evaluating": "training", "failed": "failed"}
_KEPT = (
    "plan.toml", "environment.json", "history.csv", "steps.csv", "events.json", "findings.json", "metrics.json",
    "signals.jsonl", "report.html",
)  # fmt: skip
"""Not kept: names of the user's files (`data.json`, `predictions.csv`), and checkpoints."""
_MODEL = ("network.json", "model.safetensors", "model.onnx", "model-int8.onnx")
_LONGEST_CLAIM = 500


def to_mlflow(folder: RunFolder, where: str, experiment: str) -> Tracking:
    """Write a run to MLflow.

    Args:
        folder: The run.
        where: A tracking URI or a folder.
        experiment: The experiment's name.

    Returns:
        What was written.

    Raises:
        PlanError: The place cannot be written.
        RunError: The run has no epoch.
        MissingExtraError: MLflow is not installed.
    """
    from thalweg.exporting.mlflow import destination, write_mlflow

    place = destination(where)
    with tempfile.TemporaryDirectory() as aside:
        return write_mlflow(tracked_run(folder, Path(aside)), place, experiment)


def to_wandb(folder: RunFolder, project: str, out: Path) -> Tracking:
    """Write a run for Weights & Biases.

    Args:
        folder: The run.
        project: The project, or `ENTITY/PROJECT`.
        out: Where the folder `wandb` shall be.

    Returns:
        What was written.

    Raises:
        PlanError: The project's name is refused.
        RunError: The run has no epoch.
        MissingExtraError: wandb is not installed.
    """
    from thalweg.exporting.wandb import parts_folder, write_wandb

    with parts_folder(out, run_key(folder)) as aside:
        return write_wandb(tracked_run(folder, aside), project, out)


def tracked_run(folder: RunFolder, aside: Path) -> TrackedRun:
    """Gather a run.

    Args:
        folder: The run, finished or stopped.
        aside: A folder for files that are made for it: card, tables, figures.

    Returns:
        The run.

    Raises:
        RunError: The run has no epoch yet.
    """
    key = run_key(folder)
    plan = tomllib.loads(folder.read_text("plan.toml"))
    plan.pop("schema", None)
    state = run_state(folder.path)
    ended = _ended(folder.path)
    curves, last = _curves(folder.path, ended)
    result = _result(folder)
    started = ended - (last if result is None else max(last, result.seconds))
    findings, rate = _judged(folder, result)
    environment = _json(folder, "environment.json")
    return TrackedRun(
        key=key,
        name=folder.path.resolve().name,
        status=_STATUS.get(state.phase, "stopped"),
        started=started,
        ended=ended,
        settings=plan,
        curves=curves,
        scores={} if result is None else dict(_scores(result)),
        tags=_tags(findings, rate, environment),
        description=_description(result, findings, rate, state.epoch),
        command=str(environment.get("command", "")),
        files=tuple(_files(folder, aside, finished=result is not None)),
        input_shape=next(iter(folder.read_network().inputs.values())).as_tuple(),
    )


def run_key(folder: RunFolder) -> str:
    """Name a run so that it is known again: by its first epoch, whose time alone has nine digits, and its seed.

    Args:
        folder: The run.

    Returns:
        Sixteen hexadecimal digits; the same when the run has gone on, and for a copy of its folder.

    Raises:
        RunError: The run has no epoch yet.
    """
    rows = folder.read_text("history.csv").splitlines()[1:2]
    if not rows:
        raise RunError(f"{printable(folder.path)} has no finished epoch yet: there is nothing to write")
    seed = tomllib.loads(folder.read_text("plan.toml")).get("seed")
    return hashlib.sha256(f"{seed}\n{rows[0]}".encode()).hexdigest()[:16]


def _ended(path: Path) -> float:
    """When the last epoch ended: the time of the file it is in, unless that file was copied since."""
    written = (path / "history.csv").stat().st_mtime
    try:
        told = float(json.loads((path / "progress.json").read_bytes())["updated"])
    except (OSError, ValueError, KeyError, TypeError):
        return written
    return min(written, told) if told > 0 else written


def _curves(path: Path, ended: float) -> tuple[tuple[TrackedCurve, ...], float]:
    """Every curve as `thalweg diagnose` reads it, and the seconds that the run took until its last epoch."""
    (recording, *_) = own.READER.read(LogFile(path / own.EPOCHS), {})
    clock = StepsTail(path / own.STEPS, ("step", "epoch", "seconds"))
    clock.refresh()
    by_epoch = {curve.name: curve for curve in recording.curves if curve.steps is None and curve.epochs is not None}
    seconds = by_epoch["seconds"].values
    epochs = by_epoch["seconds"].epochs
    if epochs is None:
        raise RunError(f"{printable(path / own.EPOCHS)} does not say which epoch is which")
    ends = _epoch_ends(epochs, clock)
    began = ended - float(seconds[-1])
    numbers = Curve(name=EPOCH, values=epochs, epochs=epochs)
    found = []
    for curve in (numbers, *recording.curves):
        if curve.steps is None and curve.epochs is not None:
            tag = EPOCH if curve is numbers else {**BY_EPOCH, **ENDS}[curve.name]
            place = np.searchsorted(epochs, curve.epochs)
            found.append(_curve(tag, ends[place], curve.values, began + seconds[place]))
        elif curve.steps is not None:
            pace = max(1, math.ceil(len(curve.steps) / MOST_STEPS))
            kept = curve.at(np.arange(0, len(curve.steps), pace))
            steps = curve.steps[::pace]
            times = began + np.interp(steps, clock["step"], clock["seconds"])
            found.append(_curve(BY_STEP.get(curve.name, MEASURED + curve.name), steps, kept.values, times))
    return tuple(found), float(seconds[-1])


def _epoch_ends(epochs: Floats, clock: StepsTail) -> Floats:
    """The last step of each epoch; the epoch's number where steps were not kept."""
    if not len(clock):
        return epochs
    place = np.searchsorted(clock["epoch"], epochs, side="right") - 1
    return np.asarray(clock["step"][np.maximum(place, 0)])


def _curve(tag: str, steps: Floats, values: Floats, times: Floats) -> TrackedCurve:
    return TrackedCurve(
        tag=tag,
        steps=tuple(int(step) for step in steps),
        values=tuple(values.tolist()),
        times=tuple(times.tolist()),
    )


def _result(folder: RunFolder) -> TrainResult | None:
    """The answer of a finished run; None of one that is not."""
    if not (folder.path / "metrics.json").is_file():
        return None
    metrics = folder.read_json("metrics.json")
    return from_plain(TrainResult, {k: v for k, v in metrics.items() if k not in NOT_OF_THE_ANSWER}, "metrics.json")


def _scores(result: TrainResult) -> Iterator[tuple[str, float]]:
    low, high = result.accuracy_interval
    named: dict[str, float | None] = {
        "accuracy": result.accuracy,
        "accuracy_low": low,
        "accuracy_high": high,
        "majority_accuracy": result.majority_accuracy,
        "balanced_accuracy": result.balanced_accuracy,
        "auc": result.auc,
        "calibration_error": result.calibration_error,
        "best_accuracy": result.best_accuracy,
        "best_epoch": result.best_epoch,
        "mean_iou": result.mean_iou,
        "parameters": result.parameters,
        "seconds": result.seconds,
    }
    if result.mean_iou_interval is not None:
        named["mean_iou_low"], named["mean_iou_high"] = result.mean_iou_interval
    named |= {f"iou/{name}": value for name, value in (result.iou or {}).items()}
    yield from ((SCORES + name, float(v)) for name, v in named.items() if v is not None and math.isfinite(v))


def _judged(folder: RunFolder, result: TrainResult | None) -> tuple[tuple[Finding, ...], LearningRateEstimate | None]:
    """What the run was found to be; of a stopped one, what its curves say now."""
    told = diagnose_run(folder.path, say=lambda _: None) if result is None else None
    if told is not None:
        return told.findings, told.learning_rate
    try:
        rate = from_plain(LearningRateEstimate, _json(folder, "findings.json").get("learning_rate"), "findings.json")
    except RunError:
        rate = None
    return () if result is None else result.findings, rate


def _tags(
    findings: tuple[Finding, ...], rate: LearningRateEstimate | None, environment: Mapping[str, object]
) -> dict[str, str]:
    tags = {f"thalweg.finding.{each.name}": _claim(each) for each in findings}
    tags["thalweg.findings"] = ", ".join(dict.fromkeys(f"{each.code} {each.name}" for each in findings)) or "none"
    if rate is not None:
        tags["thalweg.learning_rate.verdict"] = rate.verdict
    tags["thalweg.version"] = str(environment.get("thalweg", "unknown"))
    return tags


def _claim(finding: Finding) -> str:
    return printable(f"{finding.severity}: {finding.claim}")[:_LONGEST_CLAIM]


def _description(
    result: TrainResult | None, findings: tuple[Finding, ...], rate: LearningRateEstimate | None, epoch: int
) -> str:
    lines = [f"Stopped in epoch {epoch}."]
    if result is not None:
        low, high = result.accuracy_interval
        what = "pixels" if result.task == "segmentation" else "files"
        spread = f" (95 % interval {low:.1%} to {high:.1%})" if math.isfinite(low) else ""
        usual = f"; always the largest class: {result.majority_accuracy:.1%}"
        lines = [f"Right on {result.accuracy:.1%} of the {result.split} {what}{spread}{usual}."]
        if result.mean_iou is not None:
            lines.append(f"Mean intersection over union {result.mean_iou:.3f}.")
    if rate is not None:
        lines.append(f"Learning rate: {rate}.")
    lines += [f"{each.severity} {each.code}: {each.claim}." for each in findings if each.severity != "info"]
    return "\n\n".join(map(printable, lines))


def _files(folder: RunFolder, aside: Path, *, finished: bool) -> Iterator[TrackedFile]:
    for name in _KEPT:
        if (folder.path / name).is_file():
            yield TrackedFile(path=folder.path / name)
    for name in _MODEL:
        if (folder.path / name).is_file():
            yield TrackedFile(path=folder.path / name, folder="model", kind="model")
    if not finished:
        return
    (card,) = write_card(folder, aside / "MODEL_CARD.md")
    yield TrackedFile(path=Path(card))
    content = folder.read_report()
    for path in write_tables(content, aside / "tables"):
        yield TrackedFile(path=Path(path), folder="tables")
    for path in write_figures(content, aside / "figures", pictures=False)[0]:
        yield TrackedFile(path=Path(path), folder="figures")


def _json(folder: RunFolder, name: str) -> Mapping[str, object]:
    try:
        return folder.read_json(name)
    except RunError:
        return {}
