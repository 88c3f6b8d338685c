"""Which machines an input concerns."""

from signalreel.commands import (
    COMMANDS,
    EnableTrack,
    Join,
    JoinRoom,
    LeaveFromRoom,
    Play,
    Publish,
    Stop,
    TakeCandidate,
    TakeConfiguration,
)
from signalreel.engine import TABLES
from signalreel.events import EVENTS, DeadlineReached, MediaConnected, MediaLost, SessionClosed
from signalreel.host import HOST_COMMANDS
from signalreel.identifiers import Kind, Reference
from signalreel.machines.base import Notice
from signalreel.machines.routes import ROUTES, closing
from signalreel.step import Step, TrackSwitched
from tests.engine.tour import tour
from tests.engine.world import APP, MS, World, moves


def routed(step: Step) -> list[tuple[str, str]]:
    """The machines that heard of an input itself or of its notices: (kind, id), in order; none when it went nowhere."""
    return [(fired.kind, id) for id, fired in step.fired if fired.kind != "route"]


def test_every_input_has_a_route() -> None:
    """Contract 5: whatever can stand on a reel is routed, and nothing else has a route."""
    assert set(ROUTES) == {*COMMANDS.values(), *HOST_COMMANDS.values(), *EVENTS.values()}


def test_every_input_of_a_table_can_be_routed_to_it() -> None:
    """An input of a machine that no route leads to would be a row for nothing: the tour reaches each of them."""
    reached = {(fired.kind, fired.input) for step in tour().steps for _, fired in step.fired}
    wanted = {(str(kind), input.__name__) for kind, table in TABLES.items() for input in table.inputs}

    assert wanted <= reached
    assert {input for _, input in reached} <= {input.__name__ for input in (*ROUTES, *Notice.__subclasses__())} | {""}


def test_an_input_that_goes_nowhere_says_why() -> None:
    """A route without a machine is decided too: the step names it, and nothing happens."""
    world = World()
    world.open("a")

    for command in (Stop("s1"), TakeCandidate("s1"), TakeConfiguration("s1", "answer", "sdp"), EnableTrack("s1", "s1")):
        step = world.say("a", command)

        ((id, fired),) = step.fired
        assert (id, fired.kind, fired.input) == ("", "route", type(command).__name__)
        assert fired.what.startswith("ignore: ")
        assert (step.messages, step.transitions, step.refused) == ([], [], "")


def test_an_offer_goes_to_the_sessions_stream_or_pair() -> None:
    """Routing. A session that publishes offers for its stream; anyone else's offer can only be a peer's."""
    world = World()
    world.open("a", "b")
    world.say("a", Publish("s1"))
    world.say("b", Join("p1"))

    assert routed(world.say("a", TakeConfiguration("s1", "offer", "sdp"))) == [("stream", "s1")]
    assert routed(world.say("b", TakeConfiguration("s1", "offer", "sdp"))) == [("pair", "s1")]
    assert routed(world.say("b", TakeConfiguration("p1", "offer", "sdp"))) == [("pair", "p1")]


def test_an_answer_goes_to_the_sessions_playback_or_pair() -> None:
    """Routing. An answer for which there is neither came after a stop."""
    world = World()
    world.open("a", "b", "c")
    world.publish("a", "s1")
    world.say("b", Play("s1"))
    world.say("c", Join("p1"))

    assert routed(world.say("b", TakeConfiguration("s1", "answer", "sdp"))) == [("playback", "b/s1")]
    assert routed(world.say("c", TakeConfiguration("p1", "answer", "sdp"))) == [("pair", "p1")]
    assert routed(world.say("a", TakeConfiguration("s1", "answer", "sdp"))) == []


def test_a_candidate_goes_to_the_playback_else_the_stream_else_the_pair() -> None:
    """Routing. One who publishes and plays the same stream negotiates the playback last."""
    world = World()
    world.open("a", "b")
    world.publish("a", "s1")
    candidate = TakeCandidate("s1", 0, "0", "candidate")
    assert routed(world.say("a", candidate)) == [("stream", "s1")]

    world.say("a", Play("s1"))

    assert routed(world.say("a", candidate)) == [("playback", "a/s1")]
    assert routed(world.say("b", candidate)) == []
    world.say("b", Join("p1"))
    assert routed(world.say("b", TakeCandidate("p1"))) == [("pair", "p1")]


def test_stop_goes_to_the_playback_then_the_stream() -> None:
    """Routing. The first stop ends what is played, the second what is published, the third nothing."""
    world = World()
    world.open("a")
    world.publish("a", "s1")
    world.play("a", "s1")

    stops = [moves(world.say("a", Stop("s1"))) for _ in range(3)]

    assert stops == [
        [("playback", "a/s1", "playing", "finished")],
        [("stream", "s1", "broadcasting", "finished")],
        [],
    ]


def test_a_track_is_switched_for_all_by_its_publisher_and_for_one_by_a_player() -> None:
    """Routing of enableTrack. The publisher is known by the track, too: in a room `streamId` is the room."""
    world = World()
    world.open("a", "b")
    world.publish("a", "s1", room="r")
    world.play("b", "r")
    world.play("a", "r")

    by_publisher = world.say("a", EnableTrack("r", "s1", enabled=False))
    by_player = world.say("b", EnableTrack("r", "s1", enabled=False))
    by_publisher_as_player = world.say("a", EnableTrack("r", "another", enabled=False))

    assert [(str(m.machine.kind), m.machine.id, m.detail) for m in by_publisher.transitions] == [
        ("stream", "s1", TrackSwitched("s1", "", enabled=False))
    ]
    assert [(str(m.machine.kind), m.machine.id, m.detail) for m in by_player.transitions] == [
        ("playback", "b/r", TrackSwitched("s1", "", enabled=False))
    ]
    assert [(str(m.machine.kind), m.machine.id, m.detail) for m in by_publisher_as_player.transitions] == [
        ("playback", "a/r", TrackSwitched("another", "", enabled=False))
    ]


def test_leaving_without_the_right_name_leaves_ones_own_rooms() -> None:
    """One page sends the name of its text field; whoever is in no room is answered about the one it named."""
    world = World()
    world.open("a", "b")
    world.say("a", JoinRoom("r2"))
    world.say("a", JoinRoom("r1"))

    assert routed(world.say("b", LeaveFromRoom("r1"))) == [("room", "r1")]
    assert routed(world.say("a", LeaveFromRoom("roomNameBox.value"))) == [("room", "r1"), ("room", "r2")]


def test_a_session_that_closes_is_heard_of_in_a_fixed_order() -> None:
    """Contract 8: playbacks, streams, pairs, rooms, and each kind by id, however the session came to hold them."""
    world = World()
    world.open("a", "b")
    world.publish("b", "s9")
    for command in (JoinRoom("r2"), JoinRoom("r1"), Join("p2"), Join("p1"), Publish("s1"), Play("s9"), Play("r1")):
        world.say("a", command)
    context = world.engine._context

    assert closing(context, "a") == (
        (Kind.PLAYBACK, APP, "a/r1"),
        (Kind.PLAYBACK, APP, "a/s9"),
        (Kind.STREAM, APP, "s1"),
        (Kind.PAIR, APP, "p1"),
        (Kind.PAIR, APP, "p2"),
        (Kind.ROOM, APP, "r1"),
        (Kind.ROOM, APP, "r2"),
    )
    heard = [(fired.kind, id) for id, fired in world.close("a").fired if fired.input == SessionClosed.__name__]
    assert heard == [
        ("playback", "a/r1"),
        ("playback", "a/s9"),
        ("stream", "s1"),
        ("pair", "p1"),
        ("pair", "p2"),
        ("room", "r1"),
        ("room", "r2"),
    ]


def test_an_event_of_a_former_life_is_inert() -> None:
    """Contract 7: the id lives again, and what media still reports of the life before concerns nobody."""
    world = World()
    world.open("a")
    former = world.publish("a", "s1")
    world.say("a", Stop("s1"))
    world.publish("a", "s1")

    step = world.report(MediaLost(former))

    assert (routed(step), step.transitions, step.messages) == ([], [], [])
    assert world.state(Kind.STREAM, "s1") == "broadcasting"


def test_an_event_of_what_never_lived_is_inert() -> None:
    """Contract 7: a reference that names no machine, or a kind that does not know the event, changes nothing."""
    world = World()
    world.open("a")
    world.say("a", Join("p1"))

    for machine in (Reference(Kind.STREAM, APP, "s1", 1), world.reference(Kind.PAIR, "p1")):
        step = world.report(MediaConnected(machine))

        assert (routed(step), step.transitions, step.messages) == ([], [], [])


def test_a_retired_timer_is_inert() -> None:
    """Contract 7: the wake-up carries the seq that set its timer; a stream that is live has retired it."""
    world = World()
    world.open("a")
    world.say("a", Publish("s1"))
    deadline = world.engine.deadline()
    assert deadline is not None
    world.say("a", TakeConfiguration("s1", "offer", "sdp"))
    world.report(MediaConnected(world.stream("s1")))
    world.wait(60_000)

    wrong = world.report(DeadlineReached(deadline.machine, deadline.timer + 1))
    right = world.report(DeadlineReached(deadline.machine, deadline.timer))
    again = world.report(DeadlineReached(deadline.machine, deadline.timer))

    assert [routed(step) for step in (wrong, right, again)] == [[], [("stream", "s1")], []]


def test_an_early_wake_up_is_inert() -> None:
    """Contract 7: a timer counts by the record's time, so one microsecond too early changes nothing."""
    world = World()
    world.open("a")
    world.say("a", Publish("s1"))
    deadline = world.engine.deadline()
    assert deadline is not None
    wake_up = DeadlineReached(deadline.machine, deadline.timer)

    world.now = deadline.at - 1 - MS
    early = world.report(wake_up)
    world.now = deadline.at - MS
    in_time = world.report(wake_up)

    assert (early.record.time, routed(early), early.deadline) == (deadline.at - 1, [], deadline)
    assert (in_time.record.time, moves(in_time)) == (deadline.at, [("stream", "s1", "preparing", "finished")])
