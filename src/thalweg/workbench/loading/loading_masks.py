"""Pictures with masks, loaded and described: what does not fit together is left out by name, never silently."""

import hashlib
import math
from collections.abc import Sequence

import numpy as np

from thalweg.core.dataset import DataSummary, Duplicate, Notice
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.core.finding import Evidence, Finding
from thalweg.core.masks import MaskReading
from thalweg.core.remedy import Remedy
from thalweg.data.finding.scan import Scan
from thalweg.data.health.health import health, leakage
from thalweg.data.masks.store import Masks, load_masks, odd_values
from thalweg.data.splitting.split import Split
from thalweg.data.storing.cache import Pictures
from thalweg.workbench.loading.loaded import Loaded
from thalweg.workbench.telling.telling import Listener

__all__ = ["content_of_masks", "load_masked", "summarise_masks", "uneven_pixels"]

_ASPECT = 0.02
"""A mask of another size than its picture is used where their proportions differ by less than this share."""
_UNEVEN = 10.0


def load_masked(found: Scan, pictures: Pictures, listener: Listener) -> Loaded:
    """Read the masks of pictures that are in the cache.

    Args:
        found: The pictures and what their masks mean.
        pictures: The cache; masks are brought to its size.
        listener: Whoever shows progress.

    Returns:
        The pictures that can be used with their masks.

    Raises:
        SourceError: None can be used, or all masks show one class.
    """
    assert found.masks is not None  # noqa: S101 - the caller looked
    files = [sample.file for sample in found.samples]
    names = [sample.mask for sample in found.samples]
    height, width = pictures.pixels.shape[1:3]
    masks = load_masks(
        found.root,
        names,
        found.masks,
        extents=(height, width),
        progress=lambda done, total: listener.count("masks read", done, total),
    )
    left_out = [Notice(file, reason) for file, reason in pictures.left_out.items()]
    warnings: list[Notice] = [*odd_values(masks, found.masks)]
    usable = []
    for index, sample in enumerate(found.samples):
        if pictures.rows[index] < 0:
            continue
        if sample.mask in masks.left_out:
            left_out.append(Notice(sample.file, f"its mask {sample.mask}: {masks.left_out[sample.mask]}"))
            continue
        fit = _size_apart(pictures.original_sizes[index], masks.sizes[index])
        if fit is None:
            usable.append(index)
        elif fit[0]:
            usable.append(index)
            warnings.append(Notice(sample.file, f"its mask {fit[1]}; both are brought to one size"))
        else:
            left_out.append(Notice(sample.file, f"its mask {fit[1]}: they do not show the same field"))
    if not usable:
        first = f", first {printable(left_out[0].file)}: {left_out[0].reason}" if left_out else ""
        raise SourceError(
            f"{printable(found.root)}: no picture can be used with its mask ({len(left_out):,} left out{first})"
        )
    samples = tuple(found.samples[index] for index in usable)
    chosen = np.asarray(usable, np.int64)
    kept = Masks(
        pixels=masks.pixels[chosen] if len(chosen) < len(names) else masks.pixels,
        counts=masks.counts[chosen],
        void=masks.void[chosen],
        sizes=masks.sizes[chosen],
        left_out={},
        unknown=masks.unknown,
    )
    _refuse_one_class(kept, found)
    warnings += [
        Notice(name, "this class occurs in no mask: nothing can be learned of it")
        for name, count in zip(found.classes, kept.counts.sum(axis=0), strict=True)
        if not count
    ]
    state = health(pictures, files, [0] * len(files), ("pictures",))
    return Loaded(
        scan=found,
        samples=samples,
        rows=np.asarray(pictures.rows)[chosen],
        pictures=pictures,
        left_out=tuple(sorted((*found.left_out, *left_out), key=lambda notice: notice.file)),
        warnings=(*found.warnings, *warnings, *state.warnings),
        duplicates=_twins(pictures, files, usable),
        health=state,
        masks=kept,
    )


def _twins(pictures: Pictures, files: Sequence[str], usable: Sequence[int]) -> tuple[Duplicate, ...]:
    """Pictures with the same pixels; frames of a film that merely look alike are no twins."""
    groups: dict[bytes, list[str]] = {}
    for index in usable:
        groups.setdefault(pictures.content[index].tobytes(), []).append(files[index])
    return tuple(Duplicate(kind="exact", files=tuple(sorted(same))) for same in groups.values() if len(same) > 1)


def _size_apart(picture: np.ndarray, mask: np.ndarray) -> tuple[bool, str] | None:
    """Whether a mask of another size may still be used, and how the sizes differ; None for equal ones."""
    (wide, high), (mask_wide, mask_high) = (tuple(map(int, each)) for each in (picture, mask))
    if (wide, high) == (mask_wide, mask_high):
        return None
    apart = abs(math.log((wide / high) / (mask_wide / mask_high)))
    return apart < _ASPECT, f"is {mask_wide}x{mask_high} pixels, the picture {wide}x{high}"


def _refuse_one_class(masks: Masks, found: Scan) -> None:
    seen = [name for name, count in zip(found.classes, masks.counts.sum(axis=0), strict=True) if count]
    if len(seen) < 2:  # noqa: PLR2004 - something must be told apart
        only = printable(seen[0]) if seen else "none"
        raise SourceError(f"{printable(found.root)}: the masks show one class only ({only}); two are needed")


def summarise_masks(
    loaded: Loaded, masks: Masks, parts: Split, source: str, content: bytes
) -> tuple[DataSummary, tuple[Finding, ...]]:
    """Describe pictures with masks for `data.json`, and what is noteworthy about them.

    Args:
        loaded: The usable pictures.
        masks: Their masks.
        parts: Their split.
        source: As the user named it.
        content: Digests of what is trained on and tested.

    Returns:
        The description and the findings.
    """
    assert loaded.scan.masks is not None  # noqa: S101 - there are masks
    named = {name: indices for name, indices in _named(parts).items() if indices}
    order = [index for indices in _named(parts).values() for index in indices]
    pixels = {name: masks.counts[list(indices)].sum(axis=0) for name, indices in named.items()}
    shown = {name: (masks.counts[list(indices)] > 0).sum(axis=0) for name, indices in named.items()}
    classes = loaded.scan.classes
    reading = MaskReading(
        layout=loaded.scan.layout,
        coding=loaded.scan.masks.about,
        extents=(int(masks.pixels.shape[1]), int(masks.pixels.shape[2])),
        palette=loaded.scan.masks.palette,
        values=loaded.scan.masks.numbers,
        masks=tuple(loaded.samples[index].mask for index in order),
        pixels={name: _whole(counts) for name, counts in pixels.items()},
        void={name: int(masks.void[list(indices)].sum()) for name, indices in named.items()},
    )
    warnings = [*loaded.warnings, *parts.warnings]
    for index, name in enumerate(classes):
        elsewhere = [part for part, counts in shown.items() if part != "train" and counts[index]]
        if not pixels["train"][index] and elsewhere:
            warnings.append(
                Notice(
                    name, f"this class occurs in {' and '.join(elsewhere)} and never in training: it cannot be found"
                )
            )
    summary = DataSummary(
        source=source,
        classes=classes,
        class_counts=_whole((masks.counts[order] > 0).sum(axis=0)),
        files=len(order),
        train=loaded.files_at(parts.train),
        validation=loaded.files_at(parts.validation),
        test=loaded.files_at(parts.test),
        left_out=(*loaded.left_out, *parts.left_out),
        warnings=tuple(warnings),
        duplicates=loaded.duplicates,
        upright=loaded.scan.upright,
        content=content,
        masks=reading,
        counts={name: _whole(counts) for name, counts in shown.items()},
    )
    found = [finding for finding in (uneven_pixels(pixels["train"], classes),) if finding]
    leaked = leakage(loaded.duplicates, summary.train, (*summary.validation, *summary.test))
    return summary, (*found, *([leaked] if leaked else []))


def _named(parts: Split) -> dict[str, Sequence[int]]:
    return {"train": parts.train, "validation": parts.validation, "test": parts.test}


def _whole(counts: np.ndarray) -> tuple[int, ...]:
    return tuple(int(count) for count in counts)


def uneven_pixels(pixels: np.ndarray, classes: Sequence[str]) -> Finding | None:
    """DAT001 for pixels: nearly every scene is uneven, which the loss's weights take up, so it is told and no more.

    Args:
        pixels: Pixels a class.
        classes: Class names in the same order.

    Returns:
        A finding of severity info from ten times the smallest class on; None for classes that are more even.
    """
    filled = [(int(count), name) for count, name in zip(pixels, classes, strict=True) if count]
    (most, large), (least, small) = max(filled), min(filled)
    if most <= _UNEVEN * least:
        return None
    return Finding(
        code="DAT001",
        name="class_imbalance",
        severity="info",
        confidence=1.0,
        subject=small,
        claim=f"{large} covers {most / least:,.0f} times as many pixels as {small} "
        f"({most / pixels.sum():.1%} and {least / pixels.sum():.2%})",
        evidence=(
            Evidence(signal="largest_over_smallest_class", window="masks", observed=most / least, threshold=_UNEVEN),
        ),
        remedies=(
            Remedy(
                code="class_weights",
                edit={"class_weights": "balanced"},
                safety="behaviour-changing",
                expected_effect="thin and rare classes weigh more in the loss; large ones lose a little",
            ),
        ),
    )


def content_of_masks(loaded: Loaded, masks: Masks, indices: Sequence[int] | np.ndarray, size: int) -> bytes:
    """Digests of pictures together with their masks, so that a run that goes on notices either changed.

    Args:
        loaded: The usable pictures.
        masks: Their masks.
        indices: Which of them.
        size: Bytes of each digest.

    Returns:
        The digests one after the other.
    """
    row_of = {file: index for index, file in enumerate(sample.file for sample in loaded.scan.samples)}
    digests = []
    for index in indices:
        picture = loaded.pictures.content[row_of[loaded.samples[index].file]].tobytes()
        digests.append(hashlib.blake2b(picture + masks.pixels[index].tobytes(), digest_size=size).digest())
    return b"".join(digests)
