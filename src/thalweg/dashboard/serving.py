"""`thalweg serve`: the live page on this machine, until Ctrl-C."""

import contextlib
import ipaddress
import os
import socket
from collections.abc import Callable
from pathlib import Path

from thalweg.core.errors import MissingExtraError, PlanError, SourceError
from thalweg.core.files import printable
from thalweg.core.languages import spoken

__all__ = ["serve"]

PORT = 8765
_TRIED = 20
_SHORTEST_TOKEN = 16
_CLOSING_SECONDS = 2


def serve(
    runs: str | os.PathLike[str] = "runs",
    *,
    port: int | None = None,
    host: str = "127.0.0.1",
    token: str | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Serve a live page over a folder of runs until it is interrupted.

    Args:
        runs: The folder; runs may lie in folders of it.
        port: Where to listen; the first free one from 8765 on by default, 0 for any.
        host: The address to listen at; one that is not loopback lets other machines in, with a warning.
        token: What visitors must have; drawn anew by default.
        say: Called with each line to show; the first holds the address of the page.

    Raises:
        SourceError: There is no such folder.
        PlanError: The port is taken, the address is not this machine's, or the token is short.
        MissingExtraError: The extra `dashboard` is not installed.

    Example:
        >>> serve("no/such/folder")
        Traceback (most recent call last):
        thalweg.core.errors.SourceError: no/such/folder: there is no such folder: name the one that holds your runs
    """
    root = Path(runs)
    if not root.is_dir():
        raise SourceError(f"{printable(root)}: there is no such folder: name the one that holds your runs")
    if token is not None and (len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        raise PlanError(f"--token has {len(token)} characters: at least {_SHORTEST_TOKEN} of ASCII are wanted")
    try:
        import starlette  # noqa: F401 - told at once, and in our words
        import uvicorn
    except ImportError as error:
        raise MissingExtraError(error.name or "uvicorn", "dashboard", "to serve the live page") from None
    from thalweg.dashboard.app import make_app
    from thalweg.dashboard.guard import Guard, new_token
    from thalweg.dashboard.shelf import Shelf
    from thalweg.dashboard.tongue import Tongue

    listening = _listen(host, port)
    with contextlib.closing(listening):
        taken: int = listening.getsockname()[1]
        near = _is_loopback(host)
        secret = token or new_token()
        shelf = Shelf(root)
        guard = Guard(
            make_app(shelf, closing=lambda: server.should_exit, language=spoken()),
            token=secret,
            port=taken,
            hosts=frozenset() if near else frozenset({host.lower(), socket.gethostname().lower()}),
            addresses=not near,
            say=Tongue(spoken()).trouble,
        )
        server = uvicorn.Server(
            uvicorn.Config(
                guard,
                log_level="critical",
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=_CLOSING_SECONDS,
                proxy_headers=False,
            )
        )
        shown = f"[{host}]" if ":" in host else host if host != "0.0.0.0" else socket.gethostname()  # noqa: S104 - compared
        count = len(shelf.states())
        say(f"http://{shown}:{taken}/?token={secret}")
        say(f"{count:,} run{'' if count == 1 else 's'} in {printable(root)}. Ctrl-C ends the page; runs go on.")
        if not near:
            say(
                f"Warning: {host} lets other machines in. Whoever has the address above sees, stops and resumes these "
                "runs, and the connection is not encrypted."
            )
        server.run(sockets=[listening])


def _listen(host: str, port: int | None) -> socket.socket:
    """Take the port before anything is said, so that what is said is true."""
    if port is not None and not 0 <= port <= 65535:  # noqa: PLR2004 - TCP's own limit
        raise PlanError(f"--port {port}: a number from 0 to 65535 is wanted")
    wanted = [port] if port is not None else [*range(PORT, PORT + _TRIED), 0]
    for number in wanted:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
        except OSError:
            raise PlanError(f"--host {printable(host)}: this is no address; see --host 127.0.0.1") from None
        listening = socket.socket(family, kind, protocol)
        try:
            if os.name != "nt":  # on Windows it would let two servers share the port
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(128)
        except (OSError, OverflowError) as error:
            listening.close()
            reason = getattr(error, "strerror", None) or str(error)
            if number == wanted[-1]:
                raise PlanError(
                    f"{printable(host)}:{number} cannot be listened at ({reason}): name another --port"
                ) from None
            continue
        return listening
    raise PlanError(f"no port of {printable(host)} is free: name one with --port")


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
