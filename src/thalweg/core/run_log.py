"""One run read from somebody's log: where it came from, what wrote it, its curves, and what was guessed on the way."""

from dataclasses import dataclass

from thalweg.core.history import RunHistory

__all__ = ["NamedHistory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedHistory:
    """A run with the place it was read from.

    A curve is by epoch, counted from 1, unless its name begins with `batch_`: then it is by step. A point that was not
    recorded is absent; a recorded NaN or infinity is a value. Accuracies are fractions from 0 to 1.

    Args:
        place: The path, and the run inside it where it holds several; may be shown as it is.
        format: What wrote the log, such as `Keras CSVLogger`.
        history: The curves.
        notes: Sentences about what was guessed, converted, merged or left out, to be shown.

    Example:
        >>> NamedHistory(place="log.csv", format="Keras CSVLogger", history=RunHistory()).notes
        ()
    """

    place: str
    format: str
    history: RunHistory
    notes: tuple[str, ...] = ()
