"""What a source of labelled pictures turned out to hold: files, classes, what was left out, how it was split."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = ["DataSummary", "Duplicate", "Notice", "Part", "Sample"]

Part: TypeAlias = Literal["train", "validation", "test"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled file.

    Args:
        file: Path relative to the source's root, with forward slashes.
        label: Index of its class in the source's class list.
        part: The split the source itself assigns (its own `train/` and `test/` folders), or None.
    """

    file: str
    label: int
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A file, or the whole source (`file` empty), and the reason it was left out or is odd."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Files that show the same picture.

    Args:
        kind: `exact` (same decoded pixels) or `near` (re-encoded, resized or flipped).
        files: Two or more files, in order of path.
        labels_differ: Whether they carry different classes, which is worth a look.
    """

    kind: Literal["exact", "near"]
    files: tuple[str, ...]
    labels_differ: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSummary:
    """Everything `data.json` holds.

    Args:
        source: The source as the user named it.
        classes: Class names in index order.
        class_counts: Usable files a class, in the same order.
        files: Number of usable files; train + validation + test files.
        train: Files used for training.
        validation: Files used for validation; empty when the one held-out split is called test.
        test: Files of the reported split when there are three; empty otherwise.
        left_out: Files that were not used, each with its reason.
        warnings: Files that were used although something about them is odd.
        duplicates: Groups of files that show the same picture.
        upright: Whether pictures have an upright direction (False lets augmentation overturn them).
        content: Four bytes of a digest of every picture's pixels, those of the training files first, then validation,
            then test, so that a run that goes on notices pictures that changed.
    """

    source: str
    classes: tuple[str, ...]
    class_counts: tuple[int, ...]
    files: int
    train: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    left_out: tuple[Notice, ...] = ()
    warnings: tuple[Notice, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    upright: bool = True
    content: bytes = b""
    counts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Usable files a class in each part, such as `{"train": (1442, 657)}`."""
