"""What-ifs: what comes differently, what fires when, and what cannot be asked for."""

from typing import Final

import pytest

from signalreel.commands import Publish, Stop
from signalreel.debug.fork import DELAY_US_MAX, Difference, fork
from signalreel.errors import InvalidFork
from signalreel.events import DeadlineReached, RunStarted, SessionOpened
from signalreel.header import Header, Parent
from signalreel.identifiers import Kind, Reference
from signalreel.notes import Closed, Note
from signalreel.record import Record, decode_record
from signalreel.reel import MemoryReel
from signalreel.replay import Cursor
from signalreel.settings import Settings
from tests.engine.world import APP, MS, World, record_of
from tests.engine.zoo import ZOO, Bug, recorded, zoo_names

S: Final = 1_000_000


def records(reel: MemoryReel) -> list[object]:
    """What the records of a reel carry."""
    return [decode_record(entry.record).input for entry in reel.entries()]


def in_use() -> World:
    """Alice holds s1 and goes away too late for bob, who wants it."""
    world = World()
    world.open("alice", "bob")
    world.publish("alice", "s1")
    world.wait(500)
    world.close("alice")
    world.wait(500)
    world.say("bob", Publish("s1"))
    return world


@pytest.mark.parametrize("bug", [ZOO[0], ZOO[5], ZOO[7]], ids=zoo_names)
def test_a_fork_without_a_change_is_the_same(bug: Bug) -> None:
    """Going on from any record of many calls without a change gives the same records, deadlines included."""
    reel = recorded(bug).reel
    for at in range(0, reel.last_seq + 1, 9):
        forked = fork(reel, at)
        assert forked.differences == ()
        assert (forked.fired, forked.retired, forked.ended_before, forked.ended_now) == ((), (), (), ())
        assert [entry.record for entry in forked.reel.entries()] == [entry.record for entry in reel.entries()]


def test_a_deadline_of_another_life_is_left_out() -> None:
    """Nobody would say that a timer has run out which was never set."""
    world = World()
    world.open("alice")
    world.publish("alice", "s1")
    world.report(DeadlineReached(world.stream("s1"), 99))
    assert fork(world.reel(), 1).retired == (6,)


def test_nothing_fires_between_two_runs() -> None:
    """A server that was not there let no timer run out; what it left open ended when the next run began."""
    world = World()
    world.open("alice")
    world.say("alice", Publish("s1"))
    world.wait(60_000)
    world.report(RunStarted())
    forked = fork(world.reel(), 1)
    assert (forked.fired, forked.differences) == ((), ())


def test_an_id_that_is_still_held_is_refused() -> None:
    """Had the session never closed, whoever wanted the id next would have been refused; the rest is as it was."""
    reel = in_use().reel()
    forked = fork(reel, 6, drop={7}, id="what-if")
    assert forked.differences == (
        Difference(7, 0, "SessionClosed", ("stream s1 broadcasting -> finished",), ()),
        Difference(
            8,
            7,
            "publish  s1",
            ("stream s1 idle -> preparing", "to bob start s1"),
            ("refused: streamIdInUse", "to bob error streamIdInUse"),
        ),
    )
    assert (forked.ended_before, forked.ended_now) == ((("stream s1", "preparing"),), (("stream s1", "broadcasting"),))


def test_the_header_says_where_it_was_taken_from() -> None:
    """Id and seq of the original, its chain and digest there; the records before are as they were, byte for byte."""
    reel = in_use().reel()
    forked = fork(reel, 6, drop={7}, id="what-if")
    entries = list(reel.entries())
    outcome = entries[5].outcome
    assert outcome is not None
    assert forked.reel.header.id == "what-if"
    assert forked.reel.header.parent == Parent("", 6, entries[5].chain, outcome.digest)
    assert [entry.record for entry in forked.reel.entries()][:6] == [entry.record for entry in entries[:6]]
    assert [replayed.divergence for replayed in Cursor(forked.reel)] == [None] * 7


def test_a_timer_that_is_set_later_fires_later() -> None:
    """Had the client asked later, its time would have run out later: the recorded deadline is worked out anew."""
    world = World()
    world.open("alice", "bob")
    world.say("alice", Publish("s1"))
    world.wake()
    world.wait(9_000)
    world.say("bob", Stop("nothing"))
    forked = fork(world.reel(), 2, delay={3: 2 * S})
    made = [decode_record(entry.record) for entry in forked.reel.entries()]
    assert [(record.time, type(record.input).__name__) for record in made[2:]] == [
        (3 * MS + 2 * S, "Publish"),
        (3 * MS + 7 * S, "DeadlineReached"),
        (world.now, "Stop"),
    ]
    assert made[3].event == DeadlineReached(Reference(Kind.STREAM, APP, "s1", 3), 3)
    assert (forked.retired, forked.fired, forked.delayed) == ((4,), (4,), (3,))
    assert forked.ended_before == forked.ended_now == ()


def test_a_timer_that_is_never_stopped_fires() -> None:
    """Had the offer never come, the stream would have been given up, and later events of media are about nothing."""
    world = World()
    world.open("alice", "bob")
    world.publish("alice", "s1")
    world.wait(6_000)
    world.say("bob", Publish("s1"))
    forked = fork(world.reel(), 3, drop={4})
    assert forked.fired == (6,)
    assert [one.only_now for one in forked.differences if one.was == 0] == [
        ("stream s1 preparing -> finished", "to alice error publishTimeoutError")
    ]
    assert (forked.ended_before, forked.ended_now) == ((("stream s1", "broadcasting"),), (("stream s1", "preparing"),))


def test_something_can_be_put_in() -> None:
    """What is put in comes at its time, and everything else goes on around it."""
    world = in_use()
    new = [record_of(-1, 100 * MS, "carl", SessionOpened(APP)), record_of(-2, 1_500 * MS, "carl", Publish("s1"))]
    forked = fork(world.reel(), 6, insert=new)
    assert forked.inserted == (7, 10)
    assert records(forked.reel)[6] == SessionOpened(APP)
    assert [one.only_now for one in forked.differences if one.now == 10] == [
        ("refused: streamIdInUse", "to carl error streamIdInUse")
    ]


def test_notes_stay_beside_their_records() -> None:
    """A note of a record that is dropped goes with it; the others stand where their records stand now."""
    reel = in_use().reel()
    reel.note(Note(7, 0, "alice", Closed(1000)))
    reel.note(Note(8, 0, "bob", Closed(1001)))
    assert list(fork(reel, 6, drop={7}).reel.notes()) == [Note(7, 0, "bob", Closed(1001))]


@pytest.mark.parametrize(
    ("at", "drop", "delay", "insert", "said"),
    [
        (99, (), {}, (), "cannot go on from 99"),
        (-1, (), {}, (), "cannot go on from -1"),
        (5, (5,), {}, (), "record 5 cannot be dropped: it is not among 6 to 8"),
        (5, (), {9: 1}, (), "record 9 cannot be delayed"),
        (5, (6,), {6: 1}, (), "record 6 is dropped, so it cannot be delayed"),
        (5, (), {6: DELAY_US_MAX + 1}, (), "by nothing to a year"),
        (5, (), {}, (record_of(3, 0, "x", Stop("s1")),), "a number below 0"),
    ],
)
def test_what_cannot_be_is_said(
    at: int, drop: tuple[int, ...], delay: dict[int, int], insert: tuple[Record, ...], said: str
) -> None:
    """The error names the record and what there is instead."""
    with pytest.raises(InvalidFork, match=said):
        fork(in_use().reel(), at, drop=drop, delay=delay, insert=insert)


def test_an_empty_reel_can_be_gone_on_from() -> None:
    """Everything is put in."""
    forked = fork(MemoryReel(Header(Settings())), 0, insert=[record_of(-1, 0, "carl", SessionOpened(APP))])
    assert records(forked.reel) == [SessionOpened(APP)]
