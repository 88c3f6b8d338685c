"""`signalreel.debug.excerpt`."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from signalreel.commands import Join, Play, Publish
from signalreel.debug.excerpt import SESSION_PREFIX_MIN, Excerpt, NothingFound, excerpt
from signalreel.events import RunStarted
from signalreel.notes import Closed, Note
from signalreel.record import decode_record
from signalreel.reel import MemoryReel, Reel
from signalreel.replay import Cursor
from signalreel.settings import Settings
from signalreel.snapshot import decode_snapshot
from signalreel.step import Step
from tests.engine.segments import segment_of
from tests.engine.test_engine_random import run
from tests.engine.world import World, moves

RUNS = 8


def steps_of(reel: Reel) -> Iterator[Step]:
    """What every record causes, none of it otherwise than recorded."""
    for replayed in Cursor(reel):
        assert replayed.divergence is None
        yield replayed.step


def assert_goes_as_it_went(whole: Reel, made: Excerpt) -> None:
    """Every record of the excerpt is one of the whole, and every machine in it takes the transitions it took there."""
    by_seq = {step.record.seq: step for step in steps_of(whole)}
    steps = list(steps_of(made.reel))
    in_it = {(move.machine.kind, move.machine.app, move.machine.id) for step in steps for move in step.transitions}
    for seq, step in zip(made.kept, steps, strict=True):
        there = by_seq[seq]
        assert type(step.record.input) is type(there.record.input)
        assert (step.record.time, step.record.session) == (there.record.time, there.record.session)
        if step.record.session:
            assert (moves(step), step.refused) == (moves(there), there.refused)
        assert set(moves(step)) == {
            move
            for move, full in zip(moves(there), there.transitions, strict=True)
            if (full.machine.kind, full.machine.app, full.machine.id) in in_it and move in moves(step)
        }


@settings(max_examples=RUNS, deadline=None)
@given(st.integers(min_value=0, max_value=2**32), st.sampled_from(("s1", "s2", "r1")))
def test_an_excerpt_goes_as_the_whole_went(seed: int, id: str) -> None:
    """Whatever happened, and whatever is asked for."""
    reel = run(seed).reel()
    try:
        made = excerpt(reel, streams=[id], rooms=[id])
    except NothingFound:
        return
    assert_goes_as_it_went(reel, made)


def two_calls() -> World:
    """One stream with a viewer, another one of other people in between, and a pair."""
    world = World()
    world.open("alice", "bob", "carol", "dave", "erin")
    world.publish("alice", "cam")
    world.publish("carol", "other")
    world.play("bob", "cam")
    world.say("erin", Publish("other"))
    world.say("dave", Join("call"))
    world.close("carol")
    world.close("alice")
    return world


def sessions_in(made: Excerpt) -> set[str]:
    """Whose records are in an excerpt."""
    return {decode_record(entry.record).session for entry in made.reel.entries()} - {""}


def test_the_call_that_is_asked_for_and_no_other() -> None:
    """By stream, by pair, or by one of the sessions, whose beginning is enough; refused commands come along."""
    reel = two_calls().reel()

    assert sessions_in(excerpt(reel, streams=["cam"])) == {"alice", "bob"}
    assert sessions_in(excerpt(reel, streams=["other"])) == {"carol", "erin"}
    assert sessions_in(excerpt(reel, pairs=["call"])) == {"dave"}
    assert sessions_in(excerpt(reel, sessions=["bob"])) == {"alice", "bob"}
    assert sessions_in(excerpt(reel, sessions=["caro"])) == {"carol", "erin"}
    assert len("caro") == SESSION_PREFIX_MIN
    assert_goes_as_it_went(reel, excerpt(reel, streams=["cam"]))


def test_another_life_of_the_same_id_is_another_call() -> None:
    """A viewer of the evening has nothing to do with the publisher of the morning."""
    world = World()
    world.open("morning", "evening", "viewer")
    world.publish("morning", "cam")
    world.close("morning")
    world.publish("evening", "cam")
    world.play("viewer", "cam")

    assert sessions_in(excerpt(world.reel(), sessions=["viewer"])) == {"evening", "viewer"}
    assert sessions_in(excerpt(world.reel(), streams=["cam"])) == {"morning", "evening", "viewer"}


def test_what_is_counted_over_the_app_brings_the_app_along() -> None:
    """A stream that was refused because of another one is still refused: then everything of the app is there."""
    world = World(Settings(streams_max=1))
    world.open("alice", "bob")
    world.open("zoe", app="other")
    world.publish("alice", "cam")
    world.say("bob", Publish("late"))
    world.say("zoe", Play("nothing"))
    made = excerpt(world.reel(), sessions=["bob"], app="live")
    plain = excerpt(world.reel(), streams=["cam"])

    assert (made.widened, sessions_in(made)) == ("app", {"alice", "bob"})
    assert [step.refused for step in steps_of(made.reel)].count("highResourceUsage") == 1
    assert (plain.widened, sessions_in(plain)) == ("", {"alice"})


def test_what_concerns_the_server_is_kept_and_ties_nothing() -> None:
    """The start of another run ends every call, and does not make them one."""
    world = two_calls()
    world.report(RunStarted())
    made = excerpt(world.reel(), pairs=["call"])

    assert sessions_in(made) == {"dave"}
    assert moves(list(steps_of(made.reel))[-1]) == [("pair", "call", "waiting", "dissolved")]


def test_a_recorded_fault_is_in_the_excerpt() -> None:
    """What the server recorded otherwise than this code gives stays recorded, at its new place."""
    whole = two_calls().reel()
    reel = MemoryReel(whole.header)
    for entry in whole.entries():
        assert entry.outcome is not None
        changed = replace(entry.outcome, digest=bytes(16), transitions=[]) if entry.seq == 6 else entry.outcome
        reel.append(entry.seq, entry.record)
        reel.conclude(entry.seq, changed)
    made = excerpt(reel, streams=["cam"])

    diverged = [replayed.divergence.seq for replayed in Cursor(made.reel) if replayed.divergence is not None]
    assert [made.kept[seq - 1] for seq in diverged] == [6]


def test_a_segment_gives_an_excerpt_with_a_seam_of_its_own() -> None:
    """What began before the segment is in its seam; only the call that is asked for is taken over, with its notes."""
    world = two_calls()
    reel = segment_of(world.reel(), 12)
    for session in ("alice", "carol"):
        reel.note(Note(14, 0, session, Closed(1000)))
    made = excerpt(reel, streams=["cam"])

    assert made.reel.seam is not None
    assert {session.id for session in decode_snapshot(made.reel.seam).sessions} == {"alice", "bob"}
    assert_goes_as_it_went(reel, made)
    assert [note.session for note in made.reel.notes(made.reel.first_seq)] == ["alice"]


def test_nothing_found_is_said() -> None:
    """A name that is nobody's, or too short a beginning of a session."""
    for streams, sessions, pairs in ((["nobody"], [], []), ([], ["car"], []), ([], [], ["cam"]), ([], [], [])):
        with pytest.raises(NothingFound):
            excerpt(two_calls().reel(), streams=streams, sessions=sessions, pairs=pairs)
