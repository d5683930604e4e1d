"""A landscape as a report and as text: eigenvalues with their residuals, the kind of point, slices, ways to a run."""

import math
from collections.abc import Iterator

from thalweg.core.files import printable
from thalweg.core.landscape import LandscapeResult, LossLine
from thalweg.core.languages import said
from thalweg.core.report import Block, Curves, KeyNumber, Line, Mark, Paragraph, Report, Section, Table
from thalweg.rendering.figures.plane import draw_plane
from thalweg.rendering.markup import capitalised
from thalweg.rendering.numerals import significant

__all__ = ["landscape_report", "landscape_text"]

_LIMITS = (
    "Curvature is a property of the loss at one place, on the samples named here, with the modes named here. Sharpness "
    "follows the learning rate that was used more than it predicts how well a network answers on new data: compare "
    "runs of one kind, and do not take it for a score. Slices show two of many directions: a hill between two runs on "
    "the straight way does not mean that there is no way around it, and a bowl in two random directions hides the few "
    "directions that bend down."
)


def landscape_report(result: LandscapeResult) -> Report:
    """Gather a landscape into a report.

    Args:
        result: The answer of `landscape`.

    Returns:
        The report, ready for `render_html`.
    """
    name = printable(result.run.rstrip("/").rpartition("/")[2] or result.run)
    sections = [
        Section(title="What kind of point it is", blocks=tuple(_point(result))),
        Section(title="Curvature", blocks=tuple(_curvature(result))),
        Section(title="Slices", blocks=tuple(_slices(result))),
    ]
    if result.other is not None:
        sections.append(Section(title="The way to the other run", blocks=tuple(_ways(result))))
    sections.append(Section(title="What this does not show", blocks=(Paragraph(text=_LIMITS),)))
    provenance = {
        "run": printable(result.run),
        "samples": f"{result.samples:,} training samples, without augmentation",
        "modes": result.modes,
        "weights moved": f"{result.parameters:,}",
        "Hessian products": f"{result.spectrum.products:,}",
    }
    return Report(
        title=f"The loss around {name}",
        answer=_answer(result),
        sections=tuple(sections),
        provenance=provenance,
        numbers=_numbers(result),
    )


def landscape_text(result: LandscapeResult) -> str:
    """Write a landscape for a terminal.

    Args:
        result: The answer of `landscape`.

    Returns:
        A few lines, with a line break at their end.
    """
    lines = [printable(result.run), *(f"  {said(line)}" for line in _answer(result))]
    lines.append("  " + said(f"measured on {result.samples:,} training samples; {result.modes}"))
    lines += [f"  {said(f'note: {note}')}" for note in result.notes]
    return "\n".join(lines) + "\n"


def _answer(result: LandscapeResult) -> tuple[str, ...]:
    top, bottom = result.spectrum.top[0], result.spectrum.bottom[0]
    lines = [
        f"This point: {result.critical}.",
        (
            f"Loss {result.loss:.4g}; curvature from {bottom.value:.4g} to {top.value:.4g} "
            f"(within {bottom.residual:.1g} and {top.residual:.1g})."
        ),
    ]
    if result.update is not None:
        share = result.update.preconditioned / result.update.limit
        felt = "curvature" if result.update.optimizer == "sgd" else "curvature as the optimizer feels it"
        lines.append(
            f"Largest {felt}: {result.update.preconditioned:.4g}, {share:.2g} of what "
            f"{result.update.optimizer} at a rate of {result.update.learning_rate:.3g} keeps stable on a quadratic."
        )
    if result.barrier is not None and result.curve_barrier is not None:
        lines.append(
            f"To {printable(result.other or '')}: the straight way rises {_nats(result.barrier)} above its ends, "
            f"a bent one {_nats(result.curve_barrier)}."
        )
    return tuple(lines)


def _numbers(result: LandscapeResult) -> tuple[KeyNumber, ...]:
    top, bottom = result.spectrum.top[0], result.spectrum.bottom[0]
    numbers = [
        KeyNumber(label="Largest curvature", value=f"{top.value:.4g}", note=f"residual {top.residual:.1g}"),
        KeyNumber(label="Smallest curvature", value=f"{bottom.value:.4g}", note=f"residual {bottom.residual:.1g}"),
        KeyNumber(label="Loss", value=f"{result.loss:.4g} nats", note=f"on {result.samples:,} training samples"),
    ]
    if result.update is not None:
        share = result.update.preconditioned / result.update.limit
        note = f"{result.update.optimizer} at a rate of {result.update.learning_rate:.3g}; above 1 a quadratic diverges"
        numbers.append(KeyNumber(label="Curvature over what is stable", value=f"{share:.2g}", note=note))
    return tuple(numbers)


def _nats(value: float) -> str:
    return f"{value:.3g} nats" if math.isfinite(value) else "beyond all numbers"


def _point(result: LandscapeResult) -> Iterator[Block]:
    critical = result.critical
    yield Paragraph(text=f"{str(critical).capitalize()}: {critical.reason}.")
    yield Table(
        caption="What was seen",
        header=("where", "observed", "held against", "where that comes from"),
        rows=tuple(
            (f"{item.signal}, {item.window}", significant(item.observed), significant(item.threshold), item.source)
            for item in critical.evidence
        ),
    )


def _curvature(result: LandscapeResult) -> Iterator[Block]:
    spectrum = result.spectrum
    rows = [(f"largest, {number}", f"{each.value:.5g}", f"{each.residual:.2g}")
            for number, each in enumerate(spectrum.top, 1)]  # fmt: skip
    rows += [(f"smallest, {number}", f"{each.value:.5g}", f"{each.residual:.2g}")
             for number, each in enumerate(spectrum.bottom, 1)]  # fmt: skip
    yield Table(
        caption="Eigenvalues of the Hessian; one lies within the residual of each number for certain",
        header=("eigenvalue", "value", "residual"),
        rows=tuple(rows),
    )
    if not spectrum.converged:
        yield Paragraph(
            text=f"After {spectrum.products} products not every residual was small: the ends may lie further out.",
            style="warning",
        )
    if spectrum.trace is not None:
        error = f" ± {spectrum.trace.standard_error:.2g}" if spectrum.trace.samples else ""
        mean = spectrum.trace.value / result.parameters
        yield Paragraph(
            text=f"Trace: {spectrum.trace.value:.4g}{error} (standard error), a mean curvature of {mean:.3g} "
            f"in {result.parameters:,} directions."
        )
    if result.update is not None:
        update = result.update
        critical = "any length" if update.critical is None else f"{update.critical:.3g} times as long"
        rows = [
            ("first-order change of the loss by one update", f"{update.slope:.3g}", "nats"),
            ("curvature along it", f"{update.sharpness:.4g}", ""),
            ("until the loss is back where it was, it could be", critical, ""),
            ("largest curvature as the optimizer feels it", f"{update.preconditioned:.4g}", ""),
            ("stable on a quadratic below", f"{update.limit:.4g}", "Cohen et al. 2022"),
        ]
        yield Table(
            caption=f"Along the next update of {update.optimizer} at a rate of {update.learning_rate:.3g}",
            header=("what", "value", "note"),
            rows=tuple(rows),
        )
    for note in result.notes:
        yield Paragraph(text=capitalised(note) + ".", style="note")


def _slices(result: LandscapeResult) -> Iterator[Block]:
    for plane in result.planes:
        yield draw_plane(
            plane,
            caption="The loss around the run, in two random directions that are as long in every filter as the "
            "weights are (Li et al. 2018); heights in nats",
            places=((0.0, 0.0, "this run"),),
        )
    for line in result.lines:
        if "other run" not in line.name:
            yield _curve((line,), f"The loss along {line.name}", (Mark(x=0.0, label="this run"),))


def _ways(result: LandscapeResult) -> Iterator[Block]:
    lines = tuple(line for line in result.lines if "other run" in line.name)
    yield Paragraph(
        text=f"The other run is {printable(result.other or '')}. The bent way is a quadratic Bezier curve whose middle "
        "was trained on these same samples (Garipov et al. 2018); the straight one joins the weights as they are."
    )
    yield _curve(lines, "The loss on the way to the other run", ())


def _curve(lines: tuple[LossLine, ...], caption: str, marks: tuple[Mark, ...]) -> Curves:
    values = [value for line in lines for value in line.losses if math.isfinite(value)]
    wide = bool(values) and min(values) > 0 and max(values) > 50 * min(values)
    return Curves(
        caption=caption,
        x_label=lines[0].unit,
        y_label="loss, nats",
        lines=tuple(Line(label=line.name, x=line.positions, y=line.losses) for line in lines),
        marks=marks,
        log_y=wide,
    )
