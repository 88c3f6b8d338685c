"""A record and its codec."""

import msgspec
import pytest

from signalreel.commands import JoinRoom, Publish
from signalreel.events import SessionClosed
from signalreel.host import CloseRoom
from signalreel.record import Grant, Record, decode_record, encode_record, input_name
from signalreel.refusals import UNAUTHORIZED_ACCESS

EVERYTHING = Record(
    7,
    1_000,
    "session",
    command=JoinRoom("room1"),
    grant=Grant(allowed=True, identity="tag", rooms=("", "room1")),
    ids=("fresh",),
)


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (EVERYTHING, "joinRoom"),
        (Record(8, 1_000, "session", event=SessionClosed()), "SessionClosed"),
        (Record(9, 1_000, "", host=CloseRoom(app="live", room="room1", actor="admin")), "closeRoom"),
    ],
)
def test_a_record_comes_back_from_its_bytes(record: Record, name: str) -> None:
    """Contract 2: the seq, the time, the session, the input, the verdict and the ids all stand on the record."""
    assert decode_record(encode_record(record)) == record
    assert input_name(record) == name


def test_a_record_is_these_bytes() -> None:
    """Contract 9: the codec is part of every reel ever written, so its bytes are held here literally."""
    assert msgspec.msgpack.decode(encode_record(EVERYTHING)) == [
        7,
        1_000,
        "session",
        {"command": "joinRoom", "room": "room1"},
        None,
        None,
        [True, "tag", UNAUTHORIZED_ACCESS.definition, "", 0, "", ["", "room1"]],
        ["fresh"],
    ]


def test_the_input_is_whichever_is_set() -> None:
    """A command, an event or a host command: a record carries one and gives it as its input."""
    assert EVERYTHING.input == JoinRoom("room1")
    assert Record(1, 0, "", event=SessionClosed()).input == SessionClosed()
    assert Record(1, 0, "", host=CloseRoom(room="r")).input == CloseRoom(room="r")


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\x00",
        encode_record(EVERYTHING)[:-1],
        encode_record(EVERYTHING) + b"\x00",
        encode_record(EVERYTHING).replace(b"joinRoom", b"joinRxxm"),
        msgspec.msgpack.encode([1, 0, "session", {"command": "publish", "streamId": 7}]),
        msgspec.msgpack.encode(["1", 0, "session"]),
        msgspec.msgpack.encode({"seq": 1}),
    ],
)
def test_what_is_no_record_is_told(damaged: bytes) -> None:
    """A cut, lengthened or altered record that means nothing is an error of the codec, which is a ValueError."""
    with pytest.raises(msgspec.DecodeError):
        decode_record(damaged)


def test_a_grant_says_nothing_of_how_it_was_reached() -> None:
    """Contract 11: a grant has a verdict, keyed tags, a definition, a time, rooms; no field is for a token itself."""
    assert Grant.__struct_fields__ == ("allowed", "identity", "refusal", "once", "until", "sealed", "rooms")
    assert Grant(allowed=False).refusal == UNAUTHORIZED_ACCESS.definition
    assert encode_record(Record(1, 0, "s", command=Publish("x"), grant=Grant(allowed=True))).endswith(b"\x90")
