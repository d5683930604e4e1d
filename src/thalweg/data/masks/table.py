"""Pictures and masks that a table names side by side: `image,mask` with a pair of files a row."""

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

from thalweg.core.dataset import Notice, Sample
from thalweg.core.errors import SourceError
from thalweg.data.files.named_files import Names
from thalweg.data.files.part_names import PART_NAMES
from thalweg.data.files.walk import Listing, walk_folders
from thalweg.data.formats.tables import TABLES, open_rows
from thalweg.data.labels.label_table import file_column, rows_of

__all__ = ["pairs_in_table"]

_MASK_COLUMNS = ("mask", "label", "annotation", "seg", "truth", "gt", "target")
_LOOKED_AT = 200
_MOST_TABLES = 8
_ENOUGH = 0.5


def pairs_in_table(root: Path, listing: Listing) -> tuple[str, tuple[Sample, ...], tuple[Notice, ...]] | None:
    """Find a table in which one column names pictures and another their masks.

    Args:
        root: The source's folder.
        listing: What lies there.

    Returns:
        The table's name, the pairs, and rows that name what is not there; None without such a table.
    """
    tables = [name for name in listing.files if name.lower().endswith(TABLES)]
    names: Names | None = None
    for table in tables[:_MOST_TABLES]:
        try:
            place = _mask_column(list(itertools.islice(open_rows(root / table), _LOOKED_AT)))
            rows = [] if place is None else rows_of(root / table)
        except SourceError:
            continue
        if place is None or not rows:
            continue
        if names is None:
            found, _ = walk_folders(os.fspath(root), listing.folders, linked=listing.linked)
            names = Names([*listing.files, *(file for files in found.values() for file in files)])
        pairs = _pairs(rows, place, names)
        if pairs is not None:
            return table, *pairs
    return None


def _mask_column(rows: Sequence[Sequence[str]]) -> int | None:
    """The column called as masks are whose cells look like files; of others nothing need be listed."""
    if len(rows) < 2:  # noqa: PLR2004 - a header and a row
        return None
    for place, name in enumerate(rows[0]):
        cells = [row[place] for row in rows[1:_LOOKED_AT] if place < len(row) and row[place]]
        if any(word in name.lower() for word in _MASK_COLUMNS) and cells and all("." in cell for cell in cells):
            return place
    return None


def _pairs(
    rows: Sequence[Sequence[str]], place: int, names: Names
) -> tuple[tuple[Sample, ...], tuple[Notice, ...]] | None:
    others = [[cell if at != place else "" for at, cell in enumerate(row)] for row in rows[1:]]
    pictures = file_column(others[:_LOOKED_AT], max(map(len, rows)), names, "")
    if pictures is None:
        return None
    part = next((at for at, name in enumerate(rows[0]) if name.lower() in {"split", "part", "set", "fold"}), None)
    samples: dict[str, Sample] = {}
    missing = []
    for row in rows[1:]:
        picture, mask = (names.find(row[at], "") if at < len(row) else "" for at in (pictures, place))
        if picture and mask and picture != mask:
            said = row[part].lower() if part is not None and part < len(row) else ""
            samples.setdefault(picture, Sample(picture, 0, PART_NAMES.get(said), mask))
        else:
            cell = row[place if picture else pictures] if max(place, pictures) < len(row) else row[0]
            missing.append(Notice(cell, "the table names it, but no such file is there"))
    if len(samples) < _ENOUGH * len(rows[1:]):
        return None
    if len({sample.part for sample in samples.values()}) < 2:  # noqa: PLR2004 - a split has two sides
        return tuple(Sample(each.file, 0, None, each.mask) for each in samples.values()), tuple(missing)
    return tuple(samples.values()), tuple(missing)
