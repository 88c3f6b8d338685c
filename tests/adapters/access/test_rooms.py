"""`signalreel_adapters.access.rooms`: rooms as the engine has them."""

import pytest

from signalreel.commands import Join, JoinRoom, Publish
from signalreel.host import RegisterStream
from signalreel.identifiers import App, SessionId
from signalreel.registered import RegisteredStream
from signalreel_adapters import FakeMedia, MemoryClient, Runtime, SessionInfo
from signalreel_adapters.access.rooms import LiveRooms
from tests.adapters.access.scenes import session_of

pytestmark = pytest.mark.anyio


async def test_a_stream_is_in_the_room_it_is_registered_for() -> None:
    """Unless it is published in another one."""
    rooms = LiveRooms()
    async with Runtime(media=FakeMedia()) as runtime, MemoryClient(runtime) as client:
        rooms.look_at(runtime.engine)
        for stream in (RegisteredStream("a", main_track="r"), RegisteredStream("b")):
            await runtime.submit(RegisterStream(stream=stream), app="live")

        assert [rooms.room_of(session_of(), id) for id in ("a", "b")] == ["r", ""]
        assert rooms.room_of(session_of("other"), "a") == ""
        await client.send(Publish(stream_id="a", main_track="q"))
        await client.expect("start")
        assert rooms.room_of(session_of(), "a") == "q"


async def test_rooms_are_those_of_the_engine() -> None:
    """A published stream is in its room, a joined one in that of its session only; other apps know nothing of it."""
    rooms = LiveRooms()
    async with Runtime(media=FakeMedia()) as runtime:
        rooms.look_at(runtime.engine)
        publisher, member, peer = (MemoryClient(runtime) for _ in range(3))
        await publisher.send(Publish(stream_id="a", main_track="r"))
        await publisher.expect("start")
        await member.send(JoinRoom(room="r", stream_id="b"))
        await member.expect("joinedTheRoom")
        await peer.send(Join(stream_id="p"))
        await peer.expect("joined")
        first, second, _ = runtime.engine.sessions()
        joined = SessionInfo(SessionId(second.id), App("live"))

        assert first.id != second.id
        assert rooms.room_of(session_of(), "a") == "r"
        assert rooms.room_of(joined, "b") == "r"
        assert [rooms.room_of(session_of(), id) for id in ("b", "r", "nothing")] == [""] * 3
        assert rooms.room_of(session_of("other"), "a") == ""
        assert [id for id in ("a", "b", "r", "p") if rooms.is_stream(session_of(), id)] == ["a", "p"]


def test_without_an_engine_nothing_is_known() -> None:
    """No stream is in a room, and every id may be a stream: whatever depends on it is refused."""
    rooms = LiveRooms()

    assert rooms.room_of(session_of(), "a") == ""
    assert rooms.is_stream(session_of(), "r")
