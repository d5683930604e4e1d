"""A run under way: the plan with its pictures, and the way from a built network to scores, model and report."""

import math
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from thalweg.accounting.ledger import count
from thalweg.core.codec import to_plain
from thalweg.core.dataset import DataSummary
from thalweg.core.diagnosis_results import DiagnosedRun
from thalweg.core.errors import TrainingFailedError
from thalweg.core.evaluation import Evaluation
from thalweg.core.files import printable
from thalweg.core.finding import Finding
from thalweg.core.history import epochs_to_csv
from thalweg.core.holding import held
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.plan import TrainingPlan
from thalweg.core.results import TrainResult
from thalweg.core.run_folder import RunFolder
from thalweg.data.augment import augmentation_for
from thalweg.data.batches import Batches
from thalweg.data.split import Split
from thalweg.data.values import standardisation
from thalweg.evaluation.classification import evaluate as score_split
from thalweg.monitoring.trials import CLIP
from thalweg.training.checkpoint import save_weights
from thalweg.training.device import Device
from thalweg.training.interruption import listening
from thalweg.training.loop import Trainer
from thalweg.training.loss import class_weights
from thalweg.training.progress import Outcome, Progress, Recipe
from thalweg.training.scoring import Scores, predict
from thalweg.training.unfreezing import Part
from thalweg.workbench.diagnose import diagnose_run
from thalweg.workbench.loading import Loaded
from thalweg.workbench.model import TrainedModel
from thalweg.workbench.monitor import Monitor
from thalweg.workbench.operating import operating_point
from thalweg.workbench.predictions import predictions_to_csv
from thalweg.workbench.report import write_report
from thalweg.workbench.steps import StepLog
from thalweg.workbench.telling import Listener
from thalweg.workbench.transfer import Probe

__all__ = ["Session", "batches_of", "carry_out"]

REPORT_SECONDS = 6.0
"""Of a plan in minutes, so much is kept for the report and the end of the process, besides the evaluation."""
HISTORY_SECONDS = 1.0
"""`history.csv` is written at most so often during training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
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
    learning: tuple[Part, ...] = ()
    """Parts of a pretrained network, which open one after the other."""
    probe: Probe | None = None
    """Cached features, where the head of a pretrained network is trained alone."""
    notes: tuple[str, ...] = ()
    """What happened before the first step."""

    @property
    def heldout(self) -> tuple[int, ...]:
        """The split that is watched during training."""
        return self.parts.validation or self.parts.test

    @property
    def scored(self) -> tuple[int, ...]:
        """The split whose accuracy is reported, as indices."""
        return self.parts.test or self.parts.validation

    @property
    def reported(self) -> str:
        """The split whose accuracy is reported."""
        return "test" if self.parts.test else "validation"

    def batches(self, indices: tuple[int, ...], *, training: bool = False) -> Batches:
        """Batches of some samples; shuffled and augmented for training."""
        return batches_of(self.loaded, indices, self.plan, training=training)


def batches_of(loaded: Loaded, indices: tuple[int, ...], plan: TrainingPlan, *, training: bool) -> Batches:
    """Batches of some samples.

    Args:
        loaded: The pictures.
        indices: Which of them.
        plan: With batch size, seed and augmentation.
        training: Whether to shuffle and augment.

    Returns:
        The batches.
    """
    chosen = np.asarray(indices, dtype=np.int64)
    changes = augmentation_for(plan.augment, upright=loaded.scan.upright, form=loaded.form) if training else None
    noisy = changes is not None and (changes.noise or changes.gain)
    mean, deviation = standardisation(loaded.pictures, loaded.rows[chosen]) if noisy else ((), ())
    return Batches(
        loaded.pictures.pixels,
        loaded.rows[chosen],
        loaded.labels[chosen],
        batch_size=plan.batch_size or 32,
        seed=plan.seed,
        augmentation=changes,
        mean=mean,
        deviation=deviation,
    )


def carry_out(run: Session, module: torch.nn.Module, *, resuming: bool) -> TrainResult:
    """Train, evaluate, save and report.

    Args:
        run: The run.
        module: Its network, giving logits.
        resuming: Whether to go on from a checkpoint.

    Returns:
        The answer of the verb.

    Raises:
        RunError: Another process is working on the run.
        TrainingFailedError: The run went wrong, or its folder cannot be written any more.
    """
    try:
        with held(run.folder.path):
            if resuming:
                run.folder.sweep()
            trainer, outcome, monitor = _train(run, module, resuming=resuming)
            if outcome.interrupted is not None:
                return _result(run, outcome, None, monitor=monitor)
            return _conclude(run, trainer, outcome, monitor)
    except OSError as error:  # a full disk, most likely
        place, reason = printable(run.folder.path), error.strerror or type(error).__name__
        raise TrainingFailedError(
            f"{place} cannot be written: {reason}; what was saved before is whole: "
            f"mend that, then thalweg resume {place}"
        ) from error


def _monitor(run: Session, network: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Monitor:
    plan = run.plan
    return Monitor(
        network,
        optimizer,
        folder=run.folder.path,
        rate=plan.learning_rate or 0.0,
        repair=plan.repair,
        given=plan.given_rate,
        clips=plan.rate_from == "trials",
        classes=len(run.summary.classes),
    )


def _train(run: Session, module: torch.nn.Module, *, resuming: bool) -> tuple[Trainer, Outcome, Monitor]:
    folder = run.folder
    steps = StepLog(folder.path / "steps.csv")
    watch = _Watch(run)
    monitors: dict[str, Monitor] = {}
    trainer = Trainer(
        run.probe.module if run.probe else module,
        _recipe(run, resuming=resuming),
        train=run.probe.train if run.probe else run.batches(run.parts.train, training=True),
        heldout=run.probe.heldout if run.probe else run.batches(run.heldout),
        device=run.device,
        folder=folder.path / "checkpoints",
        observer=lambda progress: watch(trainer, progress),
        log_steps=steps.append,
        companion=lambda network, optimizer: monitors.setdefault("run", _monitor(run, network, optimizer)),
    )
    monitor = monitors["run"]
    if resuming:
        for complaint in trainer.resume():
            run.listener.say(f"A checkpoint was passed over: {complaint}.")
        run.listener.say(f"Going on after epoch {trainer.state.epoch - 1}, step {trainer.state.step}.")
    if trainer.state.step == 0 and run.notes:
        trainer.state.events[:] = [
            {"epoch": 1, "step": 0, "kind": "head_fitted", "message": note} for note in run.notes
        ]
    steps.cut_after(trainer.state.step)
    monitor.log.cut_after(trainer.state.step)
    try:
        with listening() as interruption:
            outcome = trainer.fit(interruption)
    except TrainingFailedError:
        trainer.log_unlogged()  # the last steps tell what went wrong
        raise
    finally:
        monitor.flush()
        folder.write_text("history.csv", epochs_to_csv(trainer.state.rows))
        folder.write_json("events.json", {"events": trainer.state.events})
    return trainer, outcome, monitor


def _conclude(run: Session, trainer: Trainer, outcome: Outcome, monitor: Monitor) -> TrainResult:
    plan, folder = run.plan, run.folder
    if run.parts.test and run.parts.validation:
        trainer.use_best()
    network = run.probe.assembled(trainer.evaluated) if run.probe else trainer.evaluated
    save_weights(network, folder.path / "model.safetensors")
    scores = predict(network, run.batches(run.scored), run.device)
    evaluation = score_split(
        scores.probabilities,
        scores.labels,
        classes=run.summary.classes,
        split=run.reported,
        majority_class=int(np.argmax(run.summary.counts["train"])),
    )
    _write_scores(run, scores)
    if len(run.summary.classes) == 2 and (plan.backbone or plan.group_by):  # noqa: PLR2004 - one threshold decides
        chosen = (
            predict(network, run.batches(run.parts.validation), run.device)
            if run.parts.test and run.parts.validation
            else None
        )
        point = operating_point(scores, chosen, classes=run.summary.classes, split=run.reported)
        folder.write_json("threshold.json", point)
    diagnosed = diagnose_run(folder.path, say=run.listener.say)
    result = _result(run, outcome, evaluation, diagnosed.findings if diagnosed else (), monitor=monitor)
    folder.write_json("findings.json", {"findings": result.findings, "learning_rate": _rate(diagnosed)})
    folder.write_json("metrics.json", {**to_plain(result), "evaluation": evaluation})
    trained = TrainedModel(
        folder=folder, plan=plan, summary=run.summary, spec=run.spec, module=network.eval(), device=run.device
    )
    write_report(folder, loaded=run.loaded, plan=plan, diagnosed=diagnosed, trained=trained)
    result = replace(result, seconds=time.perf_counter() - run.started, report=str(folder.path / "report.html"))
    folder.write_json("metrics.json", {**to_plain(result), "evaluation": evaluation})
    return result


def _recipe(run: Session, *, resuming: bool) -> Recipe:
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
        clip=CLIP if plan.rate_from == "trials" and not plan.repair else None,  # else the pilot clips
        evaluations=1 + len(run.parts.test or run.parts.validation) / max(1, len(run.heldout)),
        parts=run.learning,
    )


class _Watch:
    """Passes progress on, and keeps `history.csv` up to date without writing it for every one of many short epochs."""

    def __init__(self, run: Session) -> None:
        self.run = run
        self.written = -math.inf

    def __call__(self, trainer: Trainer, progress: Progress) -> None:
        if progress.row is not None and time.perf_counter() - self.written >= HISTORY_SECONDS:
            self.run.folder.write_text("history.csv", epochs_to_csv(trainer.state.rows))
            self.written = time.perf_counter()
        self.run.listener.train(progress)


def _write_scores(run: Session, scores: Scores) -> None:
    files = [run.loaded.files[index] for index in run.scored]
    run.folder.write_text(
        "predictions.csv", predictions_to_csv(files, run.summary.classes, scores.probabilities, scores.labels)
    )


def _rate(diagnosed: DiagnosedRun | None) -> dict[str, object] | None:
    return None if diagnosed is None else diagnosed.learning_rate.to_json()


def _result(
    run: Session,
    outcome: Outcome,
    evaluation: Evaluation | None,
    diagnosis: tuple[Finding, ...] = (),
    *,
    monitor: Monitor,
) -> TrainResult:
    last: Mapping[str, float] = outcome.rows[-1] if outcome.rows else {}
    speeds = [row["images_per_second"] for row in outcome.rows if math.isfinite(row["images_per_second"])]
    three_way = bool(run.parts.test and run.parts.validation)
    return TrainResult(
        run=str(run.folder.path),
        report=None,
        task=run.plan.task,
        network=run.plan.network,
        classes=run.summary.classes,
        files=run.summary.files,
        train_files=len(run.parts.train),
        test_files=len(run.scored),
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
        interventions=monitor.interventions,
        monitor_overhead=monitor.overhead,
        findings=(*run.findings, *diagnosis),
        split=run.reported,
        auc=evaluation.auc if evaluation else math.nan,
        balanced_accuracy=evaluation.balanced_accuracy if evaluation else math.nan,
        calibration_error=evaluation.calibration_error if evaluation else math.nan,
        interrupted=outcome.interrupted,
    )
