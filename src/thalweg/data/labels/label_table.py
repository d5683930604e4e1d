"""One table of labels: which column names the pictures, which says their classes, which their part of a split.

`label_tables` tells what such tables look like, and joins several.
"""
# Long because the columns of one table are told apart by what the others are taken for.

import itertools
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from thalweg.core.dataset import Part
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.files.belonging import best_column, may_be_class, rank_of_column
from thalweg.data.files.named_files import Names, part_of_table
from thalweg.data.files.part_names import PART_NAMES
from thalweg.data.formats.tables import TABLES, open_rows, reads_as_number
from thalweg.data.labels.json_lists import JSON_LISTS, json_rows

__all__ = ["LISTS", "Table", "file_column", "names_pictures", "read_groups", "rows_of"]

LISTS = (*TABLES, *JSON_LISTS)
"""Endings of files that may say which picture is of which class."""

_CLASSES = (
    *("label", "labels", "class", "classes", "class_name", "class_id", "target", "category", "dx", "diagnosis"),
    *("finding labels", "breed", "species", "tag", "tags", "choice", "y", "klasse", "etikett", "classe", "clase"),
    *("类别", "标签", "ラベル", "برچسب"),
)  # fmt: skip
_LOOKED_AT = 400
_FIRST_ROWS = 3
_ENDINGS = (
    *(".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".avif"),
    *(".wav", ".npy", ".npz", ".csv", ".tsv", ".nii", ".nii.gz"),
)
_LARGEST = 64 << 20
_COVERED = 0.5
_SEPARATORS = "|"
_PLURALS = ("labels", "tags", "classes", "categories")  # columns called so may well hold several a cell
_MOST_SCORES = 10  # different numbers that are not whole and may still be classes, such as grades of 1.5
_KINDS_OF_LENGTHS, _ANEW = 3, 1.5  # one to three words a cell or more, and fewer words than cells: no names of classes


def names_pictures(path: Path) -> bool:
    """Tell whether a file is a table in which pictures are named by their files.

    Args:
        path: The file.

    Returns:
        True where a cell of the first rows ends as pictures do; such a table holds no signals, and no JSON file does.
    """
    if not path.name.lower().endswith(LISTS):
        return False
    if path.name.lower().endswith(JSON_LISTS):
        return True  # no signals are read from such
    try:
        rows = list(itertools.islice(open_rows(path), _FIRST_ROWS))
    except SourceError:
        return False
    return any(cell.lower().endswith(_ENDINGS) for row in rows for cell in row)


@dataclass(slots=True, kw_only=True)
class Table:
    """One table, read.

    Args:
        name: As it is shown to people.
        named: Whether the column of classes has one of the usual names.
        said: What was read as what.
        own_part: The part that the table itself is of.
        grouped_by: The column that says what belongs together.
        labels: Picture to class.
        parts: Picture to part, where a column says it.
        groups: Picture to what it belongs to, such as a patient.
        missing: Cells that name no picture that is there.
    """

    name: str
    named: bool
    said: str
    own_part: Part | None
    grouped_by: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, root: Path, table: str, names: Names) -> "Table | None":
        """Read a table.

        Args:
            root: Folder of the source.
            table: Path of the table below it.
            names: The source's pictures.

        Returns:
            The table; None where it names no pictures, or no classes.

        Raises:
            SourceError: It names pictures, but not one class for each.
        """
        rows = _without_comments(rows_of(root / table))
        if not rows:
            return None
        home = table.rpartition("/")[0] or part_of_table(table) or ""
        width = max((len(row) for row in rows[:_LOOKED_AT]), default=0)
        looked = rows[1 : 1 + _LOOKED_AT] or rows
        files = file_column(looked, width, names, home)
        folders = files is None
        if folders:
            files = _folder_column(looked, rows[0], names)
        if files is None or width < 2:  # noqa: PLR2004 - a list of names has no classes
            return None

        def named(cell: str) -> Sequence[str]:
            return names.inside(cell) if folders else [file] if (file := names.find(cell, home)) else []

        headless = bool(named(rows[0][files] if files < len(rows[0]) else ""))
        header = [f"column {place + 1}" for place in range(width)] if headless else rows[0]
        body = [[*row, *[""] * (width - len(row))] for row in (rows if headless else rows[1:])]
        columns = {place: (header[place] if place < len(header) else "").strip() for place in range(width)}
        parts = _part_column(body, columns, files)
        left = {place: name for place, name in columns.items() if place not in {files, parts}}
        apart = {place: name for place, name in left.items() if rank_of_column(name) is None}
        persons = apart | {place: name for place, name in left.items() if may_be_class(name)}
        told = _classes(printable(table), body, apart) or _classes(printable(table), body, persons)
        if told is None:
            _refuse_without_classes(printable(table), body, left)
            return None
        labels, said, usual = told
        if folders and len(set(labels)) == len(labels):
            return None  # a number or a long name for each folder
        grouped = _group_column(body, labels, left, files if folders else None)
        made = cls(
            name=printable(table),
            named=usual,
            said=f"{said}, of {'folders or beginnings of names' if folders else 'files'} in column {files + 1} "
            f"({printable(columns[files])[:40]})",
            own_part=part_of_table(table) or part_of_table(table.rpartition("/")[0]),
            grouped_by="" if grouped is None else columns[grouped],
        )
        made._fill(body, labels, named, 1 if headless else 2, {"files": files, "parts": parts, "groups": grouped})
        return made

    def _fill(
        self,
        body: Sequence[Sequence[str]],
        labels: Sequence[str],
        named: Callable[[str], Sequence[str]],
        first: int,
        column: Mapping[str, int | None],
    ) -> None:
        """Take in all rows, whose columns are told apart."""
        files, parts, groups = column["files"] or 0, column["parts"], column["groups"]
        for number, (row, label) in enumerate(zip(body, labels, strict=True), first):
            found = named(row[files])
            if not found or not label:
                self.missing.append(row[files] if not found else f"{row[files]} (no class)")
            for file in found if label else ():
                self.add(file, label, number)
                if groups is not None and row[groups].strip():
                    self.groups[file] = row[groups].strip()
                if parts is not None and (part := PART_NAMES.get(row[parts].strip().lower())):
                    self.parts[file] = part

    def add(self, file: str, label: str, number: int) -> None:
        """Take in a row.

        Args:
            file: The picture.
            label: Its class.
            number: The row's number, for people.

        Raises:
            SourceError: Another row gave it another class.
        """
        if self.labels.get(file, label) != label:
            raise SourceError(
                f"{self.name}: row {number:,} calls {printable(file)} {printable(label)!r}, a row before "
                f"{printable(self.labels[file])!r}: a picture has one class here"
            )
        self.labels[file] = label


def read_groups(path: Path, named: Callable[[], Names]) -> tuple[str, dict[str, str]]:
    """Read from a table what files belong to, such as patients, whatever says their classes.

    Args:
        path: The table.
        named: Gives the source's files; only asked where a column says what belongs together.

    Returns:
        The column that says it, and what each file belongs to; nothing where no column does, or few files are named.
    """
    try:
        if path.name.lower().endswith(TABLES) and best_column(next(open_rows(path), [])) is None:
            return "", {}  # without reading all of it
        rows = _without_comments(rows_of(path))
    except SourceError:
        return "", {}
    column = best_column(rows[0]) if len(rows) > 1 else None
    if column is None:
        return "", {}
    names = named()
    files = file_column(rows[1 : 1 + _LOOKED_AT], max(map(len, rows[:_LOOKED_AT])), names, "")
    if files is None or files == column:
        return "", {}
    cells = [(row[files], row[column].strip()) for row in rows[1:] if len(row) > max(files, column)]
    found = {file: group for cell, group in cells if group and (file := names.find(cell, ""))}
    return (rows[0][column], found) if 2 * len(found) > len(names.files) else ("", {})


def rows_of(path: Path) -> list[list[str]]:
    """The rows of a table.

    Args:
        path: The file.

    Returns:
        Its rows; none where it is none, or too large to be a list of pictures.

    Raises:
        SourceError: It cannot be read, though its ending is that of a table.
    """  # noqa: DOC501 - an OSError is told like the others
    try:
        if path.stat().st_size > _LARGEST:
            return []
        return json_rows(path) if path.name.lower().endswith(JSON_LISTS) else list(open_rows(path))
    except (OSError, SourceError) as error:
        if isinstance(error, SourceError) and path.suffix.lower() != ".txt":  # those may be anything
            raise
        return []


def _without_comments(rows: list[list[str]]) -> list[list[str]]:
    """Rows but for those that begin with `#`, of which a single first one is the header."""
    commented = [row for row in rows if row[0].startswith("#")]
    if commented and commented[0] is rows[0] and len(commented) == 1:
        return [[rows[0][0].lstrip("# "), *rows[0][1:]], *rows[1:]]
    return [row for row in rows if not row[0].startswith("#")]


def file_column(rows: Sequence[Sequence[str]], width: int, names: Names, home: str) -> int | None:
    """Find the column whose cells name most pictures, each its own.

    Args:
        rows: Rows of the table without its header.
        width: Cells a row.
        names: The source's files.
        home: Folder of the table.

    Returns:
        Its place; None where there is none.
    """
    best, most = None, 0
    for place in range(width):
        cells = [row[place] for row in rows if place < len(row)]
        found = {names.find(cell, home) for cell in cells} - {""}
        if len(found) > most and len(found) >= _COVERED * len(set(cells)):
            best, most = place, len(found)
    return best


def _folder_column(rows: Sequence[Sequence[str]], header: Sequence[str], names: Names) -> int | None:
    """The column whose cells name folders of files, each its own, as those of patients are; not those of classes."""
    for place, name in enumerate(header):
        cells = {row[place] for row in rows if place < len(row)}
        found = {cell: set(inside) for cell in cells if (inside := names.inside(cell))}
        apart = sum(map(len, found.values())) == len(set().union(*found.values()))
        numbered = rank_of_column(name) is not None or all(re.search(r"\d", cell) for cell in found)
        if len(found) > 1 and apart and numbered and len(found) >= _COVERED * len(cells):
            return place
    return None


def _group_column(
    body: Sequence[Sequence[str]], labels: Sequence[str], left: Mapping[int, str], folders: int | None
) -> int | None:
    """The column that says what belongs together, unless it is that of the classes; else the one that names folders."""
    grouped = best_column([left.get(place, "") for place in range(max(left) + 1)])
    if grouped is not None and all(row[grouped].strip() == label for row, label in zip(body, labels, strict=True)):
        grouped = None
    return folders if grouped is None else grouped


def _refuse_without_classes(shown: str, body: Sequence[Sequence[str]], left: Mapping[int, str]) -> None:
    """Say of a table that names the pictures why nothing in it is their class; nothing where it has no other column."""
    held = {place: [row[place].strip() for row in body if row[place].strip()] for place in left}
    told = [place for place, cells in held.items() if cells and not cells[0].lower().endswith(_ENDINGS)]  # no files
    named = [printable(left[place])[:40] or f"column {place + 1}" for place in told]
    if not named:
        return
    if any(_is_runs(cell) for cells in held.values() for cell in cells[:_LOOKED_AT]):
        raise SourceError(
            f"{shown}: it holds masks as runs of pixels (starts and lengths, RLE), which are not read: write each as a "
            f"PNG file in masks/ beside images/"
        )
    raise SourceError(
        f"{shown}: it names the pictures, but no column of it ({', '.join(named[:6])}) holds classes, that is words or "
        f"whole numbers which come again: numbers to predict and captions are not trained on; call the column of "
        f"classes 'label'"
    )


def _is_runs(cell: str) -> bool:
    """Whether a cell holds pairs of starts and lengths."""
    pieces = cell.split()
    return len(pieces) > 3 and len(pieces) % 2 == 0 and all(map(str.isdecimal, pieces))  # noqa: PLR2004 - two pairs


def _part_column(body: Sequence[Sequence[str]], columns: Mapping[int, str], files: int) -> int | None:
    for place in columns:
        cells = {row[place].strip().lower() for row in body}
        if place != files and len(cells) > 1 and cells <= set(PART_NAMES):
            return place
    return None


def _classes(shown: str, body: Sequence[Sequence[str]], left: Mapping[int, str]) -> tuple[list[str], str, bool] | None:
    """The class of each row, what was read as such, and whether the column is called so; None for a table without."""
    usual = sorted((_CLASSES.index(name.lower()), place) for place, name in left.items() if name.lower() in _CLASSES)
    if usual:
        place = next((place for _, place in usual if _puts_in_words(body, usual[0][1], place)), usual[0][1])
        return _of_column(shown, body, place, left), _said(place, left), True
    binary = [place for place in left if {row[place].strip() for row in body} <= {"0", "1", "0.0", "1.0", "-1", "-1.0"}]
    if sum(any(float(row[place] or 0) > 0 for row in body) for place in binary) > 1:  # else two columns of zeros
        return _one_hot(shown, body, binary, left), f"the classes are {len(binary)} columns of 0 and 1", True
    repeating = [
        place
        for place in left
        if 1 < len(cells := {row[place].strip() for row in body} - {""}) <= max(2, len(body) // 2)
        and (not all(map(reads_as_number, cells)) or all(float(cell).is_integer() for cell in cells))
    ]
    words = [place for place in repeating if not all(reads_as_number(row[place]) for row in body if row[place])]
    chosen = words if len(words) == 1 else repeating
    if len(chosen) == 1:
        return _of_column(shown, body, chosen[0], left), _said(chosen[0], left), False
    if not chosen:
        return None
    listed = ", ".join(printable(left[place])[:40] or f"column {place + 1}" for place in chosen[:6])
    raise SourceError(
        f"{shown}: it names the pictures, but any of {len(chosen)} columns ({listed}) may be their class: "
        f"call the right one 'label'"
    )


def _puts_in_words(body: Sequence[Sequence[str]], number: int, word: int) -> bool:
    """Whether a column has a word of its own for each number of another, as ESC-50's `category` for its `target`."""
    pairs = {(row[number].strip(), row[word].strip()) for row in body}
    numbers, words = ({pair[side] for pair in pairs} for side in (0, 1))
    numbered = all(map(reads_as_number, numbers)) and not any(map(reads_as_number, words))
    return numbered and len(pairs) == len(numbers) == len(words)


def _said(place: int, left: Mapping[int, str]) -> str:
    return f"the classes are in column {place + 1} ({printable(left[place])[:40]})"


def _of_column(shown: str, body: Sequence[Sequence[str]], place: int, left: Mapping[int, str]) -> list[str]:
    cells = [row[place].strip() for row in body]
    lists = [_items(cell) for cell in cells]
    if any(lists) and all(len(items) == 1 for cell, items in zip(cells, lists, strict=True) if cell):
        cells = [items[0] if items else "" for items in lists]
    elif joined := [cell for cell, items in zip(cells, lists, strict=True) if len(items) > 1] or _joined(
        cells, several_said=left[place].lower().endswith(_PLURALS)
    ):
        raise SourceError(
            f"{shown}: {len(joined):,} of {len(cells):,} pictures have several classes, such as "
            f"{printable(joined[0])[:60]!r} in column {printable(left[place])!r}: a picture has one class here; "
            f"leave such rows out, or write one class"
        )
    whole = all(reads_as_number(cell) and float(cell).is_integer() for cell in cells if cell)
    kinds = len(set(cells) - {""})
    if not whole and kinds > max(_MOST_SCORES, len(cells) / 2) and all(map(reads_as_number, filter(None, cells))):
        raise SourceError(
            f"{shown}: column {printable(left[place])!r} holds {kinds:,} different numbers in {len(cells):,} rows, "
            f"such as {printable(cells[0])[:20]}: these are values to predict, which are not trained on; write "
            f"classes, such as low and high"
        )
    return [str(int(float(cell))) if whole and cell else cell for cell in cells]


def _items(cell: str) -> list[str]:
    """What is in a cell that was written as a list, `['cat', 'dog']`."""
    if cell[:1] + cell[-1:] not in {"[]", "()", "{}"}:
        return []
    return [item for each in cell[1:-1].split(",") if (item := each.strip().strip("\"'"))]


def _joined(cells: Sequence[str], *, several_said: bool = False) -> list[str]:
    """Cells that name several classes: of words that are classes elsewhere, or that are put together anew each time."""
    joined = [cell for cell in cells if _SEPARATORS in cell]
    known = set(cells) - {""}
    for separator in (";", ",", " "):
        if joined:
            break
        parted = [{each.strip() for each in cell.split(separator)} for cell in known if separator in cell]
        again = Counter(word for words in parted for word in words)
        if several_said and separator != " " and any(count > 1 for count in again.values()):
            joined = [cell for cell in cells if separator in cell]
            continue
        pieces = {cell: [piece for each in cell.split(separator) if (piece := each.strip())] for cell in known}
        several = {cell for cell, each in pieces.items() if len(each) > 1}
        made = {cell for cell in several if known >= set(pieces[cell])}
        lengths, words = {len(each) for each in pieces.values()}, {piece for each in pieces.values() for piece in each}
        if len(lengths) >= _KINDS_OF_LENGTHS and len(known) > _ANEW * len(words):
            made = several
        joined = [cell for cell in cells if cell in made]
    return joined


def _one_hot(shown: str, body: Sequence[Sequence[str]], binary: Sequence[int], left: Mapping[int, str]) -> list[str]:
    set_in = [[place for place in binary if float(row[place] or 0) > 0] for row in body]
    several = [number for number, places in enumerate(set_in) if len(places) > 1]
    if several:
        both = " and ".join(printable(left[place])[:40] for place in set_in[several[0]][:3])
        raise SourceError(
            f"{shown}: {len(several):,} of {len(body):,} pictures have several classes, such as row {several[0] + 2:,} "
            f"({both}): a picture has one class here; leave such rows out, or write one class"
        )
    return [left[places[0]] if places else "" for places in set_in]
