"""`signalreel.verify.worlds`."""

from signalreel.identifiers import Kind
from signalreel.verify.worlds import WORLDS, worlds_of


def test_every_machine_has_a_world() -> None:
    """Named after what it is about, with a sentence that says what is in it."""
    assert {world.machine for world in WORLDS.values()} == set(map(str, Kind))
    for name, world in WORLDS.items():
        assert world.name == name
        assert world.told.endswith(".")
        assert name.startswith(world.machine) or name == "grant"


def test_worlds_are_found_by_their_machine() -> None:
    """In their order; none for what is no machine."""
    assert [world.name for world in worlds_of("pair")] == ["pair", "pair-anyone", "pair-calls"]
    assert worlds_of("pear") == ()
