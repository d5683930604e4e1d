"""Lists that say which files of a source are for validation and for testing: one file a line, in a text called so.

Speech Commands has `validation_list.txt` and `testing_list.txt` beside its class folders, Food-101 `meta/train.txt` and
`meta/test.txt`; what the former do not name is for training.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from thalweg.core.dataset import Notice, Part, Sample
from thalweg.core.files import printable
from thalweg.data.files.beside import files_around, lines_of
from thalweg.data.files.named_files import Names
from thalweg.data.files.part_names import part_within
from thalweg.data.finding.scanned import Scan
from thalweg.data.sample_table import Samples, parts_of

__all__ = ["with_parts_of_lists"]

_PLACES = frozenset({"meta", "metadata", "splits", "split", "lists", "info"})
_LARGEST = 32 << 20
_NAMED = 0.5
_MOST_TOLD = 200


def with_parts_of_lists(found: Scan, top: Path) -> Scan:
    """Give the files of a source the parts that its lists say, where its folders say none.

    Args:
        found: What was found.
        top: The folder that the user named, around that of the files or the same.

    Returns:
        The same, with parts, and that said.
    """
    if (
        found.masks is not None
        or found.measured is not None
        or found.stored is not None
        or parts_of(found.samples).any()
    ):
        return found
    lists = list(_lists(found.root, top))
    if not lists:
        return found
    names = Names(list(found.files))
    parts: dict[str, Part] = {}
    used: list[str] = []
    for path, part in sorted(lists, key=lambda each: each[1] == "train"):  # what two lists name is held out
        lines = lines_of(path)
        files = {file for line in lines if (file := names.find(line, "") or names.find(line.split()[0], ""))}
        if len(files) > _NAMED * len(lines):
            used.append(path.name)
            for file in files:
                parts.setdefault(file, part)
    if not set(parts.values()) - {"train"}:
        return found
    listed = "train" in parts.values()
    missed = [file for file in found.files if file not in parts] if listed else []
    kept = Samples.of(
        Sample(each.file, each.label, parts.get(each.file, "train"))
        for each in found.samples
        if not listed or each.file in parts
    )
    counts = {part: sum(each == part for each in parts.values()) for part in ("validation", "test")}
    held = " and ".join(f"{count:,} for {part}" for part, count in counts.items() if count)
    said = Notice("", f"{' and '.join(map(printable, used))}: the source's own lists of parts are kept ({held})")
    left_out = [Notice(file, "named in none of the source's lists") for file in missed[:_MOST_TOLD]]
    if len(missed) > _MOST_TOLD:
        left_out.append(Notice("", f"{len(missed) - _MOST_TOLD:,} further files: named in none of the source's lists"))
    return replace(found, samples=kept, warnings=(*found.warnings, said), left_out=(*found.left_out, *left_out))


def _lists(root: Path, top: Path) -> Iterator[tuple[Path, Part]]:
    """Texts beside the folder of the files, and around it, that are called as parts are."""
    for level in files_around(root, top, _PLACES, (".txt", ".lst")):
        for path in level:
            part = part_within(path.stem)
            if part and path.stat().st_size <= _LARGEST:
                yield path, part
