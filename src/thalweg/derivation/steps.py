"""The derivation written out: forward pass, head, the two Jacobians, and the chain rule entry by entry."""

from collections.abc import Iterable, Sequence

from thalweg.core.derivation import ConvolutionCase, DerivationStep
from thalweg.derivation.case import names_of
from thalweg.derivation.expression import ONE, Expression
from thalweg.derivation.geometry import Product
from thalweg.derivation.gradients import Gradients, collect, gradient_at_output, y_symbols
from thalweg.derivation.head_words import head_reason
from thalweg.derivation.substitution import names_in

__all__ = ["forward_lines", "write_steps"]

_LONGEST = 20_000
"""Characters of formulas in one step; what is left out is said, and stands in the entries themselves."""
_WIDEST = 600


def forward_lines(case: ConvolutionCase, found: Gradients) -> list[str]:
    """Write every output entry with its products.

    Args:
        case: The case.
        found: What was worked out.

    Returns:
        `y1 = x1*f1 + x2*f2`, and with numbers `y1 = 1*2 + 3*(-1) = -1`.
    """
    size = len(found.y) // case.out_channels
    lines = []
    for place, pairs in enumerate(found.meetings):
        terms = [f"{_first(case.x[i])}*{_factor(case.f[k])}" for i, k in pairs]
        if case.bias is not None:
            terms.append(_factor(case.bias[place // size]))
        lines.append(_equation(f"y{place + 1}", " + ".join(terms) or "0", str(found.y[place])))
    return lines


def write_steps(case: ConvolutionCase, found: Gradients) -> list[DerivationStep]:
    """Write the steps in order.

    Args:
        case: The case.
        found: What was worked out.

    Returns:
        The steps.
    """
    y = y_symbols(len(found.y))
    outcome, local = gradient_at_output(case, y)
    texts = list(map(str, local))
    if not any(names_in(entry) for entry in found.y):
        local = found.dO_dy  # numbers say more than their formulas
    backwards = [_met(found.meetings, len(found.x), 0), _met(found.meetings, len(found.f), 1)]
    steps = [
        _step(
            "Forward pass",
            "Every output entry is the sum of the products under the filter"
            + (", and the bias of its filter." if case.bias is not None else "."),
            forward_lines(case, found),
        ),
        _step(
            "The output as a matrix product",
            "The convolution is linear in x, so y is a matrix M times the flattened x: row i holds the filter's "
            "entries where y_i looks and zeros elsewhere (Toeplitz in one dimension, doubly blocked in two).",
            (),
        ),
        _step(
            "The head", _head_sentence(case), [_equation("O", str(outcome), _short(str(found.O), names=names_of(case)))]
        ),
        _step(
            "dO/dy",
            head_reason(case),
            [
                _equation(f"dO_dy{i + 1}", text, _short(str(value), names=names_of(case)))
                for i, (text, value) in enumerate(zip(texts, found.dO_dy, strict=True))
            ],
        ),
        _step(
            "dy/dx",
            "An output entry is a sum of products, so its derivative by an input entry is the filter entry that "
            "multiplies it, and 0 where they do not meet.",
            (f"dy{i + 1}_dx{j + 1} = {found.f[k]}" for i, pairs in enumerate(found.meetings) for j, k in pairs),
        ),
        _step(
            "dy/df",
            "For the same reason its derivative by a filter entry is the input entry under it.",
            (f"dy{i + 1}_df{k + 1} = {found.x[j]}" for i, pairs in enumerate(found.meetings) for j, k in pairs),
        ),
        _step(
            "dO/dx",
            "The chain rule adds up, over all outputs that an input entry takes part in, the output's gradient times "
            "the filter entry that joins them: the full convolution of dO/dy with the flipped filter.",
            _chain("x", backwards[0], local, found.f, found.dO_dx),
        ),
        _step(
            "dO/df",
            "A filter entry takes part in every output, each time with another input entry: the chain rule correlates "
            "the input with dO/dy.",
            _chain("f", backwards[1], local, found.x, found.dO_df),
        ),
    ]
    if case.bias is not None:
        steps.append(_bias_step(case, local, found))
    return steps


def _bias_step(case: ConvolutionCase, local: Sequence[Expression], found: Gradients) -> DerivationStep:
    size = len(local) // case.out_channels
    lines = []
    for channel, value in enumerate(found.dO_db):
        places = range(channel * size, (channel + 1) * size)
        chain = " + ".join(f"dO_dy{i + 1}" for i in places)
        lines.append(
            _equation(f"dO_db{channel + 1}", chain, str(collect([(local[i], ONE) for i in places])), _short(str(value)))
        )
    return _step("dO/db", "A bias is added to every output of its filter, each time with derivative 1.", lines)


def _met(meetings: list[list[Product]], count: int, side: int) -> list[list[tuple[int, int]]]:
    """For every input (or filter) entry: the outputs it takes part in, and what it meets there."""
    found: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for i, pairs in enumerate(meetings):
        for pair in pairs:
            found[pair[side]].append((i, pair[1 - side]))
    return found


def _chain(
    name: str,
    met: list[list[tuple[int, int]]],
    local: Sequence[Expression],
    others: Sequence[Expression],
    values: Sequence[Expression],
) -> Iterable[str]:
    for j, pairs in enumerate(met):
        left = f"dO_d{name}{j + 1}"
        if not pairs:
            yield f"{left} = 0"
            continue
        chain = " + ".join(f"dO_dy{i + 1}*dy{i + 1}_d{name}{j + 1}" for i, _ in pairs)
        put_in = " + ".join(f"{_bracketed(local[i])}*{_factor(str(others[other]))}" for i, other in pairs)
        together = str(collect([(local[i], others[other]) for i, other in pairs]))
        yield _equation(left, chain, put_in, together, _short(str(values[j])))


def _step(title: str, reason: str, formulas: Iterable[str]) -> DerivationStep:
    kept: list[str] = []
    length, left_out = 0, 0
    for formula in formulas:
        length += len(formula)
        if length <= _LONGEST or not kept:
            kept.append(formula)
        else:
            left_out += 1
    if left_out:
        reason += f" ({left_out} more lines of the same kind are left out here.)"
    return DerivationStep(title=title, reason=reason, formulas=tuple(kept))


def _equation(*sides: str) -> str:
    """Sides that say something new."""
    kept = [side for place, side in enumerate(sides) if side and side not in sides[:place]]
    return " = ".join(kept if len(kept) > 1 else [*kept, "0"])


def _short(text: str, names: Sequence[str] = ()) -> str:
    """A last side is shown only where it is no wall of text; of symbols the short form in y says more."""
    return "" if len(text) > (_WIDEST if not names else _WIDEST // 4) else text


def _head_sentence(case: ConvolutionCase) -> str:
    stages = ", then ".join(stage.text for stage in case.head)
    return f"The number O is made of y by: {stages}."


def _first(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _factor(text: str) -> str:
    return f"({text})" if text.startswith("-") or "/" in text or " " in text else text


def _bracketed(value: Expression) -> str:
    text = str(value)
    return f"({text})" if len(value.terms) > 1 or text.startswith("-") else text
