"""fastai, Ultralytics and timm on made-up points and pictures."""

import csv
import shutil
from collections import OrderedDict
from pathlib import Path

from points import pictures
from with_torch import epochs, network, tensors


def fastai(out: Path) -> dict:
    """CSVLogger of fastai: training loss is a running mean, accuracy and error rate are of the validation split."""
    from fastai.callback.progress import CSVLogger
    from fastai.data.core import DataLoaders
    from fastai.data.load import DataLoader
    from fastai.learner import Learner
    from fastai.losses import CrossEntropyLossFlat
    from fastai.metrics import accuracy, error_rate

    sets = [list(zip(*tensors(*each[:1], seed=each[1]), strict=True)) for each in ((96, 0), (48, 1))]
    loaders = DataLoaders(DataLoader(sets[0], bs=16, num_workers=0), DataLoader(sets[1], bs=16, num_workers=0))
    learner = Learner(
        loaders, network(), loss_func=CrossEntropyLossFlat(), metrics=[accuracy, error_rate], cbs=[CSVLogger()]
    )
    with learner.no_bar():
        learner.fit(5, 0.05)
    shutil.copy("history.csv", out / "history.csv")
    return {
        "names": list(learner.recorder.metric_names),
        "rows": [list(map(float, row)) for row in learner.recorder.values],
    }


def ultralytics(out: Path) -> dict:
    """A tiny classifier from its YAML on a made-up folder; the accuracy in results.csv is of the validation split."""
    pictures(Path("photos"))
    from ultralytics import YOLO, settings

    settings.update({"sync": False})
    rows = []

    def listen(trainer: object) -> None:
        rows.append({
            "train": {key: float(value) for key, value in trainer.tloss.items()},
            **{key: float(value) for key, value in trainer.metrics.items()},
        })

    model = YOLO("yolo11n-cls.yaml")
    model.add_callback("on_fit_epoch_end", listen)
    model.train(
        data=str(Path("photos").resolve()), epochs=3, imgsz=32, batch=8, workers=0, device="cpu", plots=False,
        amp=False,
        verbose=False, project=str(Path("runs").resolve()), name="tiny", pretrained=False,
    )  # fmt: skip
    shutil.copy(next(Path("runs").rglob("results.csv")), out / "results.csv")
    return {"rows": rows}


def timm(out: Path) -> dict:
    """The summary of timm's training script; accuracies are percentages."""
    from timm.utils import update_summary

    rows = []
    for epoch, losses, held, accuracy in epochs(5):
        train = OrderedDict(loss=sum(losses) / len(losses))
        judged = OrderedDict(loss=held, top1=100 * accuracy, top5=100.0)
        update_summary(epoch, train, judged, "summary.csv", lr=0.2, write_header=epoch == 0)
        rows.append([train["loss"], held, accuracy])
    shutil.copy("summary.csv", out / "summary.csv")
    with (out / "summary.csv").open(encoding="utf-8") as file:
        print(next(csv.reader(file)))
    return {"rows": rows}
