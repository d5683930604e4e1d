"""kill -9 of one of two torchrun ranks, twenty times: nobody hangs, and the run ends as if nothing had been.

Claim: when a rank is killed between two steps, inside an evaluation or inside the write of a checkpoint, the others
notice and end with one clear line and a status that is not 0; with `--max-restarts` the launcher starts all ranks anew
and the run goes on by itself within 60 seconds; without, `thalweg resume` goes on. Either way weights, best weights,
optimizer, curves, steps, measurements and predictions equal those of two ranks that nobody killed, to the bit.

    python benchmarks/reliability/rank_loss.py --out benchmarks/results/reliability/rank_loss.json

Injections that the result file holds already are not run again; `--most 5` runs five more.
"""

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import kill
from kill import differences, traces
from outcome import Case, machine, make_photos
from world_size import in_ranks

INJECTIONS = 20
SECONDS = 60
EPOCHS = 3
OPTIONS = ("--network", "plain", "--image-size", "32", "--batch-size", "8", "--epochs", str(EPOCHS), "--lr", "0.003",
           "--split", "60/20/20", "--quiet")  # fmt: skip
KINDS = ("step", "validation", "write")


def rank() -> None:
    """What torchrun starts: the command line, which may have been told to die."""
    from thalweg.cli.main import main
    from thalweg.training import loop

    loop.CHECKPOINT_SECONDS = 0.0
    kill.EPOCHS = EPOCHS - 1
    first = os.environ.get("TORCHELASTIC_RESTART_COUNT") == "0"
    told = json.loads(os.environ["THALWEG_INJECTION"])
    if told and first and int(os.environ["RANK"]) == told["rank"]:
        numbers = random.Random(told["seed"])
        if told["kind"] == "validation":  # of its two batches each rank has one
            kill._die_inside_validation(loop, numbers.randint(1, EPOCHS - 1), 0)  # noqa: SLF001 - of the same folder
        else:
            kill.arm(told["kind"], numbers)
    kept = loop.Trainer._step  # noqa: SLF001
    notes = Path(os.environ["THALWEG_NOTES"])

    def timed(*words: object) -> object:
        answer = kept(*words)  # type: ignore[arg-type]
        with notes.open("a") as file:
            file.write(f"{'first' if first else 'again'} {time.time()}\n")
        return answer

    loop.Trainer._step = timed  # type: ignore[method-assign, assignment]  # noqa: SLF001
    main()


def launch(folder: Path, words: tuple[str, ...], told: Case | None, *, restarts: int) -> tuple[int, str, float]:
    """Start two ranks; give the launcher's status, what was said, and the seconds it took."""
    environment = os.environ | {
        "THALWEG_INJECTION": json.dumps(told), "THALWEG_NOTES": str(folder / "notes"), "OMP_NUM_THREADS": "1",
        "THALWEG_CACHE": str(folder / "cache"),
    }  # fmt: skip
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
               "--max-restarts", str(restarts), str(Path(__file__).resolve()), *words]  # fmt: skip
    started = time.perf_counter()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            said, _ = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return -1, "hung", time.perf_counter() - started
    return process.returncode, said, time.perf_counter() - started


def straight(folder: Path) -> dict[str, object]:
    """What two ranks come to that nobody kills; they are forked, which spares a launcher's start."""
    import thalweg
    from thalweg.cli.main import main

    for verb in ("train", "resume"):
        getattr(thalweg, verb)  # imported before any fork, computed with only after it
    words = ("train", str(folder / "photos"), "--out", str(folder / "straight"), *OPTIONS)

    def trained(_: int) -> None:
        import torch

        from thalweg.training import loop

        torch.set_num_threads(1)  # as the launcher's ranks
        loop.CHECKPOINT_SECONDS = 0.0
        os.environ["THALWEG_CACHE"] = str(folder / "cache")
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
            main(words)

    if any(in_ranks(2, trained)) or not (folder / "straight" / "metrics.json").is_file():
        raise SystemExit("the run that nobody kills did not end")
    return traces(folder / "straight")


def try_one(number: int, photos: Path, folder: Path, truth: dict[str, object]) -> Case:
    """Kill a rank once; go on; compare."""
    kind = KINDS[number % 3]
    told: Case = {"kind": kind, "rank": 0 if kind == "write" else number // 3 % 2, "seed": number}
    run, restarts = folder / "run", number % 2 * 2
    shutil.rmtree(run, ignore_errors=True)
    (folder / "notes").write_text("")
    begin = ("train", str(photos), "--out", str(run), *OPTIONS)
    status, said, seconds = launch(folder, begin, told, restarts=restarts)
    lines = [line for line in said.splitlines() if "lost another rank" in line]
    case = told | {"restarts": restarts, "status": status, "seconds": round(seconds, 1), "said": lines[:1]}
    moments = [line.split() for line in (folder / "notes").read_text().splitlines()]
    if restarts:
        last = max((float(at) for which, at in moments if which == "first"), default=0.0)
        again = min((float(at) for which, at in moments if which == "again"), default=float("inf"))
        case["recovered_after_seconds"] = round(again - last, 1)
        held = status == 0 and again - last <= SECONDS
    else:
        held = status > 0 and bool(lines) and seconds <= SECONDS
        go_on = ("resume", str(run), "--quiet") if (run / "plan.toml").is_file() else begin
        case["resumed_with_status"], _, _ = launch(folder, go_on, None, restarts=0)
        held = held and case["resumed_with_status"] == 0
    wrong = differences(truth, traces(run)) if (run / "metrics.json").is_file() else ["never finished"]
    return case | {"wrong": wrong, "held": held and not wrong}


def work(quick: bool, *, known: tuple[Case, ...] = (), most: int = INJECTIONS, out: Path | None = None) -> Case:
    """Twenty injections, or one."""
    details = list(known)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_photos(folder / "photos")
        (folder / "notes").touch()
        truth = straight(folder)
        for number in (1,) if quick else range(INJECTIONS):
            if most <= 0 or any(case["seed"] == number for case in details):
                continue
            most -= 1
            details.append(try_one(number, folder / "photos", folder, truth))
            print(details[-1], file=sys.stderr)
            if out:
                out.write_text(json.dumps(gathered(details) | machine(), indent=1) + "\n", encoding="utf-8")
    return gathered(details)


def gathered(details: list[Case]) -> Case:
    """The result so far."""
    recovered = [case["recovered_after_seconds"] for case in details if "recovered_after_seconds" in case]
    return {
        "row": 6, "cases": len(details), "held": sum(case["held"] for case in details),
        "longest_recovery_seconds": max(recovered, default=None), "details": details,
    }  # fmt: skip


def main() -> int:
    """Run on from what the result file holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the short form that the test suite runs")
    parser.add_argument("--most", type=int, default=INJECTIONS, help="how many more to run")
    parser.add_argument("--out", type=Path, help="where to write the result as JSON")
    options = parser.parse_args()
    known = json.loads(options.out.read_text())["details"] if options.out and options.out.is_file() else []
    result = work(options.quick, known=tuple(known), most=options.most, out=options.out)
    print(f"{result['held']} of {result['cases']} held")
    return int(result["held"] != result["cases"])


if __name__ == "__main__":
    if "TORCHELASTIC_RUN_ID" in os.environ:
        rank()
    sys.exit(main())
