"""The same case in torch: float64 autograd, as a judge of what was derived on paper."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch.nn import functional

from thalweg.core.derivation import ConvolutionCase, HeadStage

__all__ = ["autograd_gradients"]


_EACH = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}


def autograd_gradients(
    case: ConvolutionCase, values: Mapping[str, float], at: Sequence[float] | None = None
) -> dict[str, list[float]]:
    """Let torch differentiate a case.

    Args:
        case: The case.
        values: A number for every symbol.
        at: Where the head is differentiated, if not at the output as torch rounds it: two entries that are equal by
            right differ by rounding now and then, and at a kink that would decide.

    Returns:
        `y`, `O`, `dO_dy`, `dO_dx`, `dO_df` and `dO_db` (empty without a bias), flat, row by row.
    """

    def known(text: str) -> float:
        if text in values:
            return values[text]
        above, _, below = text.partition("/")
        return int(above) / int(below or "1")

    def leaf(entries: tuple[str, ...], *shape: int) -> torch.Tensor:
        return torch.tensor(list(map(known, entries)), dtype=torch.float64).reshape(shape).requires_grad_()

    with torch.enable_grad():
        x = leaf(case.x, 1, case.in_channels, *case.extents)
        f = leaf(case.f, case.out_channels, case.in_channels // case.groups, *case.kernel)
        bias = None if case.bias is None else leaf(case.bias, case.out_channels)
        sides = [side for pair in reversed(case.padding) for side in pair]  # torch pads the last axis first
        convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[case.axes - 1]
        y = convolve(functional.pad(x, sides), f, bias, case.stride, 0, case.dilation, case.groups)
        given = y.detach() if at is None else torch.tensor(list(at), dtype=torch.float64).reshape(y.shape)
        outcome = given = given.requires_grad_()
        for stage in case.head:
            outcome = _stage(stage, outcome, [known(text) for text in stage.values], known)
        torch.autograd.backward(outcome.sum())
        torch.autograd.backward(y, given.grad)
    found = {"y": y, "O": outcome, "dO_dy": given.grad, "dO_dx": x.grad, "dO_df": f.grad, "dO_db": bias}
    if bias is not None:
        found["dO_db"] = bias.grad
    return {name: [] if tensor is None else tensor.detach().flatten().tolist() for name, tensor in found.items()}


def _stage(stage: HeadStage, y: torch.Tensor, given: list[float], known: Callable[[str], float]) -> torch.Tensor:
    """One stage of the head; a single number keeps the axes of a picture, so that any stage may follow."""
    axes = y.dim() - 2
    values = torch.tensor(given, dtype=torch.float64)
    pools: dict[str, tuple[Callable[..., torch.Tensor], ...]] = {
        "max_pool": (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d),
        "average_pool": (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d),
    }
    if stage.kind in pools:
        return pools[stage.kind][axes - 1](y, stage.kernel, stage.stride)
    if stage.kind in _EACH:
        return _EACH[stage.kind](y)
    flat = y.flatten()
    if stage.offsets:
        biases = torch.tensor([known(text) for text in stage.offsets], dtype=torch.float64)
        outcome = known(stage.factor) * (values.reshape(len(biases), -1) @ flat + biases)
        return outcome.reshape(1, -1, *(1,) * axes)
    match stage.kind:
        case "mean":
            outcome = flat.mean()
        case "dense" | "upstream":
            outcome = flat @ values + known(stage.offset)
        case "squared_error":
            outcome = functional.mse_loss(flat, values, reduction="sum")
        case "mean_squared_error":
            outcome = functional.mse_loss(flat, values)
        case "cross_entropy":
            outcome = functional.cross_entropy(flat[None], values[None])
        case "binary_cross_entropy":
            outcome = functional.binary_cross_entropy(flat, values)
        case _:
            outcome = flat.sum()
    return (known(stage.factor) * outcome).reshape((1,) * (axes + 2))
