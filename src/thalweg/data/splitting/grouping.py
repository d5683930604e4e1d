"""Which files belong together, such as all pictures of one patient, by a part of their names."""

import re
from collections.abc import Sequence

from thalweg.core.dataset import Sample
from thalweg.core.errors import PlanError
from thalweg.core.files import printable

__all__ = ["expression", "group_by"]


def expression(pattern: str) -> re.Pattern[str]:
    r"""Read what tells which files belong together.

    Args:
        pattern: A regular expression with one group.

    Returns:
        The expression, compiled.

    Raises:
        PlanError: It is wrong, or has not one group.

    Example:
        >>> expression(r"(patient\d+)_").groups
        1
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise PlanError(f"group-by {pattern!r} is no regular expression ({error})") from None
    if compiled.groups != 1:
        raise PlanError(f"group-by {pattern!r} has {compiled.groups} groups; one is wanted, such as '(patient[0-9]+)_'")
    return compiled


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
    compiled = expression(pattern)
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
