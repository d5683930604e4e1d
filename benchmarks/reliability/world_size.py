"""One rank, two, four: do they train on the same samples in every step, and come to the same loss?

Claim: whatever the number of ranks, the samples of all ranks together in a step are those of one rank, every training
sample comes once an epoch (also where the ranks do not divide the batches), and without batch normalisation the loss of
every step is that of one rank within 1e-5 relative. With batch normalisation over the ranks the mathematics is the
same, and rounding grows faster; with bfloat16 products (where the processor has them) rounding is 65,000 times coarser:
both are told, not promised.

    python benchmarks/reliability/world_size.py --out benchmarks/results/reliability/world_size.json
"""

import csv
import functools
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from children import begin, status_of
from outcome import Case, cache_in, make_photos, report

LIMIT = 1e-5
DROPOUT = (
    "rescale(0.0078,-1) conv2d(16,3,padding=same) relu maxpool2d(2) dropout(0.2) conv2d(32,3,padding=same) relu "
    "maxpool2d(2) flatten dense(32) relu dropout(0.5) dense(2)"
)
CASES: dict[str, dict[str, Any]] = {
    "lenet, adam": {"network": "lenet", "optimizer": "adam", "lr": 0.001, "batch_size": 8},
    "lenet, sgd, uneven parts": {"network": "lenet", "optimizer": "sgd", "lr": 0.01, "batch_size": 7},
    "two dropouts, adamw": {"network": DROPOUT, "optimizer": "adamw", "lr": 0.001, "batch_size": 9},
}
TOLD: dict[str, dict[str, Any]] = {
    "batch normalisation over ranks: plain, adam": {"network": "plain", "lr": 0.001, "batch_size": 8},
}


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


def in_ranks(size: int, work: Callable[[int], None]) -> list[int]:
    """Do something in forked processes that are told to be ranks; give their exit statuses."""
    port = free_port()

    def ranked(rank: int) -> None:
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "RANK": str(rank)}
        os.environ |= {"WORLD_SIZE": str(size), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"}
        work(rank)

    children = [begin(functools.partial(ranked, rank)) for rank in range(size)]
    return [status_of(child) for child in children]


def train(photos: Path, run: Path, notes: Path, options: dict[str, Any], *, float32: bool) -> Callable[[int], None]:
    """Train, and note which files each rank trains on in each step."""

    def work(rank: int) -> None:
        import torch

        import thalweg
        from thalweg.data.batching.batches import Batches
        from thalweg.training.loop import Trainer

        torch.set_num_threads(1)
        if float32:
            torch.cpu._is_avx512_bf16_supported = torch.cpu._is_amx_tile_supported = bool  # type: ignore[assignment]  # noqa: SLF001
        made, fitted, seen = Batches.batch, Trainer.fit, []
        training = False

        def noting(self: Batches, indices: Any, epoch: int, number: int, side: int | None = None) -> Any:
            batch = made(self, indices, epoch, number, side)
            if training and epoch > 0:  # of training: not of trials, evaluation and report
                seen.append([epoch, number, [int(self.rows[index]) for index in batch.indices]])
            return batch

        def fit(self: Trainer, *words: Any) -> Any:
            nonlocal training
            training = True
            try:
                return fitted(self, *words)
            finally:
                training = False

        Batches.batch, Trainer.fit = noting, fit  # type: ignore[method-assign]
        thalweg.train(photos, out=run, epochs=2, image_size=32, split="60/20/20", repair=False, **options)
        (notes / f"{rank}.json").write_text(json.dumps(seen))

    return work


def samples(notes: Path, size: int) -> dict[tuple[int, int], list[int]]:
    """Files of every step over all ranks, in the ranks' order."""
    found: dict[tuple[int, int], list[int]] = {}
    for rank in range(size):
        for epoch, number, rows in json.loads((notes / f"{rank}.json").read_text()):
            found.setdefault((epoch, number), []).extend(rows)
    return found


def losses(run: Path) -> list[float]:
    """The training loss of every step, and of every evaluation behind them."""
    rows = [float(row["loss"]) for row in csv.DictReader((run / "steps.csv").read_text().splitlines())]
    return rows + [float(row["val_loss"]) for row in csv.DictReader((run / "history.csv").read_text().splitlines())]


def try_one(name: str, options: dict[str, Any], size: int, folder: Path, *, float32: bool, promised: bool) -> Case:
    """One network with one number of ranks, beside one rank."""
    kept = {}
    for count in (1, size):
        place = folder / f"{name.replace(' ', '-').replace(':', '')}-{float32}-{count}"
        if not (place / "notes").is_dir():
            (place / "notes").mkdir(parents=True)
            status = in_ranks(count, train(folder / "photos", place / "run", place / "notes", options, float32=float32))
            if any(status):
                return {"case": name, "ranks": size, "said": f"statuses {status}", "held": False}
        kept[count] = samples(place / "notes", count), losses(place / "run")
    one, more = kept[1], kept[size]
    epochs: dict[int, list[int]] = {}
    for (epoch, _), rows in more[0].items():
        epochs.setdefault(epoch, []).extend(rows)
    once = all(len(rows) == len(set(rows)) for rows in epochs.values()) and len({len(r) for r in epochs.values()}) == 1
    apart = [abs(a - b) / max(abs(a), 1e-12) for a, b in zip(one[1], more[1], strict=True)]
    case: Case = {
        "case": name, "ranks": size, "precision": "float32" if float32 else "as the processor has it",
        "steps": len(more[0]), "same_samples": one[0] == more[0], "every_sample_once_an_epoch": once,
        "largest_relative_difference_of_loss": max(apart), "of_the_first_step": apart[0],
    }  # fmt: skip
    return case | {"held": one[0] == more[0] and once and (max(apart) <= LIMIT or not promised)}


def work(quick: bool) -> dict[str, object]:
    """Every network with 2 and 4 ranks."""
    import thalweg

    for verb in ("train", "resume"):
        getattr(thalweg, verb)  # imported before any fork, computed with only after it
    details = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with cache_in(folder / "cache"):
            make_photos(folder / "photos", count=34)
            chosen = dict(list(CASES.items())[1:2]) if quick else CASES
            for case, options in chosen.items():
                sizes = (2,) if quick else (2, 4)
                details += [try_one(case, options, size, folder, float32=True, promised=True) for size in sizes]
            told = {} if quick else TOLD | {"as it is: lenet, adam": CASES["lenet, adam"]}
            for case, options in told.items():
                for size in (2, 4):
                    float32 = "as it is" not in case
                    details.append(try_one(case, options, size, folder, float32=float32, promised=False))
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
    return {"row": 7, "cases": len(details), "held": sum(case["held"] for case in details), "details": details}


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
