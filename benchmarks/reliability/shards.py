"""A network whose weights lie in shards over ranks (`--shard`): the same run, less memory a rank?

Claim: with `--shard` the samples of every step are those of one rank, losses of networks without batch normalisation
are its within 1e-5 relative, and so are those after a run goes on, from shards to one process or the other way round;
the run folder has the same files and tensors. Each of n ranks holds about 1 / n of the bytes of weights, gradients,
optimizer and average; what it gathers for a layer while that computes comes on top, and is not counted here.

    python benchmarks/reliability/shards.py --out benchmarks/results/reliability/shards.json
"""

import csv
import functools
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outcome import Case, cache_in, make_photos, report
from world_size import CASES, LIMIT, in_ranks, losses, samples, train

SMALL: dict[str, Any] = {"network": "small", "optimizer": "adamw", "lr": 0.001, "batch_size": 8}
MEMORY: dict[str, dict[str, Any]] = {
    "plain, adam": {"network": "plain", "optimizer": "adam", "lr": 0.001, "batch_size": 8},
    "resnet18, sgd": {"network": "resnet18", "optimizer": "sgd", "lr": 0.0001, "batch_size": 8},
    "small, adamw, with the average of weights": SMALL,
}
"""Batch normalisation rounds differently over ranks: losses of these are told, not promised."""


def bytes_held(trainer: Any) -> dict[str, int]:
    """Bytes of weights, gradients, optimizer's memory and average in this process."""
    from thalweg.modules.sharded import local

    def size(tensors: Any) -> int:
        return sum(local(each).numel() * each.element_size() for each in tensors if each is not None)

    module, memory = trainer.module, trainer.optimizer.state
    return {
        "weights": size(module.parameters()),
        "gradients": size(weight.grad for weight in module.parameters()),
        "optimizer": size(value for state in memory.values() for value in state.values()),
        "average": size(trainer.average.module.parameters()) if trainer.average else 0,
    }


def weighed(work: Callable[[int], None], notes: Path) -> Callable[[int], None]:
    """Note what each rank holds at the end of its first epoch."""

    def working(rank: int) -> None:
        from thalweg.training.loop import Trainer

        finish, place = Trainer._finish_epoch, notes / f"bytes-{rank}.json"  # noqa: SLF001

        def finishing(self: Trainer) -> None:
            if not place.exists():
                place.write_text(json.dumps(bytes_held(self)))
            finish(self)

        Trainer._finish_epoch = finishing  # type: ignore[method-assign]  # noqa: SLF001
        work(rank)

    return working


def files_of(run: Path) -> dict[str, list[str]]:
    """The run's files but for its checkpoints' steps, and the tensors of its weights with their shapes."""
    from safetensors import safe_open

    with safe_open(run / "model.safetensors", framework="pt") as file:
        tensors = [f"{name} {file.get_slice(name).get_shape()}" for name in sorted(file.keys())]
    names = [path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()]
    return {"files": sorted(name for name in names if "best-" not in name), "tensors": tensors}


def apart(one: list[float], other: list[float]) -> float:
    """The largest relative difference of losses."""
    return max(abs(a - b) / max(abs(a), 1e-12) for a, b in zip(one, other, strict=True))


def beside_one(name: str, options: dict[str, Any], size: int, folder: Path, *, promised: bool) -> Case:
    """One network in shards on so many ranks, beside one process."""
    kept: dict[int, tuple[Any, list[float], dict[str, list[str]], list[dict[str, int]]]] = {}
    for count in (1, size):
        place = folder / f"{name.replace(' ', '-').replace(',', '')}-{count}"
        if not (place / "notes").is_dir():
            (place / "notes").mkdir(parents=True)
            how = options | ({"shard": True} if count > 1 else {})
            work = train(folder / "photos", place / "run", place / "notes", how, float32=True)
            status = in_ranks(count, weighed(work, place / "notes"))
            if any(status):
                return {"case": name, "ranks": size, "said": f"statuses {status}", "held": False}
        held = [json.loads(path.read_text()) for path in sorted((place / "notes").glob("bytes-*.json"))]
        kept[count] = samples(place / "notes", count), losses(place / "run"), files_of(place / "run"), held
    one, more = kept[1], kept[size]
    before, after = one[3][0], more[3]
    most = max(sum(each.values()) for each in after)
    difference = apart(one[1], more[1])
    case: Case = {
        "case": name, "ranks": size, "same_samples": one[0] == more[0], "same_files": one[2] == more[2],
        "largest_relative_difference_of_loss": difference, "of_the_first_step": apart(one[1][:1], more[1][:1]),
        "bytes_of_one_process": before, "bytes_of_each_rank": after,
        "share_of_the_fullest_rank": round(most / sum(before.values()), 4),
    }  # fmt: skip
    same = one[0] == more[0] and one[2] == more[2]
    return case | {"held": same and most < sum(before.values()) and (difference <= LIMIT or not promised)}


def gone_on(folder: Path, options: dict[str, Any], *, first: int, then: int) -> Case:
    """A run that is stopped in its middle, in shards or not, and goes on the other way; beside one that never was."""
    name = "from shards to one process" if first > 1 else "from one process to shards"
    run = folder / name.replace(" ", "-")
    words = options | {"epochs": 2, "image_size": 32, "split": "60/20/20", "repair": False}

    def begin(rank: int) -> None:
        import signal

        import torch

        import thalweg
        from thalweg.training.loop import Trainer

        torch.set_num_threads(1)
        torch.cpu._is_avx512_bf16_supported = torch.cpu._is_amx_tile_supported = bool  # type: ignore[assignment]  # noqa: SLF001
        step = Trainer._step  # noqa: SLF001

        def asked(self: Trainer, *batch: Any) -> None:
            step(self, *batch)
            if self.state.step == 3 and rank == 0:  # in the first epoch
                os.kill(os.getpid(), signal.SIGTERM)

        Trainer._step = asked  # type: ignore[method-assign]  # noqa: SLF001
        thalweg.train(folder / "photos", out=run, shard=first > 1, **words)

    def end(_: int) -> None:
        import torch

        import thalweg

        torch.set_num_threads(1)
        torch.cpu._is_avx512_bf16_supported = torch.cpu._is_amx_tile_supported = bool  # type: ignore[assignment]  # noqa: SLF001
        thalweg.resume(run, shard=then > 1)

    statuses = in_ranks(first, begin)
    stopped = len(list(csv.DictReader((run / "steps.csv").read_text().splitlines()))) if not any(statuses) else 0
    statuses += in_ranks(then, end)
    if any(statuses):
        return {"case": name, "said": f"statuses {statuses}", "held": False}
    whole = losses(folder / "lenet-sgd-uneven-parts-1" / "run")
    difference = apart(whole, losses(run))
    return {
        "case": name, "ranks": max(first, then), "stopped_after_step": stopped, "steps": len(whole) - 2,
        "largest_relative_difference_of_loss": difference, "held": 0 < stopped < len(whole) - 2 and difference <= LIMIT,
    }  # fmt: skip


def work(quick: bool) -> dict[str, object]:
    """Every network with 2 and 4 ranks, memory, and both ways to go on."""
    import thalweg

    for verb in ("train", "resume"):
        getattr(thalweg, verb)  # imported before any fork, computed with only after it
    uneven = "lenet, sgd, uneven parts"
    details = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with cache_in(folder / "cache"):
            make_photos(folder / "photos", count=34)
            chosen = {uneven: CASES[uneven]} if quick else CASES
            run = functools.partial(beside_one, folder=folder)
            for case, options in chosen.items():
                details += [run(case, options, size, promised=True) for size in ((2,) if quick else (2, 4))]
            details.append(gone_on(folder, CASES[uneven], first=2, then=1))
            details.append(gone_on(folder, CASES[uneven], first=1, then=2))
            for case, options in ({} if quick else MEMORY).items():
                details += [run(case, options, size, promised=False) for size in (2, 4)]
    return {"row": 7, "cases": len(details), "held": sum(case["held"] for case in details), "details": details}


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
