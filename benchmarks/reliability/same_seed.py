"""The same seed twice, in two processes: are five networks equal to the bit on a CPU?

Claim: weights, losses of every step, curves and answers of two runs with one seed are the same bits. Pictures, signals
and masks; convolution, batch normalisation, dropout, augmentation, the average of the weights, and the monitor with
repair are all on. A third run with another seed must differ, or the comparison would see nothing.

    python benchmarks/reliability/same_seed.py --out benchmarks/results/reliability/same_seed.json
"""

import csv
import hashlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from children import in_child
from outcome import Case, cache_in, make_photos, report

NETWORKS = ("small", "plain", "inception", "small-1d", "unet-small")
TIMED = {"seconds", "images_per_second"}


def make_signals(folder: Path, *, count: int = 30) -> Path:
    """Two classes of noisy sines, as one array file."""
    import numpy as np

    numbers = np.random.default_rng(0)
    labels = np.arange(2 * count) % 2
    waves = np.sin(np.arange(64) * (0.2 + 0.3 * labels[:, None])) + numbers.normal(0, 0.3, (2 * count, 64))
    np.savez(folder / "signals.npz", x=waves[..., None].astype(np.float32), y=labels)
    return folder / "signals.npz"


def make_masks(folder: Path, *, count: int = 24) -> Path:
    """Bright discs on noise, with their masks."""
    import numpy as np
    from PIL import Image

    numbers = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / "masked" / name).mkdir(parents=True)
    down, across = np.mgrid[:32, :32]
    for index in range(count):
        y, x = numbers.integers(8, 24, 2)
        disc = (down - y) ** 2 + (across - x) ** 2 < 30
        pixels = numbers.normal(80, 20, (32, 32, 3)) + 90 * disc[..., None]
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / "masked" / "images" / f"{index:02d}.png")
        Image.fromarray(disc.astype(np.uint8)).save(folder / "masked" / "masks" / f"{index:02d}.png")
    return folder / "masked"


def train(source: Path, run: Path, network: str, seed: int) -> Callable[[], None]:
    """A short run with the network's own recipe."""

    def work() -> None:
        import torch

        import thalweg

        torch.set_num_threads(1)
        thalweg.train(source, out=run, network=network, epochs=2, image_size=64 if network == "small-1d" else 32,
                      batch_size=8, seed=seed)  # fmt: skip

    return work


def traces(run: Path) -> dict[str, str]:
    """A digest of everything that must be the same."""
    found = {}
    for name in ("history.csv", "steps.csv"):
        rows = list(csv.DictReader((run / name).read_text().splitlines()))
        text = str([{key: value for key, value in row.items() if key not in TIMED} for row in rows])
        found[name] = hashlib.sha256(text.encode()).hexdigest()
    for name in ("model.safetensors", "predictions.csv", "pictures.csv"):
        if (run / name).is_file():
            found[name] = hashlib.sha256((run / name).read_bytes()).hexdigest()
    return found


def try_one(folder: Path, sources: dict[str, Path], network: str) -> Case:
    """One network, three times."""
    source = sources.get(network, sources[""])
    found = []
    for number, seed in enumerate((1, 1, 2)):
        run = folder / f"{network}-{number}"
        if in_child(train(source, run, network, seed)):
            return {"network": network, "said": f"run {number} failed", "held": False}
        found.append(traces(run))
    one, two, other = found
    wrong = [name for name in one if one[name] != two.get(name)]
    differs = one["model.safetensors"] != other["model.safetensors"]
    return {"network": network, "compared": sorted(one), "wrong": wrong, "another_seed_differs": differs,
            "held": not wrong and differs}  # fmt: skip


def work(quick: bool) -> dict[str, object]:
    """Five networks, or one."""
    import thalweg

    getattr(thalweg, "train")  # noqa: B009 - imported before any fork, computed with only after it
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with cache_in(folder / "cache"):
            sources = {"": make_photos(folder / "photos", count=30)}
            sources |= {"small-1d": make_signals(folder), "unet-small": make_masks(folder)}
            details = [try_one(folder, sources, network) for network in NETWORKS[3 if quick else 0 : 4 if quick else 5]]
    return {"row": 9, "cases": len(details), "held": sum(case["held"] for case in details), "details": details}


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
