"""The seven problems of the any-learning-rate benchmark: W1 and W2 to calibrate on, W3 to W7 to judge.

Pictures are shrunk so that a run of about a thousand steps takes some ten seconds on one core. Data of `../shared/data`
and scikit-learn's digits; networks of 20,000 to 300,000 parameters.
"""

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
CALIBRATION, JUDGED = ("W1", "W2"), ("W3", "W4", "W5", "W6", "W7")
Arrays = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A data set, a network and a budget."""

    name: str
    what: str
    data: Callable[[], tuple[Arrays, Arrays, Arrays]]
    network: Callable[[], nn.Module]
    steps: int = 1000
    batch: int = 64
    classes: int = 10

    def batches(self, seed: int) -> Iterator[Arrays]:
        """Shuffled training batches without end."""
        (x, y), _, _ = self.data()
        rng = torch.Generator().manual_seed(seed)
        while True:
            order = torch.randperm(len(x), generator=rng)
            for at in range(0, len(order) - self.batch + 1, self.batch):
                index = order[at : at + self.batch]
                yield x[index], y[index]

    def build(self, seed: int) -> nn.Module:
        """The network with the initial weights of a seed."""
        torch.manual_seed(seed)
        return self.network()


def pool(images: np.ndarray, factor: int) -> np.ndarray:
    """Average squares of `factor` pixels; images are (n, c, h, w)."""
    n, c, h, w = images.shape
    return images.reshape(n, c, h // factor, factor, w // factor, factor).mean((3, 5), dtype=np.float32)


def arrays(x: np.ndarray, y: np.ndarray) -> Arrays:
    """As tensors."""
    return torch.from_numpy(np.ascontiguousarray(x, np.float32)), torch.from_numpy(np.asarray(y, np.int64))


def standard(train: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """Subtract the mean and divide by the spread of the training part."""
    mean, spread = train.mean((0, 2, 3), keepdims=True), train.std((0, 2, 3), keepdims=True)
    return [(part - mean) / spread for part in (train, *others)]


def idx(path: Path) -> np.ndarray:
    """Read one file of the MNIST format."""
    raw = gzip.decompress(path.read_bytes())
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(raw[3])]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


@cache
def fashion(noise: float = 0.0) -> tuple[Arrays, Arrays, Arrays]:
    """10,000 to train on, 4,000 to choose by, 6,000 to test on; 14 x 14 pixels."""
    folder = SHARED / "fashion-mnist"
    files = {("train" in p.name, "images" in p.name): p for p in folder.glob("*.gz")}
    x, y = pool(idx(files[True, True])[:14000, None], 2), idx(files[True, False])[:14000].copy()
    tx, ty = pool(idx(files[False, True])[:6000, None], 2), idx(files[False, False])[:6000]
    train, val, test = standard(x[:10000], x[10000:], tx)
    labels = y[:10000]
    rng = np.random.default_rng(6)
    wrong = rng.random(len(labels)) < noise
    labels[wrong] = rng.integers(0, 10, wrong.sum())
    return arrays(train, labels), arrays(val, y[10000:]), arrays(test, ty)


@cache
def digits() -> tuple[Arrays, Arrays, Arrays]:
    """700 to train on, 300 to choose by, 797 to test on; 8 x 8 pixels."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    order = np.random.default_rng(2).permutation(len(bunch.target))
    x, y = (bunch.images[order][:, None] / 8 - 1).astype(np.float32), bunch.target[order]
    return arrays(x[:700], y[:700]), arrays(x[700:1000], y[700:1000]), arrays(x[1000:], y[1000:])


@cache
def cifar(shrunk: int = 2) -> tuple[Arrays, Arrays, Arrays]:
    """10,000 to train on, 3,000 to choose by, 5,000 to test on; 16 x 16 pixels, or 8 x 8 where shrunk by 4."""
    parts = [np.load(SHARED / "cifar10" / f"{name}.npz") for name in ("train", "test")]
    order = np.random.default_rng(3).permutation(len(parts[0]["y"]))[:13000]
    x, y = pool(parts[0]["x"][order].transpose(0, 3, 1, 2), shrunk), parts[0]["y"][order]
    train, val, test = standard(x[:10000], x[10000:], pool(parts[1]["x"].transpose(0, 3, 1, 2), shrunk))
    return arrays(train, y[:10000]), arrays(val, y[10000:]), arrays(test, parts[1]["y"])


@cache
def chest() -> tuple[Arrays, Arrays, Arrays]:
    """400 photos, 320 of them of one class; 300 to choose by, all others (about 1,400) to test on; 24 x 24 pixels."""
    from PIL import Image

    pictures: dict[int, list[np.ndarray]] = {0: [], 1: []}
    for label, name in enumerate(("NORMAL", "PNEUMONIA")):
        for path in sorted((SHARED / "chest-xray").glob(f"*/{name}/*")):
            with Image.open(path) as image:
                image.draft("L", (56, 56))
                pictures[label].append(np.asarray(image.convert("L").resize((24, 24)), np.float32)[None])
    rng = np.random.default_rng(5)
    normal, ill = (np.stack(pictures[label])[rng.permutation(len(pictures[label]))] for label in (0, 1))
    x = [np.concatenate(each) for each in ((normal[:80], ill[:320]), (normal[80:230], ill[320:470]),
                                           (normal[230:], ill[470:]))]  # fmt: skip
    y = [np.repeat((0, 1), each) for each in ((80, 320), (150, 150), (len(normal) - 230, len(ill) - 470))]
    train, val, test = standard(*x)
    return arrays(train, y[0]), arrays(val, y[1]), arrays(test, y[2])


def plain(channels: int, widths: tuple[int, ...], classes: int, side: int, *, norm: bool = False) -> nn.Module:
    """Convolutions of 3 x 3, a maximum over 2 x 2 after each, and a dense layer."""
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Conv2d(channels, width, 3, padding=1)]
        layers += [nn.BatchNorm2d(width)] if norm else []
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
        channels, side = width, side // 2
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(channels * side * side, 64), nn.ReLU(), nn.Linear(64, classes)
    )


class Residual(nn.Module):
    """Two normalised convolutions beside a shortcut (He et al. 2016)."""

    def __init__(self, inp: int, out: int, stride: int) -> None:
        super().__init__()
        self.one = nn.Sequential(
            nn.Conv2d(inp, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(),
            nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out),
        )  # fmt: skip
        self.way = (
            nn.Identity()
            if inp == out and stride == 1
            else nn.Sequential(nn.Conv2d(inp, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add the shortcut and rectify."""
        return torch.relu(self.one(x) + self.way(x))


def resnet() -> nn.Module:
    """Three residual blocks of 12, 24 and 48 channels: 44,000 parameters."""
    return nn.Sequential(
        nn.Conv2d(3, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU(),
        Residual(12, 12, 1), Residual(12, 24, 2), Residual(24, 48, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(48, 10),
    )  # fmt: skip


def deep() -> nn.Module:
    """Eight convolutions without normalisation whose initial weights are twice as large as He's rule says."""
    widths, layers, inp = (16, 16, 24, 24, 32, 32, 48, 48), [], 3
    for level, width in enumerate(widths):
        layers += [nn.Conv2d(inp, width, 3, stride=2 if level in {0, 2, 4} else 1, padding=1), nn.ReLU()]
        inp = width
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inp, 10))
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            module.weight.data.mul_(2.0)
            nn.init.zeros_(module.bias)
    return network


def inception() -> nn.Module:
    """The catalogue's inception network for pictures of 8 x 8."""
    from thalweg.core.shape import Shape
    from thalweg.modules.build import build
    from thalweg.networks.catalogue import network

    return build(network("inception", Shape(3, (8, 8)), 10).logits()[0], seed=int(torch.initial_seed()) % 2**31)


WORKLOADS = {
    each.name: each
    for each in (
        Workload(name="W1", what="Fashion-MNIST 10k, plain CNN", data=fashion,
                 network=lambda: plain(1, (16, 32), 10, 14)),
        Workload(name="W2", what="digits, CNN", data=digits, network=lambda: plain(1, (16, 32), 10, 8)),
        Workload(name="W3", what="CIFAR-10 10k, batch-norm ResNet", data=cifar, network=resnet, batch=32),
        Workload(name="W4", what="CIFAR-10 10k, 8 layers, no norm, 2x too large", data=cifar, network=deep, batch=32),
        Workload(name="W5", what="400 chest photos, imbalanced", data=chest, classes=2, batch=32,
                 network=lambda: plain(1, (12, 24, 32), 2, 24)),
        Workload(name="W6", what="Fashion-MNIST 10k, 20 % label noise", data=lambda: fashion(0.2),
                 network=lambda: plain(1, (16, 32), 10, 14, norm=True)),
        Workload(name="W7", what="CIFAR-10 10k, inception", data=lambda: cifar(4), network=inception, batch=32),
    )
}  # fmt: skip
