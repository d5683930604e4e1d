"""Reading `.npz` and `.npy` files, under the names people give to samples and labels; nothing in them is executed.

Large arrays are unpacked beside where they will be stored and mapped into memory, so that memory stays flat. Of a
single `.npy` file the labels lie beside it: `y.npy` beside `x.npy`, `y_train.npy` beside `x_train.npy`, and the same
with `labels`; or `NAME_labels.npy` beside `NAME.npy`.
"""

import contextlib
import lzma
import re
import shutil
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Part
from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.arrays.part import ArrayPart
from thalweg.data.files.part_names import PART_NAMES

__all__ = ["DAMAGE", "GROUPS", "is_label_file", "is_sample_name", "names_objects", "partners", "read_npy", "read_npz"]

_SAMPLES = (
    "x", "images", "image", "imgs", "data", "features", "inputs", "arr_0", "signals", "signal", "series", "beats",
    "waveforms", "samples", "values", "volumes", "volume", "clips", "videos", "frames",
)  # fmt: skip
_LABELS = ("y", "labels", "label", "targets", "target", "arr_1")
_ADDED = ("_labels", "-labels", "_label", "_target", "_targets", "_y")  # to the name of an array, by its labels
_CLASSES = ("classes", "class_names", "label_names", "names", "categories")
GROUPS = (
    *("record", "records", "patient", "patients", "subject", "subjects", "group", "groups", "speaker", "speakers"),
    *("person", "persons", "participant", "participants", "user", "users", "volunteer", "volunteers"),
)
"""Names of what samples of one origin share; such samples must not be on both sides of a split."""
_RATES = ("fs", "rate", "sample_rate", "sampling_rate", "hz", "frequency")
_MOST_BYTES = 32 << 30
_MAPPED_BYTES = 4 << 20  # an array of more is unpacked to the disk and mapped

DAMAGE = (
    OSError, ValueError, zipfile.BadZipFile, EOFError, MemoryError, NotImplementedError, RuntimeError, KeyError,
    zlib.error, lzma.LZMAError, struct.error, SyntaxError, TypeError, tokenize.TokenError,
)  # fmt: skip
"""What numpy raises for damaged files: besides the obvious of a password (RuntimeError), of a compressed stream, of a
header cut short or never closed."""

Arrays = Mapping[str, npt.NDArray[np.generic]]


def read_npz(path: Path, aside: Path | None = None, *, labelled: bool | None = True) -> list[ArrayPart]:
    """Read samples and labels.

    `x` and `y`, `images` and `labels` and the like, or the same with a part: `x_train`, `train_images`, `test_labels`.

    Args:
        path: The file.
        aside: Folder in which large arrays are unpacked; it must stay while the parts are used. None reads into memory.
        labelled: Whether labels are needed; without, samples alone will do. None takes those that are there.

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
            arrays = dict(_members(path, box, aside))
    except DAMAGE as error:
        if names_objects(error):
            raise SourceError(
                f"{shown}: holds Python objects, which are not loaded since that could run code; "
                f"save plain arrays with numpy.savez"
            ) from None
        raise SourceError(f"{shown}: is no readable .npz file ({error})") from None
    return _pairs(arrays, path.name, labelled=labelled)


def _members(path: Path, box: zipfile.ZipFile, aside: Path | None) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
    with np.load(path, allow_pickle=False) as stored:
        for number, name in enumerate(stored.files):
            member = f"{name}.npy" if f"{name}.npy" in box.namelist() else name
            if aside is None or box.getinfo(member).file_size < _MAPPED_BYTES:
                values = stored[name]
                if not isinstance(values, np.ndarray):  # numpy hands over what does not begin as an array does
                    if member == name:
                        continue  # a note that somebody put into the archive
                    raise ValueError(f"{printable(member)} does not begin as an array does")
            else:
                place = aside / f"{printable(path.name)[:80]}-{number}.npy"  # not the member's name: it may be hostile
                with box.open(member) as packed, place.open("wb") as file:
                    shutil.copyfileobj(packed, file, 1 << 20)
                values = np.load(place, mmap_mode="r", allow_pickle=False)
            yield name, values


def names_objects(error: Exception) -> bool:
    """Tell whether numpy refused a file for the Python objects in it.

    Args:
        error: What it raised.

    Returns:
        Whether it did; else the file is damaged.
    """
    return "pickle" in str(error) or "Python objects" in str(error)


def read_npy(path: Path, *, labelled: bool | None = True) -> list[ArrayPart]:
    """Map one `.npy` file, and find its labels beside it.

    Args:
        path: The file.
        labelled: Whether labels are needed; None takes those that are there.

    Returns:
        One part.

    Raises:
        SourceError: The file is damaged, holds Python objects, or its labels are missing.
    """
    values = _load(path)
    labels = None
    groups: npt.NDArray[np.generic] | None = None
    grouped_by = ""
    if labelled is not False:
        wanted = partners(path.stem)
        beside = {each.stem.lower(): each for each in path.parent.glob("*.npy")}
        found = next((beside[name] for name in wanted if name in beside and beside[name] != path), None)
        if found is None and labelled:
            first, second = wanted[:2]
            raise SourceError(
                f"{printable(path.name)}: its labels are missing beside it; call them {first}.npy or {second}.npy"
            )
        with contextlib.nullcontext() if labelled else contextlib.suppress(SourceError):
            labels = None if found is None else _load(found)
        for name in GROUPS if labelled else ():
            if name in beside:
                groups, grouped_by = _load(beside[name]), name
                break
    return [ArrayPart(file=path.name, part=None, pictures=values, labels=labels, groups=groups, grouped_by=grouped_by)]


def _load(path: Path) -> npt.NDArray[np.generic]:
    try:
        small = path.stat().st_size < _MAPPED_BYTES
        loaded: npt.NDArray[np.generic] = np.load(path, mmap_mode=None if small else "r", allow_pickle=False)
    except DAMAGE as error:
        if names_objects(error):
            raise SourceError(
                f"{printable(path.name)}: holds Python objects (such as rows of different lengths), which are not "
                f"loaded since that could run code; save plain arrays with numpy.save"
            ) from None
        raise SourceError(f"{printable(path.name)}: is no readable .npy file ({error})") from None
    if not isinstance(loaded, np.ndarray):
        raise SourceError(f"{printable(path.name)}: is no .npy file but an archive of such; call it .npz")
    return loaded


def partners(stem: str) -> list[str]:
    """Names that the labels of an array may have.

    Args:
        stem: Name of its file, without the ending.

    Returns:
        Names without an ending, the likeliest first.

    Example:
        >>> partners("X_train")[0], partners("beats")[-3]
        ('y_train', 'beats_y')
    """
    words = _words(stem)
    names = []
    for index, word in enumerate(words):
        if word in _SAMPLES:
            names += ["_".join([*words[:index], label, *words[index + 1 :]]) for label in ("y", "labels", "label")]
    return [*names, *(f"{stem.lower()}{each}" for each in _ADDED), "labels", "y"]


def is_sample_name(name: str) -> bool:
    """Tell whether an array holds samples, by its name.

    Args:
        name: Its name.

    Returns:
        Whether it does.

    Example:
        >>> is_sample_name("X"), is_sample_name("y")
        (True, False)
    """
    return name.lower() in _SAMPLES


def is_label_file(stem: str) -> bool:
    """Tell whether a `.npy` file holds labels or groups rather than samples, by its name.

    Args:
        stem: Its name without the ending.

    Returns:
        Whether it does.

    Example:
        >>> is_label_file("y_train"), is_label_file("record"), is_label_file("x_train")
        (True, True, False)
    """
    return any(word in (*_LABELS, *GROUPS, *_CLASSES) for word in _words(stem))


def _pairs(arrays: Arrays, file: str, *, labelled: bool | None) -> list[ArrayPart]:
    classes = _class_names(arrays)
    rate = next((float(each.ravel()[0]) for name, each in arrays.items() if name.lower() in _RATES and each.size), None)
    found: dict[Part | None, dict[str, str]] = {}
    for name in arrays:
        part, role = _role(name.lower())
        if role:
            found.setdefault(part, {}).setdefault(role, name)
    rows = [
        ArrayPart(
            file=file,
            part=part,
            pictures=arrays[names["samples"]],
            labels=arrays[names["labels"]] if labelled is not False and "labels" in names else None,
            classes=classes,
            groups=arrays[names["groups"]] if "groups" in names else None,
            grouped_by=_words(names.get("groups", "").lower())[0] if "groups" in names else "",
            rate_hz=rate,
        )
        for part, names in found.items()
        if "samples" in names and ("labels" in names or not labelled)
    ]
    if not rows:
        held = ", ".join(f"{printable(name)} {'x'.join(map(str, values.shape))}" for name, values in arrays.items())
        if not labelled:
            raise SourceError(
                f"{printable(file)}: no samples found (it holds {held or 'nothing'}); call them x, or x_train, x_test"
            )
        if any("mask" in name.lower() or "seg" in name.lower() for name in arrays):
            raise SourceError(
                f"{printable(file)}: it holds masks ({held}), and these are read from files: save the pictures as "
                f"images/1.png and so on, and their masks as masks/1.png"
            )
        raise SourceError(
            f"{printable(file)}: no pictures with labels found (it holds {held or 'nothing'}); "
            f"call them x and y, or x_train, y_train, x_test and y_test"
        )
    return [row for row in rows if row.part is not None] or rows


def _class_names(arrays: Arrays) -> tuple[str, ...]:
    for name, values in arrays.items():
        if name.lower() in _CLASSES and values.ndim == 1 and values.dtype.kind in "US":
            return tuple(item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in values)
    return ()


def _words(name: str) -> Sequence[str]:
    return [word for word in re.split(r"[_\-. ]", name.lower()) if word]


def _role(name: str) -> tuple[Part | None, str]:
    words = _words(name)
    parts = [PART_NAMES[word] for word in words if word in PART_NAMES]
    rest = "_".join(word for word in words if word not in PART_NAMES)
    role = "samples" if rest in _SAMPLES else "labels" if rest in _LABELS else ""
    if not role and any(rest in {group, f"{group}_id", f"{group}_ids"} for group in GROUPS):
        role = "groups"
    return (parts[0] if len(parts) == 1 else None, role if len(parts) < 2 else "")  # noqa: PLR2004 - one part at most
