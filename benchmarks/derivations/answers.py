"""Students' answers by the hundred: wrong ones of each known kind, and right ones rewritten at random.

Wrong answers are made from whole derivations of a wrong case, or by rearranging what is right, never by the code that
recognises them: a filter given the wrong way round, stride 1, an input that really is wider by its padding, rows and
columns exchanged, a sum where a mean was asked. Half of the cases hold numbers, half symbols. An answer that happens to
equal the right one (the mistake changes nothing) is left out and drawn anew.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from derivations.cases import random_tensor
from derivations.rewriting import rewritten

KINDS = ("unflipped filter", "forgotten stride", "transposed", "forgotten mean factor", "padding left in")


def judge_wrong_answers(kind: str, count: int, seed: int) -> dict[str, Any]:
    """Count how many wrong answers of a kind are called wrong, and by the right name."""
    from thalweg.workbench.derive import derive

    draw = random.Random(f"{seed}-{kind}")
    named: Counter[str] = Counter()
    variants: Counter[str] = Counter()
    missed: list[dict[str, str]] = []
    called_right = made = 0
    while made < count:
        case, variant, answer = _MAKERS[kind](draw)
        right = derive(**case, check=answer)
        if right.check.right:
            if _same(case, answer):
                continue  # the mistake changes nothing
            called_right += 1
        made += 1
        variants[variant] += 1
        mistake = str(right.check.likely_mistake)
        named[mistake] += 1
        if mistake != kind:
            missed.append({"variant": variant, "named": mistake, **{name: str(part) for name, part in case.items()}})
    return {
        "cases": count,
        "recognised": named[kind],
        "called_right": called_right,
        "named": dict(named.most_common()),
        "variants": dict(variants),
        "missed": missed[:10],
    }


def judge_right_answers(count: int, seed: int) -> dict[str, Any]:
    """Rewrite right answers and count those that are called wrong."""
    from derivations.cases import random_case
    from thalweg.workbench.derive import derive

    draw = random.Random(f"{seed}-right")
    wrong: list[dict[str, str]] = []
    entries = 0
    for number in range(count):
        case = random_case(random.Random(f"{seed}-right-{number}"))
        found = derive(**case)
        answer = {part: rewritten(getattr(found, part), draw) for part in ("y", "dO_dy", "dO_dx", "dO_df")}
        check = derive(**case, check=answer).check
        entries += check.compared
        if not check.right:
            wrong.append({"first_wrong": str(check.first_wrong), **{name: str(part) for name, part in case.items()}})
    return {"answers": count, "entries": entries, "called_wrong": len(wrong), "wrong": wrong[:10]}


def _base(draw: random.Random, *, stride: bool = False, padding: bool = False, head: str = "") -> dict[str, Any]:
    """A case of one filter over one channel, in numbers or symbols, one or two axes (three now and then)."""
    axes = draw.choice((1, 2, 2, 2, 3))
    kernel = [draw.randint(2, 3) for _ in range(axes)]
    steps = [draw.randint(2, 3) if stride else 1 for _ in range(axes)]
    sides = [draw.randint(1, 2) if padding else 0 for _ in range(axes)]
    places = [draw.randint(2, 3) if axes < 3 else 2 for _ in range(axes)]
    spare = [draw.randint(0, step - 1) for step in steps]
    extents = [
        max(1, (out - 1) * step + taps + more - 2 * side)
        for out, step, taps, more, side in zip(places, steps, kernel, spare, sides, strict=True)
    ]
    symbols = draw.random() < 0.5
    return {
        "kind": f"conv{axes}d",
        "x": _by(extents) if symbols else random_tensor(draw, extents),
        "f": _by(kernel) if symbols else random_tensor(draw, kernel),
        "stride": steps,
        "padding": sides,
        "head": head or draw.choice(("mean", "sum", "c*sum", "3*sum", "1/2*mean", "dense", "upstream")),
    }


def _by(sizes: list[int]) -> str:
    return "x".join(map(str, sizes))


def _plain(entries: Any) -> Any:
    return entries if isinstance(entries, str) else [_plain(entry) for entry in entries]


def _answer(case: dict[str, Any], part: str = "dO_dx") -> Any:
    from thalweg.workbench.derive import derive

    return _plain(getattr(derive(**case), part))


def _same(case: dict[str, Any], answer: Any) -> bool:
    """Whether an answer is the right one after all, decided by sympy and not by the code under test."""
    import sympy

    left, right = _flat(answer), _flat(_answer(case))
    return len(left) == len(right) and all(
        sympy.expand(sympy.sympify(one) - sympy.sympify(two)) == 0 for one, two in zip(left, right, strict=True)
    )


def _flat(entries: Any) -> list[str]:
    return [entries] if isinstance(entries, str) else [leaf for entry in entries for leaf in _flat(entry)]


Wrong = tuple[dict[str, Any], str, Any]


def _tensor(case: dict[str, Any], name: str) -> Any:
    """Entries of x or f, symbols numbered where only a size was given."""
    if not isinstance(case[name], str):
        return case[name]
    numbers = iter(range(1, 10_000))

    def filled(sizes: list[int]) -> Any:
        return [filled(sizes[1:]) if sizes[1:] else f"{name}{next(numbers)}" for _ in range(sizes[0])]

    return filled([int(size) for size in case[name].split("x")])


def _reversed(entries: Any) -> Any:
    return [_reversed(entry) for entry in reversed(entries)] if isinstance(entries, list) else entries


def _transposed(entries: Any) -> Any:
    """Exchange the last two axes."""
    if isinstance(entries[0], list) and isinstance(entries[0][0], list):
        return [_transposed(entry) for entry in entries]
    return [list(row) for row in zip(*entries, strict=True)]


def _unflipped(draw: random.Random) -> Wrong:
    case = _base(draw, stride=draw.random() < 0.3, padding=draw.random() < 0.3)
    return case, "whole filter", _answer({**case, "f": _reversed(_tensor(case, "f"))})


def _without_stride(draw: random.Random) -> Wrong:
    variant = draw.choice(("stride 1 throughout", "no gaps, rest zero", "no gaps, small result"))
    heads = ("mean", "sum", "c*sum", "2*mean") if variant == "stride 1 throughout" else ()
    case = _base(draw, stride=True, padding=draw.random() < 0.3, head=draw.choice(heads) if heads else "")
    if variant == "stride 1 throughout":
        return case, variant, _answer({**case, "stride": 1})
    outer = _answer(case, "dO_dy")
    kernel = _tensor(case, "f")
    sizes = [a + b - 1 for a, b in zip(_sizes(outer), _sizes(kernel), strict=True)]
    small = _carried(outer, kernel, sizes)
    sides = case["padding"]
    if variant == "no gaps, small result":
        keep = [size - 2 * side for size, side in zip(sizes, sides, strict=True)]
        if min(keep) < 1:
            return _without_stride(draw)
    else:
        keep = _sizes(_tensor(case, "x"))
    return case, variant, _folded(lambda place: small.get(_moved(place, sides), "0"), keep)


def _sizes(entries: Any) -> list[int]:
    return [len(entries), *_sizes(entries[0])] if isinstance(entries, list) else []


def _moved(place: tuple[int, ...], sides: list[int]) -> tuple[int, ...]:
    return tuple(at + side for at, side in zip(place, sides, strict=True))


def _folded(entry: Callable[[tuple[int, ...]], str], sizes: list[int], place: tuple[int, ...] = ()) -> Any:
    if len(place) == len(sizes):
        return entry(place)
    return [_folded(entry, sizes, (*place, at)) for at in range(sizes[len(place)])]


def _places(sizes: list[int]) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = [()]
    for size in sizes:
        found = [(*place, at) for place in found for at in range(size)]
    return found


def _carried(outer: Any, kernel: Any, sizes: list[int]) -> dict[tuple[int, ...], str]:
    """The full convolution without gaps, as text."""
    gradients = dict(zip(_places(_sizes(outer)), _flat(outer), strict=True))
    weights = dict(zip(_places(_sizes(kernel)), [str(entry) for entry in _leaves(kernel)], strict=True))
    terms: dict[tuple[int, ...], list[str]] = {}
    for place, gradient in gradients.items():
        for tap, weight in weights.items():
            terms.setdefault(_moved(place, list(tap)), []).append(f"({gradient})*({weight})")
    return {place: " + ".join(terms[place]) for place in _places(sizes) if place in terms}


def _leaves(entries: Any) -> list[Any]:
    return [leaf for entry in entries for leaf in _leaves(entry)] if isinstance(entries, list) else [entries]


def _exchanged(draw: random.Random) -> Wrong:
    while True:
        case = _base(draw, stride=draw.random() < 0.3, padding=draw.random() < 0.3)
        if case["kind"] == "conv1d":
            continue
        kernel = _tensor(case, "f")
        square = _sizes(kernel)[-1] == _sizes(kernel)[-2]
        variant = draw.choice(("result", "filter"))
        if variant == "result":
            return case, variant, _transposed(_answer(case))
        if square:
            return case, variant, _answer({**case, "f": _transposed(kernel)})


def _without_mean(draw: random.Random) -> Wrong:
    head = draw.choice(("mean", "relu mean", "sigmoid mean", "c*mean", "mse", "2/3*mean"))
    case = _base(draw, stride=draw.random() < 0.3, padding=draw.random() < 0.3, head=head)
    plain = {"mse": "squared-error"}.get(head, head.replace("mean", "sum"))
    return case, head, _answer({**case, "head": plain})


def _with_padding(draw: random.Random) -> Wrong:
    case = _base(draw, stride=draw.random() < 0.3, padding=True)
    sides, pixels = case["padding"], _tensor(case, "x")
    extents = _sizes(pixels)
    known = dict(zip(_places(extents), _leaves(pixels), strict=True))
    wide = [extent + 2 * side for extent, side in zip(extents, sides, strict=True)]
    padded = _folded(lambda place: known.get(_moved(place, [-side for side in sides]), 0), wide)
    whole = _answer({**case, "x": padded, "padding": 0})
    variant = draw.choice(("padded size", "cut at the wrong place"))
    if variant == "padded size":
        return case, variant, whole
    places = dict(zip(_places(wide), _flat(whole), strict=True))
    return case, variant, _folded(lambda place: places[place], extents)


_MAKERS: dict[str, Callable[[random.Random], Wrong]] = {
    "unflipped filter": _unflipped,
    "forgotten stride": _without_stride,
    "transposed": _exchanged,
    "forgotten mean factor": _without_mean,
    "padding left in": _with_padding,
}
