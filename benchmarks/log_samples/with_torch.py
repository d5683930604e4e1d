"""torch's and tensorboardX's SummaryWriter, Lightning's CSVLogger, transformers' Trainer, on made-up points.

torchvision's wheels do not load beside a CPU build of torch until its two operators are defined: done here, for all.
"""

import contextlib
import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch
from points import CLASSES, points
from torch import nn

KEPT = torch.library.Library("torchvision", "FRAGMENT")
if not torch.cuda.is_available():
    for operator in ("nms", "qnms"):
        KEPT.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def network(seed: int = 3) -> nn.Module:
    """A small classifier of four numbers."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, CLASSES))


def tensors(count: int = 96, *, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """The points as tensors."""
    x, y = points(count, seed=seed)
    return torch.from_numpy(x), torch.from_numpy(y)


def epochs(count: int, rate: float = 0.2, *, start: int = 0, model: nn.Module | None = None) -> Iterator[tuple]:
    """Train by hand; yield epoch, losses of the batches, validation loss and accuracy."""
    model = model or network()
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    x, y = tensors()
    held, labels = tensors(48, seed=1)
    for epoch in range(start, count):
        losses = []
        for part in range(0, len(x), 16):
            loss = nn.functional.cross_entropy(model(x[part : part + 16]), y[part : part + 16])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            told = model(held)
        yield (
            epoch,
            losses,
            nn.functional.cross_entropy(told, labels).item(),
            (told.argmax(1) == labels).float().mean().item(),
        )


def tensorboard(out: Path) -> dict:
    """One run by epoch with batch losses, one resumed in a second file, one of `add_scalars`, one with NaN."""
    from torch.utils.tensorboard import SummaryWriter

    truth = {"plain": {"train": [], "val": [], "accuracy": [], "batch": []}}
    plain = truth["plain"]
    with contextlib.closing(SummaryWriter(out / "plain")) as writer:
        writer.add_text("setup", "a line of text")
        writer.add_histogram("noise", torch.randn(20), 0, bins="fd")
        for epoch, losses, held, accuracy in epochs(5):
            for place, loss in enumerate(losses):
                writer.add_scalar("Loss/train_step", loss, epoch * len(losses) + place)
                plain["batch"].append(loss)
            mean = sum(losses) / len(losses)
            writer.add_scalar("Loss/train", mean, epoch)
            writer.add_scalar("Loss/val", held, epoch)
            writer.add_scalar("Accuracy/val", accuracy, epoch)
            writer.add_scalar("lr", 0.2, epoch)
            for name, value in (("train", mean), ("val", held), ("accuracy", accuracy)):
                plain[name].append(value)
    truth["resumed"] = []
    for part, (start, end, rate) in enumerate(((0, 4, 0.05), (2, 6, 0.1))):
        rows = []
        with contextlib.closing(SummaryWriter(out / "resumed", filename_suffix=f".{part}")) as writer:
            for epoch, losses, held, _ in epochs(end, rate, start=start):
                writer.add_scalar("train/loss", sum(losses) / len(losses), epoch)
                writer.add_scalar("val/loss", held, epoch)
                rows.append([epoch, sum(losses) / len(losses), held])
        truth["resumed"].append(rows)
    truth["scalars"] = []
    with contextlib.closing(SummaryWriter(out / "scalars")) as writer:
        for epoch, losses, held, _ in epochs(4):
            values = {"train": sum(losses) / len(losses), "val": held}
            writer.add_scalars("Loss", values, epoch)
            truth["scalars"].append([values["train"], values["val"]])
    with contextlib.closing(SummaryWriter(out / "non_finite")) as writer:
        for step, value in enumerate((1.0, 2.0, math.inf, math.nan)):
            writer.add_scalar("loss", value, step)
    truth["non_finite"] = ["1.0", "2.0", "inf", "nan"]
    _rename(out)
    return truth


def tensorboardx(out: Path) -> dict:
    """The same by tensorboardX."""
    from tensorboardX import SummaryWriter

    truth = {"train": [], "val": []}
    with contextlib.closing(SummaryWriter(str(out / "run"))) as writer:
        for epoch, losses, held, _ in epochs(5):
            writer.add_scalar("loss/train", sum(losses) / len(losses), epoch)
            writer.add_scalar("loss/val", held, epoch)
            truth["train"].append(sum(losses) / len(losses))
            truth["val"].append(held)
    _rename(out)
    return truth


def _rename(out: Path) -> None:
    """Take the machine's name out of the names of event files; their order in time stays."""
    for path in sorted(out.rglob("events.out.tfevents.*")):
        stamp, suffix = path.name.split(".")[3], path.suffix if path.suffix[1:].isdigit() else ""
        path.rename(path.with_name(f"events.out.tfevents.{stamp}.somewhere{suffix}"))


def lightning(out: Path) -> dict:
    """CSVLogger: a training loss by step and by epoch, validation loss and accuracy, gradient norm, learning rate."""
    import lightning as library
    from lightning.pytorch.callbacks import LearningRateMonitor
    from lightning.pytorch.loggers import CSVLogger

    truth = {"batch_loss": [], "train_loss": [], "val_loss": [], "val_acc": []}

    class Net(library.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        def training_step(self, batch: list, _: int) -> torch.Tensor:
            loss = nn.functional.cross_entropy(self.net(batch[0]), batch[1])
            truth["batch_loss"].append([self.global_step, loss.item()])
            self.log("train_loss", loss, on_step=True, on_epoch=True)
            return loss

        def validation_step(self, batch: list, _: int) -> None:
            told = self.net(batch[0])
            self.log("val_loss", nn.functional.cross_entropy(told, batch[1]))
            self.log("val_acc", (told.argmax(1) == batch[1]).float().mean())

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.2)

        def on_train_epoch_end(self) -> None:
            for name, key in (("train_loss", "train_loss_epoch"), ("val_loss", "val_loss"), ("val_acc", "val_acc")):
                truth[name].append(self.trainer.callback_metrics[key].item())

    data = torch.utils.data.TensorDataset
    loaders = [torch.utils.data.DataLoader(data(*tensors(*each[:1], seed=each[1])), 16) for each in ((96, 0), (48, 1))]
    trainer = library.Trainer(
        max_epochs=5,
        logger=CSVLogger("logs"),
        log_every_n_steps=2,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        callbacks=[LearningRateMonitor(logging_interval="step")],
    )
    trainer.fit(Net(), *loaders)
    shutil.copy(Path(trainer.logger.log_dir) / "metrics.csv", out / "metrics.csv")
    return truth


def transformers(out: Path) -> dict:
    """Trainer on a tiny BERT of random weights; evaluated each epoch, logged every four steps."""
    import transformers as library

    torch.manual_seed(5)
    config = library.BertConfig(
        vocab_size=20, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_labels=2
    )
    words = torch.randint(2, 20, (96, 6))
    rows = [{"input_ids": each, "labels": int(each[0] > 10)} for each in words]
    told = []

    class Listener(library.TrainerCallback):
        def on_log(self, _args: object, state: object, _control: object, logs: dict, **_: object) -> None:
            told.append({"step": state.global_step, **{key: float(value) for key, value in logs.items()}})

    trainer = library.Trainer(
        library.BertForSequenceClassification(config),
        library.TrainingArguments(
            "out", num_train_epochs=4, per_device_train_batch_size=8, logging_steps=4, eval_strategy="epoch",
            save_strategy="epoch", save_only_model=True, report_to=[], learning_rate=5e-3, use_cpu=True,
            disable_tqdm=True,
        ),
        train_dataset=rows[:64],
        eval_dataset=rows[64:],
        compute_metrics=lambda each: {"accuracy": float((each.predictions.argmax(1) == each.label_ids).mean())},
        callbacks=[Listener()],
    )  # fmt: skip
    trainer.train()
    trainer.state.best_model_checkpoint = None  # a path
    trainer.state.save_to_json(str(out / "trainer_state.json"))
    return {"log": told}
