"""Curves in a few sentences, for readers who cannot see them: what each begins and ends with, and what is marked."""

import math

from thalweg.core.languages import Said, Speaker
from thalweg.core.report import Curves
from thalweg.rendering.markup import shown, unmarked

__all__ = ["describe_curves"]


def describe_curves(figure: Curves, voice: Speaker | None = None) -> str:
    """Say in a few words what the curves do, for readers who cannot see them.

    Args:
        figure: The curves; its texts may be in the language already.
        voice: Who says it; English by default.

    Returns:
        First and last value of each line, its extremes, and the marks.

    Example:
        >>> from thalweg.core.report import Line
        >>> describe_curves(Curves(caption="", x_label="epoch", y_label="loss",
        ...                        lines=(Line(label="training", x=(1, 2), y=(0.75, 0.5)),)))
        'training: 0.75 at epoch 1 to 0.5 at epoch 2; lowest 0.5 at 2, highest 0.75 at 1.'
    """
    sentences = []
    for line in figure.lines:
        known = [(x, y) for x, y in zip(line.x, line.y, strict=True) if math.isfinite(y)]
        if not known:
            label = unmarked(line.label)
            sentences.append(f"{label}: no values.")
            continue
        (first_x, first), (last_x, last) = known[0], known[-1]
        low_x, low = min(known, key=lambda point: point[1])
        high_x, high = max(known, key=lambda point: point[1])
        name, x_label = unmarked(line.label or figure.y_label), unmarked(figure.x_label)
        sentences.append(
            f"{name}: {first:.4g} at {x_label} {first_x:g} to {last:.4g} at {x_label} {last_x:g}; "
            f"lowest {low:.4g} at {low_x:g}, highest {high:.4g} at {high_x:g}."
        )
    for mark in figure.marks:
        where = f"at {mark.x:g}" if mark.until is None else f"from {mark.x:g} to {mark.until:g}"
        label = f"{unmarked(mark.label)} ({unmarked(mark.reason)})" if mark.reason else unmarked(mark.label)
        sentences.append(f"Marked {where}: {label}.")
    if voice is None or voice.language == "en":
        return " ".join(sentences)
    return Said(" ".join(map(shown, map(voice.say, sentences))))
