import asyncio
import json

from thalweg.dashboard.feed import Feed
from thalweg.dashboard.resuming import Resumed
from thalweg.dashboard.tongue import Tongue


def _told(events):
    parts = [event.decode().split("\n") for event in events]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data, *_ in parts]


def test_only_what_changed_is_told(shelf, keys):
    feed = Feed(shelf, (keys["first"], "no-such-run"), Resumed(), Tongue("en"))
    (kind, rows), (other, run) = _told(feed.news())
    assert (kind, other) == ("rows", "run")
    assert set(rows["changed"]) == set(keys.values())
    assert run["key"] == keys["first"]
    assert feed.news() == []
    history = shelf.folder(keys["halted"]) / "history.csv"
    grown = history.read_text() + "4,0.2,0.9,0.25,0.8,0.001,4,250\n"
    history.unlink()  # as a rename does: the folder's time of change moves
    history.write_text(grown)
    ((kind, rows),) = _told(feed.news())
    assert kind == "rows"
    assert {key: row["epoch"] for key, row in rows["changed"].items()} == {keys["halted"]: 4}


def test_the_stream_ends_with_the_server(shelf):
    async def read():
        async def here():
            return False

        closing = iter([False, True, True])
        return [event async for event in Feed(shelf, (), Resumed(), Tongue("en")).stream(here, lambda: next(closing))]

    assert len(asyncio.run(read())) == 1
