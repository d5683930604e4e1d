"""Sources without class folders or tables: classes in the names of files, and boxes, which are not trained on."""

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from thalweg.core.files import printable
from thalweg.data.files.walk import list_folder

__all__ = ["boxes_in", "classes_of_names"]

_NUMBERED = re.compile(r"(?P<name>\D*?[^\W\d_]\D*?)[ ._-]*(?:\(\d+\)|\d+)$")  # no number within: those are sequences
_NUMBER_FIRST = re.compile(r"\d+(?:[ ._-]+\d+)*[ ._-]+(?P<name>\D*?[^\W\d_]\D*?)(?:[ ._-]*\d+)?")
_SAYS_NOTHING = re.compile(
    r"(?:img|image|images|photo|foto|pic|picture|dsc|dscn|dscf|pxl|screenshot|scan|sample|frame|file|isic|copy|x)"
    r"|(?:test|train|val|left|right|front|back|side|top|rgb|depth|mask|color|colour|gray|grey|crop|cropped|small|large)",
    re.IGNORECASE,
)
_OUTLINES: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "LabelMe": (r'"shapes"', r'"points"', r'"imagePath"'),
    "COCO panoptic": (r'"segments_info"',),
    "COCO": (r'"annotations"', r'"segmentation": ?(?:\[ ?\[|\{)'),
    "Supervisely": (r'"geometryType"', r'"objects"'),
    "VGG Image Annotator": (r'"regions"', r'"all_points_x"'),
    "Label Studio": (r'"polygonlabels"|"brushlabels"',),
    "Cityscapes": (r'"polygon"', r'"imgHeight"'),
    "GeoJSON": (r'"FeatureCollection"', r'"Polygon"'),
    "XML": (r"<(?:Vertex|Vertices|polygon|pt)\b",),
})
"""What is in files of outlines, one expression after another; each must be found."""
_LEAST_EACH = 2
_MOST_FOLDERS = 16
_MOST_SHARE = 0.9
_LOOKED_AT = 1 << 16


def classes_of_names(files: Sequence[str]) -> dict[str, str]:
    """Read classes from names that end in a number, or begin with one: the rest, where it comes again and again.

    Args:
        files: Paths of pictures that lie in one folder.

    Returns:
        Path to class; nothing unless nine of ten names say one, each class has two pictures at least and all have four
            on average, and there are two classes that say more than `IMG` or `photo`.

    Example:
        >>> classes_of_names([f"{name}.{number}.jpg" for name in ("cat", "dog") for number in range(4)])["dog.1.jpg"]
        'dog'
        >>> classes_of_names([f"{number}_{name}.jpg" for name in ("cat", "dog") for number in range(4)])["1_dog.jpg"]
        'dog'
        >>> classes_of_names(["IMG_1.jpg", "IMG_2.jpg", "DSC_1.jpg", "DSC_2.jpg"])
        {}
    """
    named = {}
    for file in files:
        stem = file.rpartition("/")[2].rpartition(".")[0]
        found = _NUMBERED.fullmatch(stem) or _NUMBER_FIRST.fullmatch(stem)
        if found:
            named[file] = found["name"]
    counts = Counter(named.values())
    kept = {file: name for file, name in named.items() if counts[name] >= _LEAST_EACH}
    telling = {name for name in kept.values() if not _SAYS_NOTHING.fullmatch(name)}
    if len(telling) < _LEAST_EACH or len(kept) < _MOST_SHARE * len(files) or len(telling) > len(files) / 4:
        return {}
    return kept


def boxes_in(root: Path) -> str:
    """Say that a source is one of detection, if it is.

    Args:
        root: The source's folder.

    Returns:
        A sentence; empty where nothing speaks of boxes.
    """
    top = os.fspath(root)
    listing = list_folder(top)
    folders = ["", *listing.folders]
    folders += [
        f"{name}/{inner}" for name in listing.folders[:_MOST_FOLDERS] for inner in list_folder(top, name).folders
    ]
    for folder in folders[:64]:
        for name in list_folder(top, folder).files[:32]:
            file = f"{folder}/{name}" if folder else name
            if outlines := _kind_of_outlines(root / file):
                return (
                    f"it holds outlines of objects ({outlines}: {printable(file)}), and these are not read: fill them "
                    f"into masks, a PNG file in masks/ for each picture in images/, as labelling tools export them"
                )
            kind = _kind_of_boxes(root / file)
            if kind:
                return (
                    f"it holds boxes of objects ({kind}: {printable(file)}), and boxes are not trained on here: a "
                    f"class is given to a whole picture, or to every pixel; cut the boxes out, one folder a class, "
                    f"such as cat/1.jpg and dog/1.jpg"
                )
    return ""


def _head(path: Path) -> str:
    """The beginning of a text that may tell of objects."""
    if path.suffix.lower() not in {".json", ".txt", ".xml", ".geojson"}:
        return ""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_LOOKED_AT)
    except OSError:
        return ""


def _kind_of_outlines(path: Path) -> str:
    head = _head(path)
    for kind, words in _OUTLINES.items():
        if head and all(re.search(word, head) for word in words):
            return kind
    rows = [line.split() for line in head.splitlines()[:8] if line.strip()] if path.suffix == ".txt" else []
    polygons = rows and all(_is_box(row) and len(row) > 5 and len(row) % 2 for row in rows)  # noqa: PLR2004 - a class, points
    return "YOLO" if polygons else ""


def _kind_of_boxes(path: Path) -> str:
    ending, head = path.suffix.lower(), _head(path)
    if not head:
        return ""
    if ending == ".json":
        return "COCO" if '"bbox"' in head or ('"annotations"' in head and '"images"' in head) else ""
    if ending == ".xml":
        return "Pascal VOC" if "<bndbox>" in head else ""
    rows = [line.split() for line in head.splitlines()[:8] if line.strip()]
    return "YOLO" if rows and all(_is_box(row) for row in rows) else ""


def _is_box(row: Sequence[str]) -> bool:
    """`class x y width height`, shares of the picture, and more points for outlines."""
    if len(row) < 5 or not row[0].isdecimal():  # noqa: PLR2004 - a class and four numbers
        return False
    try:
        return all(0 <= float(cell) <= 1 for cell in row[1:])
    except ValueError:
        return False
