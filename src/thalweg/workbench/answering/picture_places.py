"""What a user means by pictures: files, folders of such, arrays whose rows are pictures, a row by its name, or values.

`predict` and `explain` take the same places, and call what they find there the same.
"""

import contextlib
import glob
import os
import re
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TypeAlias

import numpy as np

from thalweg.core.dataset import Notice
from thalweg.core.errors import PlanError, SourceError
from thalweg.core.files import printable
from thalweg.data.files.walk import is_of_another_kind, maybe_picture, walk_folders
from thalweg.data.measured.array_rows import PictureRows, picture_rows
from thalweg.data.measured.arrays import picture_arrays
from thalweg.data.opening.source import open_archive
from thalweg.workbench.answering.model import TrainedModel

__all__ = ["Named", "Pictures", "Place", "as_files", "blocks_of", "files_in", "missing", "places_of"]

Pictures: TypeAlias = "str | PathLike[str] | np.ndarray | Sequence[str | PathLike[str] | np.ndarray]"
"""Files, folders and arrays, one or several."""

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_ROW = re.compile(r"-\d{6,}\.png$")  # how `data.arrays.names` ends the name of a row


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
            yield from sorted(str(path / file) for file in _inside(path))
        else:
            yield str(image)


def _inside(folder: Path) -> Iterator[str]:
    """What is tried of a folder, read as training reads one: what cannot be had is tried too, so that it is told."""
    found, left_out = walk_folders(os.fspath(folder), ("",))
    yield from found[""]
    for notice in left_out:
        kinds = (notice.reason, maybe_picture(os.fspath(folder), notice.file))  # a link may be of another kind by name
        if not any(map(is_of_another_kind, kinds)) and not notice.reason.startswith(("hidden: ", "leads to a folder ")):
            yield notice.file


def missing(name: str) -> str:
    """Say why nothing is there that is called so, and the way out.

    Args:
        name: What somebody named.

    Returns:
        The reason; empty where something is there.

    Example:
        >>> missing("-"), missing("https://example.org/cat.jpg")
        ('standard input is not read: name a file', 'links are not followed here: fetch it, and name the file')
    """
    if os.path.lexists(name):
        return "" if os.path.exists(name) else "a link that leads nowhere"  # noqa: PTH110 - text of any kind
    if "://" in name:
        return "links are not followed here: fetch it, and name the file"
    if name == "-":
        return "standard input is not read: name a file"
    return "no file fits this pattern" if glob.has_magic(name) else "there is no such file"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a user named, as files and folders.

    Args:
        places: Files and folders alone.
        shown: What stands in answers for the folder that something was brought into: an archive's name, or nothing.
        left_out: Members of archives that were not unpacked, with the reason.
    """

    places: tuple[str | Path, ...]
    shown: Mapping[str, str]
    left_out: tuple[Notice, ...] = ()

    def told(self, file: str) -> str:
        """How a file is called in answers.

        Args:
            file: Its path.

        Returns:
            The name below what the user named.
        """
        for folder, name in self.shown.items():
            if file == folder or file.startswith(f"{folder}/"):
                return f"{name}{file.removeprefix(folder)}" if name else file.removeprefix(f"{folder}/")
        return file


@contextlib.contextmanager
def as_files(images: Pictures) -> Iterator[Named]:
    """Give what a user named the form of files and folders: arrays in memory, archives, patterns such as `new/*.jpg`.

    Args:
        images: What the user gave: names, arrays, or anything that numpy takes for an array.

    Yields:
        The files, an array's being called `array.npy`, or `array-1.npy` of several, those of an archive by its name and
        theirs. They are there until the end.

    Raises:
        PlanError: Something is neither name nor array, a name is empty, or an array holds no numbers.
        SourceError: An archive cannot be unpacked.

    Example:
        >>> with as_files("photo.png") as named:
        ...     named.places
        ('photo.png',)
        >>> with as_files(np.zeros((2, 9, 9))) as named:
        ...     [named.told(str(each)) for each in named.places]
        ['array.npy']
    """
    given = [images] if isinstance(images, str | PathLike) or _is_array(images) else images
    if not isinstance(given, Iterable):
        raise PlanError(_refusal(given))
    several = list(given)
    with contextlib.ExitStack() as stack:
        aside = ""
        names: list[str | Path] = []
        shown: dict[str, str] = {}
        left_out: list[Notice] = []
        for number, each in enumerate(several, 1):
            if isinstance(each, str | PathLike):
                name = os.fspath(each)
                if name.lower().endswith(_ARCHIVES) and os.path.isfile(name):  # noqa: PTH113 - text of any kind
                    opened = open_archive(name, Path(name), None)
                    shown[str(opened.root)] = name
                    left_out += (Notice(f"{name}/{notice.file}", notice.reason) for notice in opened.left_out)
                    names.append(opened.root)
                else:
                    names += _meant(each if isinstance(each, str) else Path(each), name)
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
        if aside:
            shown[aside] = ""
        yield Named(places=tuple(names), shown=shown, left_out=tuple(left_out))


def _meant(given: str | Path, name: str) -> list[str | Path]:
    """What a name stands for: itself, or the files that fit it as a pattern, as cmd and Python leave patterns."""
    if not name:
        raise PlanError("a name is empty (''): name a file or a folder")
    if glob.has_magic(name) and not os.path.lexists(name):
        return [*sorted(glob.glob(name))] or [given]  # noqa: PTH207 - names as they were written
    return [given]


def _is_array(value: object) -> bool:
    return hasattr(value, "__array__") or hasattr(value, "__array_interface__")


def _refusal(value: object) -> str:
    return f"{printable(str(value)[:60])} is neither the name of a file or folder nor an array"
