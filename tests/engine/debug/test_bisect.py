"""`signalreel.debug.bisect`: it finds each bug of the zoo, in the code that has it and on the reel of a server."""

import msgspec
import pytest

from signalreel.commands import Publish
from signalreel.debug.bisect import bisect, bisect_against, bisect_invariant, verify
from signalreel.debug.finding import Finding
from signalreel.debug.predicates import compile_predicate
from signalreel.record import encode_record
from signalreel.reel import MemoryReel
from signalreel.step import Outcome
from tests.engine.debug.othercodes import WithBug
from tests.engine.segments import segment_of
from tests.engine.world import World, record_of
from tests.engine.zoo import ZOO, Bug, planted, recorded, zoo_names


def told(finding: Finding | None) -> Finding:
    """A finding that is there, and that shows nothing that must not be shown."""
    assert finding is not None
    text = msgspec.json.encode(finding).decode()
    assert "192.0.2." not in text
    assert "v=0" not in text
    return finding


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_today_s_code_is_wrong(bug: Bug) -> None:
    """A good server recorded it: verifying with the bug in names the exact record, the rule and what led there."""
    found = recorded(bug)
    with planted(bug.name):
        verified = verify(found.reel)
        finding = told(verified.first)
    assert (finding.seq, finding.rule) == (found.seq, bug.rule)
    assert finding.missing or finding.unexpected or finding.not_kept
    assert finding.chains
    assert finding.chains[0].causes[-1].seq <= found.seq
    assert verified.agreed + verified.unconcluded < verified.records


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_the_recorded_server_was_wrong(bug: Bug) -> None:
    """A server with the bug recorded it: today's code differs first by the exact record, of which all is told."""
    found = recorded(bug, wrong=True)
    finding = told(verify(found.reel).first)

    assert finding.seq == found.seq
    assert finding.rule
    assert finding.their_side == "recorded"


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_two_codes_are_told_apart(bug: Bug) -> None:
    """Against the code with the bug: the exact record, both rules, what each side gives, and how the states differ."""
    found = recorded(bug)
    finding = told(bisect_against(found.reel, WithBug(bug)).found)

    assert (finding.seq, finding.their_rule) == (found.seq, bug.rule)
    assert finding.missing or finding.unexpected
    assert finding.their_side == bug.name
    assert not finding.not_kept


@pytest.mark.parametrize("bug", [bug for bug in ZOO if bug.wrong], ids=zoo_names)
def test_a_condition_finds_the_record(bug: Bug) -> None:
    """In the code that has the bug, the condition first holds at the exact record, asked of every record."""
    found, predicate = recorded(bug, wrong=True), compile_predicate(bug.wrong)
    with planted(bug.name):
        finding = told(bisect(found.reel, predicate, first=True).found)
    assert finding.seq == found.seq
    assert bug.rule in finding.rules
    assert finding.what == bug.wrong


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_an_invariant_finds_the_record_where_one_is_broken(bug: Bug) -> None:
    """In the code that has the bug: by what must always hold, without anybody saying what to look for."""
    found = recorded(bug, wrong=True)
    with planted(bug.name):
        bisected = bisect_invariant(found.reel)
    finding = told(bisected.found)
    assert (finding.seq, finding.rule) == (found.seq, bug.rule)
    assert finding.violations
    assert bisect_invariant(recorded(bug).reel).found is None


def a_stream() -> World:
    """Forty sessions open, then a stream is published, then twenty more."""
    world = World()
    world.open(*(f"a{number}" for number in range(40)))
    world.say("a0", Publish("s1"))
    world.open(*(f"b{number}" for number in range(20)))
    return world


def test_what_lasts_is_found_by_halves() -> None:
    """A condition on the state is asked of few records; it says that it was taken to last."""
    reel = a_stream().reel()
    bisected = bisect(reel, compile_predicate('stream("s1")'))

    assert told(bisected.found).seq == 41
    assert bisected.asked < 10
    assert bisected.records == 61
    assert "by halves" in bisected.how
    assert bisect(reel, compile_predicate('stream("s1")'), first=True).asked == 41


def test_what_does_not_hold_at_the_end_is_asked_of_every_record() -> None:
    """A condition that came and went is found all the same, and one that never held is not."""
    world = a_stream()
    world.close("a0")
    reel = world.reel()
    bisected = bisect(reel, compile_predicate('stream("s1")'))

    assert told(bisected.found).seq == 41
    assert "does not hold at the end" in bisected.how
    never = bisect(reel, compile_predicate('stream("s2")'))
    assert never.found is None
    assert bisect(MemoryReel(), compile_predicate("seq")).found is None


def test_a_finding_tells_the_change() -> None:
    """What the record changed in the state, by path, with the values before and after."""
    finding = told(bisect(a_stream().reel(), compile_predicate('moved("stream")')).found)

    assert [change.path for change in finding.changes] == [("stream", "live/s1"), ("deadline",)]
    assert finding.ours[0] == "stream live/s1: idle -> preparing"
    assert finding.rule == "stream idle x publish row 14: open_stream"


def test_a_reel_that_agrees_is_said_to() -> None:
    """Nothing is found, and everything is counted; records without an outcome agree with anything."""
    world = a_stream()
    reel = world.reel()
    reel.append(62, encode_record(record_of(62, world.now, "a1", Publish("s2"))))
    verified = verify(reel)

    assert (verified.records, verified.agreed, verified.unconcluded, verified.differing) == (62, 61, 1, 0)
    assert verified.first is None
    assert not verified.damage


def test_damage_ends_the_verification() -> None:
    """What came before it is compared; where it is, is said."""
    reel = a_stream().reel()
    reel.append(62, b"\x93\x01")

    verified = verify(reel)
    assert verified.records == 61
    assert "record 62" in verified.damage


def test_a_state_digest_that_differs_says_what_is_known() -> None:
    """Only the digest was recorded: it is said since when, and what would show the rest."""
    world = World()
    world.open(*(f"a{number}" for number in range(70)))
    reel = world.reel()
    past = world.past[63].step
    reel.conclude(64, Outcome(past.digest, [], b"another"))
    finding = told(verify(reel).first)

    assert (finding.seq, finding.what) == (64, "state digest")
    assert "64 records" in finding.not_kept


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_records_of_a_segment_are_counted_from_its_seam(bug: Bug) -> None:
    """However it is asked, what was looked at is what the segment has, and the same record is found."""
    found = recorded(bug)
    segment = segment_of(found.reel, found.seq - 1)
    against = bisect_against(segment, WithBug(bug))
    with planted(bug.name):
        verified = verify(segment)

    assert (against.records, told(against.found).seq) == (1, found.seq)
    assert (verified.records, told(verified.first).seq) == (segment.last_seq - found.seq + 1, found.seq)
    assert bisect(segment, compile_predicate("seq < 0")).records == verified.records
    assert bisect_invariant(segment).records == verified.records
