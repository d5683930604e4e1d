"""The live page as an application: a fixed set of files, runs by key, a stream of what changed, stop and resume."""

import math
import re
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from thalweg.core.codec import dumps
from thalweg.core.errors import ThalwegError
from thalweg.core.files import printable
from thalweg.core.run_folder import RunFolder
from thalweg.dashboard.feed import Feed, detail
from thalweg.dashboard.guard import REPORT_POLICY
from thalweg.dashboard.resuming import Resumed
from thalweg.dashboard.shelf import Shelf
from thalweg.dashboard.tongue import Tongue, asset
from thalweg.rendering.pages.html import render_html
from thalweg.workbench.following.run_control import ask_to_stop

__all__ = ["make_app"]

_FILES = {
    "index.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "charts.js": "text/javascript; charset=utf-8",
    "parts.js": "text/javascript; charset=utf-8",
    "words.js": "text/javascript; charset=utf-8",
}
_MOST_POINTS = 4000
_MOST_WATCHED = 12
_LANGUAGE = re.compile(rb'<html lang="(\w+)"')
_HEAD = 200


def make_app(shelf: Shelf, *, closing: Callable[[], bool], language: str = "en") -> Starlette:
    """Put the application together; the guard is put around it by whoever serves it.

    Args:
        shelf: The runs.
        closing: Whether the server is about to end, so that streams end first.
        language: What the page speaks.

    Returns:
        The application.
    """
    pages = _Pages(shelf, closing, Tongue(language))
    app = Starlette(
        routes=[
            Route("/", pages.file),
            Route("/page/{name}", pages.file),
            Route("/api/runs", pages.runs),
            Route("/api/events", pages.events),
            Route("/api/runs/{key}", pages.run),
            Route("/api/runs/{key}/charts", pages.charts),
            Route("/api/runs/{key}/report", pages.report),
            Route("/api/runs/{key}/stop", pages.stop, methods=["POST"]),
            Route("/api/runs/{key}/resume", pages.resume, methods=["POST"]),
        ]
    )
    app.router.redirect_slashes = False  # an address is right or it is not
    return app


class _Pages:
    """What is answered at each address."""

    def __init__(self, shelf: Shelf, closing: Callable[[], bool], tongue: Tongue) -> None:
        self.shelf, self.closing, self.resumed, self.tongue = shelf, closing, Resumed(), tongue
        self.files = {name: asset(name) for name in _FILES if name != "words.js"}
        self.files |= {"index.html": tongue.page(self.files["index.html"]), "words.js": tongue.words()}

    async def file(self, request: Request) -> Response:
        """One of the page's own files."""
        name = request.path_params.get("name", "index.html")
        if name not in _FILES:
            return self._missing("there is no such file")
        return Response(self.files[name], media_type=_FILES[name])

    async def runs(self, _: Request) -> Response:
        """Every run."""
        states = await run_in_threadpool(self.shelf.states)
        plain = {key: self.tongue.row(state) for key, state in states.items()}
        return _json({"folder": printable(str(self.shelf.root)), "runs": plain})

    async def run(self, request: Request) -> Response:
        """One run, closely."""
        found = await run_in_threadpool(detail, self.shelf, request.path_params["key"], self.tongue)
        return self._missing("there is no such run") if found is None else _json(found)

    async def charts(self, request: Request) -> Response:
        """A stretch of a run's curves."""
        opened = self.shelf.view(request.path_params["key"])
        if opened is None:
            return self._missing("there is no such run")
        view, busy = opened
        first, last = _number(request, "from", -math.inf), _number(request, "to", math.inf)
        limit = int(min(_MOST_POINTS, max(10, _number(request, "limit", 600))))

        def work() -> object:
            with busy:
                return view.charts(limit=limit, window=(first, last))

        return _json({"charts": await run_in_threadpool(work)})

    async def report(self, request: Request) -> Response:
        """A run's report, as a stranger's page."""
        folder = self.shelf.folder(request.path_params["key"])
        path = None if folder is None else folder / "report.html"
        if folder is None or path is None or not path.is_file():
            return self._missing("there is no such report")
        if path.resolve().parent != folder.resolve():
            words = self.tongue.say("this report is a link to another place", "error")
            return PlainTextResponse(f"{words}\n", status_code=403)
        kind, headers = "text/html; charset=utf-8", {"content-security-policy": REPORT_POLICY}
        again = await run_in_threadpool(self._in_our_language, folder, path)
        if again is None:
            return FileResponse(path, media_type=kind, headers=headers)
        return Response(again, media_type=kind, headers=headers)

    def _in_our_language(self, folder: Path, path: Path) -> str | None:
        """The report rendered again, where it speaks another language than the page and its data are there."""
        with path.open("rb") as file:
            spoken = _LANGUAGE.search(file.read(_HEAD))
        if spoken is None or spoken[1].decode() == self.tongue.language:
            return None
        try:
            return render_html(RunFolder(folder).read_report(), language=self.tongue.language)
        except (ThalwegError, OSError):
            return None

    async def stop(self, request: Request) -> Response:
        """Ask a run to save and stop."""
        return await self._acted(request, ask_to_stop)

    async def resume(self, request: Request) -> Response:
        """Start a process that goes on with a run."""
        return await self._acted(request, self.resumed.start)

    async def _acted(self, request: Request, act: Callable[[Path], None]) -> Response:
        folder = self.shelf.folder(request.path_params["key"])
        if folder is None:
            return self._missing("there is no such run")
        try:
            await run_in_threadpool(act, folder)
        except ThalwegError as error:
            return _json({"error": self.tongue.trouble(printable(str(error)))}, status=409)
        except OSError as error:
            return _json({"error": self.tongue.trouble(f"{printable(str(folder))}: {error.strerror}")}, status=409)
        return _json({"done": True})

    async def events(self, request: Request) -> Response:
        """What changes, as it changes."""
        watched = tuple(key for key in request.query_params.get("runs", "").split(",") if key)[:_MOST_WATCHED]
        return StreamingResponse(
            Feed(self.shelf, watched, self.resumed, self.tongue).stream(request.is_disconnected, self.closing),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},
        )

    def _missing(self, sentence: str) -> Response:
        return _json({"error": self.tongue.say(sentence, "error")}, status=404)


def _json(value: object, status: int = 200) -> Response:
    return Response(dumps(value), status_code=status, media_type="application/json")


def _number(request: Request, name: str, default: float) -> float:
    try:
        value = float(request.query_params.get(name, default))
    except ValueError:
        return default
    return default if math.isnan(value) else value
