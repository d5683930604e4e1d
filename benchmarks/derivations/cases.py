"""Random convolutions: axes, channels, groups, windows, numbers and symbols, and a head that fits."""

import random
from typing import Any

__all__ = ["random_case", "random_tensor"]


def random_case(draw: random.Random) -> dict[str, Any]:
    """Draw options of `derive` that fit each other.

    The output has from 1 to about 40 entries; about a third of the cases has symbols in x, in f or in both.
    """
    while True:
        axes = draw.choice((1, 2, 2, 3))
        largest = {1: 12, 2: 7, 3: 5}[axes]
        extents = [draw.randint(1, largest) for _ in range(axes)]
        kernel = [draw.randint(1, 3) for _ in range(axes)]
        stride = [draw.randint(1, 3) for _ in range(axes)]
        dilation = [draw.randint(1, 3) for _ in range(axes)]
        padding: Any = draw.choice((0, "valid", "same", "number", "number"))
        if padding == "same":
            stride = [1] * axes
        if padding == "number":
            padding = [draw.randint(0, 2) for _ in range(axes)]
        groups = draw.choice((1, 1, 1, 2, 3))
        channels, filters = draw.randint(1, 2), draw.randint(1, 2)
        sides = [sum(pair) for pair in _pads(padding, kernel, dilation)]
        output = [
            (extent + side - apart * (taps - 1) - 1) // step + 1
            for extent, side, apart, taps, step in zip(extents, sides, dilation, kernel, stride, strict=True)
        ]
        size = groups * filters
        for extent in output:
            size *= max(extent, 0)
        weights = channels * groups * filters
        for taps in kernel:
            weights *= taps
        if 1 <= size <= 40 and weights <= 60:
            break
    plain = groups == channels == filters == 1 and draw.random() < 0.5
    x_shape = extents if plain else [channels * groups, *extents]
    f_shape = kernel if plain else [filters * groups, channels, *kernel]
    symbols = draw.random()
    return {
        "kind": f"conv{axes}d",
        "x": "x".join(map(str, x_shape)) if symbols < 0.25 and len(x_shape) > 1 else random_tensor(draw, x_shape),
        "f": "x".join(map(str, f_shape))
        if 0.15 < symbols < 0.35 and len(f_shape) > 1
        else random_tensor(draw, f_shape),
        "bias": draw.choice((None, None, True, [_entry(draw) for _ in range(filters * groups)])),
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        "head": _head(draw, size, output, filters * groups),
    }


def _pads(padding: Any, kernel: list[int], dilation: list[int]) -> list[tuple[int, int]]:
    if padding in {0, "valid"} if not isinstance(padding, list) else False:
        return [(0, 0)] * len(kernel)
    if padding == "same":
        totals = [apart * (taps - 1) for taps, apart in zip(kernel, dilation, strict=True)]
        return [(total // 2, total - total // 2) for total in totals]
    return [(size, size) for size in padding]


def random_tensor(draw: random.Random, shape: list[int]) -> Any:
    """Nested lists of whole numbers and fractions; small, so that ties and zeros occur."""
    if not shape:
        return _entry(draw)
    return [random_tensor(draw, shape[1:]) for _ in range(shape[0])]


def _entry(draw: random.Random) -> Any:
    return draw.choice((draw.randint(-3, 3), draw.randint(-3, 3), f"{draw.randint(-5, 5)}/{draw.randint(2, 6)}"))


def _head(draw: random.Random, size: int, output: list[int], channels: int) -> str:
    """Up to two stages that keep several numbers, then one that makes one of them; or the sum that is then meant."""
    stages = []
    if draw.random() < 0.45:
        stages.append(draw.choice(("relu", "sigmoid")))
    if draw.random() < 0.35:
        kernel = [draw.randint(1, min(2, extent)) for extent in output]
        stride = [draw.randint(1, 2) for _ in output]
        stages.append(f"{draw.choice(('maxpool', 'avgpool'))}({_by(kernel)}, stride={_by(stride)})")
        size = channels
        for extent, taps, step in zip(output, kernel, stride, strict=True):
            size *= (extent - taps) // step + 1
    numbers = [str(_entry(draw)) for _ in range(size)]
    given = f"([{', '.join(numbers)}])"
    ends = [
        "", "sum", "mean", "c*sum", f"{draw.randint(2, 5)}/3*mean", "dense", f"dense{given}", "upstream",
        f"squared-error{given}", f"mse{given}", "squared-error", f"cross-entropy({draw.randrange(size)})",
    ]  # fmt: skip
    if stages == ["sigmoid"]:
        ends.append(f"binary-cross-entropy([{', '.join(str(draw.randint(0, 1)) for _ in range(size))}])")
    return " ".join([*stages, draw.choice(ends)])


def _by(sizes: list[int]) -> str:
    return "x".join(map(str, sizes))
