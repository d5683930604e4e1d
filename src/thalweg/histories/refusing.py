"""What is said of a text that is no training log: what was looked for in it, and what is read."""

from collections.abc import Sequence

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.histories.names import is_epoch, is_step, judges

__all__ = ["refuse_unknown", "shown_names"]

_MOST, _LONGEST = 8, 120


def refuse_unknown(names: Sequence[str], place: str, *, printed: bool = False) -> None:
    """Refuse a text that is a table only because any text can be cut into cells.

    Args:
        names: What stands where a header would.
        place: What the text is called.
        printed: Every row begins with the same word, as `Epoch 1: 0.57` does, so that the first is no header.

    Raises:
        LogError: No name speaks of training.
    """
    if not printed and (judges(names) or any(is_epoch(name) or is_step(name) for name in names)):
        return
    shown = shown_names(names)
    raise LogError(
        f"{place} is no training log that is known: no line of it prints a loss or an accuracy with its number, such "
        f"as epoch 3, loss 0.51, val_loss 0.48, and as a table it names no columns of numbers ({shown}); "
        f"what programs print is read, tables such as CSV, JSON, TensorBoard's event files, MLflow and trackio"
    )


def shown_names(names: Sequence[str]) -> str:
    """Name the first columns of a table.

    Args:
        names: All.

    Returns:
        The first, as far as a sentence has room.

    Example:
        >>> shown_names(["epoch", "loss"])
        'epoch, loss'
    """
    return printable(", ".join(names[:_MOST]))[:_LONGEST]
