"""Connected regions of one class: what a person would call an object, as far as a mask of classes can tell."""

import numpy as np
import numpy.typing as npt

__all__ = ["connected_regions"]

Labels = npt.NDArray[np.integer]


def connected_regions(labels: Labels) -> npt.NDArray[np.int64]:
    """Number the regions of equal neighbours, up, down, left and right.

    Rows are cut into runs of one class; runs that touch are joined by passing the smallest number along until nothing
    changes, each time jumping to the number's own number (Shiloach and Vishkin 1982).

    Args:
        labels: Class of every pixel, `(height, width)`.

    Returns:
        Number of each pixel's region from 0, in the order of their first pixels.

    Example:
        >>> connected_regions(np.array([[1, 1, 0], [0, 1, 0]])).tolist()
        [[0, 0, 1], [2, 0, 1]]
    """
    height, width = labels.shape
    begins = np.ones((height, width), bool)
    begins[:, 1:] = labels[:, 1:] != labels[:, :-1]
    runs = np.cumsum(begins.ravel()).reshape(height, width) - 1
    touch = (labels[1:] == labels[:-1]) & (begins[1:] | begins[:-1])  # the first pixel where two runs lie side by side
    edges = np.stack((runs[:-1][touch], runs[1:][touch]), axis=1)
    name = np.arange(runs[-1, -1] + 1)
    while len(edges):
        least = np.minimum(name[edges[:, 0]], name[edges[:, 1]])
        before = name.copy()
        np.minimum.at(name, name[edges[:, 0]], least)
        np.minimum.at(name, name[edges[:, 1]], least)
        np.minimum.at(name, edges.ravel(), np.repeat(least, 2))
        name = name[name]
        if (name == before).all():
            break
    _, numbered = np.unique(name, return_inverse=True)
    return np.asarray(numbered.reshape(-1)[runs], np.int64)
