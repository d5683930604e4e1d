"""SQLite files of other programs, opened so that nothing of theirs changes: read-only, immutable, without their locks.

An immutable database ignores its write-ahead log, so where one lies beside it both are copied aside first.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from thalweg.core.errors import LogError
from thalweg.core.files import printable
from thalweg.histories.log_file import LogFile

if TYPE_CHECKING:
    import sqlite3

__all__ = ["MAGIC", "columns_of", "open_database", "tables"]

MAGIC = b"SQLite format 3\0"
"""How every SQLite file begins."""

_LARGEST_COPY = 2 << 30
_LONGEST_REASON = 200


@contextlib.contextmanager
def open_database(file: LogFile) -> Iterator["sqlite3.Connection"]:
    """Open a database that another program may be writing.

    Args:
        file: The file.

    Yields:
        A connection that can only read.

    Raises:
        LogError: It is damaged.
    """
    import sqlite3  # few logs are databases

    try:
        with contextlib.ExitStack() as stack:
            path = file.path.absolute()
            beside = path.with_name(path.name + "-wal")
            if beside.is_file() and beside.stat().st_size and file.size < _LARGEST_COPY:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                shutil.copyfile(path, folder / "copy.db")
                shutil.copyfile(beside, folder / "copy.db-wal")
                base = sqlite3.connect(folder / "copy.db")
            else:
                base = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
            stack.callback(base.close)
            base.execute("PRAGMA query_only=ON")
            base.execute("PRAGMA trusted_schema=OFF")
            base.text_factory = lambda raw: raw.decode("utf-8", "replace")
            yield base
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
        told = printable(str(error))[:_LONGEST_REASON]
        raise LogError(f"{file.place} is a damaged database: {told}") from None


def tables(base: "sqlite3.Connection") -> set[str]:
    """Name the real tables; a view could compute for ever.

    Args:
        base: The database.

    Returns:
        Names of its tables.
    """
    return {str(row[0]) for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def columns_of(base: "sqlite3.Connection", table: str) -> set[str]:
    """Name a table's columns.

    Args:
        base: The database.
        table: The table.

    Returns:
        Names of its columns.
    """
    return {str(row[0]) for row in base.execute("SELECT name FROM pragma_table_info(?)", (table,))}
