"""`signalreel_adapters.viewer.about`."""

from signalreel.debug.rows import ROWS
from signalreel.engine import TABLES
from signalreel_adapters.viewer.about import about_of
from tests.engine.world import World


def test_a_reel_is_described_with_the_tables_and_their_pictures() -> None:
    """Its records are counted, and every kind of machine has its states in order and its picture."""
    world = World()
    world.open("alice", "bob")
    about = about_of(world.reel(), "calls.reel", redacted=True)

    assert (about.name, about.first, about.records, about.redacted) == ("calls.reel", 1, 2, True)
    assert about.rows == ROWS
    assert {kind: one.states for kind, one in about.kinds.items()} == {
        str(kind): tuple(map(str, table.states)) for kind, table in TABLES.items()
    }
    assert all(one.svg.startswith("<svg ") for one in about.kinds.values())


def test_an_empty_reel_has_no_records() -> None:
    """Nothing was recorded yet: there is nothing to show, and nothing fails."""
    assert about_of(World().reel(), "new").records == 0
