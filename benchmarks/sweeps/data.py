"""Small data sets for the sweeps: arrays of examples, cut and labelled in many ways each another problem."""

import gzip
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Examples (n, channels, height, width) as float32 and their classes, in three parts."""

    train_x: np.ndarray
    train_y: np.ndarray
    val_x: np.ndarray
    val_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    classes: int


def pool(images: np.ndarray, factor: int) -> np.ndarray:
    """Average squares of `factor` pixels; images are (n, c, h, w)."""
    n, c, h, w = images.shape
    h, w = h // factor * factor, w // factor * factor
    return images[:, :, :h, :w].reshape(n, c, h // factor, factor, w // factor, factor).mean((3, 5), dtype=np.float32)


@cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return (bunch.images[:, None] / 16).astype(np.float32), bunch.target.astype(np.int64)


@cache
def fashion() -> tuple[np.ndarray, np.ndarray]:
    def idx(name: str) -> np.ndarray:
        raw = gzip.decompress((SHARED / "fashion-mnist" / name).read_bytes())
        shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(raw[3])]
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)

    folder = SHARED / "fashion-mnist"
    names = {("images" if "images" in p.name else "labels", "train" in p.name): p.name for p in folder.glob("*.gz")}
    x = np.concatenate([idx(names["images", True])[:20000], idx(names["images", False])])
    y = np.concatenate([idx(names["labels", True])[:20000], idx(names["labels", False])])
    return pool(x[:, None], 3) / 255, y.astype(np.int64)


@cache
def cifar() -> tuple[np.ndarray, np.ndarray]:
    parts = [np.load(SHARED / "cifar10" / f"{name}.npz") for name in ("train", "test")]
    x = np.concatenate([pool(part["x"].transpose(0, 3, 1, 2), 4) for part in parts]) / 255
    return x.astype(np.float32), np.concatenate([part["y"] for part in parts]).astype(np.int64)


@cache
def chest() -> tuple[np.ndarray, np.ndarray]:
    from PIL import Image

    xs, ys = [], []
    for label, name in enumerate(("NORMAL", "PNEUMONIA")):
        for path in sorted((SHARED / "chest-xray").glob(f"*/{name}/*")):
            with Image.open(path) as image:
                image.draft("L", (28, 28))
                xs.append(np.asarray(image.convert("L").resize((12, 12)), np.float32) / 255)
            ys.append(label)
    return np.stack(xs)[:, None], np.array(ys, np.int64)


@cache
def elpv() -> tuple[np.ndarray, np.ndarray]:
    from elpv_dataset.utils import load_dataset

    images, probability, _ = load_dataset()
    return pool(images[:, None, :288, :288], 24) / 255, (np.asarray(probability) > 0.5).astype(np.int64)


@cache
def ecg() -> tuple[np.ndarray, np.ndarray]:
    parts = [np.load(SHARED / "ecg-mitbih" / f"{name}.npz") for name in ("train", "test")]
    x = np.concatenate([part["x"] for part in parts]).astype(np.float32)[:, :, :184].reshape(-1, 1, 46, 4).mean(3)
    return x[:, :, None, :], np.concatenate([part["y"] for part in parts]).astype(np.int64)


@cache
def cancer() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer()
    return bunch.data.astype(np.float32)[:, :, None, None], bunch.target.astype(np.int64)


@cache
def spirals(arms: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(arms)
    y = rng.integers(0, arms, 6000)
    radius = np.sqrt(rng.random(6000))
    angle = 2 * np.pi * (y / arms + 1.3 * radius) + rng.normal(0, 0.25, 6000)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype(np.float32)
    return x[:, :, None, None], y.astype(np.int64)


@cache
def blobs(classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(100 + classes)
    centres = rng.normal(0, 1, (classes * 3, 24))
    which = rng.integers(0, classes * 3, 12000)
    x = centres[which] + rng.normal(0, 0.9, (12000, 24))
    return x.astype(np.float32)[:, :, None, None], (which % classes).astype(np.int64)


@cache
def teacher() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    x = rng.normal(0, 1, (14000, 30)).astype(np.float32)
    hidden = np.tanh(x @ rng.normal(0, 0.4, (30, 16)))
    score = hidden @ rng.normal(0, 1, (16, 6)) + rng.normal(0, 0.15, (14000, 6))
    return x[:, :, None, None], score.argmax(1).astype(np.int64)


def source(family: str, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Examples of one family with that many classes: a subset of its classes, or its classes times rotations."""
    named = {"digits": digits, "fashion": fashion, "cifar": cifar, "chest": chest, "elpv": elpv, "ecg": ecg,
             "cancer": cancer, "teacher": teacher}  # fmt: skip
    if family == "spirals":
        return spirals(classes)
    if family == "blobs":
        return blobs(classes)
    x, y = named[family]()
    own = int(y.max()) + 1
    if classes > own:
        turns = classes // own
        return np.concatenate([np.rot90(x, turn, (2, 3)) for turn in range(turns)]), np.concatenate([
            y + own * turn for turn in range(turns)
        ])
    return x[y < classes], y[y < classes]


def split(family: str, classes: int, *, train: int, scaling: str, noise: float, seed: int, val: int = 0) -> Split:
    """Shuffle, cut and scale; a share `noise` of the training classes is drawn anew; `val` examples, or as drawn."""
    rng = np.random.default_rng(seed)
    x, y = source(family, classes)
    order = rng.permutation(len(x))
    held = min(max(len(x) - train, len(x) // 3), 3000 + max(0, val - 400))
    val = min(max(held // 3, 150), val or int(rng.choice([200, 400])))
    train_i, val_i, test_i = order[held : held + train], order[:val], order[val:held]
    part = x[train_i]
    axes = (0,) if part.shape[2:] == (1, 1) else (0, 2, 3)
    if scaling == "standard":
        x = (x - part.mean(axes, keepdims=True)) / (part.std(axes, keepdims=True) + 1e-3)
    elif scaling == "centred":
        x = 2 * x - 1
    elif scaling == "bytes":
        x = x * 255
    targets = y[train_i].copy()
    flip = rng.random(len(targets)) < noise
    targets[flip] = rng.integers(0, classes, flip.sum())
    return Split(
        train_x=x[train_i], train_y=targets, val_x=x[val_i], val_y=y[val_i], test_x=x[test_i], test_y=y[test_i],
        classes=classes,
    )  # fmt: skip
