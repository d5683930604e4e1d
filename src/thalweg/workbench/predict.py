"""`thalweg predict`: what a trained network says about single samples, read exactly as in training."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from thalweg.core.errors import PictureError, PlanError
from thalweg.core.results import Prediction, PredictResult
from thalweg.data.decode import decode
from thalweg.workbench.model import TrainedModel, in_groups, open_model
from thalweg.workbench.predict_values import predict_values

__all__ = ["files_in", "predict"]

GROUP = 32


def predict(run: str | Path, images: Sequence[str | Path], *, device: str = "auto") -> PredictResult:
    """Classify pictures, signals or volumes with a finished run.

    Args:
        run: The run folder.
        images: Picture files, or folders whose files are all tried, but for hidden ones; for a network of signals or
            volumes, arrays and tables (one answer a row), recordings, scans, and folders of frames.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Returns:
        One prediction a file in the order asked for; a file that cannot be read has an error instead of a class.

    Raises:
        RunError: There is no finished run.
        PlanError: No picture is named.

    Example:
        >>> predict("runs/none", ["a.png"])
        Traceback (most recent call last):
        thalweg.core.errors.RunError: runs/none is no run folder (it has no plan.toml)...
    """
    model = open_model(run, device=device)
    if model.summary.reading is not None:
        answers = predict_values(model, images)
        if not answers:
            raise PlanError(
                "nothing to classify is named: give arrays, tables, recordings or scans, or folders of such"
            )
        return PredictResult(predictions=tuple(answers), classes=model.summary.classes)
    files = list(files_in(images))
    if not files:
        raise PlanError("no picture is named: give files, or folders that hold some")
    predictions: list[Prediction] = []
    for group in in_groups(files, GROUP):
        predictions.extend(_answers(model, group))
    return PredictResult(predictions=tuple(predictions), classes=model.summary.classes)


def files_in(images: Sequence[str | Path]) -> Iterable[str]:
    """The picture files that a user means.

    Args:
        images: Files, or folders whose files are all tried, but for hidden ones.

    Yields:
        Paths in the order asked for.
    """
    for image in images:
        path = Path(image)
        if path.is_dir():
            yield from sorted(str(file) for file in path.rglob("*") if file.is_file() and not _hidden(file, path))
        else:
            yield str(image)


def _hidden(file: Path, folder: Path) -> bool:
    """What a system left in a folder, such as .DS_Store or Thumbs.db; a file named by itself is always tried."""
    parts = file.relative_to(folder).parts
    return any(part.startswith(".") for part in parts) or parts[-1].lower() in {"thumbs.db", "desktop.ini"}


def _answers(model: TrainedModel, files: Sequence[str]) -> list[Prediction]:
    decoded: dict[int, np.ndarray] = {}
    errors: dict[int, str] = {}
    for position, file in enumerate(files):
        try:
            decoded[position] = decode(Path(file), size=(model.side, model.side)).pixels
        except PictureError as error:
            errors[position] = str(error)
    rows = iter(model.answer(list(decoded.values())) if decoded else ())
    classes = model.summary.classes
    answers = []
    for position, file in enumerate(files):
        if position in errors:
            answers.append(Prediction(file=file, class_=None, error=errors[position]))
            continue
        row = next(rows)
        shares = {name: float(value) for name, value in zip(classes, row, strict=True)}
        answers.append(Prediction(file=file, class_=classes[int(np.argmax(row))], probabilities=shares))
    return answers
