"""What a user means by pictures: files, folders of such, arrays whose rows are pictures, a row by its name, or values.

`predict` and `explain` take the same places, and call what they find there the same.
"""

import contextlib
import re
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TypeAlias

import numpy as np

from thalweg.core.errors import PlanError, SourceError
from thalweg.core.files import printable
from thalweg.data.array_rows import PictureRows, picture_rows
from thalweg.data.arrays import picture_arrays
from thalweg.data.walk import is_of_another_kind, maybe_picture
from thalweg.workbench.model import TrainedModel

__all__ = ["Pictures", "Place", "as_files", "blocks_of", "files_in", "places_of"]

Pictures: TypeAlias = "str | PathLike[str] | np.ndarray | Sequence[str | PathLike[str] | np.ndarray]"
"""Files, folders and arrays, one or several."""

_ROW = re.compile(r"-\d{6,}\.png$")  # how `data.array_names` ends the name of a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A picture file, or arrays of pictures.

    Args:
        name: What it is called in answers.
        files: The files that are read as one array; none of a picture file.
        row: The one picture of them that is wanted, by its name there; empty for all.
    """

    name: str
    files: tuple[Path, ...] = ()
    row: str = ""


def places_of(images: Iterable[str | Path]) -> Iterator[Place]:
    """Find what a user means; a folder of photos may hold arrays, too, which are not what it is about.

    Args:
        images: Files, folders, or names of rows.

    Yields:
        Places in the order asked for.
    """
    for image in images:
        row = _row(str(image))
        if row is not None:
            yield row
            continue
        files = list(files_in([image]))
        photos = Path(image).is_dir() and any(not maybe_picture("", file) for file in files)
        arrays = () if photos else picture_arrays(Path(image))
        for each in arrays:
            yield Place(name=str(image) if len(arrays) == 1 else str(each[0]), files=each)
        yield from (Place(name=file) for file in (files if not arrays else ()))


def _row(image: str) -> Place | None:
    """A row that is named as it is called in answers, behind the file or folder that it is in."""
    path = Path(image)
    if not _ROW.search(path.name) or path.exists():
        return None
    above = next(each for each in path.parents if each.exists() or each == each.parent)
    arrays = picture_arrays(above)
    if len(arrays) != 1:
        return None
    return Place(name=image, files=arrays[0], row=path.relative_to(above).as_posix())


def files_in(images: Iterable[str | Path]) -> Iterable[str]:
    """The picture files that a user means.

    Args:
        images: Files, or folders whose files are tried, but for hidden ones and those that are no pictures by their
            names or first bytes, such as a table or a licence beside the photos.

    Yields:
        Paths in the order asked for.
    """
    for image in images:
        path = Path(image)
        if path.is_dir():
            yield from sorted(str(file) for file in path.rglob("*") if file.is_file() and not _hidden(file, path))
        else:
            yield str(image)


def _hidden(file: Path, folder: Path) -> bool:
    """What lies in a folder and is no picture, left by a system or beside the photos; a file named itself is tried."""
    parts = file.relative_to(folder).parts
    debris = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return debris or is_of_another_kind(maybe_picture(str(folder), file.relative_to(folder).as_posix()))


def blocks_of(model: TrainedModel, place: Place, *, most: int, notes: list[str]) -> Generator[PictureRows, None, None]:
    """Read the pictures of arrays a block at a time.

    Args:
        model: A network that was trained on pictures.
        place: What `places_of` gave, with files.
        most: Pictures a block.
        notes: Takes what was assumed, in sentences.

    Yields:
        The blocks, each picture called by its place and row; one alone by its place.

    Raises:
        SourceError: The files are missing or damaged, or hold no such pictures; the place is not named in it.
    """
    files, size = place.files, (model.side, model.side)
    found = False
    try:
        with tempfile.TemporaryDirectory(prefix="thalweg-", ignore_cleanup_errors=True) as aside:
            said, blocks = picture_rows(
                files,
                Path(aside),
                size=size,
                trained=model.summary.shown,
                most=most,
                only=place.row,
                colours=not model.summary.grey,
            )
            notes += said
            for block in blocks:
                found = True
                yield replace(block, names=tuple(_called(place, name) for name in block.names))
    except (SourceError, OSError) as error:
        reason = str(error) if all(file.exists() for file in files) else "there is no such file"
        for file in files:  # it is named beside the reason
            reason = reason.removeprefix(f"{printable(file.name)}: ") if str(file) == place.name else reason
        raise SourceError(reason) from None
    if not found:
        above = place.name.removesuffix(f"/{place.row}")
        whole = Path(above).is_file()
        raise SourceError(f"{printable(above)} holds no picture of this name" if whole else "there is no such file")


def _called(place: Place, name: str) -> str:
    return f"{place.name}/{name}" if name and not place.row else place.name


@contextlib.contextmanager
def as_files(images: Pictures) -> Iterator[tuple[list[str | Path], str]]:
    """Give arrays in memory the form of files, so that they are read as such.

    Args:
        images: What the user gave: names, arrays, or anything that numpy takes for an array.

    Yields:
        Names alone, an array's being `array.npy`, or `array-1.npy` of several; and what stands before that, which is to
        be taken from answers. The files are there until the end.

    Raises:
        PlanError: Something is neither name nor array, or an array holds no numbers.

    Example:
        >>> with as_files("photo.png") as (names, _):
        ...     names
        ['photo.png']
        >>> with as_files(np.zeros((2, 9, 9))) as (names, before):
        ...     [str(each).removeprefix(before) for each in names]
        ['array.npy']
    """
    given = [images] if isinstance(images, str | PathLike) or _is_array(images) else images
    if not isinstance(given, Iterable):
        raise PlanError(_refusal(given))
    several = list(given)
    with contextlib.ExitStack() as stack:
        aside = ""
        names: list[str | Path] = []
        for number, each in enumerate(several, 1):
            if isinstance(each, str | PathLike):
                names.append(each if isinstance(each, str) else Path(each))
                continue
            if not _is_array(each):
                raise PlanError(_refusal(each))
            try:
                values = np.asarray(each)
            except (TypeError, ValueError, RuntimeError) as error:  # a tensor on a device, or with its graph
                raise PlanError(f"numpy cannot read what was given for an array ({error})") from None
            if values.dtype.kind not in "buif":
                raise PlanError(f"an array of {values.dtype} holds no numbers: nothing can be seen in it")
            aside = aside or stack.enter_context(
                tempfile.TemporaryDirectory(prefix="thalweg-", ignore_cleanup_errors=True)
            )
            path = Path(aside, "array.npy" if len(several) == 1 else f"array-{number}.npy")
            np.save(path, values, allow_pickle=False)
            names.append(path)
        yield names, f"{aside}/" if aside else ""


def _is_array(value: object) -> bool:
    return hasattr(value, "__array__") or hasattr(value, "__array_interface__")


def _refusal(value: object) -> str:
    return f"{printable(str(value)[:60])} is neither the name of a file or folder nor an array"
