"""Files of one patient, subject or speaker, whatever their classes were found by: in tables, or in their names.

Classes may stand in folders and patients in a table beside them, or masks beside pictures and patients in a table; and
where every file is called as a known naming has it, the names say it.
"""

import functools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from thalweg.core.dataset import Notice
from thalweg.core.files import printable
from thalweg.data.files.belonging import groups_in_names, together
from thalweg.data.files.beside import files_around
from thalweg.data.files.kinds import shown_kind
from thalweg.data.files.named_files import Names
from thalweg.data.finding.scanned import Scan
from thalweg.data.labels.label_table import LISTS, read_groups
from thalweg.data.labels.label_tables import same_side

__all__ = ["hold_together"]

_MOST_TABLES = 12
_BESIDE = frozenset({"meta", "metadata", "info", "annotations", "csv", "labels"})


def hold_together(found: Scan, top: Path) -> Scan:
    """Find the files that must stay on one side of a split, where the scan did not find such.

    Args:
        found: What was found.
        top: The folder that the user named, around that of the files or the same.

    Returns:
        The same, with what belongs together, and that said.
    """
    if found.together or found.measured is not None or found.stored is not None:
        return found
    what = shown_kind(found.kind)[0]
    names = functools.cache(lambda: Names(list(found.files)))
    around = files_around(found.root, top, _BESIDE, LISTS)
    for table in (table for level in around for table in level[:_MOST_TABLES]):
        column, groups = read_groups(table, names)
        held, number = together(groups.items())
        if held and number > 1 and not _are_classes(groups, found):
            said = Notice(printable(table.name), same_side(what, column, number))
            return replace(found, together=held, warnings=(*found.warnings, said))
    held, number, whose = groups_in_names(found.files)
    if not held:
        return found
    said = Notice("", f"{what} of one {whose}, by their names, stay on one side of the split ({number:,} of them)")
    return replace(found, together=held, warnings=(*found.warnings, said))


def _are_classes(groups: Mapping[str, str], found: Scan) -> bool:
    """Whether what files belong to is their class: persons that are told apart."""
    label = dict(zip(found.files, found.labels.tolist(), strict=True))
    pairs = {(group, label.get(file)) for file, group in groups.items()}
    return found.masks is None and len(pairs) == len(set(groups.values())) == len(found.classes)
