"""Batch normalisation together with its neighbours, for training on the CPU: the same function in fewer passes.

    rectifier -> normalisation [-> 2x2 maximum]      as in `plain` and `inception`
    normalisation -> rectifier [-> 2x2 maximum]      as in most other networks

The mathematics is that of the layers one by one: mean and variance are those of the map before pooling, and where a
scale is negative the largest result of a window comes from its smallest value. Sums are gathered in another order than
torch's, so results agree to rounding, not to the bit. Second derivatives are taken through torch's own layers.

Where a batch lies on several ranks, the kernels' sums of each picture travel between their passes (`Spread`): they are
then added up as one process adds them, so that mean and variance are its to the bit. There every normalisation is made
by them, also one without neighbours: torch has no such layer for the CPU, and one put together from its others is slow.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from thalweg.modules.native import Form, Kernels, kernels

__all__ = ["CHAINS", "SPREAD", "Spread", "run_alone", "run_chain"]


class Spread(Protocol):
    """A batch that lies on several ranks."""

    @property
    def lies(self) -> tuple[int, int]:
        """Over how many ranks, and how many pictures all of them have together."""

    def gather(self, rows: Tensor) -> Tensor:
        """Give every rank the rows of all.

        Args:
            rows: float64 `(2, pictures of the rank that has most, channels)`; of the last one what is there.

        Returns:
            float64 `(ranks, 2, pictures of the rank that has most, channels)`.
        """


SPREAD: ContextVar[Spread | None] = ContextVar("batch on several ranks", default=None)
"""Set while a batch is computed whose normalisations mean all of it; their class has `spreads`."""

CHAINS = (
    ("relu", "batch_norm", "max_pool2d"),
    ("relu", "batch_norm"),
    ("batch_norm", "relu", "max_pool2d"),
    ("batch_norm", "relu"),
    ("batch_norm", "relu6"),
)
"""Kinds of layers that are run as one, the longest first."""

_ENOUGH = {True: 1 << 15, False: 1 << 18}
"""Numbers in a batch from which on it pays, with few channels or many; measured (docs/decisions/0028)."""
_FEW_CHANNELS = 48
_LEAST_CHANNELS, _MOST_CHANNELS = 16, 4096  # LANES and MOST_CHANNELS of pointwise.c
_AFTER = {nn.ReLU: 1, nn.ReLU6: 2}
_FORWARD_HOOKS = ("_forward_hooks", "_forward_pre_hooks")
_BACKWARD_HOOKS = ("_backward_hooks", "_backward_pre_hooks")


def run_chain(modules: Sequence[nn.Module], x: Tensor) -> Tensor | None:
    """Run a chain of layers as one, if that is possible here and now.

    Args:
        modules: The layers of one of `CHAINS`; each may have been replaced by something else since.
        x: A batch.

    Returns:
        What the last layer gives, or None where the layers must be run one by one: somebody listens to the gradients of
        one of them, a normalisation is frozen, the numbers are laid out otherwise, or there is no compiler. Hooks on
        what goes forward see the layers run one by one, and cannot change what comes out.
    """
    norm = next((module for module in modules if isinstance(module, nn.BatchNorm2d)), None)
    if norm is None or not _is_usual(norm) or not _is_suited(x) or _has(modules, _BACKWARD_HOOKS):
        return None
    where = modules.index(norm)
    before, after = modules[:where], modules[where + 1 :]
    pool = bool(after) and isinstance(after[-1], nn.MaxPool2d)
    rectifiers = after[:-1] if pool else after
    if [type(module) for module in before] not in ([], [nn.ReLU]) or len(rectifiers) > 1:
        return None
    if any(type(module) not in _AFTER for module in rectifiers) or (pool and not _is_two_by_two(after[-1])):
        return None
    height, width = x.shape[2:]
    if pool and min(height, width) < 2:  # noqa: PLR2004 - a window
        return None
    half = x.dtype is torch.bfloat16
    spread = SPREAD.get() if type(norm) is not nn.BatchNorm2d else None
    kernel = kernels(half=half) if _pays(x, pool=pool, spread=spread) else None
    if kernel is None:
        return None
    kind = _AFTER[type(rectifiers[0])] if rectifiers else 0
    form = Form(height, width, x.shape[1], len(before), kind, 2 if pool else 1)
    if _has(modules, _FORWARD_HOOKS):
        _show(modules, norm, x)
    return _run(norm, x, form, kernel, spread)


def run_alone(norm: nn.BatchNorm2d, x: Tensor) -> Tensor | None:
    """Run a normalisation of a batch that lies on several ranks.

    Args:
        norm: The layer.
        x: This rank's part of the batch.

    Returns:
        What it gives; None on all ranks alike where torch's operations must do.
    """
    kernel = kernels(half=x.dtype is torch.bfloat16)
    if not _is_usual(norm) or not _has_numbers(x) or kernel is None:
        return None
    form = Form(x.shape[2], x.shape[3], x.shape[1], 0, 0, 1)
    return _run(norm, x.contiguous(memory_format=torch.channels_last), form, kernel, SPREAD.get())


def _run(norm: nn.BatchNorm2d, x: Tensor, form: Form, kernel: Kernels, spread: Spread | None) -> Tensor:
    norm.num_batches_tracked.add_(1)  # type: ignore[union-attr]
    result: Tensor = _Chain.apply(x, norm.weight, norm.bias, norm, form, kernel, spread)  # type: ignore[no-untyped-call]
    return result


def _pays(x: Tensor, *, pool: bool, spread: Spread | None) -> bool:
    """Whether it is faster than torch: without pooling in bfloat16 alone, which torch converts in every pass."""
    if spread is not None:
        return True
    numbers = x.numel()
    return numbers >= _ENOUGH[x.shape[1] <= _FEW_CHANNELS] and (pool or x.dtype is torch.bfloat16)


def _is_usual(norm: nn.BatchNorm2d) -> bool:
    if type(norm) is not nn.BatchNorm2d and not getattr(norm, "spreads", False):
        return False
    numbers = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    if not norm.training or norm.momentum is None or norm.num_batches_tracked is None:
        return False
    return all(each is not None and each.dtype is torch.float32 and each.is_contiguous() for each in numbers)


def _is_suited(x: Tensor) -> bool:
    return (
        _has_numbers(x)
        and x.numel() > x.shape[1]
        and x.is_contiguous(memory_format=torch.channels_last)
        and not torch.compiler.is_compiling()
    )


def _has_numbers(x: Tensor) -> bool:
    """Whether a batch has as many axes, channels and bits as kernels take: the same answer on all ranks."""
    return (
        type(x) is Tensor
        and x.ndim == 4  # noqa: PLR2004 - pictures
        and x.device.type == "cpu"
        and x.dtype in {torch.float32, torch.bfloat16}
        and _LEAST_CHANNELS <= x.shape[1] <= _MOST_CHANNELS
    )


def _has(modules: Sequence[nn.Module], hooks: Sequence[str]) -> bool:
    """Whether somebody wants to see what goes through a layer by itself."""
    everywhere = any(getattr(nn.modules.module, f"_global{name}", None) for name in hooks)
    return everywhere or any(getattr(module, name, None) for module in modules for name in hooks)


def _show(modules: Sequence[nn.Module], norm: nn.BatchNorm2d, x: Tensor) -> None:
    """Run the layers one by one for those who listen; training uses nothing of it, so that no bit depends on them."""
    buffers = [buffer for buffer in norm.buffers(recurse=False) if buffer is not None]
    before = [buffer.clone() for buffer in buffers]
    with torch.no_grad():
        y, spread = x.detach(), SPREAD.set(None)  # who listens here sends no messages
        for module in modules:
            y = module(y)
        SPREAD.reset(spread)
        for buffer, value in zip(buffers, before, strict=True):
            buffer.copy_(value)


def _is_two_by_two(pool: nn.Module) -> bool:
    assert isinstance(pool, nn.MaxPool2d)  # noqa: S101 - as the caller has seen
    twos = ({2, (2, 2)}, {2, (2, 2)}, {0, (0, 0)}, {1, (1, 1)})
    told = (pool.kernel_size, pool.stride, pool.padding, pool.dilation)
    usual = all(value in allowed for value, allowed in zip(told, twos, strict=True))
    return type(pool) is nn.MaxPool2d and usual and not pool.ceil_mode and not pool.return_indices


class _Chain(torch.autograd.Function):
    """The chain, and its gradient."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's context
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        norm: nn.BatchNorm2d,
        form: Form,
        kernel: Kernels,
        spread: Spread | None,
    ) -> Tensor:
        pictures, channels, height, width = x.shape
        rows, lies = _rows(pictures, channels, spread)
        kernel.share("measure", form, x, *rows)
        every = rows if spread is None else spread.gather(rows)
        batch = torch.empty(4, channels)
        momentum, running = float(norm.momentum or 0), (norm.running_mean, norm.running_var)
        kernel.call("settle", *lies, height * width, channels, every, weight, bias, norm.eps, momentum, *running, batch)
        shape = (pictures, channels, height // form.pool, width // form.pool)
        out = torch.empty(shape, dtype=x.dtype, memory_format=torch.channels_last)
        won = torch.empty(out.numel() if form.pool > 1 else 0, dtype=torch.uint8)
        kernel.share("apply", form, x, batch, out, won)
        ctx.save_for_backward(x, weight, bias)
        ctx.batch, ctx.won, ctx.form, ctx.kernel, ctx.eps, ctx.spread = batch, won, form, kernel, norm.eps, spread
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401 - torch's context
        x, weight, bias = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody wants the gradient's own gradient
            return (*_through_torch(ctx, x, weight, bias, gradients[0]), *[None] * 4)
        form, kernel, batch = ctx.form, ctx.kernel, ctx.batch
        gradient = gradients[0].to(x.dtype).contiguous(memory_format=torch.channels_last)
        pictures, channels, height, width = x.shape
        rows, lies = _rows(pictures, channels, ctx.spread)
        kernel.share("reduce", form, x, batch, gradient, ctx.won, *rows)
        grad_weight, grad_bias, less = torch.empty(channels), torch.empty(channels), torch.empty(2, channels)
        kernel.call("gather", 1, len(rows[0]), height * width, channels, rows, batch, grad_weight, grad_bias, less)
        if ctx.spread is not None:  # the gradients of scale and shift are of these pictures, what is less of all
            every, unused = ctx.spread.gather(rows), torch.empty(2, channels)
            kernel.call("gather", *lies, height * width, channels, every, batch, *unused, less)
        if not ctx.needs_input_grad[0]:
            return None, grad_weight, grad_bias, *[None] * 4
        down = torch.empty_like(x)
        kernel.share("descend", form, x, batch, gradient, ctx.won, less, down)
        return down, grad_weight, grad_bias, *[None] * 4


def _rows(pictures: int, channels: int, spread: Spread | None) -> tuple[Tensor, tuple[int, int]]:
    """Room for two numbers a picture and channel, zero for a picture that others have more; and how the batch lies."""
    ranks, whole = (1, pictures) if spread is None else spread.lies
    largest = -(-whole // ranks)
    rows = torch.empty(2, largest, channels, dtype=torch.float64)
    if largest > pictures:
        rows[:, pictures:] = 0
    return rows, (ranks, whole)


def _through_torch(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, gradient: Tensor) -> list[Tensor | None]:  # noqa: ANN401
    form: Form = ctx.form
    with torch.enable_grad():
        y = functional.relu(x) if form.before else x
        y = functional.batch_norm(y, None, None, weight, bias, training=True, eps=ctx.eps)
        y = (y, functional.relu(y), functional.relu6(y))[form.after]
        y = functional.max_pool2d(y, 2) if form.pool > 1 else y
        wanted = [each for each, needed in zip((x, weight, bias), ctx.needs_input_grad, strict=False) if needed]
        found = iter(torch.autograd.grad(y, wanted, gradient, create_graph=True))
    return [next(found) if needed else None for needed in ctx.needs_input_grad[:3]]
