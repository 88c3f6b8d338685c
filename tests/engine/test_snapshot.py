"""The whole state of an engine as data."""

from msgspec.structs import asdict, fields

from signalreel.commands import JoinRoom
from signalreel.engine import Engine
from signalreel.host import RegisterStream
from signalreel.record import Grant
from signalreel.registered import RegisteredStream
from signalreel.snapshot import Snapshot
from tests.engine.world import APP, World


def test_it_holds_everything_and_gives_it_back() -> None:
    """An engine that is restored from a snapshot gives the same snapshot, part by part."""
    world = World()
    world.open("ann", "ben")
    world.publish("ann", "s1")
    world.play("ben", "s1")
    world.say("ben", JoinRoom("lobby"), grant=Grant(allowed=True, identity="tag-of-ben"))
    world.order(RegisterStream(app=APP, stream=RegisteredStream("s2")))
    snapshot = world.engine.snapshot()
    restored = Engine()
    restored.restore(snapshot)

    assert restored.snapshot() == snapshot
    empty = [field.name for field in fields(Snapshot) if asdict(snapshot)[field.name] == ()]
    assert empty == ["used", "pairs"]
