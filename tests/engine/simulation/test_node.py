"""The server of a simulated world."""

from signalreel.commands import JoinRoom, Publish
from signalreel.host import EndStream, KickSession
from signalreel.identifiers import Kind
from signalreel.simulation.agenda import SECOND
from signalreel.simulation.world import World


def test_a_ping_is_answered_off_the_reel() -> None:
    """Contract 13: it is on no record, and the pong comes back."""
    world = World()
    ann = world.client("ann")
    ann.connect()
    world.run_for(10 * SECOND)

    assert world.node.pings == 3
    assert len(ann.heard) == 3
    assert world.engine.seq == 1


def test_the_engine_is_woken_when_it_asked_for_that() -> None:
    """A publisher that never offers is told so when its time is over, at that time."""
    world = World()
    ann = world.client("ann")
    ann.say(Publish("s1"))
    world.run_for(10 * SECOND)

    assert ann.told("publishTimeoutError") == 1
    woken = world.node.disk.steps[-1].record
    assert woken.time - world.node.disk.steps[1].record.time == 5 * SECOND


def test_an_id_is_drawn_from_the_seed_where_one_is_wanted() -> None:
    """Nobody can guess it from a session, and the same seed draws the same."""

    def drawn(seed: int) -> str:
        world = World(seed)
        ann = world.client("ann")
        ann.say(JoinRoom("r1"))
        world.run_for(SECOND)
        return world.node.disk.steps[-1].record.ids[0]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert len(drawn(1)) == 24


def test_the_host_can_send_a_session_away() -> None:
    """It is told after what it was told before, and holds nothing any more."""
    world = World()
    ann = world.client("ann")
    ann.publish("s1")
    world.run_for(SECOND)
    world.node.order(KickSession(session=ann.session))
    world.run_for(SECOND // 10)

    assert ann.link is None
    assert world.engine.find(Kind.STREAM, "s1", app="live") is None


def test_the_host_can_end_a_stream() -> None:
    """Its publisher is told."""
    world = World()
    ann = world.client("ann")
    ann.publish("s1")
    world.run_for(SECOND)
    world.node.put("", EndStream(app="live", stream_id="s1"))
    world.run_for(SECOND // 10)

    assert ann.told("publish_finished") == 1
