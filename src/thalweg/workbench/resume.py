"""`thalweg resume`: an interrupted run goes on exactly where it stopped."""

from pathlib import Path

from thalweg.core.codec import from_plain
from thalweg.core.dataset import DataSummary
from thalweg.core.errors import RunError
from thalweg.core.files import printable
from thalweg.core.finding import Finding
from thalweg.core.plan import TrainingPlan
from thalweg.core.results import TrainResult
from thalweg.core.run_folder import RunFolder
from thalweg.training.device import choose_device, fitting_threads
from thalweg.training.meeting import joined
from thalweg.training.ranks import Ranks
from thalweg.workbench.environment import find_source
from thalweg.workbench.loading.loading import load_scan, look, same_labels, same_split
from thalweg.workbench.runs.session import Session, carry_out, step_macs
from thalweg.workbench.runs.spreading import refuse_shards, refuse_thin_parts
from thalweg.workbench.starting.precision import sound
from thalweg.workbench.starting.segmenting import restore_masks
from thalweg.workbench.starting.start import start_from_seed
from thalweg.workbench.starting.transfer_start import restore_start
from thalweg.workbench.telling.telling import Listener, silent, whoever_is_here

__all__ = ["go_on", "resume"]


def resume(run: str | Path, *, shard: bool = False, listener: Listener | None = None) -> TrainResult:
    """Go on with a run that was interrupted, exactly where it stopped.

    Args:
        run: The run folder.
        shard: Whether each of several ranks keeps only its rows of weights, gradients and the optimizer's memory from
            here on, however the run began.
        listener: Whoever shows progress.

    Returns:
        As `train`; a run that is finished is only evaluated again.

    Raises:
        RunError: There is no run, or its data are not there any more.
    """
    listener = listener or whoever_is_here()
    folder = RunFolder.open(Path(run))
    plan = TrainingPlan.from_toml(folder.read_text("plan.toml"), printable(folder.path / "plan.toml"))
    device = choose_device(plan.device)
    with joined(device.kind) as ranks:
        if shard:
            refuse_shards(plan, device, ranks)
        return go_on(folder, listener if ranks.first else silent(), ranks, shards=shard)


def go_on(folder: RunFolder, listener: Listener, ranks: Ranks, *, shards: bool) -> TrainResult:
    """Go on with a run, together with the other ranks where there are any.

    Args:
        folder: The run, on a disk that all of them see.
        listener: Whoever shows progress.
        ranks: With whom the run is shared from here; any number, whoever began it.
        shards: Whether each of them keeps only its rows of the weights.

    Returns:
        As `train`.

    Raises:
        RunError: The run's data are not there any more, or its folder holds links.
    """
    started = listener.began
    folder.refuse_links()
    plan = TrainingPlan.from_toml(folder.read_text("plan.toml"), printable(folder.path / "plan.toml"))
    summary = from_plain(DataSummary, folder.read_json("data.json"), "data.json")
    spec = folder.read_network()
    with ranks.in_turn():
        looked = look(find_source(folder, plan.source), listener, wanted=plan.wanted)
        loaded = load_scan(looked.scan, image_size=plan.size_of_pictures or looked.side, listener=listener)
    if loaded.scan.classes != summary.classes:
        raise RunError(
            f"{printable(plan.source)} now has the classes {', '.join(map(printable, loaded.scan.classes))} "
            f"and the run knows {', '.join(map(printable, summary.classes))}: restore the class folders, or train anew"
        )
    parts = same_split(loaded, summary)
    same_labels(loaded, summary, parts)
    refuse_thin_parts(plan, len(parts.train), ranks)
    if plan.backbone is None:
        start = start_from_seed(plan, spec, folder)
    elif summary.masks:
        start = restore_masks(folder.path, plan, spec)
    else:
        start = restore_start(folder.path, plan, spec, loaded, parts)
    stored = from_plain(tuple[Finding, ...], folder.read_json("findings.json").get("findings", []), "findings.json")
    run = Session(
        plan=plan,
        folder=folder,
        spec=spec,
        start=start,
        loaded=loaded,
        parts=parts,
        summary=summary,
        findings=tuple(finding for finding in stored if finding.code.startswith("DAT")),  # curves are judged anew
        device=sound(choose_device(plan.device), spec),
        listener=listener,
        started=started,
        ranks=ranks,
        shards=shards,
    )
    with fitting_threads(run.device, step_macs(spec, plan, start.probe) // ranks.size):
        return carry_out(run, resuming=True)
