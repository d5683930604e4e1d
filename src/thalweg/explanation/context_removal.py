"""What a context module is worth: the same network with what it adds silenced.

To leave the module out would show what the weights behind it make of nought, which they never saw. What it adds is
replaced by the mean of that over all pictures and positions instead: everything that it tells about *this* picture is
gone, and nothing else.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from thalweg.core.context_use import ContextRemoval, confusion_changes, overlap_of
from thalweg.core.errors import SpecError
from thalweg.explanation.activation import untouched

__all__ = ["without_context"]

_BATCH = 8


def without_context(
    module: nn.Module, pixels: Tensor, truth: npt.ArrayLike, classes: Sequence[str], layers: Sequence[str]
) -> ContextRemoval:
    """Score a network as it is, and with what some layers give replaced by its mean over pictures and positions.

    Args:
        module: The network, giving logits `(N, classes, height, width)`.
        pixels: `(pictures, channels, height, width)`, as the network takes them.
        truth: Class of every pixel; anything outside the classes is left out.
        classes: Names of the classes.
        layers: Through which context enters (`thalweg.networks.context.context_sources`).

    Returns:
        Scores of both, and the confusions that context removes.

    Raises:
        SpecError: There is no such layer, or none is named.
    """
    if not layers:
        raise SpecError("the network has no context module, so there is nothing to replace")
    means = _means(module, pixels, layers)

    def replace(name: str) -> Callable[[nn.Module, object, Tensor], Tensor]:
        return lambda _module, _inputs, output: means[name].to(output.dtype).expand_as(output)

    masks = np.asarray(truth)
    as_trained = _confusion(module, pixels, masks, len(classes))
    handles = [module.get_submodule(name).register_forward_hook(replace(name)) for name in layers]
    try:
        silenced = _confusion(module, pixels, masks, len(classes))
    finally:
        for handle in handles:
            handle.remove()
    with_context, without = overlap_of(as_trained.tolist()), overlap_of(silenced.tolist())
    return ContextRemoval(
        layers=tuple(layers),
        iou_with=with_context,
        iou_without=without,
        mean_iou_with=float(np.nanmean(with_context)),
        mean_iou_without=float(np.nanmean(without)),
        changes=confusion_changes(as_trained.tolist(), silenced.tolist(), classes),
    )


def _means(module: nn.Module, pixels: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    sums: dict[str, Tensor] = {}

    def add(name: str) -> Callable[[nn.Module, object, Tensor], None]:
        def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            total = output.double().mean((2, 3), keepdim=True).sum(0, keepdim=True)
            sums[name] = sums.get(name, torch.zeros_like(total)) + total

        return keep

    handles = []
    try:
        for name in layers:
            try:
                handles.append(module.get_submodule(name).register_forward_hook(add(name)))
            except AttributeError:
                raise SpecError(f"the network has no layer {name!r}") from None
        with untouched(module), torch.no_grad():
            for some in torch.split(pixels, _BATCH):
                module(some.float())
    finally:
        for handle in handles:
            handle.remove()
    return {name: total / len(pixels) for name, total in sums.items()}


def _confusion(module: nn.Module, pixels: Tensor, masks: npt.NDArray[np.int64], classes: int) -> npt.NDArray[np.int64]:
    total = np.zeros((classes, classes), dtype=np.int64)
    with untouched(module), torch.no_grad():
        for start in range(0, len(pixels), _BATCH):
            called = module(pixels[start : start + _BATCH].float()).argmax(1).cpu().numpy()
            real = masks[start : start + _BATCH].astype(np.int64)
            known = (real >= 0) & (real < classes)
            pairs = real[known] * classes + called[known]
            total += np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
    return total
