"""What a network trained on pictures says about those that come as arrays: one answer a row, a block at a time."""

from collections.abc import Iterator

from thalweg.core.errors import SourceError
from thalweg.core.results import Prediction
from thalweg.workbench.answering.model import TrainedModel
from thalweg.workbench.answering.picture_places import Place, blocks_of

__all__ = ["predict_arrays"]


def predict_arrays(model: TrainedModel, place: Place, *, most: int, notes: list[str]) -> Iterator[Prediction]:
    """Classify the pictures of arrays.

    Args:
        model: A network that was trained on pictures.
        place: The file or folder, and what of it is read as one.
        most: Pictures that the network is given at once.
        notes: Takes what was assumed, in sentences.

    Yields:
        One prediction a row, in the order of parts and rows; what cannot be read has an error instead of a class.
    """
    try:
        for block in blocks_of(model, place, most=most, notes=notes):
            sound = [picture for row, picture in enumerate(block.pixels) if row not in block.broken]
            yield from model.predictions(block.names, sound, block.broken)
    except SourceError as error:
        yield Prediction(file=place.name, class_=None, error=str(error))
