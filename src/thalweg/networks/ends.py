"""How classifiers begin and end: pixels are rescaled inside the network, and it ends in probabilities.

Pixels come in as 0..255; two classes end in one sigmoid (the probability of the second class), more in a softmax.
Training takes the last activation off (`NetworkSpec.logits`), since losses compute it more exactly themselves.
"""

from thalweg.core.errors import SpecError
from thalweg.networks.layers import Dense, Rescale, Sigmoid, Softmax
from thalweg.networks.writing import Layer

__all__ = ["classifier", "imagenet_pixels", "outputs", "signed_pixels", "unit_pixels"]

# Mean and standard deviation of ImageNet's pixels on the scale 0..1, as the published checkpoints were trained with.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


def outputs(classes: int) -> int:
    """Number of values a classifier gives.

    Args:
        classes: Number of classes.

    Returns:
        1 for two classes, otherwise as many as classes.

    Raises:
        SpecError: There are fewer than two classes.
    """
    if classes < 2:  # noqa: PLR2004 - the definition
        raise SpecError(f"a classifier of {classes} classes has nothing to decide; 2 or more are wanted")
    return 1 if classes == 2 else classes  # noqa: PLR2004 - one probability says both


def classifier(classes: int, *, name: str | None = None) -> list[Layer]:
    """The last dense layer and its activation.

    Args:
        classes: Number of classes.
        name: Name of the dense layer.

    Returns:
        Two layers.

    Raises:
        SpecError: There are fewer than two classes.
    """
    units = outputs(classes)
    return [Dense(units, name=name), Sigmoid() if units == 1 else Softmax()]


def unit_pixels() -> Rescale:
    """Pixels 0..255 to 0..1.

    Returns:
        The layer.
    """
    return Rescale(1 / 255)


def signed_pixels() -> Rescale:
    """Pixels 0..255 to -1..1.

    Returns:
        The layer.
    """
    return Rescale(1 / 127.5, -1.0)


def imagenet_pixels(channels: int) -> Rescale:
    """Pixels 0..255 less ImageNet's mean, over its standard deviation; the mean over colours for other channel numbers.

    Args:
        channels: Channels of the input.

    Returns:
        The layer.
    """
    if channels == len(_MEAN):
        scale = tuple(1 / (255 * deviation) for deviation in _DEVIATION)
        offset = tuple(-mean / deviation for mean, deviation in zip(_MEAN, _DEVIATION, strict=True))
        return Rescale(scale, offset)
    mean, deviation = sum(_MEAN) / 3, sum(_DEVIATION) / 3
    return Rescale(1 / (255 * deviation), -mean / deviation)
