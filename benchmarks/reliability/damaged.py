"""A damaged checkpoint: the newest cut at 20 places, or with one of its bits flipped at 20: seen, said, passed over.

After each harm a fresh trainer must go on from the checkpoint before, name the damaged file in a sentence, and end with
the weights and curves of the run that was never harmed, to the bit.

    python benchmarks/reliability/damaged.py --out benchmarks/results/reliability/damaged.json
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from outcome import Case, report
from power_loss import trainer

EPOCHS = 6


def harmed(whole: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """Cuts and flipped bits, spread over the whole file and always some in its header."""
    header = 8 + int.from_bytes(whole[:8], "little")
    random = np.random.default_rng(0)
    for length in np.linspace(0, len(whole) - 1, count).astype(int):
        yield f"cut after {length} of {len(whole)} bytes", whole[:length]
    places = [*random.integers(0, header, count // 2), *random.integers(header, len(whole), count - count // 2)]
    for place in places:
        bit = int(random.integers(8))
        flipped = bytearray(whole)
        flipped[place] ^= 1 << bit
        yield f"bit {bit} of byte {place} flipped", bytes(flipped)


def try_one(what: str, data: bytes, run: Path, truth: tuple[object, ...], before: int) -> Case:
    """Harm a copy, go on, compare."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "run")
        shutil.copytree(run, folder)
        newest = max(folder.glob("step-*"))
        newest.write_bytes(data)
        fresh = trainer(folder, EPOCHS)
        said = fresh.resume()
        step = fresh.state.step
        fresh.fit()
        same = traces(fresh) == truth
    held = len(said) == 1 and newest.name in said[0] and step == before and same
    return {"what": what, "said": [each.replace(name, "") for each in said], "step": step, "same": same, "held": held}


def traces(made: object) -> tuple[object, ...]:
    """Weights, average and curves."""
    timed = {"seconds", "images_per_second"}
    rows = [{key: value for key, value in row.items() if key not in timed} for row in made.state.rows]  # type: ignore[attr-defined]
    networks = (made.module, made.evaluated)  # type: ignore[attr-defined]
    return rows, [value.numpy().tobytes() for each in networks for value in each.state_dict().values()]


def work(quick: bool) -> dict[str, object]:
    """Harm the newest checkpoint of a run that was cut short after five of six epochs."""
    from thalweg.training import loop

    loop.CHECKPOINT_SECONDS = -1.0
    try:
        with tempfile.TemporaryDirectory() as name:
            whole, cut = Path(name, "whole"), Path(name, "cut")
            whole.mkdir(), cut.mkdir()
            straight = trainer(whole, EPOCHS)
            straight.fit()
            stopped = trainer(cut, EPOCHS)
            for _ in range(EPOCHS - 1):
                stopped._epoch(None)  # noqa: SLF001 - as much of a run as a kill leaves
            newest = max(cut.glob("step-*")).read_bytes()
            before = min(int(path.name[5:14]) for path in cut.glob("step-*"))
            kept = 3 if quick else 20
            details = [try_one(what, data, cut, traces(straight), before) for what, data in harmed(newest, kept)]
    finally:
        loop.CHECKPOINT_SECONDS = 20.0
    return {"row": 2, "cases": len(details), "held": sum(case["held"] for case in details), "details": details}


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
