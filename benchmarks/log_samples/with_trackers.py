"""MLflow (database and files), trackio, and detectron2's JSON lines."""

import json
import math
import os
import shutil
import sqlite3
from pathlib import Path

import numpy as np

EPOCHS = 5


def _curves(seed: int, *, ends: float | None = None) -> list[dict]:
    """Losses that fall as losses do; trackers only write them down."""
    drawn = np.random.default_rng(seed)
    rows = [
        {
            "train_loss": float(math.exp(-0.4 * epoch) + 0.1 * drawn.random()),
            "val_loss": float(math.exp(-0.3 * epoch) + 0.1 * drawn.random()),
            "val_accuracy": float(1 - 0.6 * math.exp(-0.3 * epoch)),
        }
        for epoch in range(EPOCHS)
    ]
    if ends is not None:
        rows[-2]["train_loss"], rows[-1]["train_loss"] = math.inf, ends
    return rows


def _as_text(rows: list[dict]) -> list[dict]:
    return [{name: repr(value) for name, value in row.items()} for row in rows]


def mlflow(out: Path) -> dict:
    """Two runs kept and one deleted in a database; one run in files, as older versions wrote by default."""
    import mlflow as library

    truth = {}
    library.set_tracking_uri("sqlite:///mlflow.db")
    library.create_experiment("sample", artifact_location="artifacts")
    library.set_experiment("sample")
    for name, seed, ends in (("calm", 1, None), ("burst", 2, math.nan), ("gone", 3, None)):
        rows = _curves(seed, ends=ends)
        with library.start_run(run_name=name) as run:
            library.log_param("learning_rate", 0.1)
            for epoch, row in enumerate(rows):
                library.log_metrics(row, step=epoch)
        if name == "gone":
            library.delete_run(run.info.run_id)
        truth[name] = _as_text(rows)
    library.tracking._tracking_service.utils._get_store().engine.dispose()  # noqa: SLF001 - or the file stays open
    _shrink(Path("mlflow.db"), out / "mlflow.db")
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    library.set_tracking_uri("file:./mlruns")
    library.create_experiment("files", artifact_location="artifacts")
    library.set_experiment("files")
    rows = _curves(4, ends=math.nan)
    with library.start_run(run_name="paper"):
        for epoch, row in enumerate(rows):
            library.log_metrics(row, step=epoch)
            library.log_metric("train/step", epoch, step=epoch)
    truth["files"] = _as_text(rows)
    shutil.copytree("mlruns", out / "mlruns")
    for path in (out / "mlruns").rglob("*"):  # empty folders are not kept by git, settings name this machine
        if path.is_file() and path.name != "meta.yaml" and path.parent.name not in {"metrics", "train"}:
            path.unlink()
        elif path.name == "meta.yaml":
            text = path.read_text(encoding="utf-8").replace(str(Path.cwd()), ".").splitlines()
            path.write_text("\n".join(line for line in text if not line.startswith(("user_id", "artifact"))) + "\n")
    return truth


def _shrink(source: Path, target: Path) -> None:
    """Copy a database with small pages and without empty tables and the names of machine and user."""
    base = sqlite3.connect(source)
    tables = {row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    if "runs" in tables:
        base.execute("UPDATE runs SET user_id='somebody', source_name='', artifact_uri='artifacts'")
        base.execute("DELETE FROM tags WHERE key LIKE 'mlflow.%' AND key != 'mlflow.runName'")
        base.execute("UPDATE experiments SET artifact_location='artifacts'")
    for table in tables - {
        "runs",
        "metrics",
        "params",
        "tags",
        "experiments",
        "configs",
        "latest_metrics",
        "alembic_version",
    }:
        if not table.startswith("sqlite_") and not base.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]:  # noqa: S608
            base.execute(f'DROP TABLE "{table}"')
    base.commit()
    base.execute("PRAGMA journal_mode=DELETE")
    base.execute("PRAGMA page_size=512")
    base.execute("VACUUM")
    base.close()
    shutil.copy(source, target)


def trackio(out: Path) -> dict:
    """Two runs of one project; trackio keeps NaN and infinity as words."""
    os.environ |= {"TRACKIO_DIR": str(Path("kept").resolve()), "HF_HUB_OFFLINE": "1"}
    import trackio as library

    truth = {}
    for name, seed, ends in (("calm", 1, None), ("burst", 2, math.nan)):
        rows = _curves(seed, ends=ends)
        library.init(project="sample", name=name, config={"learning_rate": 0.1}, embed=False)
        for epoch, row in enumerate(rows):
            library.log(row, step=epoch)
        library.finish()
        truth[name] = _as_text(rows)
    _shrink(next(Path("kept").rglob("sample.db")), out / "sample.db")
    return truth


def detectron2(out: Path) -> dict:
    """JSON lines in the form of detectron2's JSONWriter, NOT written by it: the package is in no registry.

    The smoothing is fvcore's `HistoryBuffer`, which detectron2 uses; form of a line: docstring of `JSONWriter`.
    """
    from fvcore.common.history_buffer import HistoryBuffer

    truth, kept = [], HistoryBuffer()
    with (out / "metrics.json").open("w", encoding="utf-8") as file:
        for step, row in enumerate(_curves(1) + _curves(2)):
            kept.update(row["train_loss"])
            if step % 2:
                loss = kept.median(2)
                line = {"iteration": step, "lr": 0.01, "total_loss": loss, "loss_cls": loss / 2, "loss_box_reg": 0.1}
                file.write(json.dumps(line | {"data_time": 0.01, "time": 0.2}, sort_keys=True) + "\n")
                truth.append([step, loss])
    return {"iterations": truth}
