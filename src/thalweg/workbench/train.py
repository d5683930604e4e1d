"""`thalweg train` and `thalweg resume`: a source of pictures becomes a trained, evaluated, explained classifier."""

import math
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from thalweg.accounting.ledger import count
from thalweg.core.codec import from_plain, to_plain
from thalweg.core.dataset import DataSummary
from thalweg.core.errors import PlanError, RunError
from thalweg.core.evaluation import Evaluation
from thalweg.core.files import printable
from thalweg.core.finding import Finding
from thalweg.core.history import epochs_to_csv
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.plan import TrainingPlan
from thalweg.core.results import TrainResult
from thalweg.core.run_folder import RunFolder
from thalweg.core.shape import Shape
from thalweg.data.augment import augmentation_for
from thalweg.data.batches import Batches
from thalweg.data.split import Split, parse_ratio
from thalweg.evaluation.classification import evaluate as score_split
from thalweg.modules.build import build
from thalweg.networks.catalogue import network as describe_network
from thalweg.core.spec_document import spec_from_plain, spec_to_plain
from thalweg.training.checkpoint import save_weights
from thalweg.training.device import Device, choose_device
from thalweg.training.interruption import listening
from thalweg.training.loop import Outcome, Progress, Recipe, Trainer
from thalweg.training.loss import class_weights
from thalweg.training.probe import probe_learning_rate
from thalweg.training.scoring import Scores, predict
from thalweg.workbench.environment import describe_environment
from thalweg.workbench.loading import Loaded, divide, load_scan, look, summarise
from thalweg.workbench.predictions import predictions_to_csv
from thalweg.workbench.recipes import peak_rate, resolved
from thalweg.workbench.report import write_report
from thalweg.workbench.steps import StepLog
from thalweg.workbench.telling import Listener, silent

__all__ = ["resume", "train"]

REPORT_SECONDS = 6.0
"""Of a plan in minutes, so much is kept for the report and the start of the process, besides the evaluation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Everything a session of a run works with."""

    plan: TrainingPlan
    folder: RunFolder
    spec: NetworkSpec
    loaded: Loaded
    parts: Split
    summary: DataSummary
    findings: tuple[Finding, ...]
    device: Device
    listener: Listener
    started: float

    @property
    def heldout(self) -> tuple[int, ...]:
        """The split that is watched during training."""
        return self.parts.validation or self.parts.test

    @property
    def reported(self) -> str:
        """The split whose accuracy is reported."""
        return "test" if self.parts.test else "validation"

    def batches(self, indices: tuple[int, ...], *, training: bool = False) -> Batches:
        """Batches of some samples; shuffled and augmented for training."""
        chosen = np.asarray(indices, dtype=np.int64)
        changes = augmentation_for(self.plan.augment, upright=self.loaded.scan.upright) if training else None
        return Batches(
            self.loaded.pictures.pixels,
            self.loaded.rows[chosen],
            self.loaded.labels[chosen],
            batch_size=self.plan.batch_size or 32,
            seed=self.plan.seed,
            augmentation=changes,
        )


def train(  # noqa: PLR0913 - the options of the verb
    source: str | Path,
    *,
    network: str = "small",
    epochs: int | None = None,
    minutes: float | None = None,
    lr: float | str = "auto",
    optimizer: str | None = None,
    batch_size: int | None = None,
    image_size: int | None = None,
    split: str | None = None,
    test: float | None = None,
    validation: float | None = None,
    split_file: str | Path | None = None,
    group_by: str | None = None,
    seed: int = 42,
    out: str | Path | None = None,
    task: str | None = None,
    weight_decay: float | None = None,
    augment: str = "auto",
    class_weights: str = "auto",
    label_smoothing: float | None = None,
    patience: int = 0,
    device: str = "auto",
    listener: Listener | None = None,
) -> TrainResult:
    """Train a classifier on a folder, archive or link of labelled pictures, evaluate it and write a report.

    Args:
        source: A folder with one sub-folder a class (or `train/`, `val/`, `test/` of such), a zip or tar of one, an
            `https://` or Google Drive link, or `elpv`.
        network: A name in the catalogue: `small`, `plain`, `plain-sequential`, `plain-functional`, ...
        epochs: Passes over the training files; the network's recipe decides where neither this nor `minutes` is given.
        minutes: Wall time of the whole command; the learning rate's decay ends exactly there.
        lr: Peak learning rate, or `auto`.
        optimizer: `adam`, `adamw` or `sgd`.
        batch_size: Pictures a step.
        image_size: Side pictures are brought to, in pixels.
        split: `80/20`, or `70/10/20` for training, validation and test.
        test: Share of files held out as test split.
        validation: Share of files held out for validation.
        split_file: CSV with columns `file,part` that fixes the split.
        group_by: Regular expression with one group; files with equal matches stay on one side.
        seed: Decides split, weights, order, augmentation and dropout.
        out: The run folder to make; `runs/NAME` by default.
        task: `classification`, or None to see it from the source.
        weight_decay: Strength of weight decay.
        augment: `auto`, `none` or `turns`.
        class_weights: `auto`, `balanced` or `none`.
        label_smoothing: Share of the target spread over all classes.
        patience: Stop after so many epochs without a lower validation loss; 0 never.
        device: `auto`, `cpu`, `cuda` or `mps`.
        listener: Whoever shows progress.

    Returns:
        Scores, counts and paths; the fields of the JSON object.

    Raises:
        SourceError: The source cannot be used.
        PlanError: The options contradict each other.
        TrainingFailedError: The loss stopped being finite.

    Example:
        >>> train("no/such/folder")
        Traceback (most recent call last):
        thalweg.core.errors.SourceError: no/such/folder: there is no such folder or file...
    """
    started = time.perf_counter()
    listener = listener or silent()
    if task not in {None, "classification"}:
        raise PlanError(f"--task {task}: this version trains classification only")
    if split is not None:
        if test is not None or validation is not None:
            raise PlanError(f"--split {split} already says what --test and --validation say: give one of them")
        validation, test = parse_ratio(split)
    base = TrainingPlan(source=str(source))
    plan = base.with_options(
        network=network,
        epochs=epochs,
        minutes=minutes,
        learning_rate=_rate(lr),
        optimizer=optimizer,
        batch_size=batch_size,
        image_size=image_size,
        test=test,
        validation=validation,
        split_file=str(split_file) if split_file else None,
        group_by=group_by,
        seed=seed,
        weight_decay=weight_decay,
        augment=augment,
        class_weights=class_weights,
        label_smoothing=label_smoothing,
        patience=patience,
        device=device,
    )
    describe_network(plan.network, Shape(3, (256, 256)), 2)  # an unknown name is told before any file is read
    compute = choose_device(plan.device)
    found, side = look(plan.source, listener)
    listener.say(f"Found {len(found.samples)} files belonging to {len(found.classes)} classes.")
    plan = resolved(plan, picture_side=side)
    loaded = load_scan(found, image_size=plan.image_size or side, listener=listener)
    parts = divide(loaded, plan)
    summary, findings = summarise(loaded, parts, plan.source)
    side = plan.image_size or side
    spec = describe_network(plan.network, Shape(3, (side, side)), len(summary.classes))
    _tell_data(summary, listener)
    folder = RunFolder.create(Path(out) if out else None, _run_name(plan))
    run = _Run(
        plan=plan,
        folder=folder,
        spec=spec,
        loaded=loaded,
        parts=parts,
        summary=summary,
        findings=findings,
        device=compute,
        listener=listener,
        started=started,
    )
    folder.write_json("data.json", summary)
    folder.write_json("network.json", spec_to_plain(spec))
    folder.write_json("environment.json", describe_environment(compute))
    folder.write_json("findings.json", {"findings": findings})
    module, run = _prepare(run)
    folder.write_text("plan.toml", run.plan.to_toml())
    return _go(run, module, resuming=False)


def resume(run: str | Path, *, listener: Listener | None = None) -> TrainResult:
    """Go on with a run that was interrupted, exactly where it stopped.

    Args:
        run: The run folder.
        listener: Whoever shows progress.

    Returns:
        As `train`; a run that is finished is only evaluated again.

    Raises:
        RunError: There is no run, or its data are not there any more.
    """
    started = time.perf_counter()
    listener = listener or silent()
    folder = RunFolder.open(Path(run))
    plan = TrainingPlan.from_toml(folder.read_text("plan.toml"), printable(folder.path / "plan.toml"))
    summary = from_plain(DataSummary, folder.read_json("data.json"), "data.json")
    spec = spec_from_plain(folder.read_json("network.json"))
    found, side = look(plan.source, listener)
    loaded = load_scan(found, image_size=plan.image_size or side, listener=listener)
    position = {file: index for index, file in enumerate(loaded.files)}
    gone = [file for file in (*summary.train, *summary.validation, *summary.test) if file not in position]
    if gone:
        raise RunError(
            f"{len(gone)} files of the run are not in {printable(plan.source)} any more, first {printable(gone[0])}: "
            "put them back, or train anew"
        )
    parts = Split(
        **{
            name: tuple(position[file] for file in getattr(summary, name)) for name in ("train", "validation", "test")
        }
    )
    stored = folder.read_json("findings.json").get("findings", [])
    state = _Run(
        plan=plan,
        folder=folder,
        spec=spec,
        loaded=loaded,
        parts=parts,
        summary=summary,
        findings=from_plain(tuple[Finding, ...], stored, "findings.json"),
        device=choose_device(plan.device),
        listener=listener,
        started=started,
    )
    module = build(spec.logits()[0], seed=plan.seed)
    return _go(state, module, resuming=True)


def _prepare(run: _Run) -> tuple[torch.nn.Module, _Run]:
    """Build the network, and let a probe choose the learning rate where the plan leaves it open."""
    module = build(run.spec.logits()[0], seed=run.plan.seed)
    rate = run.plan.learning_rate
    if rate is None:
        result = probe_learning_rate(
            module,
            run.batches(run.parts.train, training=True),
            run.device,
            optimizer=run.plan.optimizer or "adam",
            weight_decay=run.plan.weight_decay or 0.0,
            recipe_rate=peak_rate(run.plan),
        )
        run.listener.say(f"Chose {result.message}.")
        rate = result.rate
    return module, replace(run, plan=replace(run.plan, learning_rate=rate))


def _go(run: _Run, module: torch.nn.Module, *, resuming: bool) -> TrainResult:
    plan, folder = run.plan, run.folder
    steps = StepLog(folder.path / "steps.csv")
    trainer = Trainer(
        module,
        _recipe(run, resuming=resuming),
        train=run.batches(run.parts.train, training=True),
        heldout=run.batches(run.heldout),
        device=run.device,
        folder=folder.path / "checkpoints",
        observer=lambda progress: _observe(run, trainer, progress),
        log_steps=steps.append,
    )
    if resuming:
        for complaint in trainer.resume():
            run.listener.say(f"A checkpoint was passed over: {complaint}.")
        run.listener.say(f"Going on after epoch {trainer.state.epoch - 1}, step {trainer.state.step}.")
    steps.cut_after(trainer.state.step)
    with listening() as interruption:
        outcome = trainer.fit(interruption)
    folder.write_text("history.csv", epochs_to_csv(outcome.rows))
    folder.write_json("events.json", {"events": outcome.events})
    if outcome.interrupted is not None:
        return _result(run, outcome, None)
    if run.parts.test and run.parts.validation:
        trainer.use_best()
    save_weights(trainer.evaluated, folder.path / "model.safetensors")
    reported = run.parts.test or run.parts.validation
    scores = predict(trainer.evaluated, run.batches(reported), run.device)
    evaluation = score_split(
        scores.probabilities,
        scores.labels,
        classes=run.summary.classes,
        split=run.reported,
        majority_class=int(np.argmax(run.summary.counts["train"])),
    )
    _write_scores(run, scores, evaluation, outcome)
    result = _result(run, outcome, evaluation)
    folder.write_json("metrics.json", {**to_plain(result), "evaluation": evaluation})
    write_report(folder, loaded=run.loaded, plan=plan)
    result = replace(result, seconds=time.perf_counter() - run.started, report=str(folder.path / "report.html"))
    folder.write_json("metrics.json", {**to_plain(result), "evaluation": evaluation})
    return result


def _recipe(run: _Run, *, resuming: bool) -> Recipe:
    plan = run.plan
    deadline = None
    if plan.minutes is not None:
        used = 0.0 if resuming else time.perf_counter() - run.started
        deadline = max(1.0, plan.minutes * 60 - used - REPORT_SECONDS)
    return Recipe(
        epochs=plan.epochs,
        deadline_seconds=deadline,
        learning_rate=plan.learning_rate or 0.0,
        optimizer=plan.optimizer or "adam",
        weight_decay=plan.weight_decay or 0.0,
        warmup=plan.warmup,
        smoothing=plan.label_smoothing or 0.0,
        weights=class_weights(run.summary.counts["train"], plan.class_weights),
        average=plan.average or 0.0,
        patience=plan.patience,
        stages=plan.stages or (1.0,),
        side=plan.image_size or 0,
        seed=plan.seed,
    )


def _observe(run: _Run, trainer: Trainer, progress: Progress) -> None:
    if progress.row is not None:
        run.folder.write_text("history.csv", epochs_to_csv(trainer.state.rows))
    run.listener.train(progress)


def _write_scores(run: _Run, scores: Scores, evaluation: Evaluation, outcome: Outcome) -> None:
    files = [run.loaded.files[index] for index in (run.parts.test or run.parts.validation)]
    run.folder.write_text(
        "predictions.csv", predictions_to_csv(files, run.summary.classes, scores.probabilities, scores.labels)
    )


def _result(run: _Run, outcome: Outcome, evaluation: Evaluation | None) -> TrainResult:
    last: Mapping[str, float] = outcome.rows[-1] if outcome.rows else {}
    speeds = [row["images_per_second"] for row in outcome.rows if math.isfinite(row["images_per_second"])]
    reported = run.parts.test or run.parts.validation
    three_way = bool(run.parts.test and run.parts.validation)
    return TrainResult(
        run=str(run.folder.path),
        report=None,
        task=run.plan.task,
        network=run.plan.network,
        classes=run.summary.classes,
        files=run.summary.files,
        train_files=len(run.parts.train),
        test_files=len(reported),
        validation_files=len(run.parts.validation) if three_way else 0,
        left_out=run.summary.left_out,
        parameters=count(run.spec).parameters,
        epochs=len(outcome.rows),
        seconds=time.perf_counter() - run.started,
        images_per_second=statistics.median(speeds) if speeds else math.nan,
        accuracy=evaluation.accuracy if evaluation else last.get("val_accuracy", math.nan),
        accuracy_interval=evaluation.accuracy_interval if evaluation else (math.nan, math.nan),
        best_accuracy=outcome.best_accuracy if outcome.rows else math.nan,
        best_epoch=outcome.best_epoch,
        majority_accuracy=evaluation.majority_accuracy if evaluation else math.nan,
        learning_rate=run.plan.learning_rate or math.nan,
        findings=run.findings,
        split=run.reported,
        auc=evaluation.auc if evaluation else math.nan,
        balanced_accuracy=evaluation.balanced_accuracy if evaluation else math.nan,
        calibration_error=evaluation.calibration_error if evaluation else math.nan,
        interrupted=outcome.interrupted,
    )


def _tell_data(summary: DataSummary, listener: Listener) -> None:
    listener.say(f"Using {len(summary.train)} files for training.")
    if summary.validation:
        listener.say(f"Using {len(summary.validation)} files for validation.")
    if summary.test:
        listener.say(f"Using {len(summary.test)} files for testing.")
    if summary.left_out:
        first = summary.left_out[0]
        listener.say(f"Left out {len(summary.left_out)} files, first {printable(first.file)}: {first.reason}")
    if summary.duplicates:
        total = sum(len(group.files) for group in summary.duplicates)
        listener.say(f"{total} files show the same pictures ({len(summary.duplicates)} groups); each group stays on one side.")


def _rate(lr: float | str) -> float | None:
    if lr == "auto":
        return None
    try:
        return float(lr)
    except ValueError:
        raise PlanError(f"--lr {lr}: a number such as 0.001, or auto, is wanted") from None


def _run_name(plan: TrainingPlan) -> str:
    stem = Path(plan.source.rstrip("/")).name.split(".")[0].split("?")[0] or "run"
    safe = "".join(character if character.isalnum() or character in "-_" else "-" for character in stem)
    return f"{safe[:40]}-{plan.network}"
