"""The classes of masks: a table beside them (`classes.csv` in whatever column order), or the layout's usual names.

    id,name,r,g,b        name,r,g,b          0,128,128,128,Sky      64 128 64<tab>Animal      one name a line
    0,Sky,128,128,128    Sky,128,128,128     Sky:128,128,128::      {"classes": [{"title": "Sky", "color": "#808080"}]}

A class called void, unlabelled, ignore or the like is no class: its pixels are neither trained on nor scored.
"""

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.core.masks import Colour

__all__ = ["TABLES", "ClassTable", "TableRow", "find_table", "usual_table"]

TABLES = (
    "classes.csv", "class_dict.csv", "classes.txt", "labels.csv", "labels.txt", "label_colors.txt", "codes.txt",
    "class_names.txt", "labelmap.txt", "palette.csv", "_classes.csv", "objectInfo150.txt", "classes.json", "meta.json",
)  # fmt: skip
_LARGEST = 2**20  # bytes of a table that is read
_VOID = frozenset({
    "void", "unlabeled", "unlabelled", "ignore", "ignored", "ignore_region", "ignore region", "unknown", "undefined",
    "dontcare", "don't care", "dont care", "none", "ambiguous", "border",
})  # fmt: skip
_COLUMNS = {
    "id": {
        "id",
        "index",
        "value",
        "label_id",
        "labelid",
        "class_id",
        "classid",
        "number",
        "idx",
        "code",
        "train_id",
        "pixel value",
        "pixel_value",
    },
    "name": {"name", "class", "label", "class_name", "classname", "category", "title", "label_name"},
    "r": {"r", "red"},
    "g": {"g", "green"},
    "b": {"b", "blue"},
    "colour": {"colour", "color", "rgb", "hex"},
}
_NUMBERS = 3  # of a colour
_CVAT = re.compile(r"([^:#][^:]*):(\d+,\d+,\d+):")  # name:r,g,b:parts:actions

VOC = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable",
    "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
CITYSCAPES: tuple[tuple[int, str, Colour], ...] = (
    (7, "road", (128, 64, 128)), (8, "sidewalk", (244, 35, 232)), (11, "building", (70, 70, 70)),
    (12, "wall", (102, 102, 156)), (13, "fence", (190, 153, 153)), (17, "pole", (153, 153, 153)),
    (19, "traffic light", (250, 170, 30)), (20, "traffic sign", (220, 220, 0)), (21, "vegetation", (107, 142, 35)),
    (22, "terrain", (152, 251, 152)), (23, "sky", (70, 130, 180)), (24, "person", (220, 20, 60)),
    (25, "rider", (255, 0, 0)), (26, "car", (0, 0, 142)), (27, "truck", (0, 0, 70)), (28, "bus", (0, 60, 100)),
    (31, "train", (0, 80, 100)), (32, "motorcycle", (0, 0, 230)), (33, "bicycle", (119, 11, 32)),
)  # fmt: skip
_CITYSCAPES_VOID = (0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One line of a table of classes.

    Args:
        value: What the class's pixels hold in masks of numbers.
        name: Its name.
        colour: Its colour in coloured masks, where the table says one.
        void: Whether it stands for pixels without a class.
    """

    value: int
    name: str
    colour: Colour | None = None
    void: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTable:
    """The classes of a source.

    Args:
        rows: One a class, in the table's order.
        place: The file it was read from, or what it is known from.
        numbered: Whether the table says what number stands for a class; else the lines' order does.
    """

    rows: tuple[TableRow, ...]
    place: str
    numbered: bool = True

    @property
    def classes(self) -> tuple[TableRow, ...]:
        """The rows that are classes."""
        return tuple(row for row in self.rows if not row.void)


def usual_table(kind: str) -> ClassTable | None:
    """The classes that a layout is known for.

    Args:
        kind: `voc`, `cityscapes`, `cityscapes-train` or another.

    Returns:
        The table, or None where there is no usual one.

    Example:
        >>> usual_table("cityscapes-train").classes[0].value, usual_table("cityscapes").classes[0].value
        (0, 7)
    """
    if kind == "voc":
        return ClassTable(
            rows=tuple(TableRow(value=v, name=n) for v, n in enumerate(VOC)), place="Pascal VOC's classes"
        )
    if kind == "cityscapes-train":
        rows = [TableRow(value=at, name=n, colour=c) for at, (_, n, c) in enumerate(CITYSCAPES)]
        return ClassTable(rows=tuple(rows), place="Cityscapes' 19 training classes")
    if kind == "cityscapes":
        rows = [TableRow(value=v, name=n, colour=c) for v, n, c in CITYSCAPES]
        rows += [TableRow(value=v, name=f"void {v}", void=True) for v in _CITYSCAPES_VOID]
        return ClassTable(rows=tuple(rows), place="Cityscapes' 19 classes; its other ids count as void")
    return None


def find_table(root: Path) -> ClassTable | None:
    """Read the table of classes beside the folders.

    Args:
        root: The source's folder.

    Returns:
        The table, or None where there is no such file.

    Raises:
        SourceError: The file is there and cannot be read as a table of classes.
    """
    for name in TABLES:
        path = root / name
        if path.is_file() and (path.suffix != ".json" or _of_json(_text(path))):
            return _read(path)
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig") if path.stat().st_size <= _LARGEST else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _read(path: Path) -> ClassTable:
    shown = printable(path)
    try:
        if path.stat().st_size > _LARGEST:
            raise SourceError(f"{shown}: has {path.stat().st_size:,} bytes, too many for a table of classes")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SourceError(f"{shown}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SourceError(f"{shown}: is no UTF-8 text; save it as UTF-8") from None
    lines = [(at, line) for at, line in enumerate(_cells(text), start=1) if any(line)]
    if not lines:
        raise SourceError(f"{shown}: is empty; a line a class is wanted, such as 0,Road,128,64,128")
    header = _header(lines[0][1])
    rows = [
        _row(cells, header, place, f"{shown}, line {at}") for place, (at, cells) in enumerate(lines[bool(header) :])
    ]
    for what, values in (("name", [row.name for row in rows]), ("id", [row.value for row in rows])):
        twice = next((value for at, value in enumerate(values) if value in values[:at]), None)
        if twice is not None:
            raise SourceError(f"{shown}: the {what} {printable(str(twice))} stands there twice")
    if sum(not row.void for row in rows) < 2:  # noqa: PLR2004 - something must be told apart
        number = sum(not row.void for row in rows)
        raise SourceError(
            f"{shown}: names fewer than two classes ({number}): give the rest of the picture a line, too, such as "
            f"0,background"
        )
    numbered = "id" in (header or _guessed(lines[0][1], shown))
    return ClassTable(rows=tuple(rows), place=path.name, numbered=numbered)


def _cells(text: str) -> list[list[str]]:
    if text.lstrip().startswith(("{", "[")):
        return _of_json(text)
    lines = [line for line in text.splitlines() if line.strip()]
    if all(_CVAT.match(line) for line in lines[bool(lines) and lines[0].startswith("#") :]) and len(lines) > 1:
        found = filter(None, map(_CVAT.match, lines))
        return [["name", "colour"], *([match[1], match[2]] for match in found)]
    if lines and all(_is_colours(line) for line in lines):  # as CamVid itself writes them
        return [re.split(r"\s+", line.strip(), maxsplit=3) for line in lines]
    mark = next((each for each in (",", ";", "\t") if lines and each in lines[0]), None)
    if mark is None:
        return [[line.strip()] for line in lines]
    try:
        return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark)]
    except csv.Error:  # an open quotation mark, a cell without end: plain separators then
        return [[cell.strip() for cell in line.split(mark)] for line in lines]


def _of_json(text: str) -> list[list[str]]:
    """Supervisely's and others' lists of classes: `{"classes": [{"title": "Sky", "color": "#808080"}]}`."""
    try:
        held: object = json.loads(text)
    except (ValueError, RecursionError):
        return []
    records = held.get("classes") if isinstance(held, dict) else held
    rows = []
    for each in records if isinstance(records, list) else []:
        name = each.get("title") or each.get("name") if isinstance(each, dict) else None
        if not isinstance(name, str) or not isinstance(each.get("color"), str):
            return []
        rows.append([name, each["color"]])
    return [["name", "colour"], *rows] if rows else []


def _is_colours(line: str) -> bool:
    return re.match(r"\s*\d+\s+\d+\s+\d+\s+\S", line) is not None


def _header(cells: Sequence[str]) -> dict[str, int]:
    """Columns by what they hold; empty where the first line is a class already."""
    found: dict[str, int] = {}
    for at, cell in enumerate(cells):
        for what, words in _COLUMNS.items():
            if cell.lower().strip("#") in words:
                found.setdefault(what, at)
    return found if "name" in found else {}


def _row(cells: Sequence[str], header: dict[str, int], order: int, place: str) -> TableRow:
    if not header:
        header = _guessed(cells, place)
    try:
        name = cells[header["name"]]
        colour = _colour(cells, header)
        value = int(cells[header["id"]]) if "id" in header else order
    except (IndexError, ValueError):
        shown = printable(",".join(cells))
        raise SourceError(
            f"{place}: {shown!r} is no class; wanted are id, name and colour as in 0,Road,128,64,128"
        ) from None
    if not name or value < 0 or value > 65_535 or (colour and not all(0 <= part <= 255 for part in colour)):  # noqa: PLR2004
        raise SourceError(f"{place}: a name, an id from 0 to 65535 and colours from 0 to 255 are wanted")
    return TableRow(value=value, name=name, colour=colour, void=name.lower().strip() in _VOID)


def _guessed(cells: Sequence[str], place: str) -> dict[str, int]:
    """Columns of a table without a header, by which cells are numbers."""
    words = [at for at, cell in enumerate(cells) if cell and not re.fullmatch(r"-?\d+", cell)]
    numbers = [at for at, cell in enumerate(cells) if re.fullmatch(r"\d+", cell)]
    if not words:
        raise SourceError(f"{place}: has no name of a class")
    found = {"name": words[0]}
    if len(numbers) in {1, _NUMBERS + 1}:
        found["id"] = numbers.pop(0)
    if len(numbers) == _NUMBERS:
        found |= dict(zip("rgb", numbers, strict=True))
    return found


def _colour(cells: Sequence[str], header: dict[str, int]) -> Colour | None:
    if {"r", "g", "b"} <= set(header):
        red, green, blue = (int(cells[header[channel]]) for channel in "rgb")
        return red, green, blue
    if "colour" in header and (text := cells[header["colour"]]):
        if match := re.fullmatch(r"#?([0-9a-fA-F]{6})", text):
            number = int(match[1], 16)
            return number >> 16, number >> 8 & 255, number & 255
        red, green, blue = map(int, re.findall(r"\d+", text))
        return red, green, blue
    return None
