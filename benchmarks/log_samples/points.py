"""Made-up points in three classes, the same for every library."""

from pathlib import Path

import numpy as np

CLASSES = 3


def points(count: int = 96, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points around three centres, some of them in each other's way."""
    drawn = np.random.default_rng(seed)
    labels = drawn.integers(0, CLASSES, count)
    centres = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]], dtype=np.float32)
    return (centres[labels] + drawn.normal(0, 0.6, (count, 4))).astype(np.float32), labels


def pictures(folder: Path, *, count: int = 8, side: int = 32) -> None:
    """A folder of small pictures: train/ and val/, three classes by colour."""
    from PIL import Image

    drawn = np.random.default_rng(1)
    for split in ("train", "val"):
        for place, name in enumerate(("red", "green", "blue")):
            target = folder / split / name
            target.mkdir(parents=True)
            for number in range(count):
                tones = drawn.integers(0, 120, (side, side, 3), dtype=np.uint8)
                tones[..., place] += 90
                Image.fromarray(tones).save(target / f"{number}.png")
