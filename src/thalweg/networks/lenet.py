"""LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998): the first convolutional network that read cheques for a living.

Average pooling and hyperbolic tangents as then; the partial connections of its second convolution, made to save memory,
are left out, as everybody does. On 1x28x28 with ten classes it has 61,706 parameters.
"""

from thalweg.core.network_spec import NetworkSpec
from thalweg.core.shape import Shape
from thalweg.networks.ends import classifier, signed_pixels
from thalweg.networks.functional import Input
from thalweg.networks.layers import AvgPool2d, Conv2d, Dense, Flatten, Tanh
from thalweg.networks.sequential import Sequential

__all__ = ["lenet"]


def lenet(input_shape: Shape, classes: int) -> NetworkSpec:
    """LeNet-5.

    Args:
        input_shape: Channels and size of a picture.
        classes: Number of classes.

    Returns:
        The network.

    Raises:
        SpecError: There are fewer than two classes.
        ShapeError: The picture is smaller than 12 pixels.

    Example:
        >>> lenet(Shape(1, (28, 28)), 10).layers[1].settings["out_channels"]
        6
    """
    return Sequential(
        [
            Input(*input_shape.as_tuple()),
            signed_pixels(),
            Conv2d(6, 5, padding=2),
            Tanh(),
            AvgPool2d(2),
            Conv2d(16, 5),
            Tanh(),
            AvgPool2d(2),
            Flatten(),
            Dense(120),
            Tanh(),
            Dense(84),
            Tanh(),
            *classifier(classes),
        ],
        name="lenet",
    )
