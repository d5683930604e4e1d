"""What changed, told once a second to a page that is open: rows of the table, and the runs it looks at closely."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import anyio
from starlette.concurrency import run_in_threadpool

from thalweg.core.codec import dumps
from thalweg.core.files import printable
from thalweg.core.run_state import RunState
from thalweg.dashboard.resuming import Resumed
from thalweg.dashboard.shelf import Shelf
from thalweg.dashboard.tongue import Tongue

__all__ = ["Feed", "detail"]

SECONDS = 1.0
_GLANCE = 0.1
"""So often it is asked whether the page or the server has gone."""
_KEEP_ALIVE = 15.0


class Feed:
    """The stream of one open page.

    Args:
        shelf: The runs.
        watched: Keys of the runs that the page looks at closely.
        resumed: Runs that were resumed from a page.
        tongue: The language of the page.
    """

    def __init__(self, shelf: Shelf, watched: tuple[str, ...], resumed: Resumed, tongue: Tongue) -> None:
        self.shelf, self.watched, self.resumed, self.tongue = shelf, watched, resumed, tongue
        self._rows: dict[str, str] = {}
        self._details: dict[str, str] = {}
        self._written: dict[str, tuple[RunState, str, str]] = {}
        self._first = True

    async def stream(self, gone: Callable[[], Awaitable[bool]], closing: Callable[[], bool]) -> AsyncIterator[bytes]:
        """Tell what changed until the page or the server goes.

        Args:
            gone: Whether the page has gone.
            closing: Whether the server ends.

        Yields:
            Server-sent events: `rows` with `{changed, gone}`, the first of them also with `folder`; `run` with one run
            in detail.
        """
        spoken = time.monotonic()
        while not closing() and not await gone():
            began = time.monotonic()
            for event in await run_in_threadpool(self.news):
                yield event
                spoken = time.monotonic()
            if time.monotonic() - spoken > _KEEP_ALIVE:
                yield b": still here\n\n"
                spoken = time.monotonic()
            while time.monotonic() - began < SECONDS and not closing():  # noqa: ASYNC110 - the server's flag is no event
                await anyio.sleep(_GLANCE)

    def news(self) -> list[bytes]:
        """Look, and compare with what was told last.

        Returns:
            Events, ready to send.
        """
        states = self.shelf.states()
        notices = self.resumed.notices()
        rows = {key: self._row(key, state, notices.get(Path(state.path), "")) for key, state in states.items()}
        changed = [f'"{key}":{row}' for key, row in rows.items() if self._rows.get(key) != row]
        lost = [key for key in self._rows if key not in rows]
        told = []
        if changed or lost or self._first:
            place = f',"folder":{dumps(printable(str(self.shelf.root)))}' if self._first else ""
            told.append(_event("rows", f'{{"changed":{{{",".join(changed)}}},"gone":{dumps(lost)}{place}}}'))
        self._rows, self._first = rows, False
        for key in self.watched:
            found = detail(self.shelf, key, self.tongue)
            text = dumps(found)
            if found is not None and self._details.get(key) != text:
                self._details[key] = text
                told.append(_event("run", text))
        return told

    def _row(self, key: str, state: RunState, notice: str) -> str:
        """A row as text; that of a run that has not changed, which the shelf gives as the same object, is at hand."""
        known = self._written.get(key)
        if known is not None and known[0] is state and known[1] == notice:
            return known[2]
        text = dumps(self.tongue.row(state, notice))
        self._written[key] = (state, notice, text)
        return text


def detail(shelf: Shelf, key: str, tongue: Tongue) -> dict[str, object] | None:
    """Look at one run closely.

    Args:
        shelf: The runs.
        key: Its key.
        tongue: The language of the page.

    Returns:
        `key, state, plan, events, findings, charts`; None where there is no such run.
    """
    state, opened = shelf.state(key), shelf.view(key)
    if state is None or opened is None:
        return None
    view, busy = opened
    with busy:
        return {
            "key": key,
            "state": tongue.row(state),
            "plan": view.plan(),
            "events": list(map(tongue.event, view.events())),
            "findings": list(map(tongue.finding, view.findings(state))),
            "charts": view.charts(),
        }


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()
