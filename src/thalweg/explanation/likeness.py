"""How alike two maps are: by the order of their places, and by their structure."""

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

__all__ = ["rank_correlation", "structural_similarity"]

_WINDOW = 7
_POOLS = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}


def rank_correlation(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Spearman's rank correlation; equal values share the mean of their ranks.

    Args:
        first: A map.
        second: Another one with as many values.

    Returns:
        From -1 to 1; nan where one of them is the same everywhere.

    Example:
        >>> rank_correlation([1, 2, 3], [10, 20, 15])
        0.5
    """
    one, other = (_ranks(np.asarray(each, dtype=np.float64).ravel()) for each in (first, second))
    one, other = one - one.mean(), other - other.mean()
    length = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / length if length > 0 else float("nan")


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], dtype=np.float64)


def structural_similarity(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """The structural similarity of two maps (SSIM, Wang et al. 2004), each brought to 0 ... 1 before.

    Args:
        first: A map, with one to three axes.
        second: Another one of the same extents.

    Returns:
        At most 1, for equal maps; windows are 7 wide, or as wide as the map.

    Example:
        >>> structural_similarity([0, 1, 0, 2], [0, 2, 0, 4])
        1.0
    """
    one, other = (_unit(np.asarray(each, dtype=np.float64)) for each in (first, second))
    pool, window = _POOLS[one.ndim - 2], tuple(min(_WINDOW, extent) for extent in one.shape[2:])

    def mean(values: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = pool(values, window, stride=1)
        return result

    means = mean(one), mean(other)
    spreads = mean(one * one) - means[0] ** 2, mean(other * other) - means[1] ** 2
    common = mean(one * other) - means[0] * means[1]
    low, high = 0.01**2, 0.03**2  # the constants of the paper, for values from 0 to 1
    above = (2 * means[0] * means[1] + low) * (2 * common + high)
    below = (means[0] ** 2 + means[1] ** 2 + low) * (spreads[0] + spreads[1] + high)
    return round(float((above / below).mean()), 9)


def _unit(values: npt.NDArray[np.float64]) -> torch.Tensor:
    low, span = values.min(), np.ptp(values)
    return torch.from_numpy(((values - low) / (span or 1.0))[None, None])
