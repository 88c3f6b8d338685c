"""`signalreel_adapters.testserver.transport`: what each fault does to a client, by the clock of the test."""

from collections.abc import AsyncIterator
from typing import cast

import pytest

from signalreel.refusals import REFUSALS
from signalreel_adapters.media.fake import FakeMedia
from signalreel_adapters.ports import TransportClosed
from signalreel_adapters.testing import ManualClock, play, publish
from signalreel_adapters.testing.calls import ANSWER, OFFER
from signalreel_adapters.testing.clock import SECOND
from signalreel_adapters.testserver import FAULTS, MockingRuntime
from signalreel_adapters.testserver.faults import Moment
from signalreel_adapters.transports.memory import Decoded, MemoryClient, MemoryTransport

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(20)]

Named = dict[str, object]


@pytest.fixture
def clock() -> ManualClock:
    """The time of the test."""
    return ManualClock()


@pytest.fixture
async def runtime(clock: ManualClock) -> AsyncIterator[MockingRuntime]:
    """A server with faults."""
    async with MockingRuntime(media=FakeMedia(), clock=clock) as running:
        yield running


@pytest.fixture
async def client(runtime: MockingRuntime) -> MemoryClient:
    """A client of it."""
    return MemoryClient(runtime)


def command(name: str, stream_id: str, **more: object) -> Named:
    """A command that names a stream."""
    return {"command": name, "streamId": stream_id, **more}


async def read_all(client: MemoryClient, clock: ManualClock) -> list[Decoded]:
    """Everything that has arrived by now: the server's own mark comes after it."""
    await clock.advance(0)
    transport = cast(MemoryTransport, vars(client)["_transport"])
    waiting = len(vars(vars(transport)["_outward"])["_messages"])
    return [await client.receive() for _ in range(waiting)]


def definitions(messages: list[Decoded]) -> list[str]:
    """What the messages are, in a word each."""
    return [str(message.get("definition", message["command"])) for message in messages]


@pytest.mark.parametrize("definition", [name for name in REFUSALS if FAULTS[name].moment is Moment.COMMAND])
async def test_a_command_is_refused(client: MemoryClient, definition: str) -> None:
    """Publishing, playing, joining and asking, each as the catalogue says; the id comes back as it was written."""
    name = f"mock:{definition}"
    for said in ("publish", "play", "join", "getStreamInfo"):
        await client.send(command(said, name))
        error = await client.expect(definition)

        assert error["command"] == "error"
        assert error["information"] == REFUSALS[definition].information
        assert error.get("retryAfterMs", 0) == REFUSALS[definition].retry_after_ms
        assert error.get("streamId", name) == name


async def test_a_room_can_be_refused(client: MemoryClient) -> None:
    """It is a name like any other."""
    await client.send({"command": "joinRoom", "room": "mock:unauthorized_access"})

    assert (await client.expect("unauthorized_access"))["command"] == "error"


@pytest.mark.parametrize("definition", ["notSetLocalDescription", "notSetRemoteDescription"])
async def test_a_description_is_refused(runtime: MockingRuntime, client: MemoryClient, definition: str) -> None:
    """The command before it is answered, and the id can be let go of."""
    name = f"mock:{definition}"
    await client.send(command("publish", name))
    await client.expect("start")
    await client.send(command("takeConfiguration", name, type="offer", sdp=OFFER))
    await client.expect(definition)
    await client.send(command("stop", name))

    await client.flush()
    assert list(runtime.engine.machines()) == []


async def test_no_media_ever_arrives(client: MemoryClient, clock: ManualClock, runtime: MockingRuntime) -> None:
    """What the client sends to connect does not come through, until the server's own time is over."""
    name = "mock:publishTimeoutError"
    await client.send(command("publish", name))
    await client.expect("start")
    await client.send(command("takeConfiguration", name, type="offer", sdp=OFFER))
    assert await client.flush() == []

    await clock.advance(runtime.engine.settings.publish_timeout_ms * 1_000)

    assert (await client.expect("publishTimeoutError"))["streamId"] == name


async def test_a_live_stream_falls_silent(client: MemoryClient) -> None:
    """It starts; then the server gives it up and ends it."""
    await publish(client, "mock:noPacketReceivedForTimeoutDuration")

    await client.expect("noPacketReceivedForTimeoutDuration")
    await client.expect("publish_finished")


async def test_later_attempts_go_well(runtime: MockingRuntime, client: MemoryClient) -> None:
    """The count holds over connections; each command has one of its own."""
    name = "mock:streamIdInUse|times=2"
    other = MemoryClient(runtime)
    for who in (client, other):
        await who.send(command("publish", name))
        await who.expect("streamIdInUse")
    await publish(client, name)
    await other.send(command("play", name))

    await other.expect("streamIdInUse")


@pytest.mark.parametrize("name", ["mock:", "mock:nothing", "mock:no pong", "mock:slow_answer"])
async def test_an_id_that_cannot_be_read_is_answered(client: MemoryClient, name: str) -> None:
    """With what is wrong with it, and nothing else happens."""
    await client.send(command("publish", name))
    error = await client.expect("invalidStreamName")

    assert (error["streamId"], str(error["information"]).startswith(f"{name}: ")) == (name, True)
    assert await client.flush() == []


async def test_nothing_is_answered(client: MemoryClient, clock: ManualClock) -> None:
    """But pings."""
    await client.send(command("publish", "mock:no_answer"))
    await client.send({"command": "ping"})

    assert definitions(await read_all(client, clock)) == ["pong"]


async def test_no_ping_is_answered(client: MemoryClient, clock: ManualClock) -> None:
    """From the moment when the id was named; everything else is."""
    await client.send({"command": "ping"})
    await client.expect("pong")
    await publish(client, "mock:no_pong")
    await client.send({"command": "ping"})
    await client.send(command("stop", "mock:no_pong"))

    assert definitions(await read_all(client, clock)) == ["publish_finished"]


async def test_answers_come_late_and_in_order(client: MemoryClient, clock: ManualClock) -> None:
    """Those about other ids, and pongs, do not wait."""
    name = "mock:slow_answer=2s|duplicate"
    await client.send(command("publish", name))
    await client.send(command("takeConfiguration", name, type="offer", sdp=OFFER))
    await client.send(command("publish", "in:valid"))
    await client.send({"command": "ping"})

    assert sorted(definitions(await read_all(client, clock))) == ["invalidStreamName", "pong"]
    await clock.advance(2 * SECOND - 1)
    assert await read_all(client, clock) == []
    await clock.advance(1)
    assert definitions(await read_all(client, clock)) == [
        *("start", "start"),
        *("takeConfiguration", "takeConfiguration"),
        *("publish_started", "publish_started"),
    ]


async def test_the_server_says_nothing_of_its_side(runtime: MockingRuntime, clock: ManualClock) -> None:
    """No description: publisher and player wait. No candidates: what else there is comes."""
    ann, bob = MemoryClient(runtime), MemoryClient(runtime)
    await ann.send(command("publish", "mock:no_description"))
    await ann.expect("start")
    await ann.send(command("takeConfiguration", "mock:no_description", type="offer", sdp=OFFER))
    assert definitions(await read_all(ann, clock)) == ["publish_started"]
    await bob.send(command("play", "mock:no_description"))
    assert await read_all(bob, clock) == []

    for peer in (ann, bob):
        await peer.send(command("join", "mock:no_candidates"))
        await peer.expect("joined")
    await ann.expect("start")
    await ann.send(command("takeConfiguration", "mock:no_candidates", type="offer", sdp="mock.as_it_is"))
    candidate = {"label": 0, "id": "0", "candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host"}
    await ann.send(command("takeCandidate", "mock:no_candidates", **candidate))

    (offer,) = await read_all(bob, clock)
    assert (offer["sdp"], offer["streamId"]) == ("mock.as_it_is", "mock:no_candidates")


async def test_what_no_client_understands(client: MemoryClient) -> None:
    """Comes after the start; the connection lives on."""
    await publish(client, "mock:garbage")
    transport = cast(MemoryTransport, vars(client)["_transport"])
    heard = [await transport.get() for _ in range(4)]

    assert heard[0] == b"this is no JSON"
    assert all(message.startswith(b"{") for message in heard[1:])
    assert await client.flush() == []


async def test_a_weak_line_is_told_again_and_again(runtime: MockingRuntime, clock: ManualClock) -> None:
    """As often as a real server does, with less than what is sent."""
    await publish(MemoryClient(runtime), "mock:low_bitrate|name=ann")
    viewer = MemoryClient(runtime)
    await viewer.send(command("play", "mock:low_bitrate|name=ann"))
    await viewer.expect("takeConfiguration")
    await viewer.send(command("takeConfiguration", "mock:low_bitrate|name=ann", type="answer", sdp=ANSWER))
    await viewer.expect("play_started")
    await clock.advance(7 * SECOND)

    told = [message for message in await read_all(viewer, clock) if message["definition"] == "bitrateMeasurement"]
    assert len(told) == 3
    assert all(one["targetBitrate"] < one["videoBitrate"] for one in told)
    assert {one["streamId"] for one in told} == {"mock:low_bitrate|name=ann"}


@pytest.mark.parametrize(
    ("begin", "started", "ended"),
    [
        (command("join", "mock:finish_after=5s"), "joined", "leaved"),
        ({"command": "joinRoom", "room": "mock:finish_after=5s"}, "joinedTheRoom", "leavedFromRoom"),
    ],
)
async def test_the_server_ends_a_pair_or_a_room(
    client: MemoryClient, clock: ManualClock, begin: Named, started: str, ended: str
) -> None:
    """After its time, and as if the client had wished so."""
    await client.send(begin)
    await client.expect(started)
    await clock.advance(5 * SECOND - 1)
    assert await read_all(client, clock) == []
    await clock.advance(1)

    await client.expect(ended)


async def test_the_server_ends_a_stream(runtime: MockingRuntime, clock: ManualClock) -> None:
    """Publisher and player are told, each once."""
    ann, bob = MemoryClient(runtime), MemoryClient(runtime)
    await publish(ann, "mock:finish_after=5s")
    await play(bob, "mock:finish_after=5s")
    await clock.advance(5 * SECOND)

    assert definitions(await read_all(ann, clock)) == ["publish_finished"]
    assert definitions(await read_all(bob, clock)) == ["play_finished"]


@pytest.mark.parametrize(("name", "code"), [("mock:close", 1011), ("mock:close=4001", 4001)])
async def test_the_connection_is_closed_at_once(client: MemoryClient, name: str, code: int) -> None:
    """With the code that was asked for; nothing is said before."""
    await client.send(command("play", name))

    assert (await client.closed()).code == code
    assert client.transcript == []


async def test_the_connection_is_closed_after_the_start(client: MemoryClient, clock: ManualClock) -> None:
    """When its time has come; the stream ends with it."""
    await publish(client, "mock:close_after_start=5s|close=1013")
    await clock.advance(5 * SECOND - 1)
    assert await client.flush() == []
    await clock.advance(1)

    assert (await client.closed()).code == 1013


async def test_a_connection_is_dead_and_does_not_say_so(
    runtime: MockingRuntime, client: MemoryClient, clock: ManualClock
) -> None:
    """Nothing comes through in either direction; the server takes the stream for live."""
    await publish(client, "mock:half_open=1s")
    await client.send({"command": "ping"})
    assert definitions(await read_all(client, clock)) == ["pong"]
    await clock.advance(1 * SECOND)
    await client.send({"command": "ping"})
    await client.send(command("stop", "mock:half_open=1s"))

    assert await read_all(client, clock) == []
    assert len(list(runtime.engine.machines())) == 1


async def test_the_server_goes_in_good_order(client: MemoryClient, clock: ManualClock) -> None:
    """It says so, and closes with what a restart closes with."""
    await publish(client, "mock:server_will_stop=2s")
    await client.expect("server_will_stop")
    await clock.advance(2 * SECOND)

    assert (await client.closed()).code == 1012


async def test_what_is_no_command_goes_where_it_always_goes(client: MemoryClient) -> None:
    """It is the server that answers, or does not."""
    for said in (b"\xff", "[1, 2]", "{", '{"command": 7, "streamId": ["mock:close"]}'):
        await client.send(said)

    assert await client.flush() == []


async def test_late_answers_to_a_client_that_has_gone_are_lost(client: MemoryClient, clock: ManualClock) -> None:
    """Nobody is troubled by them."""
    await client.send(command("publish", "mock:slow_answer=1m"))
    await client.flush()
    await client.close()
    await clock.advance(60 * SECOND)

    with pytest.raises(TransportClosed):
        await client.receive()
