"""`signalreel_adapters.server.rest.services`: what operations work with."""

import pytest

from signalreel.host import EndStream, KickSession, RegisterStream
from signalreel.registered import RegisteredStream
from signalreel_adapters import FakeMedia, MemoryClient, Runtime
from signalreel_adapters.server.rest.problems import RestProblem
from signalreel_adapters.server.rest.services import Services, draw_id
from tests.adapters.calls import play, publish

pytestmark = pytest.mark.anyio


async def test_what_is_live_is_found_by_app() -> None:
    """Streams, rooms and playbacks, of one app alone."""
    async with Runtime(media=FakeMedia()) as runtime:
        here, elsewhere, viewer = MemoryClient(runtime), MemoryClient(runtime, app="other"), MemoryClient(runtime)
        await publish(here, "s")
        await publish(elsewhere, "s")
        await play(viewer, "s")
        services = Services(runtime)
        [playback] = runtime.engine.indexes.audience("live", "s")
        streams = [services.stream(app, "s") is not None for app in ("live", "other", "none")]
        playbacks = [services.playback(app, playback) is not None for app in ("live", "other")]
        rooms = [services.room("live", name) for name in ("s", "r")]

    assert streams == [True, True, False]
    assert playbacks == [True, False]
    assert rooms == [None, None]


@pytest.mark.parametrize(
    ("order", "status", "said"),
    [
        (EndStream(stream_id="none"), 409, "no_stream_exist"),
        (KickSession(session="none"), 409, "no_such_session"),
        (RegisterStream(stream=RegisteredStream("a b")), 409, "invalidStreamName"),
        (RegisterStream(stream=RegisteredStream("s", name="x" * 5_000)), 400, "cannot stand on a reel"),
    ],
)
async def test_a_refusal_is_a_problem(order: EndStream, status: int, said: str) -> None:
    """With the engine's definition as its text."""
    async with Runtime() as runtime:
        with pytest.raises(RestProblem) as caught:
            await Services(runtime).order(order, "live")

    assert caught.value.status == status
    assert said in caught.value.why


async def test_a_runtime_that_has_ended_is_unavailable() -> None:
    """Nothing can be recorded any more."""
    async with Runtime() as runtime:
        services = Services(runtime)
    with pytest.raises(RestProblem) as caught:
        await services.order(EndStream(stream_id="s"), "live")

    assert caught.value.status == 503


def test_drawn_ids_differ() -> None:
    """By 128 bits."""
    assert len({draw_id() for _ in range(100)}) == 100
    assert len(draw_id()) == 32
