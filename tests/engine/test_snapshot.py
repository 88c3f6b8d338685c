"""The whole state of an engine as data."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import asdict, fields, replace

from signalreel.commands import JoinRoom
from signalreel.engine import Engine
from signalreel.errors import ReelDamaged
from signalreel.host import RegisterStream
from signalreel.record import Grant
from signalreel.registered import RegisteredStream
from signalreel.settings import Settings
from signalreel.snapshot import SEAM_BYTES_MAX, SEQ_MAX, Snapshot, decode_snapshot, encode_snapshot
from signalreel.upcasting import Upcaster, Upcasters
from tests.engine.scenes import SETTINGS
from tests.engine.tour import tour
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


def test_every_state_of_the_tour_comes_back_from_its_bytes() -> None:
    """A seam may be cut anywhere: each state in which every row of every table leaves an engine can be written."""
    engine = Engine(SETTINGS)
    for record in tour().records:
        engine.apply(record)
        snapshot = engine.snapshot()
        assert decode_snapshot(encode_snapshot(snapshot)) == snapshot


def test_a_snapshot_of_an_older_shape_is_upcast() -> None:
    """Contract 9: a seam is replayed by later versions like the records behind it."""

    def renamed(state: dict[str, Any]) -> dict[str, Any]:
        state["sessions"] = [{"id": one["name"], "app": "live"} for one in state["sessions"]]
        return state

    world = World()
    world.open("ann")
    snapshot = world.engine.snapshot()
    version, state = msgspec.msgpack.decode(encode_snapshot(snapshot))
    state["sessions"] = [{"name": "ann"}]
    older = msgspec.msgpack.encode([version, state])
    upcasters = Upcasters([Upcaster("snapshot", 1, 2, renamed)])

    assert decode_snapshot(older, upcasters=upcasters) == snapshot
    assert decode_snapshot(encode_snapshot(snapshot, upcasters=upcasters), upcasters=upcasters) == snapshot


EMPTY = Engine(Settings()).snapshot()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "cannot be decoded"),
        (b"\x92\x01\x80", "cannot be decoded"),
        (b"\x91" * 100_000, "cannot be decoded"),
        (msgspec.msgpack.encode([2, {}]), "made by a newer version"),
        (encode_snapshot(EMPTY)[:-1], "cannot be decoded"),
        (encode_snapshot(replace(EMPTY, seq=-1)), "none that an engine could have"),
        (encode_snapshot(replace(EMPTY, time=SEQ_MAX + 1)), "none that an engine could have"),
        (encode_snapshot(replace(EMPTY, digest=b"short")), "none that an engine could have"),
        (encode_snapshot(replace(EMPTY, environment=replace(EMPTY.environment, logic=(7,)))), "flag 7 of the logic"),
        (bytes(SEAM_BYTES_MAX + 1), "at most 134217728"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_snapshot_is_told(data: bytes, why: str) -> None:
    """A stranger's reel, or a newer version's: damage with a place and a reason."""
    with pytest.raises(ReelDamaged, match=why):
        decode_snapshot(data)
