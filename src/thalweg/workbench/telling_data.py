"""What a run says of its data before it trains."""

from thalweg.core.dataset import DataSummary
from thalweg.core.files import printable
from thalweg.workbench.telling import Listener

__all__ = ["tell_data"]

SHOWN = 3


def tell_data(summary: DataSummary, listener: Listener) -> None:
    """Say how many samples there are, what was left out, and what is odd.

    Args:
        summary: The data.
        listener: Whoever is told.
    """
    what = f"{summary.reading.form}s" if summary.reading else "files"
    listener.say(f"Using {len(summary.train)} {what} for training.")
    if summary.validation:
        listener.say(f"Using {len(summary.validation)} {what} for validation.")
    if summary.test:
        listener.say(f"Using {len(summary.test)} {what} for testing.")
    if summary.left_out:
        first = summary.left_out[0]
        listener.say(
            f"Left out {len(summary.left_out)} files, first {printable(first.file)}: {printable(first.reason)}"
        )
    used = {*summary.train, *summary.validation, *summary.test}
    for notice in [each for each in summary.warnings if each.file not in used][:SHOWN]:  # about folders, not files
        listener.say(f"Note: {printable(notice.file) or 'the source'}: {notice.reason}.")
    if summary.duplicates:
        total = sum(len(group.files) for group in summary.duplicates)
        groups = len(summary.duplicates)
        listener.say(f"{total} files show the same pictures ({groups} groups); each group stays on one side.")
