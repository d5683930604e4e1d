"""The idx files of MNIST and its kin: `train-images-idx3-ubyte`, plain or gzipped, with its labels beside it.

A file begins with two zero bytes, a type, the number of axes, and the length of each axis as a big-endian 32-bit
number; the values follow in C order (http://yann.lecun.com/exdb/mnist/, 1998).
"""

import gzip
import math
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Part
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.arrays.part import ArrayPart
from thalweg.data.files.part_names import PART_NAMES

__all__ = ["idx_part", "read_idx", "read_idx_pairs"]

_NAME = re.compile(r"(?P<part>[a-z0-9]+)[-_.](?P<role>images|labels)[-_.]idx\d[-_.]u?byte(\.gz)?$", re.IGNORECASE)
_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_BYTES = 8 << 30


def idx_part(name: str) -> tuple[str, str] | None:
    """Tell the part and the role that a file's name says.

    Args:
        name: The file's name.

    Returns:
        Such as `("train", "images")`, or None where it is no name of an idx file.

    Example:
        >>> idx_part("t10k-labels-idx1-ubyte.gz")
        ('t10k', 'labels')
    """
    found = _NAME.fullmatch(name)
    return (found["part"].lower(), found["role"].lower()) if found else None


def read_idx(path: Path) -> npt.NDArray[np.generic]:
    """Read one idx file.

    Args:
        path: The file, gzipped where its name ends in `.gz`.

    Returns:
        The array.

    Raises:
        SourceError: The file is damaged, shorter or longer than its header says, or of an unknown type.
    """
    shown = printable(path.name)
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            return _values(file, shown)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{shown}: cannot be read ({error})") from None


def _values(file: "IO[bytes] | gzip.GzipFile", shown: str) -> npt.NDArray[np.generic]:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _TYPES or not head[3]:  # noqa: PLR2004 - four bytes
        raise SourceError(f"{shown}: does not begin as an idx file does ({head.hex(' ') or 'it is empty'})")
    lengths = file.read(4 * head[3])
    shape = tuple(int.from_bytes(lengths[start : start + 4], "big") for start in range(0, len(lengths), 4))
    kind = np.dtype(_TYPES[head[2]])
    wanted = math.prod(shape) * kind.itemsize
    if wanted > _MOST_BYTES:
        raise SourceError(f"{shown}: its header promises {wanted >> 30} GB; the most is {_MOST_BYTES >> 30}")
    data = file.read(wanted + 1)
    if len(data) != wanted:
        more = "more" if len(data) > wanted else f"{len(data):,}"
        raise SourceError(f"{shown}: its header promises {wanted:,} bytes of values and it holds {more}")
    return np.frombuffer(data, kind).reshape(shape)


def read_idx_pairs(files: Sequence[Path], *, labelled: bool | None = True) -> list[ArrayPart]:
    """Read pictures with their labels.

    Args:
        files: idx files; of a single one, its partner is looked for beside it.
        labelled: Whether labels are needed; where not, those that are there are taken.

    Returns:
        The parts, without names of classes, which idx files do not have.

    Raises:
        SourceError: A partner is missing, or a file is damaged.
    """
    found: dict[str, dict[str, Path]] = {}
    beside = {file for each in files for file in each.parent.iterdir()} if len(files) == 1 else set(files)
    wanted = idx_part(files[0].name) if len(files) == 1 else None
    for file in sorted(beside):
        named = idx_part(file.name)
        if named and (wanted is None or named[0] == wanted[0]):
            found.setdefault(named[0], {})[named[1]] = file
    rows: list[ArrayPart] = []
    for part, pair in found.items():
        if not {"images", *(["labels"] if labelled else [])} <= set(pair):
            have = next(iter(pair.values()))
            missing = "labels" if "images" in pair else "images"
            raise SourceError(f"{printable(have.name)}: the file with its {missing} is missing beside it")
        known: Part | None = "test" if part == "t10k" else PART_NAMES.get(part)
        rows.append(
            ArrayPart(
                file=pair["images"].name,
                part=known if len(found) > 1 else None,
                pictures=read_idx(pair["images"]),
                labels=_labels(pair.get("labels"), needed=labelled is True),
            )
        )
    return rows


def _labels(path: Path | None, *, needed: bool) -> npt.NDArray[np.generic] | None:
    try:
        return None if path is None else read_idx(path)
    except SourceError:
        if needed:
            raise
        return None
