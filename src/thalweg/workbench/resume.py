"""`thalweg resume`: an interrupted run goes on exactly where it stopped."""

import time
from pathlib import Path

from thalweg.core.codec import from_plain
from thalweg.core.dataset import DataSummary
from thalweg.core.errors import RunError
from thalweg.core.files import printable
from thalweg.core.finding import Finding
from thalweg.core.plan import TrainingPlan
from thalweg.core.results import TrainResult
from thalweg.core.run_folder import RunFolder
from thalweg.data.split import Split
from thalweg.modules.build import build
from thalweg.training.device import choose_device
from thalweg.workbench.loading import load_scan, look
from thalweg.workbench.session import Session, carry_out
from thalweg.workbench.telling import Listener, silent

__all__ = ["resume"]


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
    spec = folder.read_network()
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
        train=tuple(position[file] for file in summary.train),
        validation=tuple(position[file] for file in summary.validation),
        test=tuple(position[file] for file in summary.test),
    )
    stored = folder.read_json("findings.json").get("findings", [])
    state = Session(
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
    return carry_out(state, module, resuming=True)
