"""Multiplications of torch's functions, from the shapes they were called with.

A product of matrices of n x k and k x m multiplies n*k*m times; an attention multiplies every query with every key and
every weight with every value; a convolution multiplies its kernel at every output position (a transposed one at every
input position). Functions that multiply nothing by the convention are listed, so that nothing counts as 0 unseen.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from torch import Tensor

__all__ = ["LOCAL", "SAME", "multiplications"]


def multiplications(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Tensor) -> int | None:
    """Count the multiplications of one call.

    Args:
        name: The function's name, without underscores around it.
        args: What it was called with.
        kwargs: What it was called with by name.
        result: Its (first) result.

    Returns:
        Multiplications; None where they are unknown.

    Example:
        >>> import torch
        >>> a, b = torch.empty(5, 2, 3, device="meta"), torch.empty(3, 4, device="meta")
        >>> multiplications("matmul", (a, b), {}, a @ b), multiplications("fft_fft", (a,), {}, a)
        (120, None)
    """
    if name in _PRODUCTS:
        return _PRODUCTS[name](args, kwargs, result)
    return 0 if name in _FREE else None


def _argument(args: tuple[Any, ...], kwargs: Mapping[str, Any], place: int, name: str) -> Any:  # noqa: ANN401 - torch's
    return args[place] if len(args) > place else kwargs.get(name)


def _matmul(place: int) -> "Callable[[tuple[Any, ...], Mapping[str, Any], Tensor], int | None]":
    names = {0: ("input", "self"), 1: ("mat1", "batch1")}[place]

    def count(args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Tensor) -> int | None:
        left = args[place] if len(args) > place else next((kwargs[name] for name in names if name in kwargs), None)
        return result.numel() * left.shape[-1] if isinstance(left, Tensor) else None

    return count


def _right_matmul(args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Tensor) -> int:
    del kwargs
    inputs: int = args[1].shape[-1]
    return result.numel() * inputs  # x.__rmatmul__(y) is y @ x


def _linear(args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Tensor) -> int:
    inputs: int = _argument(args, kwargs, 1, "weight").shape[-1]
    return result.numel() * inputs


def _convolution(args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Tensor) -> int:
    taps: tuple[int, ...] = _argument(args, kwargs, 1, "weight").shape[1:]
    return result.numel() * math.prod(taps)


def _transposed(args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Tensor) -> int:
    del result
    taps: tuple[int, ...] = _argument(args, kwargs, 1, "weight").shape[1:]
    inputs: int = _argument(args, kwargs, 0, "input").numel()
    return inputs * math.prod(taps)


def _attention(args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Tensor) -> int:
    query, key = (_argument(args, kwargs, place, name) for place, name in enumerate(("query", "key")))
    products: int = query.numel() * key.shape[-2] + result.numel() * key.shape[-2]
    return products


def _multi_head(args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Tensor) -> int:
    # torch's function for the whole layer: projections, query times key, weights times value, and back.
    query, key, value = (_argument(args, kwargs, place, name) for place, name in enumerate(("query", "key", "value")))
    width = query.shape[-1]
    extra = (_argument(args, kwargs, 7, "bias_k") is not None) + bool(_argument(args, kwargs, 9, "add_zero_attn"))
    batch = query.shape[1] if query.ndim == 3 else 1  # noqa: PLR2004 - length, batch, width
    length, seen = query.shape[0], key.shape[0] + extra
    projected = (query.numel() + key.numel() + value.numel()) * width + result.numel() * width
    return int(projected + 2 * batch * length * seen * width)


def _recurrent(args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Tensor) -> int:
    # Every matrix of every layer and direction meets every element of every sequence once; states have three axes.
    del kwargs, result
    lists = [each for each in args if isinstance(each, list | tuple)]
    weights = sum(each.numel() for one in lists for each in one if isinstance(each, Tensor) and each.ndim == 2)  # noqa: PLR2004
    return weights * int(args[0].numel() // args[0].shape[-1])


def _einsum(args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Tensor) -> int | None:
    del kwargs, result
    operands = args[1] if len(args) == 2 and isinstance(args[1], list | tuple) else args[1:]  # noqa: PLR2004 - torch takes both
    if not isinstance(args[0], str) or len(operands) > 2:  # noqa: PLR2004 - the order of more is torch's own choice
        return None
    sizes: dict[str, int] = {}
    for letters, operand in zip(args[0].replace(" ", "").partition("->")[0].split(","), operands, strict=True):
        before, dots, after = letters.partition("...")
        between = [f".{number}" for number in range(operand.ndim - len(before) - len(after), 0, -1)] if dots else []
        for letter, size in zip([*before, *between, *after], operand.shape, strict=True):
            sizes[letter] = max(size, sizes.get(letter, 1))
    return math.prod(sizes.values()) if len(operands) > 1 else 0


_PRODUCTS: Mapping[str, Callable[[tuple[Any, ...], Mapping[str, Any], Tensor], int | None]] = MappingProxyType({
    **dict.fromkeys(("matmul", "mm", "bmm", "mv", "dot"), _matmul(0)),
    **dict.fromkeys(("addmm", "baddbmm"), _matmul(1)),
    "rmatmul": _right_matmul,
    "linear": _linear,
    **{f"conv{axes}d": _convolution for axes in (1, 2, 3)},
    **{f"conv_transpose{axes}d": _transposed for axes in (1, 2, 3)},
    "scaled_dot_product_attention": _attention,
    "multi_head_attention_forward": _multi_head,
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu"), _recurrent),
    "einsum": _einsum,
})

_SAME = "contiguous to float double half bfloat16 type type_as detach clone requires_grad data"
SAME = frozenset(_SAME.split())
"""Functions that give the values they read, in another place or type."""

_LOCAL = (
    "add iadd radd sub isub rsub mul imul rmul multiply div idiv truediv itruediv rtruediv rdiv floordiv "
    "rfloordiv floor_divide mod remainder neg pow ipow rpow sqrt rsqrt exp expm1 log log2 log1p abs sign square "
    "reciprocal sin cos tan erf clamp clamp_min clamp_max clip floor ceil round trunc maximum minimum where "
    "masked_fill lerp addcmul addcdiv nan_to_num relu relu6 leaky_relu prelu rrelu gelu silu mish hardswish "
    "hardsigmoid hardtanh elu selu celu sigmoid tanh logsigmoid log_sigmoid softplus softsign tanhshrink "
    "softshrink hardshrink threshold dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout "
    "feature_alpha_dropout batch_norm fill zero zeros_like ones_like full_like empty_like rand_like randn_like "
    "new_zeros new_ones new_full new_empty new_tensor bernoulli uniform normal eq ne lt le gt ge logical_and "
    "logical_or logical_not and or xor invert iand ior isnan isinf bool int long heaviside logit real imag copy setitem"
)
LOCAL = frozenset(_LOCAL.split())
"""Functions whose every value depends on its own position alone (and, in batch normalisation, on fixed numbers)."""

_MOVES = (
    "view view_as reshape reshape_as permute transpose t flatten unflatten ravel squeeze unsqueeze expand expand_as "
    "broadcast_to repeat repeat_interleave tile roll cat concat concatenate stack hstack vstack chunk split "
    "split_with_sizes tensor_split unbind getitem narrow select index_select gather take_along_dim scatter scatter_add "
    "index_add index_put index_fill index_copy masked_select masked_scatter pad flip fliplr flipud rot90 swapaxes "
    "swapdims movedim moveaxis unfold fold pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle "
    "meshgrid tril triu diag diagonal T mT H mH as_strided one_hot embedding bucketize searchsorted nonzero unique "
    "interpolate upsample grid_sample affine_grid"
)
_MAKERS = "arange linspace zeros ones full empty eye tensor as_tensor rand randn randperm randint scalar_tensor"
_SUMS = (
    "mean sum prod max min amax amin argmax argmin var std var_mean std_mean median norm vector_norm linalg_norm "
    "linalg_vector_norm softmax log_softmax softmin logsumexp normalize layer_norm group_norm instance_norm rms_norm "
    "local_response_norm cumsum cumprod topk sort argsort any all count_nonzero nms glu "
    "weight_norm weight_norm_interface norm_except_dim lp_pool1d lp_pool2d fractional_max_pool2d"
)
_POOLS = {f"{how}_pool{n}d" for how in ("max", "avg", "adaptive_avg", "adaptive_max") for n in (1, 2, 3)}
_POOLS |= {f"{name}_with_indices" for name in _POOLS if "max" in name} | {f"max_unpool{n}d" for n in (1, 2, 3)}
_FREE = frozenset({*SAME, *LOCAL, *_MOVES.split(), *_MAKERS.split(), *_SUMS.split(), *_POOLS})
