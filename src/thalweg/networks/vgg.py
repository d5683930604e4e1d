"""VGG (Simonyan and Zisserman 2015): only 3x3 convolutions, more and more of them, and three dense layers.

Nine tenths of its weights lie in the first dense layer. Parameter names and counts are torchvision's, so that its
checkpoints load: VGG-16 has 138,357,544 parameters.
"""

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier, imagenet_pixels
from thalweg.networks.functional import Input
from thalweg.networks.layers import AdaptiveAvgPool2d, Conv2d, Dense, Dropout, Flatten, MaxPool2d, ReLU
from thalweg.networks.sequential import Block, Sequential
from thalweg.networks.writing import Layer

__all__ = ["DEPTHS", "vgg"]

_WIDTHS = (64, 128, 256, 512, 512)
_POSITIONS = 7
_UNITS = 4096

# Convolutions in each of the five stages, by number of layers with weights (three dense ones among them).
DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def vgg(depth: int, input_shape: Shape, classes: int) -> NetworkSpec:
    """A VGG network.

    Args:
        depth: 11, 13, 16 or 19 layers with weights.
        input_shape: Channels and size of a photo.
        classes: Number of classes.

    Returns:
        The network.

    Raises:
        SpecError: There are fewer than two classes.
        ShapeError: The photos are smaller than 32 pixels.

    Example:
        >>> vgg(11, Shape(3, (224, 224)), 1000).layers[1].name
        'features.0'
    """
    features: list[Layer] = []
    for width, convolutions in zip(_WIDTHS, DEPTHS[depth], strict=True):
        for _ in range(convolutions):
            features.append(Conv2d(width, 3, padding=1, name=str(len(features))))
            features.append(ReLU(name=str(len(features))))
        features.append(MaxPool2d(2, name=str(len(features))))
    head, probabilities = classifier(classes, name="6")
    dense: list[Layer] = [Dense(_UNITS, name="0"), ReLU(name="1"), Dropout(name="2")]
    dense += [Dense(_UNITS, name="3"), ReLU(name="4"), Dropout(name="5"), head]
    return Sequential(
        [
            Input(*input_shape.as_tuple()),
            imagenet_pixels(input_shape.channels),
            Block("features", features),
            AdaptiveAvgPool2d(_POSITIONS, name="avgpool"),
            Flatten(),
            Block("classifier", dense),
            probabilities,
        ],
        name=f"vgg{depth}",
    )
