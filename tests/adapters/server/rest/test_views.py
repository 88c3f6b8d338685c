"""`signalreel_adapters.server.rest.views`: the familiar objects."""

import pytest

from signalreel.host import RegisterRoom, RegisterStream
from signalreel.registered import RegisteredRoom, RegisteredStream
from signalreel_adapters import FakeMedia, MemoryClient, Runtime
from signalreel_adapters.server.rest.problems import RestProblem
from signalreel_adapters.server.rest.services import Services
from signalreel_adapters.server.rest.views import (
    broadcast_ids,
    broadcasts,
    conference_rooms,
    known_broadcast,
    room_names,
)
from tests.adapters.calls import publish

pytestmark = pytest.mark.anyio


async def test_what_a_publisher_says_goes_before_what_is_registered() -> None:
    """Name and meta data; what it leaves out is as registered."""
    async with Runtime(media=FakeMedia()) as runtime:
        stream = RegisteredStream("s", name="registered", meta_data="registered")
        await runtime.submit(RegisterStream(stream=stream), app="live")
        client = MemoryClient(runtime)
        await client.send({"command": "publish", "streamId": "s", "streamName": "said"})
        await client.expect("start")
        found = known_broadcast(Services(runtime), "live", "s")

    assert (found.name, found.meta_data, found.zombi) == ("said", "registered", False)


async def test_registered_and_live_are_listed_together() -> None:
    """Once each, sorted."""
    async with Runtime(media=FakeMedia()) as runtime:
        services = Services(runtime)
        for id in ("c", "a"):
            await runtime.submit(RegisterStream(stream=RegisteredStream(id)), app="live")
        for id in ("b", "c"):
            await publish(MemoryClient(runtime), id)
        client = MemoryClient(runtime)
        await client.send({"command": "joinRoom", "room": "z"})
        await client.expect("joinedTheRoom")
        await runtime.submit(RegisterRoom(room=RegisteredRoom("y")), app="live")
        ids, names = sorted(broadcast_ids(services, "live")), sorted(room_names(services, "live"))
        streams = [(one.stream_id, one.zombi, one.virtual) for one in broadcasts(services, "live", [*ids, "none"])]
        rooms = [(one.room_id, one.zombi) for one in conference_rooms(services, "live", [*names, "none"])]

    assert streams == [("a", False, False), ("b", True, False), ("c", False, False), ("z", True, True)]
    assert rooms == [("y", False), ("z", True)]


async def test_nothing_of_an_id_is_404() -> None:
    """Neither registered nor live."""
    async with Runtime() as runtime:
        with pytest.raises(RestProblem) as caught:
            known_broadcast(Services(runtime), "live", "s")

    assert caught.value.status == 404
