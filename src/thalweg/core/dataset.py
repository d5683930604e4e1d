"""What a source of labelled samples turned out to hold: files, classes, what was left out, how it was split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

from thalweg.core.masks import MaskReading

__all__ = [
    "AXES",
    "DataSummary",
    "Duplicate",
    "Form",
    "FormWish",
    "Notice",
    "Part",
    "Reading",
    "Sample",
    "ValueRange",
    "Wanted",
]

Part: TypeAlias = Literal["train", "validation", "test"]
Form: TypeAlias = Literal["picture", "signal", "volume"]
FormWish: TypeAlias = Literal["auto", "pictures", "signals", "volumes"]
AXES: Mapping[Form, int] = MappingProxyType({"signal": 1, "picture": 2, "volume": 3})
"""Spatial axes of one sample of each form."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled file.

    Args:
        file: Path relative to the source's root, with forward slashes; a name that no file has for what an array holds.
        label: Index of its class in the source's class list.
        part: The split the source itself assigns (its own `train/` and `test/` folders), or None.
        mask: Path of its mask relative to the root, where every pixel has a class of its own; else empty.
    """

    file: str
    label: int
    part: Part | None = None
    mask: str = ""


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


@dataclass(frozen=True, slots=True)
class ValueRange:
    """Which numbers of an array of pictures are black and white.

    Args:
        low: Shown as 0.
        high: Shown as 255.
        kind: `float`, or the type of the whole numbers, such as `uint16`.
    """

    low: float
    high: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How a source of measured values shall be read, where there is a choice.

    Args:
        form: What its samples are, or `auto` to see it.
        window: Length of the windows that recordings are cut into, in seconds; None for a second, or the usual length.
        channels: Channels that a trained network takes; None before training.
        extents: Size of its samples; None before training.
        rate_hz: Samples a second of the recordings it was trained on.
        task: `segmentation` insists on masks, `classification` looks for none; None sees it from the source.
        shown: What is black and white in arrays of pictures to a trained network; None before training.
    """

    form: FormWish = "auto"
    window: float | None = None
    channels: int | None = None
    extents: tuple[int, ...] | None = None
    rate_hz: float | None = None
    task: str | None = None
    shown: ValueRange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How measured values were read, and the numbers that standardise them.

    Args:
        form: Signals or volumes.
        channels: Channels of a sample.
        extents: Size of a sample as the network takes it.
        note: What was read and how axes were told apart, in a sentence.
        mean: Mean of each channel over the training part.
        deviation: Standard deviation of each channel over the training part; both stand in the network's first layer.
        rate_hz: Samples a second, where the source says it.
        raw_extents: Size of a sample in the source, before it was brought to `extents`.
        kind: What samples were read from: `array`, or the kind of file each had for itself, such as `wav`.
    """

    form: Form
    channels: int
    extents: tuple[int, ...]
    note: str
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    rate_hz: float | None = None
    raw_extents: tuple[int, ...] = ()
    kind: str = "array"


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
        reading: How measured values were read; None for pictures.
        masks: How masks were read; None where a whole picture has one class. `class_counts` and `counts` then are the
            pictures that show a class.
        shown: What is black and white in the arrays that the pictures came as; None where they came as files.
        grey: Whether all pictures are grey.
        content: Four bytes of a digest of every picture's pixels, those of the training files first, then validation,
            then test, so that a run that goes on notices pictures that changed.
        labels: A digest of the classes of those files, in the same order, so that it notices labels that changed; empty
            in older runs and where pixels have classes.
    """

    source: str
    classes: tuple[str, ...]
    class_counts: tuple[int, ...]
    files: int
    train: Sequence[str] = ()
    validation: Sequence[str] = ()
    test: Sequence[str] = ()
    left_out: tuple[Notice, ...] = ()
    warnings: tuple[Notice, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    upright: bool = True
    content: bytes = b""
    labels: str = ""
    reading: Reading | None = None
    masks: MaskReading | None = None
    shown: ValueRange | None = None
    grey: bool = False
    counts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Usable files a class in each part, such as `{"train": (1442, 657)}`."""
