"""Reading `.npz` files, under the names that people give to pictures and labels; nothing in them is executed."""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Part
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.array_part import ArrayPart
from thalweg.data.part_names import PART_NAMES

__all__ = ["read_npz"]

_PICTURES = ("x", "images", "image", "imgs", "data", "features", "inputs", "arr_0")
_LABELS = ("y", "labels", "label", "targets", "target", "arr_1")
_CLASSES = ("classes", "class_names", "label_names", "names", "categories")
_MOST_BYTES = 32 << 30


def read_npz(path: Path) -> list[ArrayPart]:
    """Read pictures and labels.

    `x` and `y`, `images` and `labels` and the like, or the same with a part: `x_train`, `train_images`, `test_labels`.

    Args:
        path: The file.

    Returns:
        The parts; one without a name where the names of the arrays say none.

    Raises:
        SourceError: The file is damaged, too large, holds Python objects, or no pair of names is known.
    """
    shown = printable(path.name)
    try:
        with zipfile.ZipFile(path) as box:
            unpacked = sum(member.file_size for member in box.infolist())
        if unpacked > _MOST_BYTES:
            raise SourceError(f"{shown}: would unpack to {unpacked >> 30} GB; the most is {_MOST_BYTES >> 30}")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files if stored[name].dtype != object}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, MemoryError, NotImplementedError) as error:
        if "pickle" in str(error):
            raise SourceError(
                f"{shown}: holds Python objects, which are not loaded since that could run code; "
                f"save plain arrays with numpy.savez"
            ) from None
        raise SourceError(f"{shown}: is no readable .npz file ({error})") from None
    return _pairs(arrays, path.name)


def _pairs(arrays: Mapping[str, npt.NDArray[np.generic]], file: str) -> list[ArrayPart]:
    classes: tuple[str, ...] = ()
    found: dict[Part | None, dict[str, str]] = {}
    for name, values in arrays.items():
        lower = name.lower()
        if lower in _CLASSES and values.ndim == 1 and values.dtype.kind in "US":
            classes = tuple(
                item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in values
            )
            continue
        part, role = _role(lower)
        if role:
            found.setdefault(part, {}).setdefault(role, name)
    rows = [
        ArrayPart(
            file=file, part=part, pictures=arrays[names["pictures"]], labels=arrays[names["labels"]], classes=classes
        )
        for part, names in found.items()
        if len(names) == 2  # noqa: PLR2004 - pictures and labels
    ]
    if not rows:
        held = ", ".join(f"{printable(name)} {'x'.join(map(str, values.shape))}" for name, values in arrays.items())
        raise SourceError(
            f"{printable(file)}: no pictures with labels found (it holds {held or 'nothing'}); "
            f"call them x and y, or x_train, y_train, x_test and y_test"
        )
    return [row for row in rows if row.part is not None] or rows


def _role(name: str) -> tuple[Part | None, str]:
    words = [word for word in re.split(r"[_\-. ]", name) if word]
    parts = [PART_NAMES[word] for word in words if word in PART_NAMES]
    rest = "_".join(word for word in words if word not in PART_NAMES)
    role = "pictures" if rest in _PICTURES else "labels" if rest in _LABELS else ""
    return (parts[0] if len(parts) == 1 else None, role if len(parts) < 2 else "")  # noqa: PLR2004 - one part at most
