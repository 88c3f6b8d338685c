"""A whole deployment in memory, by hand."""

from signalreel.events import RunStarted
from signalreel.replay import Cursor
from signalreel.simulation.agenda import SECOND
from signalreel.simulation.plan import Plan
from signalreel.simulation.world import World
from signalreel.verify import Violation


def test_the_same_calls_give_the_same_reel() -> None:
    """Byte for byte; another seed draws other ids."""

    def reel(seed: int) -> list[bytes]:
        world = World(seed)
        world.client("ann").publish("s1")
        world.run_for(SECOND)
        return [entry.record for entry in world.reel.entries()]

    assert reel(1) == reel(1)
    assert reel(1) != reel(2)


def test_its_reel_replays() -> None:
    """It is a reel like any other: replaying it gives the outcomes that stand on it."""
    world = World()
    ann, ben = world.client("ann"), world.client("ben")
    ann.publish("s1")
    world.run_for(SECOND)
    ben.play("s1")
    world.run_for(SECOND)
    cursor = Cursor(world.reel)
    cursor.seek(world.engine.seq)

    assert cursor.engine.digest == world.engine.digest


def test_a_client_is_found_by_its_name() -> None:
    """So that a test need not keep it."""
    world = World(Plan(seed=1))

    assert world.client("ann") is world.client("ann")
    assert world.client("ann") is not world.client("ben")


def test_nothing_happens_after_a_violation() -> None:
    """Whatever breaks an invariant is the last record of the reel."""
    world = World()
    world.client("ann").publish("s1")
    world.run_for(SECOND // 100)
    world.stop([Violation("one-owner", 1, "stream live/s1", "made up")])
    before = world.engine.seq
    world.run_for(SECOND)

    assert world.engine.seq <= before + 1
    assert world.violations


def test_a_crash_takes_what_the_server_held_and_nothing_of_its_reel() -> None:
    """Clients come back by themselves, and the next run ends what the former left."""
    world = World()
    ann = world.client("ann")
    ann.publish("s1")
    world.run_for(SECOND)
    before = world.engine.seq
    world.crash()
    world.run_for(SECOND)
    assert not ann.publishes("s1")
    world.restart()
    world.run_for(5 * SECOND)

    assert ann.publishes("s1")
    assert world.node.disk.steps[before].record.event == RunStarted()


def test_what_is_said_over_a_cut_path_is_heard_once_it_is_mended() -> None:
    """A short partition is a delay and nothing else."""
    world = World()
    ann = world.client("ann")
    ann.connect()
    world.run_for(SECOND)
    world.partition("ann")
    ann.publish("s1")
    world.run_for(SECOND)
    assert not ann.publishes("s1")
    world.mend("ann")
    world.run_for(SECOND)

    assert ann.publishes("s1")


def test_the_media_of_two_peers_rests_on_one_offer() -> None:
    """A third who calls under the same id, with somebody else, is not the other end of it."""
    world = World()
    ann, ben, cat = (world.client(name) for name in ("ann", "ben", "cat"))
    ann.join("p")
    ben.join("p")
    world.run_for(2 * SECOND)
    call = ann.calling["p"]
    assert ann.reaches(call)
    ben.leave("p")
    cat.join("p")
    world.run_for(SECOND)
    calls = ann.calling["p"], cat.calling["p"]

    assert calls[0].exchange == calls[1].exchange > 0
    calls[1].exchange += 1
    assert not ann.reaches(call)
