"""Files of a source by what a table may call them: by path, name, without an ending, or by the folder around them."""

import itertools
import re
from collections.abc import Sequence

from thalweg.core.dataset import Part
from thalweg.data.files.part_names import part_of

__all__ = ["Names", "part_of_table"]

_TABLE_WORDS = (
    "labels",
    "label",
    "classes",
    "class",
    "annotations",
    "annotation",
    "ground_truth",
    "groundtruth",
    "metadata",
    "list",
)
_SEPARATOR = re.compile(r"[_. -]")
_MOST_BEGINNINGS = 3
_MOST_NAMES = 50_000  # files whose names are taken apart


class Names:
    """Pictures by what a table may call them."""

    def __init__(self, files: Sequence[str]) -> None:
        self.files = frozenset(files)
        self.by_name: dict[str, list[str]] = {}
        self.by_stem: dict[str, list[str]] = {}
        for file in sorted(files):
            name = file.rpartition("/")[2].lower()
            self.by_name.setdefault(name, []).append(file)
            stem = name.removesuffix(".gz").rpartition(".")[0] or name  # `.nii.gz`
            self.by_stem.setdefault(stem, []).append(file)
        self._folders: dict[str, list[str]] = {}

    def find(self, cell: str, home: str) -> str:
        """The picture that a cell means; empty for none, or where several would do.

        Args:
            cell: The table's cell.
            home: Folder of the table.

        Returns:
            The picture's path.
        """
        path = cell.strip().strip("\"'").replace("\\", "/").removeprefix("./")
        if path in self.files:
            return path
        if home and f"{home}/{path}" in self.files:
            return f"{home}/{path}"
        name = path.rpartition("/")[2].lower()
        several = self.by_name.get(name) or self.by_stem.get(name, [])
        return several[0] if len(several) == 1 else _by_ending(path, several, home)

    def inside(self, cell: str) -> Sequence[str]:
        """The files in a folder that a cell means, such as that of a patient, or whose names begin with it.

        Args:
            cell: The table's cell.

        Returns:
            Their paths; nothing where no folder around a file is called so, nor a file begins so: `101_1b1.wav`.
        """
        if not self._folders:
            for file in sorted(self.files):
                *folders, name = file.lower().split("/")
                for folder in {*folders, *(_beginnings(name) if len(self.files) <= _MOST_NAMES else ())}:
                    self._folders.setdefault(folder, []).append(file)
        return self._folders.get(cell.strip().strip("\"'").replace("\\", "/").strip("/").rpartition("/")[2].lower(), ())


def _beginnings(name: str) -> Sequence[str]:
    """Words that a name begins with, up to each of its first separators."""
    ends = [match.start() for match in itertools.islice(_SEPARATOR.finditer(name), _MOST_BEGINNINGS)]
    return [name[:end] for end in ends if end]


def _by_ending(path: str, several: Sequence[str], home: str) -> str:
    """Of files of one name the one whose folders agree furthest with a path's; those in the table's own part first."""

    def shared(file: str) -> int:
        ours, theirs = reversed(file.lower().split("/")[:-1]), reversed(path.lower().split("/")[:-1])
        return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(ours, theirs, strict=False)))

    mine = [file for file in several if home and part_of_table(file.partition("/")[0]) == home] or list(several)
    best = sorted(((shared(file), file) for file in mine), reverse=True)
    if not best or (len(best) > 1 and best[0][0] == best[1][0]):
        return ""
    return best[0][1]


def part_of_table(path: str) -> Part | None:
    """The part that a table or folder is of.

    Args:
        path: Its path.

    Returns:
        The part; None where its name says none.

    Example:
        >>> part_of_table("train_labels.csv"), part_of_table("a/seg_test"), part_of_table("labels.csv")
        ('train', 'test', None)
    """
    name = path.rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    for word in _TABLE_WORDS:
        stem = stem.lower().replace(word, " ")
    return part_of(stem)
