"""Deciding which files are trained on and which are held out.

The same files, shares and seed give the same split on every machine: files are taken in order of name, and the random
numbers are the raw 64-bit output of PCG64, which numpy promises never to change.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thalweg.core.dataset import Notice, Part, Sample
from thalweg.core.errors import PlanError
from thalweg.core.files import printable
from thalweg.data.split_file import read_parts, write_parts
from thalweg.data.stratify import assign, bundle

__all__ = ["Split", "group_by", "held_out_shares", "parse_ratio", "read_split_file", "split", "write_split_file"]

_DEFAULT_SHARE = 0.2
_STRICTNESS: dict[Part, int] = {"test": 0, "validation": 1, "train": 2}  # who keeps a picture that two parts hold
_MOST_PARTS = 3


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

    train: tuple[int, ...]
    validation: tuple[int, ...] = ()
    test: tuple[int, ...] = ()
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
    if any(sample.part for sample in samples):
        return _keep_own_parts(samples, names, shares, seed, groups)
    shares = shares or {"validation": _DEFAULT_SHARE}
    parts = _draw(samples, list(range(len(samples))), names, shares, seed, groups)
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
    counts = Counter(sample.label for sample in samples)
    for label, name in enumerate(classes):
        if not counts[label]:
            raise PlanError(f"class {printable(name)!r} has 0 usable files; add some or remove its folder")
    if not samples:
        raise PlanError("there are 0 usable files to split")
    return {label: classes[label] if label < len(classes) else str(label) for label in counts}


def _draw(
    samples: Sequence[Sample],
    indices: Sequence[int],
    names: dict[int, str],
    shares: dict[Part, float],
    seed: int,
    groups: Sequence[Sequence[int]],
) -> dict[int, Part]:
    # Assign some of the samples at random; what is not among `indices` is ignored in groups.
    ordered = sorted(indices, key=lambda index: samples[index].file)
    position = {index: place for place, index in enumerate(ordered)}
    labels = [samples[index].label for index in ordered]
    inside = ([position[index] for index in group if index in position] for group in groups)
    units = bundle((group for group in inside if group), len(ordered))
    needed = len(shares) + 1
    for label, count in sorted(Counter(labels).items()):
        if count < needed:
            few = f"{count} usable file{'s' if count > 1 else ''}"
            raise PlanError(
                f"class {printable(names[label])!r} has {few}; a split into {needed} parts needs {needed} of each "
                f"class: add files of it, or leave it out"
            )
    keys = np.random.PCG64(seed).random_raw(len(ordered)).tolist()
    sides = assign(labels, units, list(shares.values()), keys)
    present = {(side, label) for side, label in zip(sides, labels, strict=True)}
    for label, count in sorted(Counter(labels).items()):
        if any((side, label) not in present for side in range(needed)):
            number = sum(any(labels[place] == label for place in unit) for unit in units)
            raise PlanError(
                f"class {printable(names[label])!r} has {count} files in {number} groups that must stay together; "
                f"that is too few for a split into {needed} parts"
            )
    parts: list[Part] = ["train", *shares]
    return {index: parts[sides[place]] for index, place in position.items()}


def _gather(
    samples: Sequence[Sample],
    parts: dict[int, Part],
    *,
    left_out: Sequence[Notice] = (),
    warnings: Sequence[Notice] = (),
) -> Split:
    ordered = sorted(parts, key=lambda index: samples[index].file)
    chosen = {part: tuple(index for index in ordered if parts[index] == part) for part in _STRICTNESS}
    return Split(**chosen, left_out=tuple(left_out), warnings=tuple(warnings))


def _keep_own_parts(
    samples: Sequence[Sample],
    names: dict[int, str],
    shares: dict[Part, float],
    seed: int,
    groups: Sequence[Sequence[int]],
) -> Split:
    # Keep the source's split; a group on both sides stays on the held-out one, so that no score is flattered.
    parts: dict[int, Part] = {index: sample.part or "train" for index, sample in enumerate(samples)}
    for part in shares:
        if part in parts.values():
            raise PlanError(f"the source has its own {part} files; leave the share for {part} out")
    left_out = []
    for unit in bundle(groups, len(samples)):
        strictest = min((parts[index] for index in unit), key=_STRICTNESS.__getitem__)
        twin = next(index for index in unit if parts[index] == strictest)
        for index in unit:
            if parts[index] != strictest:
                left_out.append(
                    Notice(samples[index].file, f"belongs together with {printable(samples[twin].file)} in {strictest}")
                )
                del parts[index]
    trained = [index for index, part in parts.items() if part == "train"]
    if not shares and len(trained) == len(parts):
        shares = {"validation": _DEFAULT_SHARE}
    if shares:
        parts |= _draw(samples, trained, names, shares, seed, groups)
    missing = set(names) - {samples[index].label for index in trained}
    if missing:
        raise PlanError(f"class {printable(names[min(missing)])!r} has 0 usable files in the source's training part")
    return _gather(samples, parts, left_out=sorted(left_out, key=lambda notice: notice.file))


def _warn_crossing(chosen: Split, samples: Sequence[Sample], groups: Sequence[Sequence[int]]) -> Split:
    # Say which groups a fixed split tears apart; it was fixed on purpose, so nothing is moved.
    parts = {index: part for part in _STRICTNESS for index in getattr(chosen, part)}
    warnings = list(chosen.warnings)
    for unit in bundle(groups, len(samples)):
        if len({parts[index] for index in unit if index in parts}) > 1:
            others = ", ".join(printable(samples[index].file) for index in unit[1:])
            warnings.append(Notice(samples[unit[0]].file, f"the split file puts it and {others} on different sides"))
    return Split(
        train=chosen.train,
        validation=chosen.validation,
        test=chosen.test,
        left_out=chosen.left_out,
        warnings=tuple(warnings),
    )


def held_out_shares(
    split: str | None, validation: float | None, test: float | None
) -> tuple[float | None, float | None]:
    """What is held out, said in one of two ways.

    Args:
        split: As `parse_ratio` reads it, or None.
        validation: Share for validation, or None.
        test: Share for testing, or None.

    Returns:
        The shares for validation and for test.

    Raises:
        PlanError: It is said twice.
    """
    if split is None:
        return validation, test
    if test is not None or validation is not None:
        raise PlanError(f"--split {split} already says what --test and --validation say: give one of them")
    return parse_ratio(split)


def parse_ratio(text: str) -> tuple[float | None, float | None]:
    """Read what `--split` takes: `80/20`, `70/10/20` (training, validation, test) or `0.2` (validation).

    Args:
        text: Two or three shares that add up to 1 or to 100, or the one share to hold out.

    Returns:
        The shares for validation and for test, above 0 and below 1; test is None for a two-way split.

    Raises:
        PlanError: The text is none of these.

    Example:
        >>> parse_ratio("80/20"), parse_ratio("70/10/20"), parse_ratio("0.2")
        ((0.2, None), (0.1, 0.2), (0.2, None))
    """
    try:
        numbers = [float(part) for part in re.split(r"[/:]", text)]
    except ValueError:
        numbers = []
    if len(numbers) == 1:
        numbers.insert(0, 1 - numbers[0])
    whole = sum(numbers)
    fits = any(abs(whole - total) < 1e-6 * total for total in (1, 100))
    if not 1 < len(numbers) <= _MOST_PARTS or not fits or min(numbers) <= 0:
        raise PlanError(f"split {text!r} is not of the form 80/20, 70/10/20 (training/validation/test) or 0.2")
    held = [number / (100 if whole > 1.5 else 1) for number in numbers[1:]]  # noqa: PLR2004 - 1 or 100, checked above
    return held[0], held[1] if len(held) > 1 else None


def group_by(samples: Sequence[Sample], pattern: str) -> tuple[tuple[int, ...], ...]:
    r"""Find files that belong together, such as all pictures of one patient, by a part of their names.

    Args:
        samples: The files.
        pattern: A regular expression with one group, searched in the path relative to the source.

    Returns:
        Indices of each group that has two or more files.

    Raises:
        PlanError: The expression is wrong, has not one group, or does not match every file.

    Example:
        >>> group_by([Sample("a/p1_0.png", 0), Sample("b/p1_1.png", 1), Sample("a/p2_0.png", 0)], r"(p\d+)_")
        ((0, 1),)
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise PlanError(f"group-by {pattern!r} is no regular expression ({error})") from None
    if compiled.groups != 1:
        raise PlanError(f"group-by {pattern!r} has {compiled.groups} groups; one is wanted, such as '(patient[0-9]+)_'")
    found: dict[str, list[int]] = {}
    missed = []
    for index, sample in enumerate(samples):
        match = compiled.search(sample.file)
        if match is None or match[1] is None:
            missed.append(sample.file)
        else:
            found.setdefault(match[1], []).append(index)
    if missed:
        number = f"{len(missed):,} of {len(samples):,}"
        raise PlanError(f"group-by {pattern!r} does not match {number} files, such as {printable(missed[0])}")
    return tuple(tuple(group) for group in found.values() if len(group) > 1)


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
    parts = {index: named[sample.file] for index, sample in enumerate(samples) if sample.file in named}
    for part, present in (("train", "train" in parts.values()), ("validation or test", {*parts.values()} - {"train"})):
        if not present:
            raise PlanError(f"{printable(path)}: it puts none of the source's files into {part}")
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
    rows = [(samples[index].file, part) for part in _STRICTNESS for index in getattr(chosen, part)]
    write_parts(path, sorted(rows))
