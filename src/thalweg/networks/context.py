"""Modules that give every position of a map something of the whole picture, between encoder and decoder.

A convolution sees a window, and what a network of them really uses is narrower still than what it could see (Luo et al.
2016). These modules look further, each in its own way:

- `pool`: the mean of the whole map, put back at every position (ParseNet, Liu et al. 2015);
- `pyramid`: means over 1, 2, 3 and 6 parts of each side (pyramid pooling, Zhao et al. 2017);
- `atrous`: windows with holes of three sizes beside the mean of the whole (Chen et al. 2017);
- `nonlocal`: every position looks at every other, by likeness (Wang et al. 2018);
- `gc`: one glance at the whole, the same for all positions, chosen by scores (global context, Cao et al. 2019).

`pool`, `pyramid` and `atrous` normalise a map of one position over the batch, which one picture alone cannot train:
`thalweg.core.batch_of_one` finds that before it happens.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from thalweg.core.errors import SpecError
from thalweg.core.network_spec import NetworkSpec
from thalweg.networks.layers import (
    AdaptiveAvgPool2d,
    Add,
    Attention,
    AttentionPool,
    BatchNorm,
    Concatenate,
    Conv2d,
    LayerNorm,
    ReLU,
    Resize,
)
from thalweg.networks.writing import Value, block

__all__ = ["CONTEXTS", "context_sources", "with_context"]

_BINS = (1, 2, 3, 6)
_RATES = (1, 2, 4)  # the map is 32 times smaller than the picture: the widest window spans 9 positions, 288 pixels
_MOST = 256
_NEAR = "near"  # what of a context module looks no further than its own position


def with_context(kind: str, x: Value, channels: int) -> Value:
    """Put a context module after a map; its layers lie in the block `context`.

    Args:
        kind: One of `CONTEXTS`.
        x: The map.
        channels: Its channels.

    Returns:
        What the module gives; the map itself for `none`.

    Raises:
        SpecError: There is no such module.

    Example:
        >>> from thalweg.networks.functional import Input, Network
        >>> x = Input(64, 6, 8)
        >>> [layer.kind for layer in Network(x, with_context("gc", x, 64))][:3]
        ['conv2d', 'attention_pool', 'conv2d']
    """
    if kind not in CONTEXTS:
        raise SpecError(f"no context module is called {kind!r}; known are {', '.join(CONTEXTS)}")
    if kind == "none":
        return x
    with block("context"):
        return _MODULES[kind](x, channels)


def context_sources(spec: NetworkSpec) -> tuple[str, ...]:
    """The layers through which a context module's knowledge of other positions enters the map.

    They give what is stacked with the map (`pool`, `pyramid`, `atrous`) or added to it (`nonlocal`, `gc`); the map
    itself, and what looks at its own position only, are not among them.

    Args:
        spec: A segmentation network.

    Returns:
        Their names; none where the network has no such module.

    Example:
        >>> from thalweg.networks.functional import Input, Network
        >>> x = Input(64, 6, 8)
        >>> context_sources(Network(x, with_context("gc", x, 64)))
        ('context.resize1',)
    """
    inside = {layer.name: layer for layer in spec if layer.block[:1] == ("context",)}
    joins = [each for each in inside.values() if each.kind in {"concatenate", "add"} and len(each.block) == 1]
    return tuple(
        source for join in joins for source in join.inputs if source in inside and inside[source].block[1:2] != (_NEAR,)
    )


def _pool(x: Value, channels: int) -> Value:
    return _fused([x, _pooled(x, 1, channels // 4)], channels)


def _pyramid(x: Value, channels: int) -> Value:
    return _fused([x, *(_pooled(x, bins, channels // 4) for bins in _BINS)], channels)


def _atrous(x: Value, channels: int) -> Value:
    width = max(8, min(channels, _MOST) // 2)
    windows = [_normalised(Conv2d(width, 3, padding=rate, dilation=rate, bias=False)(x)) for rate in _RATES]
    with block(_NEAR):
        near = _normalised(Conv2d(width, 1, bias=False)(x))
    return _fused([near, *windows, _pooled(x, 1, width)], channels)


def _nonlocal(x: Value, channels: int) -> Value:
    inner = max(8, channels // 2)
    query, key, value = (Conv2d(inner, 1, name=name)(x) for name in ("query", "key", "value"))
    # Scores over the root of the channels: the paper's form with other scales, and the softmax begins even.
    seen = Attention(scaled=True, name="attention")(query, key, value)
    # Starts as the identity, so that an encoder with learned weights is not disturbed (as in the paper).
    return Add()(x, BatchNorm(zero_init=True)(Conv2d(channels, 1, bias=False, name="back")(seen)))


def _glance(x: Value, channels: int) -> Value:
    inner = max(8, channels // 4)
    seen = AttentionPool(name="attention")(x, Conv2d(1, 1, name="scores")(x))
    y = ReLU()(LayerNorm()(Conv2d(inner, 1, name="narrow")(seen)))
    return Add()(x, Resize("nearest")(Conv2d(channels, 1, name="wide")(y), x))


def _pooled(x: Value, bins: int, width: int) -> Value:
    with block(f"bins{bins}"):
        y = AdaptiveAvgPool2d(bins)(x)
        return Resize()(_normalised(Conv2d(max(8, width), 1, bias=False)(y)), x)


def _fused(values: list[Value], channels: int) -> Value:
    return _normalised(Conv2d(min(channels, _MOST), 1, bias=False, name="fuse")(Concatenate()(*values)))


def _normalised(x: Value) -> Value:
    return ReLU()(BatchNorm()(x))


_MODULES: Mapping[str, Callable[[Value, int], Value]] = MappingProxyType({
    "pool": _pool,
    "pyramid": _pyramid,
    "atrous": _atrous,
    "nonlocal": _nonlocal,
    "gc": _glance,
})

CONTEXTS: tuple[str, ...] = ("none", *_MODULES)
