"""The batches of CIFAR-10 as Toronto publishes them, binary or for Python.

Binary: rows of one label byte and 3,072 pixel bytes, red plane first, 32x32. For Python: a pickled dictionary of the
same; a pickle can run code, so it is read by an unpickler that can make arrays of numbers and nothing else.
(https://www.cs.toronto.edu/~kriz/cifar.html)
"""

import io
import pickle
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Part
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.arrays.part import ArrayPart

__all__ = ["is_cifar_name", "read_cifar"]

_BATCH = re.compile(r"(data_batch_\d+|test_batch)(\.bin)?")
_META = re.compile(r"batches\.meta(\.txt)?")
_PIXELS = 3 * 32 * 32
_MOST_BYTES = 1 << 30


def is_cifar_name(name: str) -> bool:
    """Tell whether a file is called as one of CIFAR-10's is.

    Args:
        name: The file's name.

    Returns:
        Whether it is.

    Example:
        >>> [is_cifar_name(name) for name in ("data_batch_1", "test_batch.bin", "batches.meta.txt", "data_batch")]
        [True, True, True, False]
    """
    return bool(_BATCH.fullmatch(name) or _META.fullmatch(name))


def read_cifar(
    files: Sequence[Path],
) -> list[ArrayPart]:
    """Read the batches, each as a row of its own; those named `data_batch_N` are for training.

    Args:
        files: Batches and the file with the names of the classes, as far as they are there.

    Returns:
        The parts, pictures as (n, 3, 32, 32).

    Raises:
        SourceError: A file is damaged, or is none of CIFAR's.
    """
    batches = [file for file in files if _BATCH.fullmatch(file.name)]
    beside = [item for item in files[0].parent.iterdir() if _META.fullmatch(item.name)]
    if not batches:
        raise SourceError(f"{printable(files[0].name)}: names the classes of CIFAR-10, but no batch lies beside it")
    classes = next((names for names in map(_class_names, sorted(beside)) if names), ())
    tests = [file.name.startswith("test") for file in batches]
    rows: list[ArrayPart] = []
    for file, test in zip(batches, tests, strict=True):
        pictures, labels = _binary(file) if file.suffix == ".bin" else _pickled(file)
        part: Part | None = ("test" if test else "train") if any(tests) and not all(tests) else None
        shaped = pictures.reshape(-1, 3, 32, 32)
        rows.append(ArrayPart(file=file.name, part=part, pictures=shaped, labels=labels, classes=classes))
    return rows


def _class_names(file: Path) -> tuple[str, ...]:
    if file.suffix == ".txt":
        text = _bytes(file).decode("utf-8", "replace")
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    return tuple(str(_text(name)) for name in _dictionary(file).get("label_names", ()))


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SourceError(f"{printable(file.name)}: cannot be read ({error.strerror})") from None
    if len(data) > _MOST_BYTES:
        raise SourceError(f"{printable(file.name)}: is larger than 1 GB; a batch of CIFAR has 31 MB")
    return data


def _binary(file: Path) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    data = np.frombuffer(_bytes(file), np.uint8)
    if not data.size or data.size % (1 + _PIXELS):
        raise SourceError(
            f"{printable(file.name)}: {data.size:,} bytes are not a whole number of pictures of {1 + _PIXELS:,} bytes"
        )
    rows = data.reshape(-1, 1 + _PIXELS)
    return rows[:, 1:], rows[:, 0]


def _pickled(file: Path) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    held = _dictionary(file)
    pictures, labels = held.get("data"), held.get("labels")
    if (
        not isinstance(pictures, np.ndarray)
        or pictures.dtype != np.uint8
        or pictures.ndim != 2  # noqa: PLR2004 - rows of pixels
        or pictures.shape[1] != _PIXELS
        or not isinstance(labels, list)
        or not all(isinstance(label, int) for label in labels)
    ):
        raise SourceError(f"{printable(file.name)}: holds no pictures of 3,072 bytes with labels, as CIFAR-10 has them")
    return pictures, np.asarray(labels)


def _dictionary(file: Path) -> Mapping[str, Any]:
    try:
        held = _NumbersOnly(io.BytesIO(_bytes(file)), encoding="bytes").load()
    except SourceError:
        raise
    except Exception as error:  # noqa: BLE001 - damaged pickles fail in every way there is
        raise SourceError(f"{printable(file.name)}: is no batch of CIFAR-10 ({printable(str(error))})") from None
    if not isinstance(held, dict):
        raise SourceError(f"{printable(file.name)}: is no batch of CIFAR-10 (it holds a {type(held).__name__})")
    return {str(_text(key)): value for key, value in held.items()}


def _text(value: object) -> object:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _array(*arguments: Any) -> npt.NDArray[np.generic]:  # noqa: ANN401 - whatever the file says
    """Stand in for numpy's reconstructor, which would make any class it is told."""
    del arguments
    return np.empty(0, np.uint8)


def _bytes_of(text: str, encoding: str = "latin1") -> bytes:
    return text.encode("utf-8" if encoding.lower().replace("-", "") == "utf8" else "latin1")


_ALLOWED: Mapping[tuple[str, str], Callable[..., Any] | type] = MappingProxyType({
    ("numpy.core.multiarray", "_reconstruct"): _array,
    ("numpy._core.multiarray", "_reconstruct"): _array,
    ("numpy", "ndarray"): _array,  # only named in passing to the reconstructor
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _bytes_of,
})


class _NumbersOnly(pickle.Unpickler):  # noqa: S301 - see below: it finds no class but those of plain arrays
    """An unpickler that makes dictionaries, lists, numbers, text and arrays of numbers."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - as the base class has it
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise SourceError(
                f"a batch of CIFAR-10 that wants to load {printable(module)}.{printable(name)}: not loaded, "
                f"since that could run code"
            ) from None
