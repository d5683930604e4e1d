"""What every reader is: a name, a mark to know its files by, and a function from the file to raw curves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from thalweg.histories.log_file import LogFile
from thalweg.histories.recording import Recording

__all__ = ["Reader"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One format.

    Args:
        name: As people know it.
        recognises: Whether a file is of this format; quick; may raise `LogError` for a file that nobody can read.
        read: The runs of such a file; the second argument says which column is what, where the user knows better.
    """

    name: str
    recognises: Callable[[LogFile], bool]
    read: Callable[[LogFile, Mapping[str, str]], Sequence[Recording]]
