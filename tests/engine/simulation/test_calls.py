"""What a client is after: how far it has come, and how it goes on by itself."""

from signalreel.commands import Leave
from signalreel.host import EndStream
from signalreel.simulation.agenda import SECOND
from signalreel.simulation.world import World


def test_a_play_of_nothing_is_tried_again_until_there_is_something() -> None:
    """The SDK stops and plays again, every three seconds and a half, for ever."""
    world = World()
    ann, ben = world.client("ann"), world.client("ben")
    ben.play("s1")
    world.run_for(10 * SECOND)
    assert ben.told("no_stream_exist") == 4
    ann.publish("s1")
    world.run_for(5 * SECOND)

    assert ben.plays("s1")


def test_a_stream_that_the_host_ended_is_published_again() -> None:
    """As long as its user wants it."""
    world = World()
    ann = world.client("ann")
    ann.publish("s1")
    world.run_for(SECOND)
    world.node.order(EndStream(app="live", stream_id="s1"))
    world.run_for(5 * SECOND)

    assert ann.told("publish_started") == 2
    assert ann.publishes("s1")


def test_a_peer_whose_other_has_gone_waits_for_the_next() -> None:
    """The first is told to start again when another comes."""
    world = World()
    ann, ben = world.client("ann"), world.client("ben")
    ann.join("p1")
    world.run_for(SECOND)
    ben.join("p1")
    world.run_for(SECOND)
    assert ann.is_paired("p1")
    assert ben.is_paired("p1")
    ben.leave("p1")
    world.run_for(SECOND)
    assert not ann.is_paired("p1")
    ben.join("p1")
    world.run_for(SECOND)

    assert ann.is_paired("p1")


def test_a_peer_that_the_server_forgot_joins_again() -> None:
    """A description that comes to nothing is not waited for without end."""
    world = World()
    ann, ben = world.client("ann"), world.client("ben")
    ann.join("p1")
    ben.join("p1")
    world.run_for(SECOND)
    ben.say(Leave("p1"))
    ann.say(Leave("p1"))
    ann.calling["p1"].start()
    world.run_for(60 * SECOND)

    assert ann.told("joined") > 1


def test_members_of_a_room_see_one_another() -> None:
    """One plays the streams one by one, the other the whole room; whoever comes is found within a poll."""
    world = World()
    ann, ben = world.client("ann"), world.client("ben")
    ann.join_room("r1", "a", mode="legacy")
    ben.join_room("r1", mode="multitrack")
    world.run_for(10 * SECOND)

    assert ann.is_in("r1")
    assert ben.is_in("r1")
    assert ann.plays(ben.conferences["r1"].wanted_id)
    assert ben.plays("r1")
    ben.leave_room("r1")
    world.run_for(10 * SECOND)
    assert ann.conferences["r1"].streams == ()
    assert ann.playing == {}
