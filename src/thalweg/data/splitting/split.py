"""Deciding which files are trained on and which are held out.

The same files, shares and seed give the same split on every machine: files are taken in order of name, and the random
numbers are the raw 64-bit output of PCG64, which numpy promises never to change.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Notice, Part, Sample
from thalweg.core.errors import PlanError
from thalweg.core.files import printable
from thalweg.core.paths import Paths
from thalweg.data.sample_table import PARTS, files_of, labels_of, parts_of
from thalweg.data.splitting.grouping import expression
from thalweg.data.splitting.split_file import named_parts, read_parts, write_parts
from thalweg.data.splitting.stratify import assign, bundle

__all__ = ["Split", "check_split_options", "positions", "read_split_file", "split", "write_split_file"]

Numbers: TypeAlias = npt.NDArray[np.int8]
Whole: TypeAlias = npt.NDArray[np.int64]

_DEFAULT_SHARE = 0.2
_HELD: tuple[Part, ...] = ("test", "validation", "train")  # in the order in which they keep what two parts hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Indices into the given samples, each in order of file name.

    Args:
        train: Samples to train on.
        validation: Samples that choose and stop; empty when the one held-out part is called test.
        test: Samples that are only reported; empty unless asked for or given by the source.
        left_out: Files that are in no part, each with its reason.
        warnings: What does not match between a split file and the source, or lies on both sides of a fixed split.
    """

    train: Sequence[int]
    validation: Sequence[int] = ()
    test: Sequence[int] = ()
    left_out: tuple[Notice, ...] = ()
    warnings: tuple[Notice, ...] = ()


def split(
    samples: Sequence[Sample],
    *,
    classes: Sequence[str] = (),
    test: float | None = None,
    validation: float | None = None,
    seed: int = 42,
    groups: Sequence[Sequence[int]] = (),
    split_file: Path | None = None,
) -> Split:
    """Split labelled files, stratified by class.

    Without shares one fifth is held out and called validation. A source with its own parts keeps them; a share for a
    part that it lacks is taken out of its training files.

    Args:
        samples: The usable files.
        classes: Class names in index order, for messages; a class without files is refused.
        test: Share of the files to report on, above 0 and below 1, or None.
        validation: Share of the files to choose by, likewise.
        seed: Seed of the random choice; whole number from 0.
        groups: Indices that must not be torn apart (duplicates, patients); groups that overlap are joined.
        split_file: A fixed split, which then alone decides.

    Returns:
        The parts, and what was left out of them.

    Raises:
        PlanError: Shares contradict each other, the source or the split file, or a class is too small.

    Example:
        >>> files = [Sample(f"cat/{n}.png", 0) for n in range(60)] + [Sample(f"dog/{n}.png", 1) for n in range(40)]
        >>> parts = split(files)
        >>> len(parts.train), len(parts.validation), len(parts.test)
        (80, 20, 0)
    """
    shares = _shares(test, validation)
    names = _class_names(samples, classes)
    if split_file is not None:
        if shares:
            raise PlanError(f"the split file {printable(split_file)} fixes the split; leave the shares out")
        return _warn_crossing(read_split_file(split_file, samples), samples, groups)
    if seed < 0:
        raise PlanError(f"seed {seed} is negative; a whole number from 0 is wanted")
    if parts_of(samples).any():
        return _keep_own_parts(samples, names, shares, seed, groups)
    shares = shares or {"validation": _DEFAULT_SHARE}
    parts = _draw(samples, np.arange(len(samples)), names, shares, seed, groups)
    return _gather(samples, parts)


def _shares(test: float | None, validation: float | None) -> dict[Part, float]:
    # The held-out parts that were asked for.
    asked: dict[Part, float | None] = {"test": test, "validation": validation}
    shares: dict[Part, float] = {}
    for part, share in asked.items():
        if share is None or share == 0:
            continue
        if not 0 < share < 1:
            raise PlanError(f"{part} share {share:g} is not between 0 and 1; 0.2 holds out one fifth")
        shares[part] = share
    if sum(shares.values()) >= 1:
        raise PlanError(f"test share {test:g} and validation share {validation:g} leave nothing to train on")
    if not shares and 0 in {test, validation}:
        raise PlanError("nothing would be held out; give a share above 0 to test or validation")
    return shares


def _class_names(samples: Sequence[Sample], classes: Sequence[str]) -> dict[int, str]:
    found = frozenset(np.unique(labels_of(samples)).tolist())
    for label, name in enumerate(classes):
        if label not in found:
            raise PlanError(f"class {printable(name)!r} has 0 usable files; add some or remove its folder")
    if not samples:
        raise PlanError("there are 0 usable files to split")
    return {label: classes[label] if label < len(classes) else str(label) for label in sorted(found)}


def positions(indices: Iterable[int]) -> Sequence[int]:
    """Keep positions of samples in eight bytes each.

    Args:
        indices: The positions.

    Returns:
        The same numbers.

    Example:
        >>> list(positions(range(3)))
        [0, 1, 2]
    """
    return array("q", indices.tobytes() if isinstance(indices, np.ndarray) else indices)


def _by_file(samples: Sequence[Sample], chosen: Whole) -> Whole:
    # Positions in order of file name; most tables are in order already.
    files = files_of(samples)
    if isinstance(files, Paths) and files.in_order():
        return chosen
    return np.asarray(sorted(chosen.tolist(), key=files.__getitem__), np.int64)


def _draw(
    samples: Sequence[Sample],
    chosen: Whole,
    names: dict[int, str],
    shares: dict[Part, float],
    seed: int,
    groups: Sequence[Sequence[int]],
) -> Numbers:
    # Assign some of the samples at random; what is not among `chosen` is ignored in groups, and stays without a part.
    ordered = _by_file(samples, chosen)
    labels = labels_of(samples)[ordered]
    needed = len(shares) + 1
    counted = list(zip(*(each.tolist() for each in np.unique(labels, return_counts=True)), strict=True))
    for label, count in counted:
        if count < needed:
            few = f"{count} usable file{'s' if count > 1 else ''}"
            if 2 * len(counted) > len(ordered) and all(name.lstrip("-").isdecimal() for name in names.values()):
                raise PlanError(
                    f"{len(counted):,} different labels of {len(ordered):,} samples, all of them numbers: these look "
                    f"like values to predict, which are not trained on; write classes, such as low and high"
                )
            raise PlanError(
                f"class {printable(names[label])!r} has {few}; a split into {needed} parts needs {needed} of each "
                f"class: add files of it, or leave it out"
            )
    units = _units(groups, ordered, len(samples))
    sides = assign(labels, units, list(shares.values()), np.random.PCG64(seed).random_raw(len(ordered)))
    for label, count in counted:
        of_class = np.flatnonzero(labels == label)
        if len(np.unique(sides[of_class])) < needed:
            within = [sum(labels[place] == label for place in unit) for unit in units]
            number = count - sum(within) + sum(map(bool, within))
            raise PlanError(
                f"class {printable(names[label])!r} has {count} files in {number} groups that must stay together; "
                f"that is too few for a split into {needed} parts"
            )
    numbers = np.asarray([PARTS.index(part) for part in ("train", *shares)], np.int8)
    parts = np.zeros(len(samples), np.int8)
    parts[ordered] = numbers[sides]
    return parts


def _units(groups: Sequence[Sequence[int]], ordered: Whole, number: int) -> list[list[int]]:
    # Groups as places in an order of some of the samples.
    if not groups:
        return []
    place = np.full(number, -1, np.int64)
    place[ordered] = np.arange(len(ordered))
    inside = (place[list(group)] for group in groups)
    return bundle(within[within >= 0].tolist() for within in inside)


def _gather(
    samples: Sequence[Sample],
    parts: Numbers,
    *,
    left_out: Sequence[Notice] = (),
    warnings: Sequence[Notice] = (),
) -> Split:
    ordered = _by_file(samples, np.flatnonzero(parts))
    held = {part: positions(ordered[parts[ordered] == PARTS.index(part)]) for part in _HELD}
    return Split(**held, left_out=tuple(left_out), warnings=tuple(warnings))


def _keep_own_parts(
    samples: Sequence[Sample],
    names: dict[int, str],
    shares: dict[Part, float],
    seed: int,
    groups: Sequence[Sequence[int]],
) -> Split:
    # Keep the source's split; a group on both sides stays on the held-out one, so that no score is flattered.
    own, train = parts_of(samples), PARTS.index("train")
    parts = np.where(own == 0, np.int8(train), own)
    for part in shares:
        if (parts == PARTS.index(part)).any():
            raise PlanError(f"the source has its own {part} files; leave the share for {part} out")
    left_out = []
    for unit in bundle(groups):
        strictest = min(int(parts[index]) for index in unit)
        twin = next(index for index in unit if parts[index] == strictest)
        for index in unit:
            if parts[index] != strictest:
                with_it = f"{printable(samples[twin].file)} in {PARTS[strictest]}"
                left_out.append(Notice(samples[index].file, f"belongs together with {with_it}"))
                parts[index] = 0
    trained = np.flatnonzero(parts == train)
    if not shares and len(trained) == np.count_nonzero(parts):
        shares = {"validation": _DEFAULT_SHARE}
    if shares:
        drawn = _draw(samples, trained, names, shares, seed, groups)
        parts = np.where(drawn > 0, drawn, parts)
    missing = set(names) - set(np.unique(labels_of(samples)[trained]).tolist())
    if missing:
        raise PlanError(f"class {printable(names[min(missing)])!r} has 0 usable files in the source's training part")
    return _gather(samples, parts, left_out=sorted(left_out, key=lambda notice: notice.file))


def _warn_crossing(chosen: Split, samples: Sequence[Sample], groups: Sequence[Sequence[int]]) -> Split:
    # Say which groups a fixed split tears apart; it was fixed on purpose, so nothing is moved.
    parts = np.zeros(len(samples), np.int8)
    for part in _HELD:
        parts[np.asarray(getattr(chosen, part), np.int64)] = PARTS.index(part)
    warnings = list(chosen.warnings)
    for unit in bundle(groups):
        if len({int(parts[index]) for index in unit if parts[index]}) > 1:
            others = ", ".join(printable(samples[index].file) for index in unit[1:])
            warnings.append(Notice(samples[unit[0]].file, f"the split file puts it and {others} on different sides"))
    return replace(chosen, warnings=tuple(warnings))


def check_split_options(split_file: Path | None, pattern: str | None) -> None:
    r"""Refuse what no source could be split by, before one is read.

    Args:
        split_file: A fixed split, or None.
        pattern: A regular expression that says what belongs together, or None.

    Raises:
        PlanError: The file cannot be read as a split, or the expression is wrong or has not one group.

    Example:
        >>> check_split_options(None, r"patient\d+")
        Traceback (most recent call last):
        thalweg.core.errors.PlanError: group-by 'patient\\d+' has 0 groups; one is wanted, such as '(patient[0-9]+)_'
    """
    if split_file is not None:
        named_parts(split_file)
    if pattern:
        expression(pattern)


def read_split_file(path: Path, samples: Sequence[Sample]) -> Split:
    """Read a fixed split.

    Args:
        path: A CSV table with the columns `file` and `part`, or a `data.json` of another run.
        samples: The usable files of the source.

    Returns:
        The split; files that it does not name are left out.

    Raises:
        PlanError: The file cannot be read or does not fit the source.
    """
    named, warnings = read_parts(path, samples)
    parts = np.fromiter((PARTS.index(named.get(file)) for file in files_of(samples)), np.int8, len(samples))
    trained = parts == PARTS.index("train")
    for part, present in (("train", trained), ("validation or test", (parts > 0) & ~trained)):
        if not present.any():
            raise PlanError(
                f"{printable(path)}: it puts none of the source's files into {part}; "
                "those it does not name take no part"
            )
    left_out = [
        Notice(sample.file, f"not named in the split file {printable(path.name)}")
        for sample in samples
        if sample.file not in named
    ]
    return _gather(samples, parts, left_out=left_out, warnings=warnings)


def write_split_file(path: Path, chosen: Split, samples: Sequence[Sample]) -> None:
    """Write a split as a table that `--split-file` takes.

    Args:
        path: The CSV table to write.
        chosen: The split.
        samples: The samples it was made for.
    """
    rows = [(samples[index].file, part) for part in _HELD for index in getattr(chosen, part)]
    write_parts(path, sorted(rows))
