"""`signalreel.debug.seams`."""

from signalreel.commands import Join, JoinRoom
from signalreel.debug.seams import names_by_place, pruned_seam, redacted_seam, texts_of_seam, without_places
from signalreel.debug.state import places_of
from signalreel.engine import Engine
from signalreel.host import BlockSubscriber, IssueToken, RegisterRoom, RegisterStream, RegisterSubscriber
from signalreel.identifiers import Kind
from signalreel.machines.registry import Registered, Registry
from signalreel.registered import IssuedToken, Purpose, RegisteredRoom, RegisteredStream, Subscriber
from signalreel.snapshot import Snapshot, decode_snapshot, encode_snapshot
from signalreel.verify import violations_of
from tests.engine.world import APP, World

SURROUNDINGS = {"settings", "environment", "deadline"}


def busy_world() -> World:
    """A stream with a viewer, a pair, and one registration of most kinds."""
    world = World()
    world.open("alice", "bob", "dave")
    world.publish("alice", "cam")
    world.play("bob", "cam")
    world.say("dave", Join("call"))
    world.order(RegisterStream(app=APP, stream=RegisteredStream("planned")))
    world.order(RegisterRoom(app=APP, room=RegisteredRoom("hall")))
    world.order(IssueToken(app=APP, token=IssuedToken("tag", "cam", Purpose.PLAY, 10_000)))
    world.order(RegisterSubscriber(app=APP, subscriber=Subscriber("cam", "bob")))
    world.order(BlockSubscriber(app=APP, stream_id="cam", subscriber_id="mallory", until=10_000))
    return world


def test_places_are_those_that_the_registry_would_give() -> None:
    """A seam redacted by nothing at all is the seam: each registration stands at its place, words and names."""
    seam = encode_snapshot(busy_world().engine.snapshot())

    assert redacted_seam(seam, lambda value: value, str, bytes) == seam
    registry = Registry()
    registry.restore(decode_snapshot(seam).registered)
    assert [len(getattr(registry.all(), part)) for part in Registered.__struct_fields__] == [1, 1, 1, 1, 2, 0]


def test_a_pruned_seam_has_what_was_asked_for() -> None:
    """Some sessions and machines; and what is registered, which is nobody's."""
    seam = encode_snapshot(busy_world().engine.snapshot())
    pruned = decode_snapshot(pruned_seam(seam, {"dave"}, {(str(Kind.PAIR), APP, "call")}))

    assert [session.id for session in pruned.sessions] == ["dave"]
    assert (pruned.streams, pruned.playbacks, [pair.id for pair in pruned.pairs]) == ((), (), ["call"])
    assert pruned.registered == decode_snapshot(seam).registered


def test_everything_of_a_seam_is_walked() -> None:
    """The whole snapshot is handed over."""
    seen: list[object] = []
    texts_of_seam(encode_snapshot(busy_world().engine.snapshot()), seen.append)

    assert [type(value) for value in seen] == [Snapshot]


def test_every_place_of_a_state_is_found() -> None:
    """The places are those of the state, and each has the names that it is about."""
    snapshot = busy_world().engine.snapshot()
    names = names_by_place(snapshot)

    assert set(names) == {place for place in places_of(busy_world().engine) if place[0] not in SURROUNDINGS}
    assert names["playback", APP, "bob/cam"] == {"bob", "cam"}
    assert names["block", APP, "cam", "mallory", "play"] == {"cam", "mallory", "play"}


def test_what_goes_takes_along_what_cannot_be_without_it() -> None:
    """A session goes with its streams and seats, a stream with who plays it; what is left is a state that can be."""
    world = busy_world()
    world.say("dave", JoinRoom("hall", "dave-cam"))
    world.say("bob", JoinRoom("hall", "bob-cam"))
    left = without_places(world.engine.snapshot(), {("session", "alice"), ("session", "dave")})
    engine = Engine(left.settings)
    engine.restore(left)

    assert [session.id for session in left.sessions] == ["bob"]
    assert (left.streams, left.playbacks, left.pairs) == ((), (), ())
    assert [room.sessions for room in left.rooms] == [("bob",)]
    assert violations_of(engine) == []
    assert left.registered == world.engine.snapshot().registered
