"""Shrinking: all ten bugs of the zoo, from recorded reels to a few records; and what never goes wrong."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import pytest

from signalreel.commands import Publish
from signalreel.debug.failing import Breaks, Check, Differs, Holds, Start, steps_of
from signalreel.debug.finding import Given, given_by
from signalreel.debug.predicates import compile_predicate
from signalreel.debug.seams import names_by_place
from signalreel.debug.shrink import Shrunk, shrink, shrink_records
from signalreel.errors import NotFailing
from signalreel.events import SettingsChanged
from signalreel.header import Header
from signalreel.record import Record, encode_record
from signalreel.settings import Settings
from signalreel.snapshot import encode_snapshot
from tests.engine.segments import segment_of
from tests.engine.world import World
from tests.engine.zoo import ZOO, Bug, mended, planted, recorded, zoo_names

__all__ = ("SAID", "differs", "shrunk", "shrunk_at_seam")

RECORDS_MAX: Final = 12
"""Records that may be left of any bug of the zoo."""

PLACES_MAX: Final = 8
"""Places that may be left of a seam: sessions, machines, standings and used tags."""

CALLS: Final = 720
"""Calls of a reel with ten thousand records."""

SAID: Final = [bug for bug in ZOO if bug.wrong]


def differs(bug: Bug) -> Differs:
    """Another outcome than by the code without the bug."""

    def right(start: Start, records: Sequence[Record]) -> list[Given]:
        with mended(bug.name):
            return [given_by(step) for step in steps_of(start, records)]

    return Differs(right)


@cache
def shrunk(bug: Bug, what: str) -> Shrunk:
    """Shrink a good server's reel while the bug is in: by what is right, or by the condition of the zoo."""
    check: Check = differs(bug) if what == "differs" else Holds(compile_predicate(bug.wrong))
    with planted(bug.name):
        return shrink(recorded(bug).reel, check)


def fails(found: Shrunk) -> bool:
    """Whether what is left goes wrong by its last record."""
    return found.check.first(found.start, found.records) == found.records[-1].seq


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_a_bug_is_shrunk_to_a_few_records(bug: Bug) -> None:
    """By what is right alone, each reel comes down to a dozen records, and the last one shows the bug."""
    found = shrunk(bug, "differs")
    assert found.failed_at == recorded(bug).seq
    assert len(found.records) <= RECORDS_MAX
    with planted(bug.name):
        assert fails(found)


@pytest.mark.parametrize("bug", SAID, ids=zoo_names)
def test_a_condition_is_shrunk_to_a_few_records(bug: Bug) -> None:
    """By a condition as well; it goes wrong with the bug, and does not without it."""
    found = shrunk(bug, "condition")
    assert len(found.records) <= RECORDS_MAX
    assert not fails(found)
    with planted(bug.name):
        assert fails(found)


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_what_is_left_cannot_be_shrunk_further(bug: Bug) -> None:
    """Shrinking what was shrunk leaves it as it is."""
    found = shrunk(bug, "differs")
    with planted(bug.name):
        again = shrink_records(found.start, found.records, found.check)
    assert again.records == found.records
    assert again.start == found.start


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_nothing_of_the_original_can_be_read(bug: Bug) -> None:
    """No name, address or description of the recorded calls is in any byte of what is left."""
    found = shrunk(bug, "differs")
    original = {text for record in recorded(bug).reel.entries() for text in _names_in(record.record)}
    left = b"".join(map(encode_record, found.records))
    assert [text for text in original if text in left] == []
    assert found.kept == ()


def _names_in(record: bytes) -> set[bytes]:
    names = (b"caller", b"callee", b"desk", b"two-only", b"hasty", b"host", b"guest", b"hall", b"speaker", b"early")
    return {name for name in (*names, b"192.0.2", b"tag-of", b"news", b"concert", b"channel", b"v=0") if name in record}


def test_a_broken_invariant_is_shrunk() -> None:
    """The name of an invariant is as good as a condition."""
    bug = ZOO[2]
    with planted(bug.name):
        found = shrink(recorded(bug).reel, Breaks("pair-of-two"))
        assert fails(found)
    assert len(found.records) <= RECORDS_MAX
    assert not fails(found)


def test_ten_thousand_records_come_down_to_a_few_at_once() -> None:
    """The guess by causes leaves out nearly all of a long reel, so few lists are tried, and most of them are short."""
    bug = ZOO[0]
    long = recorded(bug, calls=CALLS)
    said: list[tuple[str, int]] = []
    with planted(bug.name):
        found = shrink(long.reel, differs(bug), lambda what, left: said.append((what, left)))
    assert found.before > 10_000
    assert len(found.records) <= RECORDS_MAX
    assert found.tries < 100
    assert said[0] == ("everything else", long.seq)
    assert [left for _, left in said] == sorted((left for _, left in said), reverse=True)


def test_records_that_hang_together_are_still_dropped() -> None:
    """Where everyone is in one room, the guess leaves nothing out, and sessions go by halves."""
    world = World()
    for number in range(60):
        world.open(f"member-{number}")
        world.publish(f"member-{number}", f"cam-{number}", room="hall")
    world.close("member-30")
    found = shrink(world.reel(), Holds(compile_predicate('input == "SessionClosed" and moved("stream")')))
    assert [type(record.input).__name__ for record in found.records] == ["SessionOpened", "Publish", "SessionClosed"]
    assert found.tries < 100


def test_what_does_not_go_wrong_is_said() -> None:
    """A reel on which the condition never holds cannot be shrunk; the error says how many records were looked at."""
    bug = ZOO[0]
    with pytest.raises(NotFailing, match="on none of the 96 records"):
        shrink(recorded(bug).reel, Holds(compile_predicate('refused == "streamIdInUse" and time < 0')))


def test_time_is_kept_where_it_matters() -> None:
    """A deadline comes as late as it must, to the millisecond, and everything else at once."""
    world = World()
    world.open("alice")
    world.wait(700)
    world.apply(world.records[0].input, session="bob")
    wait_for = 'input == "DeadlineReached" and moved("stream", "s1", "finished")'
    world.say("alice", Publish("s1"))
    world.wake()
    found = shrink(world.reel(), Holds(compile_predicate(wait_for)))
    assert [record.time for record in found.records] == [0, 0, 5_000_000]
    assert found.check.text == "input == 'DeadlineReached' and moved('stream', 'stream-1', 'finished')"


# ---------------------------------------------------------------- reels that begin at a seam


@cache
def shrunk_at_seam(bug: Bug) -> Shrunk:
    """Shrink what is left of a bug's reel when its segment begins just before the record by which the bug shows."""
    whole = recorded(bug)
    segment = segment_of(whole.reel, whole.seq - 1)
    with planted(bug.name):
        return shrink(segment, differs(bug))


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_what_a_failure_needs_of_a_seam_is_kept(bug: Bug) -> None:
    """One record is left, and of the state before it the few places without which the bug does not show."""
    found = shrunk_at_seam(bug)
    assert (len(found.records), found.failed_at) == (1, recorded(bug).seq)
    assert found.start.seam is not None
    assert 0 < len(names_by_place(found.start.seam)) <= PLACES_MAX
    assert not fails(found)
    with planted(bug.name):
        assert fails(found)


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_nothing_of_a_seam_can_be_read(bug: Bug) -> None:
    """What is left of the state has new names like everything else, and no digest of the old ones."""
    found = shrunk_at_seam(bug)
    assert found.start.seam is not None
    left = encode_snapshot(found.start.seam) + b"".join(map(encode_record, found.records))
    assert _names_in(left) == set()
    assert found.start.seam.digest == bytes(16)
    assert found.kept == ()


def test_a_failure_that_needs_nothing_of_a_seam_begins_with_nothing() -> None:
    """The calls before are other calls: what is left is numbered from 1, and no state stands before it."""
    bug = ZOO[0]
    long = recorded(bug, calls=12)
    caller = next(entry.seq for entry in long.reel.entries() if b"caller" in entry.record)
    segment = segment_of(long.reel, caller - 1)
    with planted(bug.name):
        found = shrink(segment, differs(bug))
        assert fails(found)
    assert found.start.seam is None
    assert [record.seq for record in found.records] == list(range(1, len(found.records) + 1))


def test_settings_that_were_changed_before_the_seam_still_hold() -> None:
    """What is left begins under the settings that held at the seam, not under those of the header."""
    world = World()
    world.report(SettingsChanged(Settings(streams_max=0)))
    world.open("alice")
    world.say("alice", Publish("s1"))
    found = shrink(segment_of(world.reel(), 1), Holds(compile_predicate('refused == "highResourceUsage"')))
    assert found.start == Start(Header(Settings(streams_max=0)))
    assert [type(record.input).__name__ for record in found.records] == ["SessionOpened", "Publish"]


def test_a_member_of_a_large_room_is_left_with_few_others() -> None:
    """Sessions go with their seats, so a room at a seam becomes as small as it can be."""
    world = World()
    for number in range(60):
        world.open(f"member-{number}")
        world.publish(f"member-{number}", f"cam-{number}", room="hall")
    before = world.engine.seq
    world.close("member-30")
    gone = 'input == "SessionClosed" and moved("stream") and moved("room")'
    found = shrink(segment_of(world.reel(), before), Holds(compile_predicate(gone)))
    assert found.start.seam is not None
    assert [room.sessions for room in found.start.seam.rooms] == [("session-1",)]
