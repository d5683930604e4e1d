"""Google Drive links: one shared file, by way of the page that asks whether one really wants it.

Large files stand behind a page of Google's, whose form changes every few years; gdown, which keeps up with that, reads
the form. The transfer itself is ours, with all its limits. Refusals for too many downloads are routine.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urljoin, urlsplit

from thalweg.core.errors import MissingExtraError, SourceError
from thalweg.core.files import printable
from thalweg.data.opening.connection import answered
from thalweg.data.opening.fetch import steady_chunks, store_body

if TYPE_CHECKING:
    import httpx

__all__ = ["drive_file_id", "fetch_from_drive", "is_drive_link"]

_BASE: Final = "https://drive.google.com"
_PAGES: Final = 3  # warnings to click through
_PAGE_BYTES: Final = 2 << 20
_QUOTA: Final = re.compile(
    r"quota exceeded|too many users have viewed|download quota|can.t view or download", re.IGNORECASE
)
_BY_HAND: Final = "open the link in a browser, download the file, then run: thalweg train FILE.zip"
_HEADERS: Final = {"User-Agent": "Mozilla/5.0"}  # other programs get other pages


def is_drive_link(link: str) -> bool:
    """Whether a link leads to Google Drive.

    Args:
        link: Any link.

    Returns:
        True for Drive and its documents.

    Example:
        >>> is_drive_link("https://drive.google.com/file/d/abc/view"), is_drive_link("https://example.org/a.zip")
        (True, False)
    """
    try:
        return urlsplit(link).hostname in {"drive.google.com", "docs.google.com", "drive.usercontent.google.com"}
    except ValueError:
        return False


def drive_file_id(link: str) -> str:
    """Read the file's identifier from any form of a Drive link.

    Args:
        link: A link of the form `/file/d/ID/view`, `/uc?id=ID` or `/open?id=ID`.

    Returns:
        The identifier.

    Raises:
        SourceError: The link leads to a folder, a document, or to nothing that can be downloaded.

    Example:
        >>> drive_file_id("https://drive.google.com/file/d/1aB_c-9/view?usp=sharing")
        '1aB_c-9'
    """
    parts = urlsplit(link)
    shown = printable(f"{parts.scheme}://{parts.netloc}{parts.path}")
    if "/folders/" in parts.path:
        raise SourceError(
            f"{shown}: is a Drive folder; download it in a browser, which makes a zip, and give that file"
        )
    if parts.hostname == "docs.google.com" and not parts.path.startswith("/uc"):
        raise SourceError(f"{shown}: is a Google document, no archive of pictures; give the link of a zip or tar")
    named = re.match(r"/file/(?:u/\d+/)?d/([\w-]+)", parts.path)
    found = [named[1]] if named else parse_qs(parts.query).get("id", [])
    if len(found) != 1 or not re.fullmatch(r"[\w-]+", found[0]):
        raise SourceError(f"{shown}: names no Drive file; a link such as {_BASE}/file/d/ID/view is wanted")
    return found[0]


def fetch_from_drive(link: str, *, progress: Callable[[str], None] | None = None, _base: str = _BASE) -> Path:
    """Download a shared file, or find the copy that was downloaded before.

    Args:
        link: The link as Drive's Share button gives it.
        progress: Called with a line of text about twice a second.
        _base: Where Drive is; for tests.

    Returns:
        The file, in a folder of the cache.

    Raises:
        SourceError: The file is not shared, its quota is used up, or the download fails.
        MissingExtraError: gdown is not installed.
    """
    identity = drive_file_id(link)
    shown = f"Google Drive file {identity}"
    follow = _page_reader()
    url, before = f"{_base}/uc?export=download&id={identity}", None
    for _ in range(_PAGES + 1):
        with answered(url, before=before, headers=_HEADERS) as response:
            if "html" not in response.headers.get("content-type", ""):
                return store_body(response, identity=f"drive:{identity}", shown=shown, progress=progress)
            page = _page(response, shown)
            before = str(response.url)
            _refuse(response, page, shown)
        try:
            url = urljoin(before, follow(" ".join(page.split())))  # it is read line by line; the form must be on one
        except Exception as error:  # noqa: BLE001 - gdown raises its own errors, and asserts, on pages it does not know
            reason = " ".join(str(error).split())[:200] or "its page has no download button"
            raise SourceError(f"{shown}: cannot be downloaded ({reason}); {_BY_HAND}") from None
    raise SourceError(f"{shown}: shows more than {_PAGES} pages before the download; {_BY_HAND}")


def _page_reader() -> Callable[[str], str]:
    # gdown's reader of Drive's confirmation page.
    try:
        from gdown.download import get_url_from_gdrive_confirmation
    except ImportError:
        raise MissingExtraError("gdown", "drive", "to read Google Drive links") from None
    return get_url_from_gdrive_confirmation


def _page(response: "httpx.Response", shown: str) -> str:
    page = b""
    for chunk in steady_chunks(response, shown):
        page += chunk
        if len(page) > _PAGE_BYTES:
            break
    return page.decode("utf-8", "replace")


def _refuse(response: "httpx.Response", page: str, shown: str) -> None:
    if _QUOTA.search(page):
        raise SourceError(f"{shown}: too many people downloaded it lately (Drive's quota); {_BY_HAND}")
    if (response.url.host or "").startswith("accounts.") or response.status_code in {401, 403}:
        raise SourceError(
            f"{shown}: is not shared; let its owner share it with everybody who has the link, or {_BY_HAND}"
        )
    if response.status_code == 404:  # noqa: PLR2004 - HTTP's word for it
        raise SourceError(f"{shown}: does not exist; check the link in a browser")
