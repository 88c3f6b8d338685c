"""`signalreel.debug.coverage`."""

from signalreel.commands import Publish
from signalreel.debug.coverage import NEVER, SOURCES, CellSeen, Coverage, Tally, coverage_of
from signalreel.debug.rows import ROWS
from tests.engine.world import World


def cell(coverage: Coverage, kind: str, input: str, state: str) -> CellSeen:
    """One cell."""
    [found] = [one for one in coverage.cells if (one.kind, one.input, one.state) == (kind, input, state)]
    return found


def a_call() -> World:
    """A stream goes live, and its id is asked for by another."""
    world = World()
    world.open("alice", "bob")
    world.publish("alice", "cam")
    world.say("bob", Publish("cam"))
    return world


def test_rows_are_counted_where_they_were_seen() -> None:
    """Two reels of production count twice, and what only a test has done counts there."""
    tally = Tally()
    quiet = World()
    quiet.open("alice")
    quiet.say("alice", Publish("cam"))
    tally.add("production", quiet.reel())
    tally.add("production", quiet.reel())
    tally.add("tests", a_call().reel())
    coverage = coverage_of(tally)

    assert cell(coverage, "stream", "Publish", "idle").counts == {"production": 2, "tests": 1, "simulation": 0}
    assert cell(coverage, "stream", "Publish", "broadcasting").counts == {"production": 0, "tests": 1, "simulation": 0}
    assert coverage.reels == {"production": 2, "tests": 1, "simulation": 0}
    assert coverage.records["tests"] == a_call().engine.seq


def test_the_row_that_decided_is_told_apart_from_the_others_of_its_cell() -> None:
    """The counts of a cell's rows add up to the cell's, and the row that refused the second publisher is the one."""
    tally = Tally()
    tally.add("tests", a_call().reel())
    refused = cell(coverage_of(tally), "stream", "Publish", "broadcasting")

    assert [row.what for row in refused.rows if row.counts["tests"]] == ["refuse streamIdInUse"]
    assert sum(row.counts["tests"] for row in refused.rows) == refused.counts["tests"]


def test_every_cell_that_can_be_reached_is_seen_or_never_seen() -> None:
    """Nothing was replayed: all of them are never seen, and what nothing reaches is counted apart."""
    coverage = coverage_of(Tally())
    kinds = coverage.kinds.values()

    assert [kind.seen for kind in kinds] == [{**dict.fromkeys(SOURCES, 0), NEVER: kind.cells} for kind in kinds]
    assert [kind.rows_seen[NEVER] for kind in kinds] == [kind.rows for kind in kinds]
    assert sum(len(one.rows) for one in coverage.cells) == len(ROWS)
    assert sum(kind.cells + kind.unreachable for kind in kinds) == len(coverage.cells)
    assert all(kind.contradicted == 0 for kind in kinds)
