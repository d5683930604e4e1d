"""Fine-tuning `efficientnet-lite0` on the solar cells: thalweg beside fastai's recipe and timm's, on the same network.

    python benchmarks/fine_tuning.py --fastai-python PATH/TO/python --out benchmarks/results/fine-tuning.json

The same module (built by thalweg, ImageNet's weights from the package), the same files in `train/` and `val/`, the same
pixels, batches, seed and one thread a side; every round is a process of its own, one side after the other. Peers get
bfloat16 products as thalweg uses them (`--peers float32` leaves them their default), and channels-last weights.

- thalweg: `thalweg.train(folder, backbone="efficientnet-lite0", epochs=E)`, reading, features and head included. Its
  first reading is of the head that is fitted to features before the first epoch, on the same validation pictures, as
  the run tells it and keeps it; fastai's first is of its epoch of the head alone.
- fastai, if its interpreter has it: `ImageDataLoaders` with its default transforms (`Resize`, `aug_transforms`), and
  `Learner.fine_tune(E)`: one epoch of the head alone, then all at discriminative rates, one cycle, base rate 2e-3.
- timm: what its train script does with `--opt adamw --lr 5e-4 --weight-decay 0.05 --sched cosine --warmup-epochs 1
  --smoothing 0.1 --model-ema`, and its default transforms (random crop of 8 to 100 %, mirror, colour jitter 0.4).
  Its script leaves rates to its user: `--timm-rate`.

Told: processor seconds of a side's process and its workers, from before the first picture is read until the epoch
whose validation accuracy first reaches a mark, evaluations of all epochs included; a loaded machine changes them less
than the clock. Marks are fixed ones, compared where both sides reach them, and for each peer and seed the best that it
came to at all. The validation pictures choose nothing but that moment.
Rounds are kept as they come: the same command goes on where it was interrupted.

fastai's own environment: python -m venv fastai-venv && fastai-venv/bin/pip install fastai (beside this package).
"""

# Long because three sides must do the same work, and whoever doubts the numbers wants to read them together.

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

SIDES = ("thalweg", "timm", "fastai")
MARKS = (0.75, 0.80, 0.82, 0.84, 0.86, 0.88)
BACKBONE = "efficientnet-lite0"


def main() -> None:
    options = _options()
    if options.worker:
        print(json.dumps(_work(options)))
        return
    settings = {
        name: getattr(options, name) for name in ("side", "batch_size", "epochs", "pictures", "peers", "timm_rate")
    }
    record: dict[str, Any] = {"benchmark": "fine_tuning", "settings": settings, "rounds": []}
    if options.out.is_file():
        record = json.loads(options.out.read_text(encoding="utf-8"))
        if record["settings"] != settings:
            sys.exit(f"{options.out} was made with other settings; choose another --out")
    sides = [side for side in SIDES if side != "fastai" or options.fastai_python]
    with tempfile.TemporaryDirectory() as folder:
        write_halves(Path(folder) / "photos", above=0.5, most=options.pictures)
        while len(record["rounds"]) < len(sides) * options.rounds:
            done = len(record["rounds"])
            record["rounds"].append(_round(sides[done % len(sides)], done // len(sides), Path(folder), options))
            record["summary"] = _summary(record["rounds"])
            record["machine"] = this_machine()
            options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            print(json.dumps(record["summary"]), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--fastai-python", help="interpreter that has fastai; without, that side is left out")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--pictures", type=int, default=2624, help="of all, the first so many of a random order")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--peers", choices=("bfloat16", "float32"), default="bfloat16")
    parser.add_argument("--timm-rate", type=float, default=5e-4)
    parser.add_argument("--out", type=Path, default=Path("fine-tuning.json"))
    parser.add_argument("--worker", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--photos", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def write_halves(place: Path, *, above: float, most: int | None = None) -> None:
    """Solar cells in `train/` and `val/`, a fifth of each class held out, drawn once for all sides; all, or so many."""
    from thalweg.data.opening.elpv import DEMO_CLASSES, demo_folder, read_labels

    root = demo_folder()
    samples = list(read_labels(root, above=above)[0])
    if most is not None:
        samples = [samples[place] for place in np.random.default_rng(5).permutation(len(samples))[:most]]
    for label, name in enumerate(DEMO_CLASSES):
        files = [sample.file for sample in samples if sample.label == label]
        held = set(np.random.default_rng((7, label)).permutation(len(files))[: len(files) // 5].tolist())
        for number, file in enumerate(files):
            target = place / ("val" if number in held else "train") / name / Path(file).name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / file, target)


def _round(side: str, seed: int, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    python = options.fastai_python if side == "fastai" else sys.executable
    words = [python, __file__, "--worker", side, "--photos", str(folder / "photos"), "--seed", str(seed)]
    words += ["--epochs", str(options.epochs), "--side", str(options.side), "--batch-size", str(options.batch_size)]
    words += ["--peers", options.peers, "--timm-rate", str(options.timm_rate)]
    own = {"OMP_NUM_THREADS": "1", "THALWEG_CACHE": tempfile.mkdtemp(dir=folder), "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ | own)
    if done.returncode:
        sys.exit(f"{side}: {done.stderr[-2000:]}")
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row | {"load": os.getloadavg()[0]}


def _work(options: argparse.Namespace) -> dict[str, Any]:
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    epochs: list[dict[str, float]] = []
    prepare = {"thalweg": _thalweg, "timm": _timm, "fastai": _fastai}[options.worker]
    run = prepare(options, epochs)  # imports are over: the clock begins
    began, processor = time.perf_counter(), processor_seconds()

    def reached(accuracy: float) -> None:
        seconds = time.perf_counter() - began
        epochs.append({"accuracy": accuracy, "processor": processor_seconds() - processor, "clock": seconds})

    run(reached)
    return {"side": options.worker, "seed": options.seed, "epochs": epochs, "versions": _versions()}


def processor_seconds() -> float:
    """Seconds of all threads, and of workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


Run = Callable[[Callable[[float], None]], None]


def _thalweg(options: argparse.Namespace, _: object) -> Run:
    import thalweg
    from thalweg.training.loop import Trainer
    from thalweg.workbench import train as training

    train = thalweg.train
    finish = Trainer._finish_epoch  # noqa: SLF001
    start_from = training.start_from

    def run(reached: Callable[[float], None]) -> None:
        def starting(*said: Any) -> Any:
            start = start_from(*said)
            reached(start.about["head_first"]["accuracy"])
            return start

        def finishing(self: Trainer) -> None:
            finish(self)
            reached(self.state.rows[-1]["val_accuracy"])

        Trainer._finish_epoch = finishing  # type: ignore[method-assign]  # noqa: SLF001
        training.start_from = starting  # type: ignore[attr-defined]
        with tempfile.TemporaryDirectory() as out:
            train(
                options.photos, backbone=BACKBONE, epochs=options.epochs, image_size=options.side, seed=options.seed,
                batch_size=options.batch_size, out=Path(out) / "run",
            )  # fmt: skip

    return run


def _network(options: argparse.Namespace) -> Any:
    """The module that thalweg trains, for pixels from 0 to 1 and with an output a class, as peers' losses want it."""
    import torch

    from thalweg.core.shape import Shape
    from thalweg.modules.build import build
    from thalweg.networks.backbones import backbone, head_of
    from thalweg.pretrained.fitting import fit
    from thalweg.pretrained.obtaining import obtain

    spec = backbone(BACKBONE, Shape(3, (options.side, options.side)), 2).logits()[0]
    head = head_of(spec).name
    weights = obtain(BACKBONE, None, shelf=options.photos, download=Path)  # an installed package has them
    body = build(spec, seed=options.seed)
    fit(body, weights.tensors, name=BACKBONE, place=weights.place, leave=(f"{head}.",))

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = body.to(memory_format=torch.channels_last), body.get_submodule(head)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            logit = self.body(pixels.mul(255).contiguous(memory_format=torch.channels_last)).float()
            return torch.cat((torch.zeros_like(logit), logit), dim=1)

    return Network()


def _timm(options: argparse.Namespace, _: object) -> Run:
    import torch

    from thalweg.modules.torchvision_shim import let_torchvision_import

    let_torchvision_import()
    from timm.data import ImageDataset, create_transform
    from timm.loss import LabelSmoothingCrossEntropy
    from timm.optim import create_optimizer_v2
    from timm.scheduler import create_scheduler_v2
    from timm.utils import ModelEmaV2

    model, half = _network(options), options.peers == "bfloat16"

    def loader(part: str, *, training: bool) -> Any:
        look = create_transform(options.side, is_training=training, mean=(0.0,) * 3, std=(1.0,) * 3)
        photos = ImageDataset(str(options.photos / part), transform=look)
        size = options.batch_size
        return torch.utils.data.DataLoader(photos, size, shuffle=training, drop_last=training, num_workers=1)

    def run(reached: Callable[[float], None]) -> None:
        train, val = loader("train", training=True), loader("val", training=False)
        optimizer = create_optimizer_v2(model, opt="adamw", lr=options.timm_rate, weight_decay=0.05)
        schedule, _ = create_scheduler_v2(
            optimizer, sched="cosine", num_epochs=options.epochs, warmup_epochs=1, warmup_lr=1e-5, step_on_epochs=False,
            updates_per_epoch=len(train),
        )  # fmt: skip
        average = ModelEmaV2(model, decay=0.99)  # its 0.9998 would not leave the start within so few steps
        loss, step = LabelSmoothingCrossEntropy(0.1), 0
        for _ in range(options.epochs):
            model.train()
            for pixels, labels in train:
                with torch.autocast("cpu", torch.bfloat16, enabled=half):
                    logits = model(pixels)
                optimizer.zero_grad()
                loss(logits, labels).backward()
                optimizer.step()
                average.update(model)
                step += 1
                schedule.step_update(step)
            reached(max(_accuracy(each, val, half=half) for each in (model, average.module)))  # the better counts

    return run


def _accuracy(model: Any, batches: Any, *, half: bool) -> float:
    import torch

    model.eval()
    right = total = 0
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
        for pixels, labels in batches:
            right += int((model(pixels).argmax(1) == labels).sum())
            total += len(labels)
    return right / total


def _fastai(options: argparse.Namespace, _: object) -> Run:
    import torch

    from thalweg.modules.torchvision_shim import let_torchvision_import

    let_torchvision_import()
    from fastai.callback.core import Callback
    from fastai.callback.schedule import Learner
    from fastai.losses import CrossEntropyLossFlat
    from fastai.vision.augment import Resize, aug_transforms
    from fastai.vision.data import ImageDataLoaders

    model = _network(options)
    head = {id(weight) for weight in model.head.parameters()}

    def parts(network: Any) -> list[list[Any]]:
        """Three groups, as fastai's own splitters make them: the body in halves, and the head."""
        body = [weight for weight in network.parameters() if id(weight) not in head]
        return [body[: len(body) // 2], body[len(body) // 2 :], list(network.head.parameters())]

    class Half(Callback):
        """bfloat16 products, which fastai's own callback has for GPUs alone."""

        def before_batch(self) -> None:
            self.products = torch.autocast("cpu", torch.bfloat16)
            self.products.__enter__()

        def after_loss(self) -> None:
            self.products.__exit__(None, None, None)

    class Reached(Callback):
        """Tells the validation accuracy after each epoch."""

        def __init__(self, tell: Callable[[float], None]) -> None:
            self.tell = tell

        def before_validate(self) -> None:
            self.right = self.total = 0

        def after_loss(self) -> None:
            if not self.training:
                self.right += int((self.pred.argmax(1) == self.y).sum())
                self.total += len(self.y)

        def after_validate(self) -> None:
            self.tell(self.right / self.total)

    def run(reached: Callable[[float], None]) -> None:
        data = ImageDataLoaders.from_folder(
            options.photos, train="train", valid="val", bs=options.batch_size, num_workers=1, seed=options.seed,
            item_tfms=Resize(options.side), batch_tfms=aug_transforms(), device=torch.device("cpu"),
        )  # fmt: skip
        extra = [Half()] if options.peers == "bfloat16" else []
        learner = Learner(data, model, loss_func=CrossEntropyLossFlat(), splitter=parts, cbs=[*extra, Reached(reached)])
        with learner.no_bar(), learner.no_logging():
            learner.fine_tune(options.epochs)

    return run


def _summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """For each mark, processor seconds until each side first reached it, medians over rounds; and ratios to ours."""

    def until(row: dict[str, Any], mark: float) -> float | None:
        return next((each["processor"] for each in row["epochs"] if each["accuracy"] >= mark), None)

    found: dict[str, Any] = {}
    for mark in MARKS:
        sides: dict[str, float] = {}
        for side in SIDES:
            times = [until(row, mark) for row in rounds if row["side"] == side]
            reached = [each for each in times if each is not None]
            if times and len(reached) == len(times):
                sides[side] = round(statistics.median(reached), 1)
        ratios = {f"{side} / thalweg": round(value / sides["thalweg"], 2) for side, value in sides.items()
                  if side != "thalweg" and "thalweg" in sides}  # fmt: skip
        found[f"{mark:.2f}"] = sides | ratios
    best: dict[str, list[dict[str, float]]] = {}
    for row in rounds:
        ours = next((each for each in rounds if each["side"] == "thalweg" and each["seed"] == row["seed"]), None)
        if row["side"] != "thalweg" and ours:
            top = max(row["epochs"], key=lambda each: (each["accuracy"], -each["processor"]))
            own = until(ours, top["accuracy"])
            told = {"accuracy": top["accuracy"], "seconds": round(top["processor"], 1)}
            told |= {"thalweg": round(own, 1), "ratio": round(top["processor"] / own, 2)} if own else {}
            best.setdefault(row["side"], []).append(told)
    last = {side: [row["epochs"][-1]["accuracy"] for row in rounds if row["side"] == side] for side in SIDES}
    return {
        "processor_seconds_until": found,
        "until_the_peer's_best": best,
        "last_accuracy": {side: each for side, each in last.items() if each},
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in ("thalweg", "torch", "torchvision", "timm", "fastai"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def this_machine() -> dict[str, object]:
    """For the result."""
    from thalweg.training.device import describe_hardware

    return {**describe_hardware(), "python": platform.python_version()}


if __name__ == "__main__":
    main()
