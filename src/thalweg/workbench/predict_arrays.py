"""What a network trained on pictures says about those that come as arrays: one answer a row, a block at a time."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.core.results import Prediction
from thalweg.data.array_rows import picture_rows
from thalweg.workbench.model import TrainedModel

__all__ = ["predict_arrays"]


def predict_arrays(
    model: TrainedModel, place: str, files: Sequence[Path], *, most: int, notes: list[str]
) -> Iterator[Prediction]:
    """Classify the pictures of arrays.

    Args:
        model: A network that was trained on pictures.
        place: The file or folder as the user named it.
        files: What of it is read as one.
        most: Pictures that the network is given at once.
        notes: Takes what was assumed, in sentences.

    Yields:
        One prediction a row, in the order of parts and rows; what cannot be read has an error instead of a class.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="thalweg-", ignore_cleanup_errors=True) as aside:
            said, blocks = picture_rows(
                files, Path(aside), size=(model.side, model.side), trained=model.summary.shown, most=most
            )
            notes += said
            for block in blocks:
                sound = [picture for row, picture in enumerate(block.pixels) if row not in block.broken]
                yield from model.predictions([f"{place}/{name}" for name in block.names], sound, block.broken)
    except (SourceError, OSError) as error:
        reason = str(error) if all(file.exists() for file in files) else "there is no such file"
        for file in files:  # it is named beside the reason
            reason = reason.removeprefix(f"{printable(file.name)}: ") if str(file) == place else reason
        yield Prediction(file=place, class_=None, error=reason)
