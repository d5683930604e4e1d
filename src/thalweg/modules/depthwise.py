"""Depthwise convolutions whose backward pass takes the road that the CPU's library is fast on.

oneDNN has fast kernels for most depthwise convolutions, and a plain loop for the rest. Two of the rest matter in
training: the gradient of the input in bfloat16 where the stride is above 1, and the gradient of the weights where the
kernel is wider than 3 taps. EfficientNet-Lite0 spent five sixths of a training step in them (decision 0020). Both
gradients are other, equal convolutions that it is fast on:

    dL/dx    with zeros between the places of dL/dy the stride becomes 1: a forward pass with the kernel turned
    dL/dw    a column of taps depends on its own columns of x alone: a wide kernel is computed three columns at a time

The sums are the same ones in another order. Written in differentiable operations, so that curvature (Hessian products)
goes through them as well.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from thalweg.modules.padding import PaddedConv2d

__all__ = ["DepthwiseConv2d", "PaddedDepthwiseConv2d"]

_FAST_WIDTH = 3
"""Taps along the width up to which the gradient of the weights has a fast kernel."""


class _ByChannel(nn.Conv2d):
    """One kernel a channel; the same numbers as `torch.nn.Conv2d`."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: A002 - torch's name
        kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else input.dtype
        if not self._is_slow(input, kind):
            usual: Tensor = super()._conv_forward(input, weight, bias)
            return usual
        given = (each if each is None else each.to(kind) for each in (input, weight, bias))
        made: Tensor = _Convolution.apply(*given, self.stride, self.padding)  # type: ignore[no-untyped-call]
        return made

    def _is_slow(self, x: Tensor, kind: torch.dtype) -> bool:
        if not torch.is_grad_enabled() or x.device.type != "cpu" or x.ndim != 4:  # noqa: PLR2004 - a batch of pictures
            return False
        traced = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
        if traced or torch.compiler.is_compiling() or type(x) not in {Tensor, nn.Parameter}:
            return False
        plain = isinstance(self.padding, tuple) and self.padding_mode == "zeros" and set(self.dilation) == {1}
        strided = max(self.stride) > 1 and kind != torch.float32
        return plain and (strided or self.kernel_size[1] > _FAST_WIDTH)


class DepthwiseConv2d(_ByChannel):
    """A depthwise convolution over pictures."""


class PaddedDepthwiseConv2d(_ByChannel, PaddedConv2d):
    """A depthwise convolution over pictures behind margins."""


class _Convolution(torch.autograd.Function):
    """The convolution itself, with the gradients of this module."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's context
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: tuple[int, int],
        padding: tuple[int, int],
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(x, weight, bias, stride, padding, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:  # noqa: ANN401
        x, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        of_x = _of_input(grad, x, weight, ctx.stride, ctx.padding) if wanted[0] else None
        of_weight = _of_weight(grad, x, weight, ctx.stride, ctx.padding) if wanted[1] else None
        return of_x, of_weight, grad.sum((0, 2, 3)) if wanted[2] else None, None, None


def _of_input(grad: Tensor, x: Tensor, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int]) -> Tensor:
    high, wide = weight.shape[2:]
    top, left = high - 1 - padding[0], wide - 1 - padding[1]
    if max(stride) == 1 or grad.dtype == torch.float32 or min(top, left) < 0:  # these have kernels of their own
        return _library(grad, x, weight, stride, padding, (True, False))[0]
    down, across = (1 + step * (count - 1) for step, count in zip(stride, grad.shape[2:], strict=True))
    size = (*grad.shape[:2], x.shape[2] + high - 1, x.shape[3] + wide - 1)
    spread = torch.empty(size, dtype=grad.dtype, memory_format=torch.channels_last).zero_()
    spread[:, :, top : top + down : stride[0], left : left + across : stride[1]] = grad
    return functional.conv2d(spread, weight.flip(2, 3), groups=len(weight))


def _of_weight(grad: Tensor, x: Tensor, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int]) -> Tensor:
    wide = weight.shape[3]
    if wide <= _FAST_WIDTH:
        return _library(grad, x, weight, stride, padding, (False, True))[1]
    if padding != (0, 0):
        x = functional.pad(x, (padding[1], padding[1], padding[0], padding[0]))
    reach = stride[1] * (grad.shape[3] - 1)
    pieces = []
    for first in range(0, wide, _FAST_WIDTH):
        last = min(wide, first + _FAST_WIDTH)
        columns = x[..., first : last + reach]
        pieces.append(_library(grad, columns, weight[..., first:last], stride, (0, 0), (False, True))[1])
    return torch.cat(pieces, dim=3)


def _library(
    grad: Tensor,
    x: Tensor,
    weight: Tensor,
    stride: tuple[int, int],
    padding: tuple[int, int],
    wanted: tuple[bool, bool],
) -> tuple[Tensor, Tensor]:
    return torch.ops.aten.convolution_backward(  # type: ignore[no-any-return]
        grad, x, weight, None, stride, padding, (1, 1), False, (0, 0), len(weight), (*wanted, False)
    )[:2]
