"""Stopping and resuming a run from outside its process: a file that the run looks for, and a new process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from thalweg.core.errors import RunError
from thalweg.core.files import printable
from thalweg.core.live_state import STOP_FILE
from thalweg.core.run_folder import RunFolder
from thalweg.workbench.following.run_states import run_state

__all__ = ["RESUME_LOG", "ask_to_stop", "resume_apart"]

RESUME_LOG = "resume.log"
"""What a resumed run that nobody sits before would have shown."""


def ask_to_stop(folder: Path) -> None:
    """Ask a run that is training to save and stop, as SIGTERM does; it does so within a second or a step.

    A file and no signal: it works on every system, reaches a run of another machine on a shared disk, and can never
    hit a process that only has the number of one that is gone.

    Args:
        folder: The run folder.

    Raises:
        RunError: The run is not training, or its folder holds links.
    """
    state = run_state(folder)
    if state.phase != "training":
        raise RunError(f"{printable(folder)} is not training ({state.phase}): there is nothing to stop")
    RunFolder(folder).refuse_links()
    (folder / STOP_FILE).touch()


def resume_apart(folder: Path) -> "subprocess.Popen[bytes]":
    """Start `thalweg resume` as a process of its own, which goes on when whoever started it ends.

    Args:
        folder: The run folder.

    Returns:
        The process; what it says goes to `resume.log` in the run folder.

    Raises:
        RunError: The run cannot go on.
    """
    state = run_state(folder)
    if not state.resumable:
        why = "it is being trained already" if state.running else f"it is {state.phase}"
        raise RunError(f"{printable(folder)} cannot be resumed: {why}")
    RunFolder(folder).refuse_links()
    detached = 0x00000208 if os.name == "nt" else 0  # DETACHED_PROCESS and a group of its own
    with (folder / RESUME_LOG).open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - our own command line, and a folder that was found to be a run
            [sys.executable, "-m", "thalweg", "resume", "--quiet", "--", str(folder.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            creationflags=detached,
            start_new_session=os.name != "nt",
        )
