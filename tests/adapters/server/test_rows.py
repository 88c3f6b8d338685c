"""`signalreel_adapters.server.rows`."""

import msgspec
import pytest

from signalreel_adapters import FakeMedia, MemoryClient, Runtime, SeededIds
from signalreel_adapters.server.rows import ROWS_MAX, listed
from signalreel_adapters.testing import ManualClock
from tests.adapters.calls import OFFER, play, publish

pytestmark = pytest.mark.anyio


async def test_everything_that_lives_is_listed_and_no_description() -> None:
    """By kind, with its state, for how long, whose it is; totals are of all."""
    clock = ManualClock()
    async with Runtime(media=FakeMedia(), ids=SeededIds(1), clock=clock) as runtime:
        publisher, viewer = MemoryClient(runtime), MemoryClient(runtime)
        await publish(publisher, "s")
        await play(viewer, "s")
        found = listed(runtime.engine, is_recorded=False)
        text = msgspec.json.encode(found).decode()

    assert found.totals == {"playback": 1, "stream": 1, "pair": 0, "room": 0, "session": 2}
    (stream,), (playback,) = found.rows["stream"], found.rows["playback"]
    assert (stream.id, stream.app, stream.state, stream.about) == ("s", "live", "broadcasting", "video VP8 audio opus")
    assert (playback.state, playback.about.strip()) == ("playing", "of s")
    assert {row.id for row in found.rows["session"]} == {*stream.sessions, *playback.sessions}
    assert OFFER.splitlines()[1] not in text


async def test_of_very_many_the_newest_are_given() -> None:
    """The page is not handed more rows than it can search; the total says how many there are."""

    class Nowhere:
        """A delivery that takes everything."""

        def send(self, data: bytes) -> None:
            """Take it."""

        def close(self, code: int, reason: str) -> None:
            """Be closed."""

    async with Runtime(ids=SeededIds(1), clock=ManualClock()) as runtime:
        opened = [runtime.open_session("live", Nowhere()).id for _ in range(ROWS_MAX + 3)]
        await runtime.idle()
        found = listed(runtime.engine, is_recorded=False)

    assert found.totals["session"] == ROWS_MAX + 3
    assert [row.id for row in found.rows["session"]] == opened[3:]
