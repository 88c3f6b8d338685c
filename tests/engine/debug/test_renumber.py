"""Records taken out, put in and moved; and the numbers that are right again afterwards."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from signalreel.commands import JoinRoom, Publish
from signalreel.debug.renumber import (
    inserted,
    moved,
    numbers_of,
    orphans_of,
    remade,
    renumber,
    renumber_notes,
    without,
)
from signalreel.events import DeadlineReached, MediaConnected, MediaEvent, MediaLost
from signalreel.header import Header
from signalreel.identifiers import Kind, Reference
from signalreel.notes import Closed, MediaFailed, Note
from signalreel.record import Record
from signalreel.replay import Cursor
from tests.engine.test_engine_random import INITIAL, SESSIONS, run
from tests.engine.world import APP, MS, World, record_of

SEEDS: Final = 3
"""Runs of anything that the properties are tried on."""


def two_publish() -> World:
    """Two sessions publish, one after the other, and the first one's media is lost."""
    world = World()
    world.open("alice", "bob")
    world.publish("alice", "s1")
    world.publish("bob", "s2")
    world.report(MediaLost(world.stream("s1")))
    return world


@given(st.integers(0, SEEDS - 1))
@settings(max_examples=SEEDS, deadline=None)
def test_taking_nothing_out_changes_nothing(seed: int) -> None:
    """Records of any run come out as they went in, and so does the reel with every outcome."""
    world = run(seed)
    assert renumber(without(world.records, ())) == world.records
    reel = remade(Header(INITIAL), world.records)
    assert [replayed.divergence for replayed in Cursor(reel)] == [None] * len(world.records)


@given(st.integers(0, SEEDS - 1), st.sets(st.sampled_from(sorted(SESSIONS))), st.integers(1, 7))
@settings(max_examples=25, deadline=None)
def test_what_is_left_can_always_be_applied(seed: int, sessions: set[str], every: int) -> None:
    """Whichever sessions are taken out of any run, and whatever else besides, the rest is a reel."""
    gone = {
        record.seq
        for record in run(seed).records
        if record.session in sessions or (not record.session and record.seq % every == 0)
    }
    left = renumber(without(run(seed).records, gone))
    reel = remade(Header(INITIAL), left)
    assert reel.last_seq == len(run(seed).records) - len(gone)
    assert [record.seq for record in left] == list(range(1, len(left) + 1))


@given(st.integers(0, SEEDS - 1), st.lists(st.tuples(st.integers(1, 300), st.integers(0, 900)), max_size=8))
@settings(max_examples=15, deadline=None)
def test_what_is_moved_can_always_be_applied(seed: int, moves: list[tuple[int, int]]) -> None:
    """Records that come at any other time still make a reel, and none is lost."""
    records = run(seed).records
    for seq, at in moves:
        records = moved(records, seq, at * MS)
    assert remade(Header(INITIAL), renumber(records)).last_seq == len(records)


def test_an_event_still_names_the_life_it_is_about() -> None:
    """With records taken out ahead of it, a stream is born earlier, and the events about it say so."""
    world = two_publish()
    left = renumber(without(world.records, {1, 3, 4, 5, 6}))
    references = [record.event.machine for record in left if isinstance(record.event, MediaEvent)]
    assert references == [
        Reference(Kind.STREAM, APP, "s2", 2),
        Reference(Kind.STREAM, APP, "s2", 2),
        Reference(Kind.STREAM, APP, "s1", 0),
    ]


def test_an_event_about_nothing_is_inert() -> None:
    """When the record that created a stream is gone, no event is about a stream of that id that another one creates."""
    world = World()
    world.open("alice", "bob")
    world.publish("alice", "s1")
    world.say("bob", Publish("s1"))
    world.report(MediaLost(world.stream("s1")))
    left = renumber(without(world.records, {1, 3, 4}))
    outcomes = [entry.outcome for entry in remade(Header(world.initial_settings), left).entries()]
    assert [outcome.transitions for outcome in outcomes if outcome is not None] == [
        [],
        [],
        [],
        [("stream", APP, "s1", "idle", "preparing")],
        [],
    ]


def test_a_timer_is_found_by_the_record_that_set_it() -> None:
    """A deadline still ends what it was set for, when a record before it is taken out."""
    world = World()
    world.open("alice", "bob")
    world.say("alice", Publish("s1"))
    world.wake()
    left = renumber(without(world.records, {2}))
    assert left[-1].event == DeadlineReached(Reference(Kind.STREAM, APP, "s1", 2), 2)
    outcomes = [entry.outcome for entry in remade(Header(world.initial_settings), left).entries()]
    assert outcomes[-1] is not None
    assert outcomes[-1].transitions == [("stream", APP, "s1", "preparing", "finished")]


def test_orphans_are_the_events_about_what_is_gone() -> None:
    """Without the record that created a stream its events mean nothing; those of another stream still do."""
    world = two_publish()
    assert orphans_of(world.records, {3}) == {5, 6, 11}
    assert orphans_of(world.records, {4}) == set()


def test_a_deadline_whose_timer_was_never_set_is_an_orphan() -> None:
    """A timer that a later record set goes with that record, though the machine lives."""
    reference = Reference(Kind.STREAM, APP, "s1", 1)
    assert orphans_of([record_of(9, 0, "", DeadlineReached(reference, 4))], {4}) == {9}


def test_records_can_be_put_in() -> None:
    """What is put in stands behind the record that was named, and others that are put in can refer to it."""
    world = World()
    world.open("alice")
    world.say("alice", JoinRoom("r1", "s1"))
    new = [
        record_of(-1, 0, "alice", Publish("s1")),
        record_of(-2, 0, "", MediaConnected(Reference(Kind.STREAM, APP, "s1", -1))),
    ]
    left = renumber(inserted(world.records, 1, new))
    assert [(record.seq, record.time, record.session) for record in left] == [
        (1, 1 * MS, "alice"),
        (2, 1 * MS, "alice"),
        (3, 1 * MS, ""),
        (4, 2 * MS, "alice"),
    ]
    assert left[2].event == MediaConnected(Reference(Kind.STREAM, APP, "s1", 2))
    assert renumber(inserted(world.records, 0, new[:1]))[0].input == Publish("s1")


def test_a_record_can_be_moved() -> None:
    """A record that comes later stands behind those of the same time, and the events about it follow it."""
    records = two_publish().records
    later = renumber(moved(records, 3, 8 * MS))
    assert [record.command for record in later[6:8]] == [records[7].command, Publish("s1")]
    assert later[-1].event == MediaLost(Reference(Kind.STREAM, APP, "s1", 8))


def test_what_stands_in_the_seam_keeps_its_number() -> None:
    """Records that go on from a seam refer to what is before it as they did."""
    reference = Reference(Kind.STREAM, APP, "s1", 40)
    records = [record_of(101, 0, "x", Publish("s2")), record_of(102, 0, "", MediaLost(reference))]
    assert renumber(without(records, {101}), first=101) == [record_of(101, 0, "", MediaLost(reference))]


def test_a_number_can_be_there_once_only() -> None:
    """Two records of one number would make references ambiguous."""
    record: Record = record_of(1, 0, "x", Publish("s2"))
    with pytest.raises(ValueError, match="two records have the number 1"):
        numbers_of([record, replace(record, time=1)])


def test_notes_go_with_their_records() -> None:
    """A note stands beside the record that it stood beside, names the same life, and is gone with its record."""
    world = two_publish()
    left = without(world.records, {1})
    machine = Reference(Kind.STREAM, APP, "s1", 3)
    notes = [
        Note(1, 0, "alice", Closed(1000)),
        Note(5, 9, "", MediaFailed("ice", "no pair", machine)),
        Note(11, 9, "bob", Closed(1006)),
    ]
    made = renumber_notes(notes, numbers_of(left))
    assert made == [
        Note(4, 9, "", MediaFailed("ice", "no pair", replace(machine, born=2))),
        Note(10, 9, "bob", Closed(1006)),
    ]
    assert list(remade(Header(world.initial_settings), renumber(left), made).notes()) == made
