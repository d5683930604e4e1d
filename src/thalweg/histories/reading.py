"""The door of this room: a path goes in, the runs recorded there come out."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.core.run_log import NamedHistory
from thalweg.histories.assembly import assemble
from thalweg.histories.log_file import LogFile
from thalweg.histories.readers import history_json, keras_csv, table
from thalweg.histories.readers.history_json import from_mapping
from thalweg.histories.readers.reader import Reader
from thalweg.histories.roles import AXES, SIGNALS

__all__ = ["READERS", "read", "read_mapping"]

READERS: tuple[Reader, ...] = (
    history_json.READER,
    keras_csv.READER,
    table.READER,
)
"""In the order in which a file is offered to them."""


def read(path: str | os.PathLike[str], *, columns: Mapping[str, str] | None = None) -> tuple[NamedHistory, ...]:
    """Read every run recorded at a path.

    Args:
        path: A log file, or a folder that holds some.
        columns: Which column is what, where the guess from the names is wrong: `{"train_loss": "foo"}`; `epoch` and
            `step` name the counters.

    Returns:
        The runs, in the order of the file or of their names.

    Raises:
        LogError: There is no log there that can be read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     log = Path(folder, "log.csv")
        ...     _ = log.write_text("epoch,loss,val_loss\\n0,0.9,0.8\\n1,0.5,0.6\\n")
        ...     read(log)[0].history.signal("val_loss").values
        (0.8, 0.6)
    """
    wanted = _checked(columns or {})
    path = Path(path)
    return tuple(read_file(LogFile(path), wanted))


def read_mapping(
    history: Mapping[str, object], *, place: str = "history", columns: Mapping[str, str] | None = None
) -> NamedHistory:
    """Read a history that is in memory, such as Keras's `History.history`.

    Args:
        history: Names to lists of values, one an epoch; or a uniform case.
        place: What to call it.
        columns: As for `read`.

    Returns:
        The run.

    Raises:
        LogError: None of it is a loss or an accuracy.

    Example:
        >>> read_mapping({"loss": [0.9, 0.5]}).history.signal("train_loss").steps
        (1, 2)
    """
    wanted = _checked(columns or {})
    return assemble(from_mapping(history, place, wanted), wanted)


def read_file(file: LogFile, columns: Mapping[str, str]) -> Iterable[NamedHistory]:
    """Read one file by the first reader that knows it.

    Args:
        file: The file.
        columns: What the user says which column is.

    Returns:
        Its runs.

    Raises:
        LogError: No reader knows it, or it has no usable curve.
    """
    for reader in READERS:
        if reader.recognises(file):
            return [assemble(recording, columns) for recording in reader.read(file, columns)]
    raise LogError(f"{file.place} is no training log that is known")


def _checked(columns: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(set(columns) - set(SIGNALS) - set(AXES))
    if unknown:
        raise LogError(f"--columns: {printable(unknown[0])!r} is none of {', '.join((*SIGNALS, *AXES))}")
    return dict(columns)
