"""What the files in a source's class folders are: pictures, recordings, tables, arrays, scans, or frames of clips.

The kind is seen from the names of the first few hundred files. Pictures are frames where every class folder holds
folders of pictures, in most of which they are numbered without a gap.
"""

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from thalweg.core.dataset import FormWish, Sample
from thalweg.data.files.unread_kinds import unread_kind
from thalweg.data.files.walk import Against, maybe_picture

__all__ = ["FileKind", "are_frames", "kind_of_file", "kind_of_files", "reason_against", "shown_kind"]

FileKind: TypeAlias = Literal["picture", "wav", "table", "npy", "nifti", "clip"]

_ENDINGS: MappingProxyType[FileKind, tuple[str, ...]] = MappingProxyType({
    "wav": (".wav", ".wave"),
    "table": (".csv", ".tsv"),
    "npy": (".npy", ".npz"),
    "nifti": (".nii", ".nii.gz"),
})
_CALLED: MappingProxyType[FileKind, tuple[str, str]] = MappingProxyType({
    "picture": ("pictures", ".jpg"),
    "wav": ("recordings", ".wav"),
    "table": ("tables", ".csv"),
    "npy": ("arrays", ".npy"),
    "nifti": ("scans", ".nii.gz"),
    "clip": ("frames", "/1.jpg"),
})
_TEXT = ".txt"
_ALONE = ("wav", "nifti")  # such files are samples wherever they lie; others may only tell about samples
_LOOKED_AT = 600
_FEWEST_FRAMES = 2
_FEWEST_CLIPS = 3  # a class
_FRAME = re.compile(r"(?:.*[_ -])?(?:frames?|frm|fr|f|slices?|slc)[_ -]?\d+\.", re.IGNORECASE)


@dataclass(slots=True)
class _Count:
    seen: Counter[FileKind]
    files: int = 0
    texts: int = 0  # which may be recordings where there is nothing else


def kind_of_file(name: str) -> FileKind | None:
    """The kind that a file's name speaks of.

    Args:
        name: The name.

    Returns:
        The kind; None for pictures and everything else.

    Example:
        >>> kind_of_file("a.WAV"), kind_of_file("scan.nii.gz"), kind_of_file("a.png")
        ('wav', 'nifti', None)
    """
    return next((kind for kind, endings in _ENDINGS.items() if name.lower().endswith(endings)), None)


def kind_of_files(root: str, form: FormWish = "auto") -> FileKind:
    """Look at the names of some files below the class folders.

    Args:
        root: The source's folder.
        form: What the user says the samples are; `pictures` settles it.

    Returns:
        What most of them are; pictures where nothing else has more.
    """
    count = _Count(Counter())
    if form != "pictures":
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                kind = kind_of_file(name)
                if folder != root or kind in _ALONE:
                    count.seen[kind or "picture"] += bool(kind or not maybe_picture(folder, name))
                    count.texts += name.lower().endswith(_TEXT)
            count.files += len(files)
            if count.files > _LOOKED_AT:
                break
    if not count.seen.total() and 2 * count.texts > count.files:
        return "table"
    count.seen["picture"] += 0
    return max(count.seen, key=lambda kind: (count.seen[kind], kind == "picture"))


def reason_against(kind: FileKind) -> Against:
    """Make the test by which files of a source are chosen.

    Args:
        kind: What its files are.

    Returns:
        A function of root and file that gives the reason why a file is none, or nothing.

    Example:
        >>> reason_against("wav")("", "dog/1.wav"), reason_against("wav")("", "dog/notes.txt")
        ('', 'none of the recordings that this source is made of')
    """
    if kind in {"picture", "clip"}:
        return maybe_picture

    def reason(root: str, file: str) -> str:
        del root
        if kind_of_file(file) == kind or (kind == "table" and file.lower().endswith(_TEXT)):
            return ""
        return unread_kind(file) or f"none of the {_CALLED[kind][0]} that this source is made of"

    return reason


def are_frames(samples: Sequence[Sample], classes: Collection[str], *, wanted: bool = False) -> bool:
    """Tell whether pictures are the frames of clips.

    Args:
        samples: The pictures of a source, with their paths.
        classes: The folders of the classes.
        wanted: Clips are asked for, so that doubt speaks for them.

    Returns:
        Whether each lies in a folder inside its class folder, most of which are numbered without a gap. Some clips that
        lack a frame, or have but one, change nothing: the latter are left out, and named, when clips are read. Photos
        in folders of a class are often numbered, too: folders whose names several classes share (`cat/indoor`,
        `dog/indoor`), or fewer than three a class, are clips only where the names of files speak of frames.

    Example:
        >>> walk = [Sample(f"walk/{clip}/frame{frame:03d}.png", 0) for clip in "ab" for frame in range(4)]
        >>> are_frames(walk, ["walk"]), are_frames(walk[::2], ["walk"]), are_frames(walk, ["walk/a", "walk/b"])
        (True, False, False)
    """
    clips: dict[str, list[int]] = {}
    for sample in samples:
        folder, _, name = sample.file.rpartition("/")
        number = re.search(r"(\d+)\D*$", name.rpartition(".")[0])
        if number is None or folder.rpartition("/")[0] not in classes:
            return False
        clips.setdefault(folder, []).append(int(number[1]))
    if not wanted and not _speak_of_frames(samples) and _may_be_kinds(clips):
        return False
    whole = sum(
        len(numbers) >= _FEWEST_FRAMES and sorted(numbers) == list(range(min(numbers), min(numbers) + len(numbers)))
        for numbers in clips.values()
    )
    return whole > len(clips) / 2


def _speak_of_frames(samples: Sequence[Sample]) -> bool:
    """Whether most names say frame, slice or the like before their number."""
    said = sum(bool(_FRAME.match(sample.file.rpartition("/")[2])) for sample in samples)
    return 2 * said > len(samples)


def _may_be_kinds(clips: Iterable[str]) -> bool:
    """Whether folders look like kinds within a class: their names return in other classes, or they are few."""
    owners: dict[str, set[str]] = {}
    for folder in clips:
        above, _, name = folder.rpartition("/")
        owners.setdefault(above, set()).add(name)
    names = Counter(name for inside in owners.values() for name in inside)
    shared = sum(count > 1 for count in names.values())
    return 2 * shared >= len(names) or sum(names.values()) < _FEWEST_CLIPS * len(owners)


def shown_kind(kind: FileKind) -> tuple[str, str]:
    """Name a kind for people.

    Args:
        kind: The kind.

    Returns:
        What such files are called, and the ending of an example.

    Example:
        >>> shown_kind("wav")
        ('recordings', '.wav')
    """
    return _CALLED[kind]
