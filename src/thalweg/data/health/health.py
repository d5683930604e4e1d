"""How healthy a set of labelled pictures is: class sizes, picture sizes, blank pictures, twins across the split."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Duplicate, Notice
from thalweg.core.files import printable
from thalweg.core.finding import Evidence, Finding
from thalweg.core.remedy import Remedy
from thalweg.data.storing.cache import Pictures

Whole: TypeAlias = npt.NDArray[np.int64]

__all__ = ["Health", "health", "imbalance", "leakage"]

_UNEVEN, _LOPSIDED = 1.5, 10.0  # largest class over smallest: worth saying, worth a warning
_BLANK = 1.5  # standard deviation of the shown values, of 255; JPEG noise on a plain wall stays below
_ODD_SHAPE, _ODD_AREA = 2.0, 4.0  # times the median's aspect ratio, times its area
_BLOCK = 8192  # miniatures looked at together
_FEW = 0.05  # when more than this share is odd, the set is simply varied, which one sentence says


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a look at all pictures tells, before any training.

    Args:
        class_counts: Usable files a class, in index order.
        median_size: Median width and height, in pixels.
        smallest_size: Width and height of the picture with the fewest pixels.
        largest_size: Width and height of the picture with the most pixels.
        warnings: Files that are odd although they are used, and remarks on the whole set (without a file).
        findings: DAT001 where the classes are uneven.
    """

    class_counts: tuple[int, ...]
    median_size: tuple[int, int]
    smallest_size: tuple[int, int]
    largest_size: tuple[int, int]
    warnings: tuple[Notice, ...] = ()
    findings: tuple[Finding, ...] = ()


def health(pictures: Pictures, files: Sequence[str], labels: Sequence[int] | Whole, classes: Sequence[str]) -> Health:
    """Look over all usable pictures.

    Args:
        pictures: What `load_pictures` returned for these files.
        files: The files.
        labels: Index of each file's class.
        classes: Class names in index order.

    Returns:
        Counts, sizes, remarks and findings.
    """
    usable = np.flatnonzero(pictures.rows >= 0)
    counts = np.bincount(np.asarray(labels, dtype=np.int64)[usable], minlength=len(classes))
    warnings = [Notice(file, reason) for file, reason in pictures.warnings.items()]
    warnings += [
        Notice(files[index], "nearly blank: all pixels have about the same value") for index in _blank(pictures)
    ]
    sizes = pictures.original_sizes[usable]
    finding = imbalance(counts.tolist(), classes)
    if len(usable) == 0:
        return Health(
            class_counts=tuple(counts.tolist()), median_size=(0, 0), smallest_size=(0, 0), largest_size=(0, 0)
        )
    warnings += _odd_sizes(pictures, files, usable)
    areas = sizes.prod(axis=1, dtype=np.int64)
    width, height = np.median(sizes, axis=0).astype(int).tolist()
    return Health(
        class_counts=tuple(counts.tolist()),
        median_size=(width, height),
        smallest_size=_pair(sizes[areas.argmin()]),
        largest_size=_pair(sizes[areas.argmax()]),
        warnings=tuple(warnings),
        findings=(finding,) if finding else (),
    )


def imbalance(counts: Sequence[int], classes: Sequence[str]) -> Finding | None:
    """DAT001: some classes have many more files than others.

    Watches: the number of usable files a class.
    Fires when: the largest class has more than 1.5 times the files of the smallest (info), or more than ten (warning).
    Why it hurts: always answering the largest class looks good, and mistakes on the smallest hardly count.
    Not to be confused with: an empty class, which is left out; a test split whose shares differ from those in training.
    Remedies: class_weights.
    References: Buda, Maki and Mazurowski 2018, A systematic study of the class imbalance problem.

    Args:
        counts: Usable files a class.
        classes: Class names in the same order.

    Returns:
        A finding of severity info from 1.5 times, warning from 10 times the smallest class; None for even classes.

    Example:
        >>> imbalance([1803, 821], ["functional", "defective"]).claim
        'functional has 1,803 files, 2.2 times as many as defective (821)'
    """
    filled = [(count, name) for count, name in zip(counts, classes, strict=True) if count > 0]
    if len(filled) < 2:  # noqa: PLR2004 - nothing to compare
        return None
    (most, large), (least, small) = max(filled, key=lambda pair: pair[0]), min(filled, key=lambda pair: pair[0])
    ratio = most / least
    if ratio <= _UNEVEN:
        return None
    return Finding(
        code="DAT001",
        name="class_imbalance",
        severity="warning" if ratio > _LOPSIDED else "info",
        confidence=1.0,
        subject=small,
        claim=f"{large} has {most:,} files, {ratio:.1f} times as many as {small} ({least:,})",
        evidence=(
            Evidence(
                signal="largest_over_smallest_class",
                window="file list",
                observed=ratio,
                threshold=_LOPSIDED if ratio > _LOPSIDED else _UNEVEN,
            ),
        ),
        remedies=(
            Remedy(
                code="class_weights",
                edit={"class_weights": "balanced"},
                safety="behaviour-changing",
                expected_effect="mistakes on small classes weigh as much in all as those on large ones",
            ),
        ),
    )


def leakage(
    duplicates: Iterable[Duplicate], train_files: Collection[str], heldout_files: Collection[str]
) -> Finding | None:
    """DAT002: the same picture is trained on and tested on.

    Watches: exact and near duplicates of pictures, and the side of the split each is on.
    Fires when: a held-out file has a twin among the training files.
    Why it hurts: what was learned by heart counts as understood, and the accuracy promises too much.
    Not to be confused with: twins on one side, which only weigh double; pictures of the same thing on both sides, which
        only whoever took them can know (--group-by).
    Remedies: regroup_split.
    References: Barz and Denzler 2020, Do we train on test data? Purging CIFAR of near-duplicates.

    Args:
        duplicates: Groups from `find_duplicates`.
        train_files: Files used for training.
        heldout_files: Files of validation and test.

    Returns:
        A finding with the number of held-out files that have a twin in training, or None.

    Example:
        >>> twins = Duplicate(kind="exact", files=("a.png", "b.png"))
        >>> leakage([twins], ["a.png"], ["b.png", "c.png"]).claim
        '1 of 2 held-out files (50.0 %) show a picture that is trained on too, such as b.png and a.png'
    """
    duplicates = tuple(duplicates)
    twins = {file for duplicate in duplicates for file in duplicate.files}  # alone of interest among 300,000 names
    train, tested = twins.intersection(train_files), twins.intersection(heldout_files)
    leaked: list[tuple[str, str]] = []
    for duplicate in duplicates:
        known = [file for file in duplicate.files if file in train]
        if known:
            leaked += [(file, known[0]) for file in duplicate.files if file in tested]
    if not leaked:
        return None
    heldout = len(heldout_files)
    share = len(leaked) / heldout
    example = " and ".join(printable(file) for file in leaked[0])
    return Finding(
        code="DAT002",
        name="split_leakage",
        severity="warning",
        confidence=1.0,
        subject="split",
        claim=f"{len(leaked):,} of {heldout:,} held-out files ({100 * share:.1f} %) show a picture that is "
        f"trained on too, such as {example}",
        evidence=(Evidence(signal="held_out_files_with_twins", window="file list", observed=len(leaked), threshold=0),),
        alternatives=("overfitting",),
        remedies=(
            Remedy(
                code="regroup_split",
                safety="advice",
                expected_effect="twins stay on one side, and the held-out accuracy means what it says",
            ),
        ),
    )


def _blank(pictures: Pictures) -> list[int]:
    usable, blank = np.flatnonzero(pictures.rows >= 0), []
    for start in range(0, len(usable), _BLOCK):
        some = usable[start : start + _BLOCK]
        flat = pictures.thumbnails[some].reshape(len(some), -1)
        # The miniature's range rules out nearly all without touching their pixels on the disk.
        even = flat.max(axis=1).astype(int) - flat.min(axis=1) <= 4 * _BLANK
        blank += [
            index
            for index in some[even].tolist()
            if pictures.pixels[pictures.rows[index]].std(axis=(0, 1)).max() < _BLANK
        ]
    return blank


def _odd_sizes(pictures: Pictures, files: Sequence[str], usable: npt.NDArray[np.int64]) -> list[Notice]:
    sizes = pictures.original_sizes[usable]
    squeezed = _far(sizes[:, 0] / sizes[:, 1], _ODD_SHAPE)
    odd = squeezed | _far(sizes.prod(axis=1, dtype=np.float64), _ODD_AREA)
    width, height = np.median(sizes, axis=0).astype(int)
    if odd.mean() > _FEW:
        return [
            Notice("", f"picture sizes vary much: {int(odd.sum()):,} of {len(odd):,} are far from {width} x {height}")
        ]
    return [
        Notice(
            files[usable[place]],
            f"{int(sizes[place, 0])} x {int(sizes[place, 1])} pixels, where {width} x {height} is usual: "
            + ("squeezed out of shape" if squeezed[place] else "another scale"),
        )
        for place in np.flatnonzero(odd)
    ]


def _far(values: npt.NDArray[np.float64], times: float) -> npt.NDArray[np.bool_]:
    """Which values are more than so many times their median, or less than that part of it; they are used up."""
    values /= np.median(values)
    np.log(values, out=values)
    np.abs(values, out=values)
    return np.asarray(values > np.log(times))


def _pair(size: npt.NDArray[np.int32]) -> tuple[int, int]:
    return int(size[0]), int(size[1])
