"""`signalreel.debug.story`."""

import msgspec

from signalreel.commands import Publish, TakeCandidate, TakeConfiguration
from signalreel.debug.story import (
    LISTED_MAX,
    NAME_SHOWN_MAX,
    ToldDivergence,
    ToldMessage,
    ToldRow,
    ToldTransition,
    told_record,
)
from signalreel.errors import Divergence
from signalreel.events import DeadlineReached, MediaConnected, RunStarted
from signalreel.host import CloseRoom
from signalreel.identifiers import Kind, Reference
from signalreel.step import Step
from tests.engine.world import World

STREAM = Reference(Kind.STREAM, "live", "s1", 2)


def origins(*steps: Step) -> list[str]:
    """Who put each of these records on the reel."""
    return [told_record(step).origin for step in steps]


def test_a_record_is_told_whole() -> None:
    """The input and what it names, the row, the transition with the input behind it, and the messages."""
    world = World()
    world.open("alice")
    told = told_record(world.say("alice", Publish("s1")))

    assert (told.seq, told.time, told.origin, told.session, told.input) == (2, 2_000, "client", "alice", "publish")
    assert told.about == ("s1",)
    assert [row for row in told.rows if row.kind == "stream"] == [
        ToldRow("s1", "stream", "idle", "Publish", told.rows[-1].row, told.rows[-1].what)
    ]
    assert told.transitions == (ToldTransition("stream", "live", "s1", 2, "idle", "preparing", "Publish"),)
    assert told.messages == (ToldMessage("alice", "start s1"),)


def test_a_refusal_and_a_divergence_are_told() -> None:
    """A taken id is refused by its definition; a divergence says both values, without control characters."""
    world = World()
    world.open("alice", "bob")
    world.say("alice", Publish("s1"))
    told = told_record(world.say("bob", Publish("s1")), Divergence(4, "digest", "a\x1b", "b", "publish"))

    assert told.refused == "streamIdInUse"
    assert told.divergence == ToldDivergence("digest", r"'a\x1b'", "b")


def test_descriptions_candidates_and_names_that_do_not_print_stay_out() -> None:
    """Nothing of an SDP or a candidate is told; a name with control characters is told escaped."""
    world = World()
    world.open("alice")
    world.say("alice", Publish("s1"))
    steps = [
        world.say("alice", TakeConfiguration("s1", "offer", "v=0 canary-description")),
        world.say("alice", TakeCandidate("s1", 0, "0", "candidate:canary 1 udp 1 192.0.2.1 9 typ host")),
        world.say("alice", Publish("bad\x1b[2Jname", token="canary-token")),
    ]
    told = msgspec.json.encode([told_record(step) for step in steps]).decode()

    assert "canary" not in told
    assert "192.0.2.1" not in told
    assert "\\u001b" not in told
    assert "bad" in told


def test_it_is_told_who_put_a_record_on_the_reel() -> None:
    """Clients, media, the clock, the host and the server."""
    world = World()
    world.open("alice")
    publish = world.say("alice", Publish("s1"))

    assert origins(
        publish,
        world.report(MediaConnected(STREAM)),
        world.report(DeadlineReached(STREAM, 2)),
        world.order(CloseRoom("hall")),
        world.report(RunStarted()),
        world.close("alice"),
    ) == ["client", "media", "clock", "host", "server", "client"]


def test_long_lists_are_cut_and_the_rest_is_counted() -> None:
    """A step with more messages than the limit tells as many as that, and how many it leaves out."""
    world = World()
    world.open("alice")
    step = world.say("alice", Publish("s1"))
    long = Step(step.record, [], step.messages * (LISTED_MAX + 5), None, b"")

    told = told_record(long)

    assert (len(told.messages), told.left_out) == (LISTED_MAX, 5)


def test_a_text_of_any_length_is_told_by_its_beginning() -> None:
    """A client that sends a name of 64 KiB, which is refused, does not fill the page with it."""
    world = World()
    world.open("s" * 70_000)
    told = told_record(world.say("s" * 70_000, Publish("x" * 70_000)))

    assert told.about == ("x" * NAME_SHOWN_MAX + "…",)
    assert len(msgspec.json.encode(told)) < 10 * NAME_SHOWN_MAX
