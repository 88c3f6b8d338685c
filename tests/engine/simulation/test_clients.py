"""A client by itself: its connection, its pings, and what it begins anew."""

from signalreel.identifiers import Kind
from signalreel.messages import Pong
from signalreel.simulation.agenda import SECOND
from signalreel.simulation.links import VANISHED
from signalreel.simulation.world import World


def test_a_client_publishes_plays_and_stops() -> None:
    """The whole of a call, by what the client was told."""
    world = World()
    ann, ben = world.client("ann"), world.client("ben")
    ann.publish("s1")
    world.run_for(SECOND)
    ben.play("s1")
    world.run_for(SECOND)
    assert ann.publishes("s1")
    assert ben.plays("s1")
    ann.stop("s1")
    world.run_for(SECOND)

    assert ann.told("publish_finished") == ben.told("play_finished") == 1
    assert world.engine.find(Kind.STREAM, "s1", app="live") is None


def test_a_client_comes_back_after_its_connection_was_lost() -> None:
    """A second later, without a `stop`: the id was freed when the connection ended."""
    world = World()
    ann = world.client("ann")
    ann.publish("s1")
    world.run_for(SECOND)
    before = ann.session
    assert ann.link is not None
    ann.link.leave(VANISHED)
    ann.lost(ann.link, VANISHED)
    world.run_for(2 * SECOND)

    assert ann.publishes("s1")
    assert ann.session != before
    assert ann.told("streamIdInUse") == 0


def test_a_connection_on_which_pings_are_not_answered_is_given_up() -> None:
    """Two unanswered pings, and the third look drops it."""
    world = World()
    ann = world.client("ann")
    ann.publish("s1")
    world.run_for(SECOND)
    before = ann.session
    world.node.links[before].server_open = False
    world.run_for(20 * SECOND)

    assert ann.session != before
    assert any(isinstance(message, Pong) for message in ann.heard)


def test_a_client_that_closes_is_after_nothing() -> None:
    """It stays away, and leaves nothing behind."""
    world = World()
    ann = world.client("ann")
    ann.publish("s1")
    ann.join("p1")
    world.run_for(SECOND)
    ann.close()
    world.run_for(60 * SECOND)

    assert world.engine.sessions() == ()
    assert list(world.engine.machines()) == []
