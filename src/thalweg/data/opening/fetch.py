"""Downloading an archive from a server that may be slow, broken or malicious.

Only `https://` is followed (`http://` on this very machine, for trying things out). A redirect never leads from
elsewhere into a private network, nothing is larger than announced or allowed, and a server that stalls is given up
within half a minute. The body is written aside and renamed when it is whole.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from thalweg.core.errors import SourceError
from thalweg.core.files import cache_folder, printable
from thalweg.data.opening.connection import answered

if TYPE_CHECKING:
    import httpx

__all__ = ["fetch", "shown_link", "steady_chunks", "store_body"]

MOST_BYTES: Final = 50 << 30
MOST_UNANNOUNCED_BYTES: Final = 2 << 30
"""Cap where the server does not say how long the body is: it could be endless."""
SLOW_SECONDS: Final = 20.0
SLOW_BYTES: Final = 20 << 10
"""Less than this in `SLOW_SECONDS` counts as stalled."""

_SPARE_BYTES = 256 << 20
_BY_HAND = "download it in a browser and give the file"


def fetch(url: str, *, progress: Callable[[str], None] | None = None) -> Path:
    """Download an archive, or find the copy of the same version that was downloaded before.

    Args:
        url: An `https://` link to an archive.
        progress: Called with a line of text about twice a second.

    Returns:
        The file, in a folder of the cache named by the link and its version.

    Raises:
        SourceError: The link cannot be used, or the server does not give a whole archive.
    """
    with answered(url) as response:
        return store_body(response, identity=url, shown=shown_link(url), progress=progress)


def shown_link(url: str) -> str:
    """A link without its query and password, which may be secret.

    Args:
        url: The link.

    Returns:
        Scheme, host and path on one line.

    Example:
        >>> shown_link("https://me:secret@example.org/a.zip?token=1")
        'https://example.org/a.zip'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return printable(f"{parts.scheme}://{host}{parts.path}")


def store_body(
    response: "httpx.Response",
    *,
    identity: str,
    shown: str,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Write the body of an answer to the cache, unless the same version lies there already.

    Args:
        response: The answer, its body not read yet.
        identity: What was asked for, whatever the final address; with the version it names the folder.
        shown: The link for messages.
        progress: Called with a line of text about twice a second.

    Returns:
        The file.

    Raises:
        SourceError: The body is a web page, too long, too short, or stalls.
    """
    if response.status_code != 200:  # noqa: PLR2004 - the one good status of a whole body
        status = f"{response.status_code} {response.reason_phrase}".strip()
        raise SourceError(f"{shown}: the server answers {status!r}; check the link in a browser")
    if "html" in response.headers.get("content-type", ""):
        raise SourceError(f"{shown}: is a web page, no archive; give the link of the download itself, or {_BY_HAND}")
    announced = _announced(response)
    shelf = cache_folder() / "downloads"
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        limit = _limit(shelf, announced, shown)
        version = response.headers.get("etag") or response.headers.get("last-modified")
        if version:
            place = shelf / hashlib.sha256(f"{identity}\n{version}\n{announced}".encode()).hexdigest()
            if place.is_dir():
                return next(place.iterdir())
        with tempfile.TemporaryDirectory(prefix=".downloading-", dir=shelf, ignore_cleanup_errors=True) as aside:
            file = Path(aside, "archive", _file_name(response))
            file.parent.mkdir()
            digest = _write(response, file, announced=announced, limit=limit, shown=shown, progress=progress)
            if not version:  # without a version only the contents tell whether it is the same
                place = shelf / digest
            with contextlib.suppress(OSError):  # another run may have been faster: its copy is as good
                file.parent.rename(place)
        return next(place.iterdir())
    except (OSError, StopIteration) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError(
            f"{printable(shelf)}: the download cannot be kept ({reason}); set THALWEG_CACHE to a folder with room"
        ) from None


def _file_name(response: "httpx.Response") -> str:
    name = unquote(urlsplit(str(response.url)).path.rpartition("/")[2])
    plain = "".join(
        character for character in name if character.isascii() and (character.isalnum() or character in "._-")
    )
    return plain.lstrip(".")[-100:] or "archive"


def _announced(response: "httpx.Response") -> int | None:
    text = response.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _limit(shelf: Path, announced: int | None, shown: str) -> int:
    # The most bytes to accept; an announced length beyond it is refused at once.
    room = shutil.disk_usage(shelf).free - _SPARE_BYTES
    limit = min(room, MOST_BYTES, MOST_UNANNOUNCED_BYTES if announced is None else announced)
    if announced is not None and announced > limit:
        what = "is allowed" if room > MOST_BYTES else f"is free in {printable(shelf)}"
        most = f"{min(room, MOST_BYTES) / 2**30:,.1f} GiB"
        raise SourceError(f"{shown}: has {announced / 2**30:,.1f} GiB, but only {most} {what}")
    return limit


def _write(
    response: "httpx.Response",
    file: Path,
    *,
    announced: int | None,
    limit: int,
    shown: str,
    progress: Callable[[str], None] | None,
) -> str:
    digest, count, told = hashlib.sha256(), 0, 0.0
    with file.open("wb") as opened:
        for chunk in steady_chunks(response, shown):
            if not count and chunk.lstrip()[:5].lower() in {b"<!doc", b"<html"}:
                raise SourceError(
                    f"{shown}: is a web page, no archive; give the link of the download itself, or {_BY_HAND}"
                )
            count += len(chunk)
            if count > limit:
                raise SourceError(f"{shown}: gave more than {limit / 2**20:,.0f} MiB and was stopped; {_BY_HAND}")
            opened.write(chunk)
            digest.update(chunk)
            if progress is not None and time.monotonic() - told > 0.5:  # noqa: PLR2004 - twice a second
                told = time.monotonic()
                of = f" of {announced / 2**20:,.1f}" if announced is not None else ""
                progress(f"{shown}: {count / 2**20:,.1f}{of} MiB")
        opened.flush()
        os.fsync(opened.fileno())
    if announced is not None and count != announced:
        raise SourceError(f"{shown}: ended after {count:,} of {announced:,} bytes; try again, or {_BY_HAND}")
    if not count:
        raise SourceError(f"{shown}: the server gave 0 bytes; check the link in a browser")
    return digest.hexdigest()


def steady_chunks(response: "httpx.Response", shown: str) -> Iterator[bytes]:
    """The body as it arrives, given up when it stalls or trickles.

    Args:
        response: The answer, its body not read yet.
        shown: The link for messages.

    Yields:
        Bytes as they come.

    Raises:
        SourceError: Less than 20 KiB came in 20 s, or the connection broke.
    """
    import httpx

    start, count = time.monotonic(), 0
    try:
        for chunk in response.iter_raw():
            yield chunk
            count += len(chunk)
            passed = time.monotonic() - start
            if passed > SLOW_SECONDS:
                if count < SLOW_BYTES:
                    raise SourceError(f"{shown}: gave only {count:,} bytes in {passed:.0f} s; try again, or {_BY_HAND}")
                start, count = time.monotonic(), 0
    except httpx.TimeoutException:
        raise SourceError(f"{shown}: gave nothing for {SLOW_SECONDS:.0f} s; try again, or {_BY_HAND}") from None
    except (httpx.TransportError, httpx.StreamError) as error:
        raise SourceError(f"{shown}: the connection broke ({error}); try again, or {_BY_HAND}") from None
