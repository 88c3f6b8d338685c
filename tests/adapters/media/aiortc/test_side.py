"""What both sides share: descriptions fail as events, candidates wait, a loss is reported once."""

import asyncio

import pytest
from msgspec import structs

from signalreel.events import AnyEvent, DescriptionCreated, DescriptionFailed, MediaLost
from signalreel.identifiers import Kind, Reference
from signalreel_adapters.media.aiortc.errors import DescriptionImpossible
from signalreel_adapters.media.aiortc.failures import Failures
from signalreel_adapters.media.aiortc.fanout import PoliteFanOut
from signalreel_adapters.media.aiortc.peer import PeerTransport
from signalreel_adapters.media.aiortc.publishing import StreamSide
from signalreel_adapters.media.aiortc.sdp import LocalTransport
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from tests.adapters.media.aiortc.fakes import Clock, FakeTransport
from tests.adapters.media.aiortc.peers import eventually
from tests.adapters.media.aiortc.test_sdp import OFFER

pytestmark = pytest.mark.anyio

MACHINE = Reference(Kind.STREAM, "live", "s1", 3)
CANDIDATE = "candidate:1 1 udp 2122260223 192.0.2.9 50009 typ host"


class BrokenTransport(FakeTransport):
    """Cannot be opened."""

    async def gather(self) -> LocalTransport:
        """Find no address."""
        raise DescriptionImpossible("no address")


class World:
    """One side, and everything it reports."""

    def __init__(self, settings: AiortcSettings | None = None, transport: FakeTransport | None = None) -> None:
        self.clock = Clock()
        self.events: list[AnyEvent] = []
        self.transports: list[FakeTransport] = []
        self._given = transport
        self.failures = Failures()
        self.side = StreamSide(
            MACHINE,
            settings or AiortcSettings(),
            self._make,
            self.events.append,
            self.failures,
            fan_out=PoliteFanOut(),
            clock=self.clock,
        )

    def _make(self, controlling: bool) -> PeerTransport:
        self.transports.append(self._given or FakeTransport())
        return self.transports[-1]

    async def described(self, count: int = 1) -> None:
        """Wait for what came of a description."""
        kinds = (DescriptionCreated, DescriptionFailed)
        await eventually(lambda: sum(isinstance(event, kinds) for event in self.events) >= count, "a description")


async def test_an_offer_is_answered_and_the_peer_connected() -> None:
    """The answer names our transport; what the description said of the peer goes to it."""
    world = World()
    world.side.take_offer(OFFER, None)
    await world.described()
    created = world.events[0]
    assert isinstance(created, DescriptionCreated)
    assert (created.machine, created.type) == (MACHINE, "answer")
    await eventually(lambda: world.transports[0].remote, "it connects")

    remote = world.transports[0].remote
    assert remote is not None
    assert (remote.user_fragment, remote.dtls_client) == ("abcd", True)
    assert [candidate.address for candidate in remote.candidates] == ["192.0.2.1"]
    await world.side.close()


async def test_candidates_that_come_first_are_kept() -> None:
    """They are handed over with those of the offer, in the order in which they came."""
    world = World()
    world.side.take_candidate(CANDIDATE)
    world.side.take_offer(OFFER, None)
    world.side.take_candidate(CANDIDATE.replace("192.0.2.9", "192.0.2.10"))
    world.side.take_candidate("")
    await eventually(lambda: world.transports and world.transports[0].candidates, "the last one arrives")

    remote = world.transports[0].remote
    assert remote is not None
    assert [candidate.address for candidate in remote.candidates] == ["192.0.2.9", "192.0.2.1"]
    assert [candidate.address for candidate in world.transports[0].candidates] == ["192.0.2.10"]
    await world.side.close()


async def test_candidates_of_all_kinds_share_one_bound() -> None:
    """Those of the description count as well."""
    world = World(AiortcSettings(candidates_max=3))
    world.side.take_offer(OFFER, None)
    for port in range(50_000, 50_010):
        world.side.take_candidate(CANDIDATE.replace("50009", str(port)))
    await world.described()
    await eventually(lambda: len(world.transports[0].candidates) == 2, "two of them arrive")
    await asyncio.sleep(0)

    assert len(world.transports[0].candidates) == 2
    await world.side.close()


async def test_failures_say_whose_fault_they_are() -> None:
    """The client's description, or our own."""
    theirs, ours = World(), World(transport=BrokenTransport())
    theirs.side.take_offer("junk", None)
    ours.side.take_offer(OFFER, None)
    await theirs.described()
    await ours.described()

    assert theirs.events == [DescriptionFailed(MACHINE, "remote", "the description does not start with v=0")]
    assert ours.events == [DescriptionFailed(MACHINE, "local", "no address")]
    await theirs.side.close()
    await ours.side.close()


async def test_a_refused_offer_may_be_followed_by_a_good_one() -> None:
    """The machine goes back and waits; so do we."""
    world = World()
    world.side.take_offer("junk", None)
    world.side.take_offer(OFFER, None)
    await world.described(2)

    assert isinstance(world.events[1], DescriptionCreated)
    await world.side.close()


async def test_too_much_at_once_fails_instead_of_waiting() -> None:
    """What waits for one machine is bounded."""
    world = World(AiortcSettings(inbox_max=2))
    for _ in range(4):
        world.side.take_offer(OFFER, None)

    assert [type(event) for event in world.events] == [DescriptionFailed, DescriptionFailed]
    await world.side.close()


async def test_an_ice_restart_is_refused() -> None:
    """The transport cannot do it; a new connection can."""
    world = World()
    world.side.take_offer(OFFER, None)
    world.side.take_offer(OFFER.replace("a=ice-ufrag:abcd", "a=ice-ufrag:efgh"), None)
    await world.described(2)

    assert world.events[1] == DescriptionFailed(
        MACHINE, "remote", "an ICE restart is not possible; make a new connection"
    )
    await world.side.close()


async def test_a_loss_is_reported_once() -> None:
    """By whoever notices first."""
    world = World()
    world.side.take_offer(OFFER, None)
    await world.described()
    world.transports[0].on_lost("the path to the peer was lost")
    world.transports[0].on_lost("the peer closed the transport")

    assert world.events[1:] == [MediaLost(MACHINE, "the path to the peer was lost")]
    await world.side.close()


async def test_a_peer_that_does_not_connect_in_time_is_given_up() -> None:
    """ICE alone would wait for ever."""
    world = World(structs.replace(AiortcSettings(), connect_timeout=0.01))
    world.side.take_offer(OFFER, None)
    await eventually(lambda: MediaLost(MACHINE, "the peer did not connect in time") in world.events, "it is given up")

    await world.side.close()


async def test_silence_is_a_loss() -> None:
    """Of a peer that is connected, after the time of the settings."""
    world = World()
    text = OFFER.partition("m=application")[0].replace("BUNDLE 0 1 2", "BUNDLE 0 1")
    world.side.take_offer(text, None)
    await world.described()
    transport = world.transports[0]
    world.side.check_silence(1e6)
    transport.up.set()
    transport.last_heard = 100.0
    await eventually(lambda: world.side._connected, "it is connected")
    world.side.check_silence(100.0 + 12.0)
    assert len(world.events) == 1
    world.side.check_silence(100.0 + 12.1)

    assert world.events[1:] == [MediaLost(MACHINE, "the peer fell silent")]
    await world.side.close()


async def test_closing_frees_the_transport() -> None:
    """Also one that is still connecting."""
    world = World()
    world.side.take_offer(OFFER, None)
    await world.described()
    await world.side.close()

    assert world.transports[0].closed
    assert world.side._connecting is None
