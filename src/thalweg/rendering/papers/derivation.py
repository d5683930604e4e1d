"""A derivation as a paper: the answer, the forward pass, the matrix, the chain rule, the general rule, the checks."""

import itertools
import math
from collections.abc import Iterator

from thalweg.core.derivation import AnswerCheck, ConvolutionCase, Derivation, Entries
from thalweg.rendering.papers.derivation_sketch import sketches
from thalweg.rendering.papers.paper import Equations, Matrix, Paper, Part, Section, Verdict, Words

__all__ = ["derivation_paper", "gradients", "student_sentences"]

_MOST_SIGNS = 5000
_MATRIX = (
    "Every row of M holds the filter once, at the inputs that this output sees; the same few numbers return along the "
    "diagonals. M is dy/dx too, and its transpose carries gradients back: dO/dx = Mᵀ dO/dy."
)
_MOST_LINES = 36
_MOST_MATRICES = 12


def derivation_paper(derivation: Derivation, *, whole: bool = False) -> Paper:
    """Lay out a derivation.

    Args:
        derivation: What `derive` answered.
        whole: Every line and every matrix, for programs; otherwise as much as somebody may read.

    Returns:
        The paper: what was asked, the gradients, and how they come about.
    """
    case = derivation.case
    lead: list[Part] = [Words(text=f"{_case_words(case)}.")]
    if derivation.check is not None:
        lead.append(_student(derivation.check))
    lead += gradients(derivation, whole=whole)
    sections = [
        Section(title="What is computed", parts=(*sketches(case), *_output(derivation, whole=whole))),
        *_steps(derivation, whole=whole),
        Section(
            title="The general rule",
            parts=(Words(text=derivation.rule), *(Words(text=each) for each in derivation.deviations)),
        ),
        Section(title="Checked", parts=tuple(_checks(derivation))),
    ]
    if derivation.notes:
        sections.append(Section(title="Conventions", parts=tuple(Words(text=note) for note in derivation.notes)))
    return Paper(
        title=f"Gradients of a convolution ({case.kind})",
        lead=tuple(lead),
        sections=tuple(section for section in sections if section.parts),
    )


def gradients(derivation: Derivation, *, whole: bool = False) -> Iterator[Part]:
    """The gradients themselves.

    Args:
        derivation: What `derive` answered.
        whole: Every matrix, however many there are.

    Yields:
        dO/dx, dO/df, with a bias dO/db, and dO/dy; channels and slices one after the other.
    """
    case = derivation.case
    yield from _tensor("dO_dx", _by_outputs(derivation, derivation.dO_dx), case, "x", whole=whole)
    yield from _tensor("dO_df", _by_outputs(derivation, derivation.dO_df), case, "f", whole=whole)
    if case.bias is not None and derivation.dO_db is not None:
        yield from _tensor("dO_db", _by_outputs(derivation, derivation.dO_db), case, "b", whole=whole)
    yield from _tensor("dO_dy", _by_outputs(derivation, derivation.dO_dy), case, "y", whole=whole)
    if any(_by_outputs(derivation, each) != each for each in (derivation.dO_dx, derivation.dO_df, derivation.dO_dy)):
        yield Words(text="y1, y2, ... stand for the outputs, written out in the forward pass below.")


def _output(derivation: Derivation, *, whole: bool) -> Iterator[Part]:
    spelled = {line.partition(" = ")[2] for line in derivation.forward}
    if not set(_flat(derivation.y)) <= spelled:  # with symbols alone, the forward pass below says the same
        yield from _tensor("y", derivation.y, derivation.case, "y", whole=whole)
    if not any(line.startswith("O = ") for step in derivation.steps for line in step.formulas):
        yield Equations(lines=(f"O = {derivation.O}",))


def _steps(derivation: Derivation, *, whole: bool) -> Iterator[Section]:
    """The steps; the matrix stands where it is spoken of, or has a section of its own."""
    spoken = {line for step in derivation.steps for line in step.formulas}
    if not spoken >= set(derivation.forward):
        yield Section(title="The forward pass, every product", parts=(_equations(derivation.forward, whole=whole),))
    placed = not derivation.matrix
    for number, step in enumerate(derivation.steps, start=1):
        parts: list[Part] = [Words(text=step.reason)]
        if step.formulas:
            parts.append(_equations(step.formulas, whole=whole))
        if not placed and "matrix" in step.title.lower():
            parts.append(Matrix(name="M", rows=derivation.matrix, taps=_taps(derivation.case)))
            parts.append(Words(text=_MATRIX))
            placed = True
        yield Section(title=f"Step {number}: {step.title}", parts=tuple(parts))
    if not placed:
        matrix = Matrix(name="M", rows=derivation.matrix, taps=_taps(derivation.case))
        yield Section(title="The same as a matrix", parts=(Words(text=_MATRIX), matrix))


def _by_outputs(derivation: Derivation, entries: Entries) -> Entries:
    """Write y1 for what y1 is made of, where a gradient asks whether y1 is positive: the sums would bury the rest."""
    if not isinstance(entries, str):
        return tuple(_by_outputs(derivation, each) for each in entries)
    for number, made in enumerate(_flat(derivation.y), start=1):
        if " " in made:
            entries = entries.replace(f"({made}, ", f"(y{number}, ").replace(f"({made})", f"(y{number})")
    return entries


def _flat(entries: Entries) -> Iterator[str]:
    if isinstance(entries, str):
        yield entries
    else:
        for each in entries:
            yield from _flat(each)


def _case_words(case: ConvolutionCase) -> str:
    words = [f"Input {_sizes(case.x_shape)}, filter {_sizes(case.f_shape)}, output {_sizes(case.y_shape)}"]
    if any(each != 1 for each in case.stride):
        words.append(f"a stride of {_sizes(case.stride)}")
    if any(pair != (0, 0) for pair in case.padding):
        words.append("padding " + ", ".join(f"{a}" if a == b else f"{a} before and {b} after" for a, b in case.padding))
    if any(each != 1 for each in case.dilation):
        words.append(f"a dilation of {_sizes(case.dilation)}")
    if case.groups != 1:
        words.append(f"{case.groups} groups")
    stages = [stage.text for stage in case.head]
    words.append(f"from y to O: {', then '.join(stages)}")
    return "; ".join(words)


def _sizes(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes))


def _equations(lines: tuple[str, ...], *, whole: bool) -> Equations:
    """As many as somebody may read; the rest is counted."""
    if whole:
        return Equations(lines=lines)
    shown, signs = 0, 0
    for line in lines[:_MOST_LINES]:
        signs += len(line)
        if shown and signs > _MOST_SIGNS:
            break
        shown += 1
    return Equations(lines=lines[:shown], left_out=len(lines) - shown)


def _tensor(name: str, entries: Entries, case: ConvolutionCase, kind: str, *, whole: bool) -> Iterator[Part]:
    """One matrix for each channel, filter and slice."""
    if isinstance(entries, str):
        yield Matrix(name=name, rows=((entries,),))
        return
    depth = _depth(entries)
    spatial = 1 if kind == "b" else case.axes
    leading = depth - min(spatial, 2)
    shape, level = [], entries
    for _ in range(leading):
        shape.append(len(level))
        level = level[0]  # type: ignore[assignment]
    words = _axis_words(kind, depth - spatial, spatial, case)
    total = math.prod(shape)
    most = total if whole else _MOST_MATRICES
    for indices in itertools.islice(itertools.product(*map(range, shape)), most):
        part = entries
        for index in indices:
            part = part[index]  # type: ignore[assignment]
        rows = part if depth - leading > 1 else (part,)
        place = ", ".join(f"{word} {index + 1}" for word, index in zip(words, indices, strict=True))
        yield Matrix(name=name, rows=rows, place=place, index=tuple(index + 1 for index in indices))  # type: ignore[arg-type]
    if total > most:
        yield Words(text=f"{_MOST_MATRICES} of {total:,} such matrices are shown; --json has all.")


def _depth(entries: Entries) -> int:
    return 0 if isinstance(entries, str) else 1 + _depth(entries[0])


def _axis_words(kind: str, channels: int, spatial: int, case: ConvolutionCase) -> list[str]:
    if kind == "f" and channels == 1:
        words = ["filter"] if case.out_channels > 1 else ["channel"]
    else:
        words = ["filter", "channel"][2 - channels :] if channels <= 2 else ["axis"] * channels  # noqa: PLR2004 - axes
    return words + ["slice"] * (spatial - 2)


def _taps(case: ConvolutionCase) -> tuple[tuple[int, ...], ...]:
    """Which entry of the filter stands in each place of the matrix."""
    places = {place: number for number, place in enumerate(itertools.product(*map(range, case.extents)))}
    size = len(places)
    into, out = case.in_channels // case.groups, case.out_channels // case.groups
    rows = []
    for channel, place in itertools.product(range(case.out_channels), itertools.product(*map(range, case.output))):
        row = [-1] * (case.in_channels * size)
        for tap, offset in enumerate(itertools.product(*map(range, case.kernel))):
            seen = tuple(
                at * step - before + shift * apart
                for at, step, (before, _), shift, apart in zip(
                    place, case.stride, case.padding, offset, case.dilation, strict=True
                )
            )
            if seen in places:
                for each in range(into):
                    row[(channel // out * into + each) * size + places[seen]] = tap
        rows.append(tuple(row))
    return tuple(rows)


def student_sentences(check: AnswerCheck) -> tuple[str, ...]:
    """Say what became of a student's answer.

    Args:
        check: The comparison.

    Returns:
        A sentence, or up to four.

    Example:
        >>> student_sentences(AnswerCheck(right=True, compared=9))
        ('The answer is right: 9 entries compared.',)
    """
    if check.right:
        return (f"The answer is right: {check.compared:,} entries compared.",)
    words = ["The answer is wrong."]
    if check.first_wrong:
        words.append(f"First: {check.first_wrong}.")
    if check.likely_mistake:
        words.append(f"Likely mistake: {check.likely_mistake}.")
    return (*words, check.explanation) if check.explanation else tuple(words)


def _student(check: AnswerCheck) -> Verdict:
    sentences = student_sentences(check)
    return Verdict(good=check.right, text=" ".join(sentences), sentences=sentences)


def _checks(derivation: Derivation) -> Iterator[Part]:
    found = derivation.self_check
    if found is not None:
        kind = "exact" if found.exact else "to rounding"
        yield Verdict(good=found.passed, text=f"{found.compared} ({found.comparisons:,} numbers, {kind})")
    if derivation.proved is not None or derivation.proof:
        difference = derivation.max_difference
        more = (
            ""
            if difference is None or "difference" in derivation.proof
            else f" Largest relative difference: {difference:.2g}."
        )
        yield Verdict(good=derivation.proved, text=f"{derivation.proof}{more}")
    if derivation.check is not None:
        yield _student(derivation.check)
