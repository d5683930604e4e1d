"""A split that somebody fixed: a CSV table with the columns `file` and `part`, or the `data.json` of another run."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import get_args

from thalweg.core.dataset import Notice, Part, Sample
from thalweg.core.errors import PlanError
from thalweg.core.files import printable, write_atomically

__all__ = ["named_parts", "read_parts", "write_parts"]

_WORDS: dict[str, Part] = {"training": "train", "val": "validation", "valid": "validation", "testing": "test"}
_WORDS |= {part: part for part in get_args(Part)}


def named_parts(path: Path) -> dict[str, Part]:
    """Read which parts a file names, whatever the source holds.

    Args:
        path: A `.json` file with lists of files under `train`, `validation` and `test`, or else a CSV table.

    Returns:
        The part of each file named.

    Raises:
        PlanError: The file cannot be read, or names a file twice.
    """
    shown = printable(path)
    try:
        text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise PlanError(f"{shown}: the split file cannot be read ({error.strerror or error})") from None
    parts: dict[str, Part] = {}
    for place, file, word in _json_rows(shown, text) if path.suffix.lower() == ".json" else _csv_rows(shown, text):
        part = _WORDS.get(word.strip().lower())
        if part is None:
            raise PlanError(f"{place}: {word!r} is no part; train, validation and test are")
        if parts.setdefault(file, part) != part:
            raise PlanError(f"{place}: {printable(file)} is in {part} here and in {parts[file]} before")
    return parts


def read_parts(path: Path, samples: Sequence[Sample]) -> tuple[dict[str, Part], tuple[Notice, ...]]:
    """Read which file belongs to which part.

    Args:
        path: A `.json` file with lists of files under `train`, `validation` and `test`, or else a CSV table.
        samples: The files of the source.

    Returns:
        The part of each file of the source that is named, and at most one notice that counts what does not match.

    Raises:
        PlanError: The file cannot be read, names a file twice, or names none of the source's files.
    """
    shown, parts = printable(path), named_parts(path)
    files = {sample.file for sample in samples}
    strange = sorted(parts.keys() - files)
    unnamed = sorted(files - parts.keys())
    if len(strange) == len(parts):
        wanted = f"names look like {printable(min(files))}" if files else "the source holds none"
        raise PlanError(f"{shown}: none of its {len(parts):,} files is in the source, whose {wanted}")
    sentences = []
    if strange:
        sentences.append(f"it names {len(strange):,} files that are not in use, such as {printable(strange[0])}")
    if unnamed:
        sentences.append(f"it does not name {len(unnamed):,} files of the source, such as {printable(unnamed[0])}")
    notices = (Notice("", f"split file {shown}: {', and '.join(sentences)}"),) if sentences else ()
    return {file: part for file, part in parts.items() if file in files}, notices


def _csv_rows(shown: str, text: str) -> Iterator[tuple[str, str, str]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        if not {"file", "part"} <= set(reader.fieldnames or ()):
            raise PlanError(f"{shown}: a header line with the columns file and part is wanted")
        for row in reader:
            if row["file"] is None or row["part"] is None:
                raise PlanError(f"{shown}, line {reader.line_num}: a file and a part are wanted")
            yield f"{shown}, line {reader.line_num}", row["file"], row["part"]
    except csv.Error as error:
        raise PlanError(f"{shown}, line {reader.line_num}: no CSV table ({error})") from None


def _json_rows(shown: str, text: str) -> Iterator[tuple[str, str, str]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PlanError(f"{shown}: no JSON ({error})") from None
    if not isinstance(data, dict):
        raise PlanError(f"{shown}: an object with lists of files under train, validation and test is wanted")
    for part in get_args(Part):
        files = data.get(part, [])
        if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
            raise PlanError(f"{shown}: {part} is no list of file names")
        for number, file in enumerate(files):
            yield f"{shown}, {part}[{number}]", file, part


def write_parts(path: Path, rows: Iterable[tuple[str, Part]]) -> None:
    """Write a split as a CSV table that `read_parts` reads.

    Args:
        path: The table to write.
        rows: Files, relative to the source, and their parts.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_parts(Path(folder, "split.csv"), [("cat/1.png", "train")])
        ...     Path(folder, "split.csv").read_text().split()
        ['file,part', 'cat/1.png,train']
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\r\n")  # as spreadsheets do; also, only then a lone \r is quoted
    writer.writerow(("file", "part"))
    writer.writerows(rows)
    write_atomically(path, table.getvalue().encode("utf-8", "surrogateescape"))
