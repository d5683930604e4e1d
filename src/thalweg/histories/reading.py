"""The door of this room: a path goes in, the runs recorded there come out."""

import os
from collections.abc import Mapping

from thalweg.core.run_log import NamedHistory

__all__ = ["read"]


def read(path: str | os.PathLike[str], *, columns: Mapping[str, str] | None = None) -> tuple[NamedHistory, ...]:
    """Read every run recorded at a path.

    Args:
        path: A log file, or a folder that holds some.
        columns: Which column is what, where the guess from the names is wrong: `{"train_loss": "foo"}`.

    Returns:
        The runs, in the order of the file or of their names.

    Raises:
        LogError: There is no log there that can be read.
    """
    raise NotImplementedError
