"""`signalreel.debug.diff`: each bug of the zoo is found as a cause, in both directions."""

import msgspec
import pytest

from signalreel.commands import Publish
from signalreel.debug.diff import DIFFERENCES_MAX, Baseline, Difference, Report, diff_code, diff_recorded, diff_reels
from signalreel.errors import NothingInCommon
from signalreel.reel import MemoryReel
from tests.engine.debug.othercodes import WithBug
from tests.engine.segments import segment_of
from tests.engine.world import World
from tests.engine.zoo import ZOO, Bug, planted, recorded, zoo_names


def first_of(report: Report) -> Difference:
    """The first difference of the first cause."""
    [first, *_] = report.groups()
    text = msgspec.json.encode(report.groups()).decode()
    assert "192.0.2." not in text
    assert "v=0" not in text
    assert first.examples[0].is_first
    return first.examples[0]


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_todays_code_is_held_against_what_was_recorded(bug: Bug) -> None:
    """With the bug in, a good server's reel differs first by the exact record, under the name of the rule."""
    found, report = recorded(bug), Report()
    with planted(bug.name):
        diff_recorded("a.reel", found.reel, report)
    first = first_of(report)

    assert (first.seq, first.rule, first.reel) == (found.seq, bug.rule, "a.reel")
    assert first.missing or first.unexpected or first.told


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_a_wrong_servers_reel_is_held_against_good_code(bug: Bug) -> None:
    """The recorded server had the bug: the code that has it names the rule, this one what it does instead."""
    found, report = recorded(bug, wrong=True), Report()
    diff_recorded("a.reel", found.reel, report)
    assert first_of(report).seq == found.seq

    report = Report()
    diff_code("a.reel", found.reel, WithBug(bug), report)
    assert first_of(report).seq == found.seq


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_two_codes_are_held_against_each_other(bug: Bug) -> None:
    """The exact record, what each side gives, and where the states end up."""
    found, report = recorded(bug), Report()
    diff_code("a.reel", found.reel, WithBug(bug), report)
    first = first_of(report)

    assert first.seq == found.seq
    assert first.missing or first.unexpected
    assert report.records == found.reel.last_seq


def test_a_folder_is_grouped_by_cause() -> None:
    """One bug on several reels is one cause; what is accepted is known from then on, and what is new stays new."""
    bug = ZOO[0]
    reels = [recorded(bug, calls=calls).reel for calls in (3, 6)]
    report = Report()
    with planted(bug.name):
        for number, reel in enumerate(reels):
            diff_recorded(f"{number}.reel", reel, report)
    [group] = [group for group in report.groups() if group.rule == bug.rule]
    assert group.reels == ["0.reel", "1.reel"]
    assert (group.times, report.reels) == (2, 2)

    again = Report(report.accepted())
    with planted(bug.name):
        diff_recorded("0.reel", reels[0], again)
    assert [group.known for group in again.groups()] == [True] * len(again.groups())
    assert again.new() == []
    other = Report(Baseline(("transitions: something else",)))
    with planted(bug.name):
        diff_recorded("0.reel", reels[0], other)
    assert other.new() == other.groups() != []
    assert "transitions: something else" in other.accepted().causes


def test_differences_of_one_cause_are_counted_and_not_all_kept() -> None:
    """A cause that shows ten thousand times is told by its first examples."""
    report = Report()
    for seq in range(DIFFERENCES_MAX + 5):
        report.add(Difference(reel="a", seq=seq, input="x", what="transitions", rule="r", is_first=not seq))

    [group] = report.groups()
    assert (group.times, len(group.examples)) == (DIFFERENCES_MAX + 5, DIFFERENCES_MAX)


def test_two_reels_differ_by_their_inputs_and_lengths() -> None:
    """Another input is told as that; so is an end that comes earlier, and the state at the end."""
    one, two = World(), World()
    for world, id in ((one, "s1"), (two, "s2")):
        world.open("alice", "bob")
        world.say("alice", Publish(id))
    two.close("bob")
    report = Report()
    diff_reels("one.reel", one.reel(), two.reel(), report)

    assert [(found.what, found.seq) for group in report.groups() for found in group.examples] == [
        ("input", 3),
        ("length", 3),
    ]
    assert {change.path for change in report.states[0].changes} >= {("session", "bob"), ("stream", "live/s1")}
    same = Report()
    diff_reels("one.reel", one.reel(), one.reel(), same)
    assert (same.groups(), same.states, same.records) == ([], [], 3)


def test_a_segment_is_held_against_the_records_of_the_same_seq() -> None:
    """Against the whole that it is of nothing differs, whichever is first; what ended before is refused."""
    world = World()
    world.open("alice", "bob")
    world.publish("alice", "s1")
    world.say("bob", Publish("s1"))
    whole, segment = world.reel(), segment_of(world.reel(), 4)
    early = MemoryReel(whole.header)
    for entry in list(whole.entries())[:3]:
        early.append(entry.seq, entry.record)
    for one, two in ((whole, segment), (segment, whole)):
        report = Report()
        diff_reels("one.reel", one, two, report)
        assert (report.groups(), report.states, report.records) == ([], [], whole.last_seq - 4)

    with pytest.raises(NothingInCommon, match="this reel has 5 to 7, the other 1 to 3"):
        diff_reels("one.reel", segment, early, Report())
