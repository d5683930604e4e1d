"""What belongs together and must not be torn apart by a split: files of a patient, a subject, a speaker.

Columns of tables say it by their name (`patient_id`, `Subject ID`, `speaker`); names of files do where a naming is
known to say it: BIDS (`sub-01_ses-2_T1w.nii.gz`), TCGA's barcodes (`TCGA-CS-4941`), Speech Commands
(`0a7c2a8d_nohash_1.wav`).
"""

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

__all__ = ["GROUP_COLUMNS", "Groups", "best_column", "groups_in_names", "may_be_class", "rank_of_column", "together"]

Groups: TypeAlias = tuple[tuple[str, ...], ...]

GROUP_COLUMNS = (
    *("patient", "subject", "participant", "person", "speaker", "actor", "volunteer", "user", "client", "donor"),
    *("animal", "case", "slide", "lesion", "src_file", "fsid", "بیمار"),
)  # fmt: skip
"""What columns are called that say it, the widest first: a patient may have several lesions."""
_NUMBERED = ("case", "slide", "client", "user")  # so called only with `id` behind, or as a word of its own in arrays
_IDS = re.compile(r"[ _-]?(?:ids?|no|nr|number|code|key)$")
_NAMINGS = (
    (re.compile(r"(?:^|/)(sub-[A-Za-z0-9]+)(?=[_/.])"), "subject"),
    (re.compile(r"(?:^|/)(TCGA[-_][A-Z0-9]{2}[-_][A-Z0-9]{4})(?![A-Z0-9])"), "patient"),
    (re.compile(r"(?:^|/)([0-9a-f]{8})_nohash_\d+\.[a-z0-9]+$"), "speaker"),
)
_FOLDERS = (
    (re.compile(r"/((?:patient|subject|pat|subj|case)s?[ _-]?\(?\d+\)?)/[^/]+$", re.IGNORECASE), "patient"),
    (re.compile(r"/((?:speaker|actor|person|participant|user)s?[ _-]?\(?\d+\)?)/[^/]+$", re.IGNORECASE), "person"),
)
"""Folders of patients in those of classes; of one name in two classes, they may be one."""


def rank_of_column(name: str) -> int | None:
    """Tell whether a column says what belongs together, by its name.

    Args:
        name: The column's name.

    Returns:
        Its rank, 0 for the widest; None for every other column.

    Example:
        >>> rank_of_column("Patient ID"), rank_of_column("subject"), rank_of_column("lesion_id") is None
        (0, 1, False)
        >>> rank_of_column("case"), rank_of_column("age")
        (None, None)
    """
    whole = name.strip().lower()
    word = _IDS.sub("", whole).removesuffix("s")
    if word not in GROUP_COLUMNS and whole not in GROUP_COLUMNS:
        return None
    if word in _NUMBERED and whole.removesuffix("s") == word and word != "user":
        return None
    return GROUP_COLUMNS.index(word if word in GROUP_COLUMNS else whole)


def may_be_class(name: str) -> bool:
    """Tell whether a column that says what belongs together may be what is to be told apart all the same.

    Args:
        name: The column's name.

    Returns:
        True for persons and speakers, whom networks are asked to know; False for numbers of patients and the like.

    Example:
        >>> may_be_class("speaker"), may_be_class("patient_id"), may_be_class("speaker_id")
        (True, False, False)
    """
    return name.strip().lower() in {"person", "speaker", "actor", "name"}


def best_column(names: Sequence[str]) -> int | None:
    """Choose the column that says it most widely.

    Args:
        names: Of all columns.

    Returns:
        Its place; None where none says it.

    Example:
        >>> best_column(["image", "lesion_id", "patient_id"]), best_column(["image", "age"])
        (2, None)
    """
    ranked = [(rank, place) for place, name in enumerate(names) if (rank := rank_of_column(name)) is not None]
    return min(ranked)[1] if ranked else None


def together(pairs: Iterable[tuple[str, str]]) -> tuple[Groups, int]:
    """Gather what belongs together.

    Args:
        pairs: File and what it belongs to.

    Returns:
        The files of each group that has two or more, and how many groups there are.

    Example:
        >>> together([("a", "p1"), ("b", "p1"), ("c", "p2")])
        ((('a', 'b'),), 2)
    """
    members: dict[str, list[str]] = {}
    for file, group in pairs:
        members.setdefault(group, []).append(file)
    return tuple(tuple(files) for files in members.values() if len(files) > 1), len(members)


def groups_in_names(files: Sequence[str]) -> tuple[Groups, int, str]:
    """Find what belongs together where the names of all files say it as a known naming does.

    Args:
        files: Paths of the files.

    Returns:
        The groups of two or more, how many groups there are, and what they are; nothing where not all names say it.

    Example:
        >>> groups_in_names(["ad/sub-01_ses-1.nii", "ad/sub-01_ses-2.nii", "cn/sub-02_ses-1.nii"])
        ((('ad/sub-01_ses-1.nii', 'ad/sub-01_ses-2.nii'),), 2, 'subject')
        >>> groups_in_names(["cat/1.jpg", "dog/1.jpg"])
        ((), 0, '')
    """
    for naming, what in (*_NAMINGS, *_FOLDERS):
        found = []
        for file in files:
            match = naming.search(file)
            if match is None:
                break
            found.append((file, match[1]))
        else:
            groups, number = together(found)
            if number > 1:
                return groups, number, what
    return (), 0, ""
