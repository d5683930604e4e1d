"""What a trained segmenter says about single pictures: shares of the classes, and masks at each picture's own size."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch

from thalweg.core.errors import PictureError, PlanError
from thalweg.core.files import printable, write_atomically
from thalweg.core.masks import VOID, MaskReading, void_colour
from thalweg.core.results import Prediction
from thalweg.data.batching.batches import as_tensor
from thalweg.data.decoding.decode import decode
from thalweg.workbench.answering.mask_scores import enlarged
from thalweg.workbench.answering.model import TrainedModel
from thalweg.workbench.answering.picture_places import missing
from thalweg.workbench.answering.windows import ALIGNED, whole_logits, window_logits

__all__ = ["View", "encoded_mask", "predict_masks"]

View = Literal["fitted", "whole", "tiles"]


def predict_masks(
    model: TrainedModel, files: Sequence[tuple[str, str]], *, out: Path | None, view: str = "fitted"
) -> Iterator[Prediction]:
    """Give every pixel of some pictures a class.

    Args:
        model: A network that was trained with masks.
        files: Pictures as they are to be named in the answer, and the name of their mask below `out`, without ending.
        out: A new or empty folder for masks; None writes none.
        view: `fitted` brings a picture to the size of training, as training did; `whole` keeps its proportions, its
            shorter side as in training; `tiles` does the same window by window.

    Yields:
        The share of each class of the picture's area, the largest one, and where the mask is; or an error.

    Raises:
        PlanError: The folder holds something, or the view is unknown.
    """
    if view not in get_args(View):
        raise PlanError(f"--view {view}: choose one of {', '.join(get_args(View))}")
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise PlanError(f"--out {printable(out)} holds something already: name a new or empty folder for the masks")
    reading = model.summary.masks
    assert reading is not None  # noqa: S101 - the caller looked
    taken: set[str] = set()
    for file, name in files:
        try:
            picture = decode(Path(file)).pixels
            answer = _answer(model, picture, view)
        except PictureError as error:
            yield Prediction(file=file, class_=None, error=missing(file) or str(error))
            continue
        place = None
        if out is not None:
            path = out / _free(name, taken)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, encoded_mask(answer, reading))
            place = str(path)
        classes = model.summary.classes
        shares = np.bincount(answer.ravel(), minlength=len(classes)) / answer.size
        named = {each: float(share) for each, share in zip(classes, shares, strict=True)}
        yield Prediction(file=file, class_=classes[int(shares.argmax())], probabilities=named, mask=place)


def _free(name: str, taken: set[str]) -> str:
    wanted, number = f"{name}.png", 1
    while wanted in taken:
        number += 1
        wanted = f"{name}-{number}.png"
    taken.add(wanted)
    return wanted


def _answer(model: TrainedModel, picture: np.ndarray, view: str) -> np.ndarray:
    """The class of every pixel of a picture, at its own size."""
    height, width = model.shape.extents
    own = (picture.shape[0], picture.shape[1])
    if view == "fitted":
        size = (width, height)
    else:
        factor = min(height, width) / min(own)
        size = (max(ALIGNED, round(factor * own[1])), max(ALIGNED, round(factor * own[0])))
    pixels = as_tensor(_resized(picture, size)[None]).to(model.device.kind)
    with model.device.context():
        if view == "tiles":
            logits = window_logits(model.module, pixels, window=(height, width))
        else:
            logits = whole_logits(model.module, pixels)
    return _enlarged_answer(logits[0].cpu(), own)


@torch.inference_mode()
def _enlarged_answer(logits: torch.Tensor, size: tuple[int, int]) -> np.ndarray:
    answer: np.ndarray = enlarged(logits, size).argmax(dim=0).byte().numpy()
    return answer


def _resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    from PIL import Image

    image = Image.fromarray(picture)
    return np.array(image if image.size == size else image.resize(size, Image.Resampling.BILINEAR))


def encoded_mask(answer: np.ndarray, reading: MaskReading) -> bytes:
    """Write a mask as a PNG with a palette, with the numbers that the training masks have, and nothing else in it.

    Args:
        answer: Index of the class of every pixel; 255 for none.
        reading: With the classes' colours and numbers.

    Returns:
        The file's bytes.
    """
    from PIL import Image

    numbers = reading.values or tuple(range(len(reading.palette)))
    table = np.full(256, VOID, np.uint8)
    table[: len(numbers)] = numbers
    colours = np.zeros((256, 3), np.uint8)
    colours[list(numbers)] = reading.palette
    colours[VOID] = void_colour(reading.palette)
    image = Image.fromarray(table[answer])
    image.putpalette(colours.tobytes())
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
