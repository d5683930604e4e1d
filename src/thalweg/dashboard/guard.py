"""The door of the live page: whoever comes in has the token, calls us by our own name, and comes from our own page.

Four walls, each enough on its own against what it is for. The *token* keeps out other users of the machine and pages
that only guess the port. The *Host* check keeps out DNS rebinding, where a foreign name is made to point at this
machine: only loopback names and bare addresses are answered. *Origin* and *Sec-Fetch-Site* keep out requests that other
pages send. A header that only our own script can set keeps forms from changing anything. Jupyter's server does alike.
"""

import hmac
import ipaddress
import secrets
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["PAGE_POLICY", "REPORT_POLICY", "Guard", "new_token"]

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page loads its own script and style, asks its own server, and nothing else."""

REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads allow-popups; default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A report may be somebody else's file: it runs as a stranger, without our cookie and without a network."""

_ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "[::1]"}
_SAFE = {"GET", "HEAD"}


class Guard:
    """Refuses what must not come in, before the application sees it.

    Args:
        app: The application.
        token: What a visitor must have.
        port: The port served.
        hosts: Further names that visitors may use; with none, loopback names only.
        addresses: Whether any bare address of this machine is answered as well.
        say: Says a refusal in the language of the page.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str,
        port: int,
        hosts: frozenset[str] = frozenset(),
        addresses: bool = False,
        say: Callable[[str], str] = str,
    ) -> None:
        self.app, self.token, self.port, self.addresses, self.say = app, token, port, addresses, say
        self.hosts = _LOOPBACK_NAMES | hosts
        self.cookie = f"thalweg-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer why not.

        Args:
            scope: The request, as ASGI describes it.
            receive: Its body.
            send: Where the answer goes.
        """
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            status, text = refusal
            response = PlainTextResponse(self.say(text) + "\n", status_code=status, headers=self._headers({}))
            await response(scope, receive, send)
            return
        fresh = self._in_query(scope)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                had = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
                extra = self._headers(had)
                if fresh:
                    extra["set-cookie"] = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"
                pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in extra.items()]
                message["headers"] = [*message["headers"], *pairs]
            await send(message)

        await self.app(scope, receive, answer)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Status and sentence for a request that must not come in."""
        if not self._is_ours(headers.get("host", "")):
            return 421, "this server answers to its own address only"
        origin = headers.get("origin")
        if origin is not None and not self._is_same(origin, headers.get("host", "")):
            return 403, "requests from other pages are refused"
        site, top = headers.get("sec-fetch-site", "same-origin"), headers.get("sec-fetch-mode") == "navigate"
        navigates = top and scope["method"] == "GET" and scope["path"] == "/"
        if site not in {"same-origin", "none"} and not navigates:
            return 403, "requests from other pages are refused"
        if not self._has_token(scope, headers):
            return 401, "open the whole address that thalweg serve printed: it ends in the token"
        if scope["method"] not in _SAFE and headers.get("x-thalweg") != "1":
            return 403, "only the page itself may change anything"
        return None

    def _is_ours(self, host: str) -> bool:
        name, separator, port = host.lower().rpartition(":")
        if not separator or port.endswith("]"):
            name, port = host.lower(), "80"
        if port != str(self.port):
            return False
        return name in self.hosts or (self.addresses and _is_address(name))

    def _is_same(self, origin: str, host: str) -> bool:
        parts = urlsplit(origin)
        return parts.scheme == "http" and parts.netloc.lower() == host.lower()

    def _has_token(self, scope: Scope, headers: Headers) -> bool:
        given = [_bearer(headers), *_cookies(headers, self.cookie)]
        if scope["path"] == "/":
            given.append(_query(scope))
        return any(hmac.compare_digest(each.encode(), self.token.encode()) for each in given if each)

    def _in_query(self, scope: Scope) -> bool:
        found = _query(scope) if scope["path"] == "/" else ""
        return bool(found) and hmac.compare_digest(found.encode(), self.token.encode())

    def _headers(self, had: Mapping[str, str]) -> dict[str, str]:
        wanted = {**_ALWAYS, "content-security-policy": PAGE_POLICY}
        return {name: value for name, value in wanted.items() if name not in had}


def new_token() -> str:
    """Draw a token that nobody guesses.

    Returns:
        192 random bits as text.

    Example:
        >>> len(new_token()) >= 32
        True
    """
    return secrets.token_urlsafe(24)


def _query(scope: Scope) -> str:
    try:
        query: bytes = scope["query_string"]
        return parse_qs(query.decode("ascii")).get("token", [""])[0]
    except (UnicodeDecodeError, ValueError):
        return ""


def _bearer(headers: Headers) -> str:
    kind, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


def _cookies(headers: Headers, name: str) -> list[str]:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return []
    return [found.value] if found else []


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
