"""A run under way: the plan with its pictures, and the way from a built network to scores, model and report."""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from thalweg.accounting.ledger import count
from thalweg.core.codec import dumps, from_plain, to_plain
from thalweg.core.dataset import DataSummary
from thalweg.core.diagnosis_results import DiagnosedRun
from thalweg.core.errors import RanksPartedError, TrainingFailedError
from thalweg.core.evaluation import Evaluation
from thalweg.core.files import printable
from thalweg.core.finding import Finding
from thalweg.core.history import epochs_to_csv
from thalweg.core.holding import held
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.plan import TrainingPlan
from thalweg.core.results import TrainResult
from thalweg.core.run_folder import RunFolder
from thalweg.data.batching.batches import Batches
from thalweg.data.splitting.split import Split
from thalweg.training.checkpoint import save_weights
from thalweg.training.device import Device
from thalweg.training.interruption import listening
from thalweg.training.loop import Trainer
from thalweg.training.mask_scoring import score_masks
from thalweg.training.progress import Outcome
from thalweg.training.ranks import ALONE, Ranks
from thalweg.training.scoring import predict
from thalweg.workbench.answering.model import TrainedModel
from thalweg.workbench.diagnose import diagnose_run
from thalweg.workbench.loading.batching import batches_of
from thalweg.workbench.loading.loading import Loaded
from thalweg.workbench.runs.event_log import EventLog
from thalweg.workbench.runs.kept_epoch import keep_epoch
from thalweg.workbench.runs.live_file import LiveFile, Onlooker
from thalweg.workbench.runs.monitor import Monitor
from thalweg.workbench.runs.session_recipe import loop_recipe
from thalweg.workbench.runs.session_scores import answer_of, score_run
from thalweg.workbench.runs.steps import StepLog
from thalweg.workbench.runs.wise_ft import step_back
from thalweg.workbench.starting.start import Start
from thalweg.workbench.starting.transfer import Probe
from thalweg.workbench.telling.telling import Listener, silent

__all__ = ["Session", "carry_out", "step_macs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Everything a session of a run works with."""

    plan: TrainingPlan
    folder: RunFolder
    spec: NetworkSpec
    start: Start
    loaded: Loaded
    parts: Split
    summary: DataSummary
    findings: tuple[Finding, ...]
    device: Device
    listener: Listener
    started: float
    ranks: Ranks = ALONE
    """With whom the run is shared."""
    shards: bool = False
    """Whether each rank keeps only its rows of the weights."""

    @property
    def heldout(self) -> Sequence[int]:
        """The split that is watched during training."""
        return self.parts.validation or self.parts.test

    @property
    def scored(self) -> Sequence[int]:
        """The split whose accuracy is reported, as indices."""
        return self.parts.test or self.parts.validation

    @property
    def reported(self) -> str:
        """The split whose accuracy is reported."""
        return "test" if self.parts.test else "validation"

    def batches(self, indices: Sequence[int], *, training: bool = False) -> Batches:
        """Batches of some samples; shuffled and augmented for training."""
        ranks = self.ranks if training else ALONE
        return batches_of(self.loaded, indices, self.plan, training=training, ranks=ranks, device=self.device.batches)


def carry_out(run: Session, *, resuming: bool) -> TrainResult:
    """Train, evaluate, save and report.

    Args:
        run: The run.
        resuming: Whether to go on from a checkpoint.

    Returns:
        The answer of the verb.

    Raises:
        RunError: Another process is working on the run.
        TrainingFailedError: The run went wrong, or its folder cannot be written any more.
    """
    if not run.ranks.first:
        return _carry_along(run, resuming=resuming)
    live = LiveFile(run.folder.path)
    try:
        with held(run.folder.path):
            live.take_request()  # of a run before this one
            if resuming:
                run.folder.sweep()
            try:
                return _carry_out(run, live, resuming=resuming)
            except Exception as error:
                if not isinstance(error, OSError | RanksPartedError):  # these, and a second Ctrl-C, resume mends
                    live.enter("failed", str(error) or type(error).__name__)
                raise
    except OSError as error:  # a full disk, most likely
        place, reason = printable(run.folder.path), error.strerror or type(error).__name__
        raise TrainingFailedError(
            f"{place} cannot be written: {reason}; what was saved before is whole: "
            f"mend that, then thalweg resume {place}"
        ) from error


def _carry_along(run: Session, *, resuming: bool) -> TrainResult:
    """What a rank does that is not the first: the same training, whose files nobody will read."""
    with tempfile.TemporaryDirectory(prefix="thalweg-rank-") as name:
        aside = replace(run, folder=RunFolder(Path(name)), listener=silent())
        (aside.folder.path / "checkpoints").mkdir()
        _train(aside, LiveFile(aside.folder.path), resuming=resuming)
    return from_plain(TrainResult, json.loads(run.ranks.from_first(str)), "rank 0")


def step_macs(spec: NetworkSpec, plan: TrainingPlan, probe: Probe | None) -> int:
    """Multiply-accumulates of a batch's forward pass; 0 where they are not known or a head learns from kept features.

    Args:
        spec: The network.
        plan: Its batch size is used.
        probe: The head, where it alone learns.

    Returns:
        Their number.

    Example:
        >>> from thalweg.core.shape import Shape
        >>> from thalweg.networks.catalogue import network
        >>> step_macs(network("small", Shape(3, (96, 96)), 2), TrainingPlan(source="photos", batch_size=16), None)
        157487104
    """
    return 0 if probe else (count(spec).macs or 0) * (plan.batch_size or 1)


def _carry_out(run: Session, live: LiveFile, *, resuming: bool) -> TrainResult:
    live.enter("training")
    trainer, outcome, monitor = _train(run, live, resuming=resuming)
    if outcome.interrupted is not None:
        live.enter("interrupted")
        result = answer_of(run, outcome, None, monitor=monitor)
    else:
        live.enter("evaluating")
        result = _conclude(run, trainer, outcome, monitor)
        live.enter("finished")
    run.ranks.from_first(lambda: dumps(result))
    return result


def _monitor(run: Session, network: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Monitor:
    plan = run.plan
    return Monitor(
        network,
        optimizer,
        folder=run.folder.path,
        rate=plan.learning_rate or 0.0,
        repair=plan.repair,
        given=plan.given_rate,
        scaling=run.start.scaling,
        clips=plan.rate_from == "trials",
        classes=0 if run.summary.masks else len(run.summary.classes),  # a segmenter has an output a class
        ranks=run.ranks.size,
        total=run.ranks.total if run.shards else None,
    )


def _train(run: Session, live: LiveFile, *, resuming: bool) -> tuple[Trainer, Outcome, Monitor]:
    folder, probe = run.folder, run.start.probe
    steps = StepLog(folder.path / "steps.csv")
    watch = Onlooker(folder, live, steps, run.listener)
    monitors: dict[str, Monitor] = {}
    trainer = Trainer(
        run.start.trained,
        loop_recipe(run, resuming=resuming),
        train=probe.train if probe else run.batches(run.parts.train, training=True),
        heldout=probe.heldout if probe else run.batches(run.heldout),
        device=run.device,
        folder=folder.path / "checkpoints",
        observer=lambda progress: watch(trainer, monitors["run"], progress),
        log_steps=steps.append,
        companion=lambda network, optimizer: monitors.setdefault("run", _monitor(run, network, optimizer)),
        scorer=score_masks if run.summary.masks else predict,
        ranks=run.ranks,
        shards=run.shards,
    )
    monitor = monitors["run"]
    if resuming:
        for complaint in trainer.resume():
            run.listener.say(f"A checkpoint was passed over: {complaint}.")
        if trainer.state.finished:
            run.listener.say("This run is finished: it is evaluated again; train anew for more epochs.")
        else:
            run.listener.say(f"Going on after epoch {trainer.state.epoch - 1}, step {trainer.state.step}.")
    if trainer.state.step == 0 and run.start.notes:
        trainer.state.events[:] = [
            {"epoch": 1, "step": 0, "kind": "encoder_loaded" if run.summary.masks else "head_fitted", "message": note}
            for note in run.start.notes
        ]
    steps.cut_after(trainer.state.step)
    watch.events = EventLog.of(folder.path, resumed=trainer.state.step)
    steps.also = watch.events.steps if watch.events is not None else None
    monitor.log.cut_after(trainer.state.step)
    try:
        with listening() as interruption:
            watch.interruption = interruption
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
    from thalweg.workbench.context_use import reach_of_run
    from thalweg.workbench.report import write_report  # here, as nothing of it is needed before the first step
    from thalweg.workbench.reporting.masks import write_mask_report

    folder, probe = run.folder, run.start.probe
    for event in trainer.state.events:
        if event["kind"] == "early_stop":
            run.listener.say(f"Stopped after epoch {event['epoch']} (--patience): {event['message']}.")
        if event["kind"] == "memory":
            run.listener.say(f"Note: {event['message']}.")
    kept_epoch = keep_epoch(run, trainer)
    placed = None if probe else step_back(run, trainer.evaluated)
    if placed is not None:
        folder.write_json("backbone.json", {**folder.read_json("backbone.json"), "wise_ft": placed})
    network = probe.assembled(trainer.evaluated) if probe else trainer.evaluated
    save_weights(network, folder.path / "model.safetensors")
    scored, kept = score_run(run, network)
    diagnosed = diagnose_run(folder.path, say=run.listener.say)
    evaluation = kept.get("evaluation")
    result = answer_of(
        run,
        outcome,
        evaluation if isinstance(evaluation, Evaluation) else None,
        diagnosed.findings if diagnosed else (),
        monitor=monitor,
        kept_epoch=kept_epoch,
    )
    if scored is not None:
        result = replace(result, **scored.fields())  # type: ignore[arg-type]  # names and values are its own
    folder.write_json("findings.json", {"findings": result.findings, "learning_rate": _rate(diagnosed)})
    folder.write_json("metrics.json", {**to_plain(result), **kept})
    if scored is not None:
        context = reach_of_run(
            network, run.spec, run.loaded, run.scored, run.summary.classes,
            device=run.device, batch=(run.plan.batch_size or 1) // trainer.state.pieces, seed=run.plan.seed,
        )  # fmt: skip
        write_mask_report(folder, loaded=run.loaded, plan=run.plan, scored=scored, context=context, diagnosed=diagnosed)
    else:
        trained = TrainedModel(
            folder=folder, plan=run.plan, summary=run.summary, spec=run.spec, module=network.eval(), device=run.device
        )
        write_report(folder, loaded=run.loaded, plan=run.plan, diagnosed=diagnosed, trained=trained)
    result = replace(result, seconds=time.perf_counter() - run.started, report=str(folder.path / "report.html"))
    folder.write_json("metrics.json", {**to_plain(result), **kept})
    return result


def _rate(diagnosed: DiagnosedRun | None) -> dict[str, object] | None:
    return None if diagnosed is None else diagnosed.learning_rate.to_json()
