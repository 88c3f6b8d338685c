"""`signalreel.debug.join`."""

from typing import Final

import pytest
from msgspec.structs import replace

from signalreel.commands import Play, Publish, TakeCandidate, TakeConfiguration
from signalreel.debug.dumps import Connection, DumpEvent, marks_of, read_dump
from signalreel.debug.join import GRACE_US, Joined, join
from signalreel.events import ClockAdjusted, DescriptionCreated, MediaConnected, MediaLost
from tests.engine.debug.dumped import INTERNALS, RTCSTATS, recorded
from tests.engine.world import World

SECOND: Final = 1_000_000
AHEAD: Final = 3_600 * SECOND
"""How far the clock of these browsers is ahead."""

SECRETS: Final = ("ufrag-of-the-browser", "ufrag-of-the-server", "203.0.113.7")
OFFER: Final = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\na=ice-ufrag:ufrag-of-the-browser\r\n"
ANSWER: Final = "v=0\r\no=- 2 1 IN IP4 0.0.0.0\r\na=ice-ufrag:ufrag-of-the-server\r\n"
CANDIDATE: Final = "candidate:1 1 udp 7 203.0.113.7 5000 typ host"


def server(*, live: bool = True, lost: bool = False) -> World:
    """A session publishes from 1 s on; media flows from 2 s on; everything ends at 20 s."""
    world = World()
    world.open("alice", "bob")
    world.report(ClockAdjusted(0))
    world.wait(900)
    world.say("alice", Publish("cam"))
    world.say("alice", TakeConfiguration("cam", "offer", OFFER))
    world.say("alice", TakeCandidate("cam", 0, "0", CANDIDATE))
    world.report(DescriptionCreated(world.stream("cam"), "answer", ANSWER))
    world.wait(1_000)
    if live:
        world.report(MediaConnected(world.stream("cam")))
    if lost:
        world.report(MediaLost(world.stream("cam"), "silent"))
    world.wait(18_000)
    world.say("bob", Play("nothing"))
    return world


def browser(*events: tuple[float, str, str] | tuple[float, str, str, str], ended: float = 20.0) -> Connection:
    """A connection by what happened at which second of the reel, by a clock that is ahead."""
    made = [
        DumpEvent(round(at * SECOND) + AHEAD, what, word, marks_of(text[0]) if text else frozenset())
        for at, what, word, *text in events
    ]
    return Connection("7-1", tuple(made), round(ended * SECOND) + AHEAD)


OFFERED: Final = ((0.89, "set local", "offer", OFFER), (0.89, "signaling", "have-local-offer"))
ANSWERED: Final = ((0.92, "set remote", "answer", ANSWER), (0.92, "signaling", "stable"))
CONNECTED: Final = ((1.5, "ice", "connected"), (1.5, "connection", "connected"))


def joined(world: World, connection: Connection) -> Joined:
    """The one connection of a dump, joined; whatever is told of it holds no secret."""
    [one] = join(world.reel(), [connection])
    assert [secret for secret in SECRETS if secret in repr(one)] == []
    return one


def why(world: World, connection: Connection) -> str:
    """What the two first disagree about."""
    found = joined(world, connection).disagreement
    return found.told if found is not None else ""


def test_two_that_agree_are_put_side_by_side() -> None:
    """By the ufrag the connection is found, and its clock by what passed; the lines of both stand in one order."""
    found = joined(server(), browser(*OFFERED, (0.9, "candidate found", "", CANDIDATE), *ANSWERED, *CONNECTED))

    assert (found.session, found.app, found.stream_id, found.disagreement) == ("alice", "live", "cam", None)
    assert found.clocks is not None
    assert found.clocks.compared == 3
    assert abs(found.clocks.offset - AHEAD) <= found.clocks.sure_within + 20_000
    assert [line.time for line in found.lines] == sorted(line.time for line in found.lines)
    sides = [line.side for line in found.lines]
    assert {"server", "browser"} == set(sides)
    assert sides.index("browser") < len(sides) - sides[::-1].index("server")


def test_an_answer_that_never_arrived() -> None:
    """The server goes on; the browser still waits. The record of the answer is named, and both states."""
    found = joined(server(live=False), browser(*OFFERED)).disagreement

    assert found is not None
    assert found.told.startswith("the server says connecting since ")
    assert found.told.endswith(f"the browser is in have-local-offer: the answer at record {found.seq} never arrived")


def test_an_answer_that_the_browser_could_not_take() -> None:
    """It arrived, and setting it failed."""
    assert why(server(live=False), browser(*OFFERED, ANSWERED[0], (0.93, "set remote", "failed"))).endswith(
        "arrived, and the browser could not take it"
    )


def test_an_offer_that_is_on_no_record() -> None:
    """The browser set it; what was said before it came, and it did not."""
    newer = OFFER.replace("o=- 1 1", "o=- 9 1").replace("ufrag-of-the-browser", "ufrag-after-a-restart")
    assert "the offer that the browser set at" in why(
        server(), browser(*OFFERED, *ANSWERED, *CONNECTED, (5.0, "set local", "offer", newer))
    )


def test_a_server_that_believes_what_is_not() -> None:
    """It says that media flows: to a browser that was never connected, and to one whose connection failed long ago."""
    assert why(server(), browser(*OFFERED, *ANSWERED)).endswith("the browser was never connected")
    failed = browser(*OFFERED, *ANSWERED, *CONNECTED, (6.0, "connection", "failed"))
    assert "its connection failed at 6.0" in why(server(), failed)
    assert why(server(lost=True), failed) == ""


def test_a_server_that_goes_on_waiting() -> None:
    """The browser is connected, and the server never heard of it."""
    assert "the browser is connected since" in why(server(live=False), browser(*OFFERED, *ANSWERED, *CONNECTED))


def test_what_a_dump_does_not_reach_is_not_held_against_it() -> None:
    """One that was saved before the answer could arrive disagrees with nothing."""
    assert why(server(live=False), browser(*OFFERED, ended=0.95 + GRACE_US / SECOND / 2)) == ""


def test_a_connection_that_is_on_no_record_is_said_to_be_so() -> None:
    """No session is guessed; a dump without times still finds its own."""
    other = browser((0.9, "set local", "offer", OFFER.replace("browser", "other").replace("o=- 1", "o=- 3")))
    assert joined(server(), other) == Joined("7-1")
    timeless = browser(*OFFERED, *ANSWERED)
    timeless = replace(timeless, events=tuple(replace(event, time=0) for event in timeless.events), ended=0)
    assert (joined(server(), timeless).stream_id, joined(server(), timeless).clocks) == ("cam", None)


@pytest.mark.parametrize("dump", [INTERNALS, RTCSTATS], ids=["webrtc-internals", "rtcstats"])
def test_a_real_call_that_was_cut(dump: object) -> None:
    """Chromium's own account of two calls: one agrees, of the other the server's answer never arrived."""
    whole, cut = join(recorded(), read_dump(INTERNALS.read_bytes() if dump is INTERNALS else RTCSTATS.read_bytes()))

    assert (whole.stream_id, whole.disagreement) == ("good", None)
    assert cut.disagreement is not None
    assert cut.disagreement.told.startswith("the server says connecting since ")
    assert cut.disagreement.told.endswith(
        f"the browser is in have-local-offer: the answer at record {cut.disagreement.seq} never arrived"
    )
    for one in (whole, cut):
        assert one.clocks is not None
        assert abs(one.clocks.offset) < SECOND
