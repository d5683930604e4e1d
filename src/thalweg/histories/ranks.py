"""Logs into which several processes wrote: `[rank1]: epoch 3`, `[GPU0] ...`, or `0: ...` and `1: ...` by srun.

Each process trains on its share of the data and prints the same epochs with other losses. Read together, the lines of
the others would be taken for batches, and one validation for another; so those of the first process are kept.
"""

import re
from collections import Counter

from thalweg.histories.names import may_count

__all__ = ["of_first_rank"]

_NAMED = re.compile(
    r"\[\s?(?:(?:local|global)[ _])?(?:rank|default|gpu|proc(?:ess)?|worker|node|device)\s?[_:#=-]?\s?(\d{1,4})\s?\]",
    re.IGNORECASE,
)
_BARE = re.compile(r"\s*(?:(?:rank|gpu)\s?)?(\d{1,4}):\s", re.IGNORECASE)
_MPI = re.compile(r"\[\d+,(?:mpirank:)?(\d{1,4})[^\]\n]{0,40}\]<std(?:out|err)>:\s?")  # before each line, by mpirun
_BEFORE = 120
_SAMPLED = 1 << 16
_NEARLY_ALL = 0.9
_ALIKE = 3
"""No process prints so many times as much as another."""


def of_first_rank(text: str) -> tuple[str, int]:
    r"""Keep the lines of the first of several processes, and those that none is named in.

    Args:
        text: What they printed.

    Returns:
        The text, and how many processes there are; the text as it is, and 1, where none are told apart.

    Example:
        >>> of_first_rank("start\n[rank0]: epoch 1\n[rank1]: epoch 1\n[rank1]: epoch 2\n[rank0]: epoch 2\n")
        ('start\n[rank0]: epoch 1\n[rank0]: epoch 2\n', 2)
    """
    head = text[:_SAMPLED]
    if _MPI.match(head):
        return _of_mpi(text.splitlines(keepends=True))
    if len(set(_NAMED.findall(head))) > 1:
        lines = text.splitlines(keepends=True)
        labels = [found[1] if (found := _NAMED.search(line, 0, _BEFORE)) else "" for line in lines]
        ranks = _ranks(labels)
        if not ranks:
            return text, 1
        first = min(ranks, key=int)
        return "".join(line for line, label in zip(lines, labels, strict=True) if label in {"", first}), len(ranks)
    if not _BARE.match(head):
        return text, 1
    lines = text.splitlines(keepends=True)
    found_bare = [_BARE.match(line) for line in lines]
    labels = [found[1] if found else "" for found in found_bare]
    ranks = _ranks(labels)
    told = sum(map(bool, labels))
    if {*map(int, ranks)} != {*range(len(ranks))} or told < _NEARLY_ALL * sum(bool(line.strip()) for line in lines):
        return text, 1
    kept = [line[found.end() :] for line, found in zip(lines, found_bare, strict=True) if found and found[1] == "0"]
    return ("".join(kept), len(ranks)) if any(map(may_count, kept)) else (text, 1)


def _of_mpi(lines: list[str]) -> tuple[str, int]:
    """The lines of mpirun's first process, without its label."""
    found = [_MPI.match(line) for line in lines]
    ranks = {label[1] for label in found if label}
    first = min(ranks, key=int)
    kept = (line[label.end() :] if label else line for line, label in zip(lines, found, strict=True))
    own = (label is None or label[1] == first for label in found)
    return "".join(line for line, ours in zip(kept, own, strict=True) if ours), len(ranks)


def _ranks(labels: list[str]) -> list[str]:
    """The processes; none where they do not print alike."""
    counts = Counter(label for label in labels if label)
    alike = len(counts) > 1 and min(counts.values()) > 1 and max(counts.values()) <= _ALIKE * min(counts.values())
    return sorted(counts) if alike else []
