"""Runs on the device `far` beside the same on the processor, told as JSON: `far_runs.py cuda|apple FOLDER`."""

import csv
import json
import pathlib
import sys

import far_device
import numpy as np
import torch
from PIL import Image

from thalweg.modules import numbers
from thalweg.modules.build import BuiltNetwork
from thalweg.training import device as devices

KEPT = far_device.install()
PLACE = "far"
_MOVE = devices.move


def _move(module, device):
    """As the package does, but without the processor's own kernels, so that both compute alike."""
    _MOVE(module, device)
    if isinstance(module, BuiltNetwork):
        module.fuses = False
    return module


devices.move = _move
devices.choose_device = lambda wish: devices.Device(PLACE if wish == "auto" else wish, None)
devices.MAKES_BATCHES.add("far")

import thalweg  # noqa: E402 - after its device was chosen for it
from thalweg.training.loop import Trainer  # noqa: E402


def write_pictures(folder):
    random = np.random.default_rng(0)
    for channel, name in enumerate(("red", "green")):
        (folder / name).mkdir(parents=True)
        for index in range(20):
            pixels = random.integers(0, 150, (20, 20, 3), dtype=np.uint8)
            pixels[..., channel] += 60
            Image.fromarray(pixels).save(folder / name / f"{index:02d}.png")


def write_scenes(folder):
    random = np.random.default_rng(1)
    for part, count in (("train", 8), ("val", 4)):
        for kind in ("images", "masks"):
            (folder / part / kind).mkdir(parents=True)
        for index in range(count):
            mask = np.ones((32, 32), np.uint8)
            mask[: int(random.integers(8, 20))] = 0
            pixels = np.array([(120, 160, 230), (90, 90, 90)])[mask] + random.normal(0, 12, (32, 32, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / part / "images" / f"{index}.png")
            Image.fromarray(mask).save(folder / part / "masks" / f"{index}.png")
    (folder / "classes.csv").write_text("id,name,r,g,b\n0,sky,120,160,230\n1,road,90,90,90\n")


def write_signals(path):
    random = np.random.default_rng(2)
    labels = np.arange(40) % 2
    waves = np.sin(np.arange(48) * (1 + labels[:, None]) / 4) + random.normal(0, 0.3, (40, 48))
    np.savez(path, x=waves.astype(np.float32), y=labels)


def losses(run):
    rows = csv.DictReader((run / "history.csv").read_text().splitlines())
    return [[float(row[name]) for name in ("train_loss", "val_loss", "learning_rate")] for row in rows]


def both(source, folder, name, **options):
    """Losses there and here."""
    global PLACE
    told = {}
    for PLACE in ("cpu", "far"):
        thalweg.train(source, out=folder / f"{name}-{PLACE}", seed=3, **options)
        told[PLACE] = losses(folder / f"{name}-{PLACE}")
    return told


def waits_a_step(train):
    """How often each step of some training waited for the device."""
    step, told = Trainer._step, []

    def counted(self, *words):
        before = len(far_device.WAITS)
        step(self, *words)
        if PLACE == "far":
            told.append(len(far_device.WAITS) - before)

    Trainer._step = counted
    try:
        train()
    finally:
        Trainer._step = step
    return told


def watched(rate):
    """The last loss of somebody's own loop on the device, from a hopeless rate, with repair."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.Flatten(),
                              torch.nn.Linear(8 * 36, 3)).to("far")  # fmt: skip
    optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9)
    with thalweg.watch(net, optimizer, repair=True):
        for _ in range(90):
            labels = torch.randint(0, 3, (16,)).to("far")
            pixels = torch.rand(16, 3, 8, 8).to("far") + torch.nn.functional.one_hot(labels, 3)[:, :, None, None]
            loss = torch.nn.functional.cross_entropy(net(pixels), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return float(loss.detach())


def beside_the_processor(folder):
    """What a GPU of CUDA's kind can."""
    write_pictures(folder / "pictures")
    write_scenes(folder / "scenes")
    told = {}
    small = {"network": "small", "image_size": 20, "batch_size": 8, "epochs": 2}
    told["waits"] = waits_a_step(lambda: told.update(pictures=both(folder / "pictures", folder, "pictures", **small)))
    told["masks"] = both(folder / "scenes", folder, "masks", network="unet-small", batch_size=4, epochs=1)
    run = folder / "pictures-far"
    told["evaluated"] = [thalweg.evaluate(run, device=place).accuracy for place in ("auto", "cpu")]
    shares = [thalweg.predict(run, folder / "pictures" / "red", device=place).predictions for place in ("auto", "cpu")]
    told["predicted"] = [[each.probabilities["red"] for each in every] for every in shares]
    return told


def without_doubles(folder):
    """What one of Apple's can."""
    global PLACE
    PLACE, far_device.DOUBLES = "far", False
    numbers.WITHOUT_DOUBLES.add("far")
    devices.MAKES_BATCHES.discard("far")
    write_signals(folder / "signals.npz")
    thalweg.train(folder / "signals.npz", out=folder / "run", network="small-1d", batch_size=8, epochs=2)
    return {"signals": losses(folder / "run"), "watched": watched(30.0)}


if __name__ == "__main__":
    work = {"cuda": beside_the_processor, "apple": without_doubles}[sys.argv[1]]
    sys.stdout.write(json.dumps(work(pathlib.Path(sys.argv[2]))))
