"""The disk of a simulated server."""

from signalreel.header import Header
from signalreel.record import decode_record
from signalreel.settings import Settings
from signalreel.simulation.disk import Disk
from signalreel.step import outcome_of
from tests.engine.world import World


def test_a_reel_is_written_of_the_steps() -> None:
    """Every record stands on it, with what it caused beside it."""
    world = World()
    world.open("ann")
    world.publish("ann", "s1")
    disk = Disk(Header(Settings(), seed=3))
    disk.steps += world.steps
    reel = disk.reel

    assert [decode_record(entry.record) for entry in reel.entries()] == world.records
    assert [entry.outcome for entry in reel.entries()] == [outcome_of(step) for step in world.steps]
    assert reel.header.seed == 3
