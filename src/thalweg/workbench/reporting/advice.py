"""One next step for a run, from the plainest facts; what every kind of network has in common."""

from collections.abc import Mapping, Sequence

from thalweg.core.results import TrainResult

__all__ = ["advice_of_findings", "advice_of_unfinished"]


def advice_of_findings(result: TrainResult) -> str:
    """The first thing that is wrong.

    Args:
        result: The run's answer.

    Returns:
        A sentence; empty where nothing is wrong.
    """
    serious = next((finding for finding in result.findings if finding.severity != "info"), None)
    return f"Next: {serious.claim}" if serious is not None else ""


def advice_of_unfinished(result: TrainResult, rows: Sequence[Mapping[str, float]]) -> str:
    """More epochs, where the last quarter of the run still lowered the validation loss by more than 3 %.

    Args:
        result: The run's answer.
        rows: Its epochs, as in `history.csv`.

    Returns:
        A sentence; empty where the loss had settled.
    """
    middle = rows[len(rows) * 3 // 4]["val_loss"]
    if rows[-1]["val_loss"] < 0.97 * middle:
        return f"Next: the validation loss was still falling; try --epochs {2 * result.epochs}."
    return ""
