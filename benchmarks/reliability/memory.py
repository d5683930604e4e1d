"""Memory runs out in the middle of training: the batch stays what it was, computed in pieces, and the loss with it.

Claim: where a forward or backward pass runs out of memory, at the first, a middle or the last step, it is computed
again in pieces whose gradients add up to those of the whole batch, and so are all steps after it: every loss is that of
a run with memory enough, within 1e-5 relative, without batch normalisation. With batch normalisation the pieces have
statistics of their own, which the run's events say. A batch of one sample that does not fit ends the run with a
sentence.

Passes fail here as torch fails: with its own error where more samples than a limit are shown at once. The long form
also takes real memory away (a limit on the address space of the process, Linux).

    python benchmarks/reliability/memory.py --out benchmarks/results/reliability/memory.json
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from children import in_child
from outcome import Case, cache_in, make_photos, report
from world_size import DROPOUT, losses

LIMIT = 1e-5
EPOCHS, BATCH, PHOTOS = 2, 8, 34
LAST = EPOCHS * -(-2 * PHOTOS * 8 // 10 // BATCH)
NETWORKS = {"lenet": ("lenet", False), "two dropouts": (DROPOUT, False), "plain": ("plain", True)}
"""Networks, and whether they normalise by the batch."""
LARGE = "rescale(0.0078,-1) conv2d(64,3,padding=same) relu conv2d(64,3,padding=same) relu globalavgpool dense(2)"


def arm(place: str, step: int, limit: int) -> None:
    """From a step on, let a pass with more samples than a limit fail as torch does."""
    import torch

    from thalweg.training.backward import Backward
    from thalweg.training.loop import Trainer

    step_of, forward, now = Trainer._step, Backward._forward, 0  # noqa: SLF001

    def stepping(self: Trainer, *words: Any) -> None:
        nonlocal now
        now = self.state.step + 1
        step_of(self, *words)

    def passing(self: Backward, pixels: torch.Tensor, labels: torch.Tensor) -> Any:
        full = now >= step and len(pixels) > limit
        if full and place == "forward":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        logits, objective = forward(self, pixels, labels)
        if full:

            def fail(_: torch.Tensor) -> None:
                raise RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory")

            logits.register_hook(fail)
        return logits, objective

    Trainer._step, Backward._forward = stepping, passing  # type: ignore[method-assign]  # noqa: SLF001


def train(photos: Path, run: Path, network: str, prepare: Callable[[], None] | None = None) -> Callable[[], None]:
    """A run whose process is prepared first."""

    def work() -> None:
        import torch

        import thalweg

        torch.cpu._is_avx512_bf16_supported = torch.cpu._is_amx_tile_supported = bool  # type: ignore[assignment]  # noqa: SLF001
        torch.set_num_threads(1)
        if prepare is not None:
            prepare()
        layers, _ = NETWORKS[network]
        thalweg.train(photos, out=run, network=layers, epochs=EPOCHS, image_size=32, batch_size=BATCH, lr=0.001,
                      repair=False)  # fmt: skip

    return work


def try_one(folder: Path, network: str, place: str, step: int, limit: int) -> Case:
    """One network that runs out of memory at one step."""
    straight, run = (
        folder / f"{network.replace(' ', '-')}-straight",
        folder / f"{network.replace(' ', '-')}-{place}-{step}-{limit}",
    )
    if not straight.is_dir() and in_child(train(folder / "photos", straight, network)):
        return {"network": network, "said": "the run with memory enough failed", "held": False}
    status = in_child(train(folder / "photos", run, network, lambda: arm(place, step, limit)))
    case: Case = {"network": network, "place": place, "step": step, "fits": limit, "status": status}
    if limit == 0:
        return case | {"held": status == 1 and not (run / "metrics.json").is_file()}
    if status:
        return case | {"held": False}
    events = json.loads((run / "events.json").read_text())["events"]
    told = [event["message"] for event in events if event["kind"] == "memory"]
    apart = [abs(a - b) / max(abs(a), 1e-12) for a, b in zip(losses(straight), losses(run), strict=True)]
    same, normalises = max(apart) <= LIMIT, NETWORKS[network][1]
    case |= {"told": told, "largest_relative_difference_of_loss": max(apart)}
    if normalises:
        return case | {"held": bool(told) and "batch normalisation" in told[-1]}
    return case | {"held": bool(told) and same and "batch normalisation" not in told[-1]}


def really(folder: Path) -> Case:
    """Take real memory away from a process that trains with large batches."""
    import resource

    def limited() -> None:
        from thalweg.training.loop import Trainer

        fitted = Trainer.fit

        def fit(self: Trainer, *words: Any) -> Any:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            room = pages * os.sysconf("SC_PAGE_SIZE") + 160 * 2**20
            resource.setrlimit(resource.RLIMIT_AS, (room, resource.RLIM_INFINITY))
            try:
                return fitted(self, *words)
            finally:
                resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

        Trainer.fit = fit  # type: ignore[method-assign]

    def trained(run: Path, prepare: Callable[[], None]) -> Callable[[], None]:
        def work() -> None:
            import torch

            import thalweg

            torch.set_num_threads(1)
            prepare()
            thalweg.train(folder / "photos", out=run, network=LARGE, epochs=1, image_size=128, batch_size=27, lr=1e-4,
                          repair=False)  # fmt: skip

        return work

    status = in_child(trained(folder / "real", limited))
    case: Case = {"network": "two wide convolutions", "place": "a real limit on memory", "status": status}
    if status:
        return case | {"held": False}
    events = json.loads((folder / "real" / "events.json").read_text())["events"]
    told = [event["message"] for event in events if event["kind"] == "memory"]
    return case | {"told": told, "held": bool(told)}


def work(quick: bool) -> dict[str, object]:
    """Three networks, first, middle and last step, forward and backward pass."""
    import thalweg

    getattr(thalweg, "train")  # noqa: B009 - imported before any fork, computed with only after it
    details = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with cache_in(folder / "cache"):
            make_photos(folder / "photos", count=PHOTOS)
            steps = (LAST // 2,) if quick else (1, LAST // 2, LAST)
            for network in ("lenet",) if quick else NETWORKS:
                for step in steps:
                    places = ("forward", "backward")[: 1 if quick else 2]
                    fits = 3 if step == LAST // 2 and not quick else 5
                    details += [try_one(folder, network, place, step, fits) for place in places]
            if not quick:
                details.append(try_one(folder, "lenet", "forward", 3, 0))
            if not quick and sys.platform.startswith("linux"):
                details.append(really(folder))
    return {"row": 8, "cases": len(details), "held": sum(case["held"] for case in details), "details": details}


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
