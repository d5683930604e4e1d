"""`thalweg export`: a trained network and its report for other programs, verified before it is believed."""

import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from thalweg.core.errors import PlanError, RunError
from thalweg.core.files import printable, refuse_foreign
from thalweg.core.results import ExportResult
from thalweg.core.run_folder import RunFolder
from thalweg.evaluation.intervals import wilson

if TYPE_CHECKING:
    from thalweg.core.report import Report
    from thalweg.exporting.tracked_run import Tracking

__all__ = ["export"]

_CALIBRATION, _MEASURED = 256, 2_000
"""Samples of the training split that ranges are taken from, and of the held-out split that is measured, at most."""
CLASS_NAMES = b"class_names"
"""What the ONNX files that are written here hold at their end."""
Written = tuple[tuple[str, ...], tuple[str, ...]]


def export(
    run: str | Path,
    *,
    onnx: bool | None = None,
    int8: bool = False,
    model_card: bool = False,
    tables: bool = False,
    figures: bool = False,
    png: bool = False,
    tensorboard: bool = False,
    mlflow: str | Path | None = None,
    experiment: str | None = None,
    wandb: str | None = None,
    out: str | Path | None = None,
) -> ExportResult:
    """Write a finished run for other programs: its network, its report in parts, its curves.

    Args:
        run: The run folder; for tables and figures also a page that `lab`, `compare`, `diagnose`, `landscape`,
            `explain` or `derive` has written.
        onnx: The network as ONNX, checked against onnxruntime at two batch sizes; the default where nothing is named.
        int8: Besides ONNX, the same in 8-bit numbers (`model-int8.onnx`), measured on the held-out split: the run's
            pictures must still be there.
        model_card: A model card in Markdown: use, data, scores with intervals, limits, how to repeat it.
        tables: Every table of the report as CSV, with all points of its curves.
        figures: Every figure of the report as SVG, its confusion matrix and sheets of its pictures included.
        png: Every figure as PNG as well.
        tensorboard: TensorBoard's event files.
        mlflow: The run in MLflow: a tracking URI, or a folder for a database. A stopped run can be written, too.
        experiment: MLflow's experiment; `thalweg` by default.
        wandb: The run for Weights & Biases: a project, or `ENTITY/PROJECT`. A folder to sync; nothing is sent, unless
            `WANDB_MODE=online` stands in the environment.
        out: The file to write, for one file; the folder for everything else; the run folder by default, of a page a
            folder beside it that has its name.

    Returns:
        The files, their size, and for ONNX its largest difference from torch.

    Raises:
        RunError: There is no finished run, or the file disagrees with torch.
        PlanError: No format is named, or the place cannot be written.
        MissingExtraError: The extra `onnx`, `plots`, `mlflow` or `wandb` is not installed.

    Example:
        >>> export("runs/none")
        Traceback (most recent call last):
        thalweg.core.errors.RunError: runs/none is no run folder (it has no plan.toml)...
    """
    if experiment is not None and mlflow is None:
        raise PlanError("--experiment is MLflow's: name its place with --mlflow")
    wanted = {
        "model-card": model_card,
        "tables": tables,
        "figures": figures or png,
        "tensorboard": tensorboard,
        "mlflow": mlflow is not None,
        "wandb": wandb is not None,
    }
    if onnx is None or int8:
        onnx = int8 or not any(wanted.values())
    chosen = [name for name, asked in {"onnx": onnx, "int8": int8, **wanted}.items() if asked]
    if not chosen:
        known = "--onnx, --model-card, --tables, --figures, --tensorboard, --mlflow or --wandb"
        raise PlanError(f"no format is named: give {known}")
    if _is_page(Path(run)):
        return _of_page(Path(run), chosen, None if out is None else Path(out), png=png)
    folder = RunFolder.open(Path(run))
    place = folder.path if out is None else Path(out)
    alone = len(chosen) == 1 and out is not None and chosen[0] in {"onnx", "model-card"}
    if out is not None and not alone:
        _make(place)
    network, card = (place, place) if alone else (place / "model.onnx", place / "MODEL_CARD.md")
    _check_places({"onnx": network, "int8": _small(network), "model-card": card}, chosen)
    first = _onnx(run, network) if onnx else None
    content = functools.cache(folder.read_report)
    makers: dict[str, Callable[[], Written]] = {
        "model-card": lambda: (_card(folder, card), ()),
        "tables": lambda: (_tables(content(), place / "tables"), ()),
        "figures": lambda: _figures(content(), place / "figures", png=png),
        "tensorboard": lambda: (_events(folder, out), ()),
    }
    files: list[str] = [] if first is None else [first.path]
    notes: list[str] = []
    small = _int8(run, Path(files[0])) if int8 else None
    if small is not None:
        files.append(str(small["path"]))
        notes += _of_small(small)
    for name in chosen:
        if name in makers:
            written, said = makers[name]()
            files += written
            notes += said
    tracked = _tracked(folder, mlflow, experiment, wandb, place)
    files += [str(path) for each in tracked for path in each.written]
    if not files and not tracked:
        raise RunError(f"{printable(folder.path)}: its report holds none of that")
    return ExportResult(
        path=files[0] if files else tracked[0].opened_with,
        format=", ".join(chosen),
        bytes=sum(os.stat(file).st_size for file in files),  # noqa: PTH116 - names are text here
        max_difference=None if first is None else first.max_difference,
        batch_sizes=() if first is None else first.batch_sizes,
        files=tuple(files),
        notes=(*notes, *(note for each in tracked for note in each.notes)),
        quantised=small,
        tracked=tuple(_plain(each) for each in tracked),
    )


def _tracked(
    folder: RunFolder, mlflow: str | Path | None, experiment: str | None, wandb: str | None, out: Path
) -> "tuple[Tracking, ...]":
    """Written last, so that what else was asked for, a network as ONNX above all, is among the files."""
    from thalweg.workbench import export_tracked

    done = []
    if mlflow is not None:
        done.append(export_tracked.to_mlflow(folder, str(mlflow), experiment or "thalweg"))
    if wandb is not None:
        done.append(export_tracked.to_wandb(folder, wandb, out))
    return tuple(done)


def _plain(done: "Tracking") -> dict[str, str | int | bool]:
    names = ("program", "place", "project", "run_id", "again", "metrics", "points", "settings", "files", "opened_with")
    return {name: getattr(done, name) for name in names}


def _make(place: Path) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PlanError(f"--out {printable(place)} cannot be made: {error.strerror}; name a folder") from None


def _check_places(places: Mapping[str, Path], chosen: Sequence[str]) -> None:
    """Look at the places of files before any work is done for them."""
    for name, path in places.items():
        if name not in chosen:
            continue
        if path.is_dir() or not path.parent.is_dir():
            raise PlanError(f"--out {printable(path)}: name a file in a folder that exists")
        if name != "model-card":  # which knows itself whether somebody has filled it in
            refuse_foreign(path, "--out", CLASS_NAMES, at_end=True)


def _onnx(run: str | Path, path: Path) -> ExportResult:
    from thalweg.exporting.onnx import PIXELS, export_onnx
    from thalweg.workbench.answering.model import open_model

    model = open_model(run, device="cpu")
    _, final = model.spec.logits()
    reading = model.summary.reading
    done = export_onnx(
        model.module,
        model.shape,
        path,
        class_names=model.summary.classes,
        final=final,
        takes=PIXELS
        if reading is None
        else f"float32 {reading.form}s as they were measured, channels first; standardising is part of the network",
    )
    return ExportResult(
        path=str(path),
        format="onnx",
        bytes=done.size_bytes,
        max_difference=done.maximum_difference,
        batch_sizes=done.batch_sizes,
        files=(str(path),),
    )


def _small(source: Path) -> Path:
    return source.with_name(f"{source.stem}-int8{source.suffix}")


def _int8(run: str | Path, source: Path) -> dict[str, str | int | float]:
    from dataclasses import asdict

    from thalweg.exporting.quantised import quantise
    from thalweg.workbench.evaluate import held_out

    calibration, held, split = held_out(run, most=_MEASURED, training=_CALIBRATION)
    return asdict(quantise(source, _small(source), calibration=calibration, held=held, split=split))


def _of_small(small: Mapping[str, str | int | float]) -> Iterator[str]:
    kept, right, usual = int(small["float_layers"]), float(small["accuracy"]), float(small["accuracy_float"])
    if kept:
        yield f"dense layers ({kept}) stay in float32: with them in 8 bits too many training samples got another answer"
    low, high = wilson(round(usual * int(small["files"])), int(small["files"]))
    if not low <= right <= high:
        yield f"8 bits cost more than chance does: {right:.1%} right where float32 is on {usual:.1%}"


def _card(folder: RunFolder, path: Path) -> tuple[str, ...]:
    from thalweg.workbench.export_report import write_card

    return write_card(folder, path)


def _tables(report: "Report", place: Path) -> tuple[str, ...]:
    from thalweg.workbench.export_report import write_tables

    return write_tables(report, place)


def _figures(report: "Report", place: Path, *, png: bool) -> Written:
    from thalweg.workbench.export_report import write_figures

    return write_figures(report, place, png=png)


def _is_page(path: Path) -> bool:
    """A page that stands alone; one in a run folder is the run's."""
    return path.is_file() and path.suffix.lower() in {".html", ".htm"} and not (path.parent / "plan.toml").is_file()


def _of_page(page: Path, chosen: list[str], out: Path | None, *, png: bool) -> ExportResult:
    from thalweg.rendering.pages.page_data import read_page

    report = read_page(page)
    if other := [name for name in chosen if name not in {"tables", "figures"}]:
        raise PlanError(f"{printable(page)} is a page, which has no {other[0]}: give --tables or --figures")
    place = page.with_suffix("") if out is None else out
    _make(place)
    files = _tables(report, place / "tables") if "tables" in chosen else ()
    drawn, notes = _figures(report, place / "figures", png=png) if "figures" in chosen else ((), ())
    if not (*files, *drawn):
        raise RunError(f"{printable(page)}: it holds none of that")
    return ExportResult(
        path=(*files, *drawn)[0],
        format=", ".join(chosen),
        bytes=sum(os.stat(file).st_size for file in (*files, *drawn)),  # noqa: PTH116 - names are text here
        max_difference=None,
        batch_sizes=(),
        files=(*files, *drawn),
        notes=notes,
    )


def _events(folder: RunFolder, out: str | Path | None) -> tuple[str, ...]:
    from thalweg.workbench.runs.event_log import write_events

    place = write_events(folder, None if out is None else Path(out))
    return tuple(str(path) for path in sorted(place.iterdir()))
