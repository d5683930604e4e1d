"""Curves of a report as PNG, drawn by matplotlib (extra `plots`); the SVG of the report needs no such package."""

import io
import warnings

from thalweg.core.errors import MissingExtraError
from thalweg.core.report import Curves

__all__ = ["curves_png"]

_COLOURS = ("#0072b2", "#c65102", "#00805e", "#b0417e", "#7a6a00", "#4b5fc4", "#8a3b12", "#5c6770")
_STYLES = ("-", "--", ":", "-.")


def curves_png(figure: Curves, *, dots_per_inch: int = 150) -> bytes:
    """Draw a figure as PNG.

    Args:
        figure: The curves.
        dots_per_inch: How fine; the picture is 7.2 by 3.6 inches.

    Returns:
        The file.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise MissingExtraError(error.name or "matplotlib", "plots", "to write PNG figures") from None
    sheet = Figure(figsize=(7.2, 3.6), layout="constrained")
    FigureCanvasAgg(sheet)
    axes = sheet.subplots()
    for number, line in enumerate(figure.lines):
        style = "--" if line.dashed else _STYLES[number // len(_COLOURS) % len(_STYLES)]
        axes.plot(line.x, line.y, style, color=_COLOURS[number % len(_COLOURS)], label=_literal(line.label) or None)
    for mark in figure.marks:
        axes.axvline(mark.x, color="#59676d", linestyle=":", linewidth=1)
        axes.annotate(_literal(mark.label), (mark.x, 1), xycoords=("data", "axes fraction"), fontsize=7, va="top")
    if all(float(x).is_integer() for line in figure.lines for x in line.x):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(_literal(figure.x_label))
    axes.set_ylabel(_literal(figure.y_label))
    if figure.log_y:
        axes.set_yscale("log")
    if figure.y_range:
        axes.set_ylim(*figure.y_range)
    if figure.diagonal:
        axes.axline((0, 0), slope=1, color="#59676d", linestyle="--", linewidth=1)
    if any(line.label for line in figure.lines):
        axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a letter that its font lacks
        sheet.savefig(out, format="png", dpi=dots_per_inch)
    return out.getvalue()


def _literal(text: str) -> str:
    """Dollar signs are mathematics to matplotlib, and a leading underscore hides a line from the legend."""
    shown = text.replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown
