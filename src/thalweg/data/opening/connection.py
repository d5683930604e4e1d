"""Asking a server for a file: which addresses are allowed, how redirects are followed, when to give up waiting."""

import contextlib
import functools
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urljoin, urlsplit

from thalweg.core.errors import SourceError
from thalweg.core.files import printable

if TYPE_CHECKING:
    import httpx

__all__ = ["answered"]

CONNECT_SECONDS: Final = 15.0
READ_SECONDS: Final = 20.0
ANSWER_SECONDS: Final = 25.0
"""Time for the whole head of an answer: single reads may each be in time and yet never end."""

_REDIRECTS: Final = 5
_HEADERS: Final = {"Accept-Encoding": "identity", "User-Agent": "thalweg"}


@contextlib.contextmanager
def answered(
    url: str, *, before: str | None = None, headers: Mapping[str, str] | None = None
) -> Iterator["httpx.Response"]:
    """Ask for a link and follow its redirects, with the body still to be read.

    Args:
        url: The link.
        before: The address whose page gave that link; it is then judged like a redirect.
        headers: Further headers to send.

    Yields:
        The answer of the last address.

    Raises:
        SourceError: The link or a redirect is not allowed, or nobody answers in time.
    """
    import httpx

    address = _checked(url) if before is None else _redirected(urlsplit(before), url)
    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(
            httpx.Client(timeout=timeout, verify=_trust(), headers={**_HEADERS, **(headers or {})})
        )
        for _ in range(_REDIRECTS + 1):
            response = _ask(client, address, stack)
            if not response.has_redirect_location:
                yield response
                return
            response.close()
            address = _redirected(address, response.headers["location"])
    raise SourceError(f"{_shown(urlsplit(url))}: leads through more than {_REDIRECTS} redirects; give the final link")


@functools.cache
def _trust() -> ssl.SSLContext:
    # Reading all certificates takes a tenth of a second; once is enough.
    import httpx

    return httpx.create_ssl_context()


def _shown(parts: SplitResult) -> str:
    return printable(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


def _checked(url: str) -> SplitResult:
    # Allow https anywhere and http on this very machine.
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise SourceError(f"{printable(url)}: is no link ({error})") from None
    if parts.scheme not in {"https", "http"} or not host:
        raise SourceError(
            f"{_shown(parts)}: only https:// links are followed; give a folder or a file by its plain path"
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise SourceError(f"{_shown(parts)}: http:// can be changed on its way; use https://")
    return parts


def _addresses(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    # Numeric addresses of a host; none when it has no name here, as behind a proxy.
    with contextlib.suppress(ValueError):
        return [ipaddress.ip_address(host)]
    with contextlib.suppress(OSError, UnicodeError):
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    return []


def _is_loopback(host: str) -> bool:
    addresses = _addresses(host)
    return bool(addresses) and all(address.is_loopback for address in addresses)


def _redirected(before: SplitResult, location: str) -> SplitResult:
    # A public server must not send us into networks that only we can reach, not even to another door of this machine.
    after = _checked(urljoin(before.geturl(), location))
    same = (before.scheme, before.hostname, before.port) == (after.scheme, after.hostname, after.port)
    if not same and any(not address.is_global for address in _addresses(after.hostname or "")):
        raise SourceError(f"{_shown(before)}: redirects to the private address {_shown(after)}, which is not followed")
    if before.scheme == "https" and after.scheme != "https":
        raise SourceError(f"{_shown(before)}: redirects from https:// to {after.scheme}://, which is not followed")
    return after


def _ask(client: "httpx.Client", address: SplitResult, stack: contextlib.ExitStack) -> "httpx.Response":
    import httpx

    connections: list[Any] = []

    def note(event: str, details: Mapping[str, Any]) -> None:
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            connections.append(details["return_value"])

    late = threading.Event()  # the timer's own event comes after its deed, and perhaps after the error that this causes

    def hang_up() -> None:
        late.set()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(ANSWER_SECONDS, hang_up)
    timer.daemon = True
    timer.start()
    try:
        request = client.build_request("GET", address.geturl(), extensions={"trace": note})
        response = client.send(request, stream=True)
    except httpx.TimeoutException:
        raise SourceError(f"{_shown(address)}: no answer within {READ_SECONDS:.0f} s; try again later") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        why = f"no whole answer within {ANSWER_SECONDS:.0f} s" if late.is_set() else f"cannot be reached ({error})"
        raise SourceError(f"{_shown(address)}: {why}; check the link and the network") from None
    finally:
        timer.cancel()
    stack.callback(response.close)
    return response
