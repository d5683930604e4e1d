"""The live page as an application: a fixed set of files, runs by key, a stream of what changed, stop and resume."""

import functools
import importlib.resources
import math
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from thalweg.core.codec import dumps
from thalweg.core.errors import ThalwegError
from thalweg.core.files import printable
from thalweg.dashboard.feed import Feed, detail
from thalweg.dashboard.guard import REPORT_POLICY
from thalweg.dashboard.resuming import Resumed
from thalweg.dashboard.shelf import Shelf
from thalweg.workbench.run_control import ask_to_stop

__all__ = ["make_app"]

_FILES = {
    "index.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "charts.js": "text/javascript; charset=utf-8",
    "parts.js": "text/javascript; charset=utf-8",
}
_MOST_POINTS = 4000
_MOST_WATCHED = 12


def make_app(shelf: Shelf, *, closing: Callable[[], bool]) -> Starlette:
    """Put the application together; the guard is put around it by whoever serves it.

    Args:
        shelf: The runs.
        closing: Whether the server is about to end, so that streams end first.

    Returns:
        The application.
    """
    resumed = Resumed()

    async def page_file(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in _FILES:
            return _missing("file")
        return Response(_asset(name), media_type=_FILES[name])

    async def runs(_: Request) -> Response:
        states = await run_in_threadpool(shelf.states)
        plain = {key: state.to_json() for key, state in states.items()}
        return _json({"folder": printable(str(shelf.root)), "runs": plain})

    async def run(request: Request) -> Response:
        found = await run_in_threadpool(detail, shelf, request.path_params["key"])
        return _missing("run") if found is None else _json(found)

    async def charts(request: Request) -> Response:
        opened = shelf.view(request.path_params["key"])
        if opened is None:
            return _missing("run")
        view, busy = opened
        first, last = _number(request, "from", -math.inf), _number(request, "to", math.inf)
        limit = int(min(_MOST_POINTS, max(10, _number(request, "limit", 600))))

        def work() -> object:
            with busy:
                return view.charts(limit=limit, window=(first, last))

        return _json({"charts": await run_in_threadpool(work)})

    async def report(request: Request) -> Response:
        folder = shelf.folder(request.path_params["key"])
        path = None if folder is None else folder / "report.html"
        if folder is None or path is None or not path.is_file():
            return _missing("report")
        if path.resolve().parent != folder.resolve():
            return PlainTextResponse("this report is a link to another place\n", status_code=403)
        return FileResponse(
            path, media_type="text/html; charset=utf-8", headers={"content-security-policy": REPORT_POLICY}
        )

    async def stop(request: Request) -> Response:
        return await _acted(request, ask_to_stop)

    async def resume(request: Request) -> Response:
        return await _acted(request, resumed.start)

    async def _acted(request: Request, act: Callable[..., object]) -> Response:
        folder = shelf.folder(request.path_params["key"])
        if folder is None:
            return _missing("run")
        try:
            await run_in_threadpool(act, folder)
        except ThalwegError as error:
            return _json({"error": printable(str(error))}, status=409)
        except OSError as error:
            return _json({"error": f"{printable(str(folder))}: {error.strerror}"}, status=409)
        return _json({"done": True})

    async def events(request: Request) -> Response:
        watched = tuple(key for key in request.query_params.get("runs", "").split(",") if key)[:_MOST_WATCHED]
        feed = Feed(shelf, watched, resumed)
        return StreamingResponse(
            feed.stream(request.is_disconnected, closing),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},
        )

    return Starlette(
        routes=[
            Route("/", page_file),
            Route("/page/{name}", page_file),
            Route("/api/runs", runs),
            Route("/api/events", events),
            Route("/api/runs/{key}", run),
            Route("/api/runs/{key}/charts", charts),
            Route("/api/runs/{key}/report", report),
            Route("/api/runs/{key}/stop", stop, methods=["POST"]),
            Route("/api/runs/{key}/resume", resume, methods=["POST"]),
        ]
    )


@functools.cache
def _asset(name: str) -> bytes:
    return importlib.resources.files("thalweg.dashboard").joinpath("page", name).read_bytes()


def _json(value: object, status: int = 200) -> Response:
    return Response(dumps(value), status_code=status, media_type="application/json")


def _missing(what: str) -> Response:
    return _json({"error": f"there is no such {what}"}, status=404)


def _number(request: Request, name: str, default: float) -> float:
    try:
        value = float(request.query_params.get(name, default))
    except ValueError:
        return default
    return default if math.isnan(value) else value
