"""SIGTERM, Ctrl-C and a closed terminal at twenty moments: saved within a step, 143, 130 or 129, nobody left, then on.

The command line runs in a process group of its own and signals itself: at a step, in a validation, inside the write of
a checkpoint, while pictures are read, or while the report is written. Then every process of the group must be gone
within 10 seconds, the newest checkpoint must not be older than one step after the signal, and `thalweg resume` must end
with the weights, predictions and curves of the run that nobody stopped.

    python benchmarks/reliability/stops.py --out benchmarks/results/reliability/stops.json
"""

import contextlib
import io
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from children import begin, status_of
from kill import differences, traces
from outcome import Case, cache_in, make_photos, report

EPOCHS = 4
PLACES = ("step", "validation", "write", "reading", "report")
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
EXIT = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGHUP: 129}
OPTIONS = ("--network", "plain", "--image-size", "32", "--batch-size", "8", "--epochs", str(EPOCHS), "--lr", "0.003",
           "--split", "60/20/20", "--quiet")  # fmt: skip


def signalling(owner: Any, name: str, call: int, signum: int, note: Path) -> None:
    """Let a process signal itself at a call of a function, and note the step of the trainer by then."""
    kept, calls = getattr(owner, name), 0
    from thalweg.training import loop

    trainers: list[Any] = []
    made = loop.Trainer.__init__

    def remembering(self: Any, *words: Any, **options: Any) -> None:
        made(self, *words, **options)
        trainers.append(self)

    loop.Trainer.__init__ = remembering

    def sending(*words: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            note.write_text(str(trainers[-1].state.step if trainers else -1))
            os.kill(os.getpid(), signum)
        return kept(*words, **options)

    setattr(owner, name, sending)


def arm(place: str, turn: int, signum: int, note: Path) -> None:
    """Arrange the signal."""
    from thalweg.core import files
    from thalweg.training import loop
    from thalweg.workbench import report as report_of_run
    from thalweg.workbench import train
    from thalweg.workbench.runs import session

    owner, name, call = {
        "step": (loop.Trainer, "_step", (2, 7, 13, 19)[turn]),
        "validation": (session, "predict", turn % (EPOCHS - 1) + 1),
        "write": (files.os, ("fsync", "chmod", "replace", "fsync")[turn], (31, 9, 9, 24)[turn]),
        "reading": (train, ("load_scan", "divide", "summarise", "batches_of")[turn % 3], 1),
        "report": (
            report_of_run if turn == 1 else session,
            ("score_run", "write_report", "save_weights", "diagnose_run")[turn],
            1,
        ),
    }[place]
    signalling(owner, name, call, signum, note)


def in_group(work: Callable[[], None]) -> tuple[int, int, float]:
    """Run something in a forked process group; give its exit status, how many processes it left, and its seconds."""

    def grouped() -> None:
        os.setpgid(0, 0)
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            work()

    started = time.perf_counter()
    child = begin(grouped)
    status = status_of(child)
    left = 1
    deadline = time.monotonic() + 10
    while left and time.monotonic() < deadline:
        try:
            os.killpg(child, 0)
            time.sleep(0.05)
        except ProcessLookupError:
            left = 0
    return status, left, time.perf_counter() - started


def command(*words: str) -> None:
    """The command line, with a checkpoint an epoch."""
    from thalweg.cli.main import main
    from thalweg.training import loop

    loop.CHECKPOINT_SECONDS = 0.0
    main(words)


def try_one(
    place: str, turn: int, signum: signal.Signals, photos: Path, folder: Path, truth: dict[str, object]
) -> Case:
    """Stop a run once, go on, compare."""
    run, note = folder / "run", folder / "note"
    shutil.rmtree(run, ignore_errors=True)
    note.unlink(missing_ok=True)

    def stopped() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # where this runs under nohup, it would stay ignored
        arm(place, turn, signum, note)
        command("train", str(photos), "--out", str(run), *OPTIONS)

    status, left, seconds = in_group(stopped)
    at = int(note.read_text()) if note.is_file() else None
    saved = max((int(path.name[5:14]) for path in run.glob("checkpoints/step-*")), default=0)
    began = (run / "plan.toml").is_file()
    if began:
        again, _, _ = in_group(lambda: command("resume", str(run), "--quiet"))
        wrong = differences(truth, traces(run)) if again == 0 else [f"resume ended with status {again}"]
    else:  # stopped before the run had begun: nothing was trained, and nothing may be left that stands in the way
        again, _, _ = in_group(lambda: command("train", str(photos), "--out", str(run), *OPTIONS))
        wrong = differences(truth, traces(run)) if again == 0 else [f"a new start ended with status {again}"]
    in_time = at is not None and saved >= max(at, 0)
    held = status == EXIT[signum] and not left and in_time and not wrong
    return {
        "place": place, "turn": turn, "signal": signum.name, "status": status, "processes_left": left,
        "seconds": round(seconds, 1), "at_step": at, "saved_step": saved, "wrong": wrong, "held": held,
    }  # fmt: skip


def work(quick: bool) -> dict[str, object]:
    """Five places, four turns each, the signals by turns."""
    import thalweg

    for verb in ("train", "resume"):
        getattr(thalweg, verb)  # imported before any fork, computed with only after it
    details = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with cache_in(folder / "cache"):
            make_photos(folder / "photos")
            straight = folder / "straight"
            in_group(lambda: command("train", str(folder / "photos"), "--out", str(straight), *OPTIONS))
            truth = traces(straight)
            for number, place in enumerate(PLACES):
                for turn in range(4) if not quick else [number % 4] if place in {"step", "write"} else []:
                    signum = SIGNALS[len(details) % len(SIGNALS)]
                    details.append(try_one(place, turn, signum, folder / "photos", folder, truth))
    return {"row": 5, "cases": len(details), "held": sum(case["held"] for case in details), "details": details}


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
