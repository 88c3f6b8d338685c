"""A record and its codec."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest

from signalreel.commands import COMMANDS, JoinRoom, Publish
from signalreel.events import EVENTS, SessionClosed
from signalreel.host import HOST_COMMANDS, CloseRoom
from signalreel.record import (
    INPUTS,
    RECORD_BYTES_MAX,
    Grant,
    Record,
    RecordCodec,
    decode_record,
    encode_record,
    input_name,
    schema_of_inputs,
)
from signalreel.refusals import UNAUTHORIZED_ACCESS
from signalreel.upcasting import Upcaster, Upcasters

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
        1,
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


OLD: Final = msgspec.msgpack.encode(
    [1, 0, "s", {"command": "publish", "streamId": "old", "sound": False}, None, None, None, []]
)
"""A record as it stood on reels before an input's shape had a version, in a shape that has changed since."""


def of_sound(fields: dict[str, Any]) -> dict[str, Any]:
    """What a made-up first version called the sound."""
    return {**fields, "audio": fields.pop("sound")}


def of_name(fields: dict[str, Any]) -> dict[str, Any]:
    """What a made-up second version did not know."""
    return {**fields, "streamName": "unnamed"}


CODEC: Final = RecordCodec(Upcasters([Upcaster("publish", 1, 2, of_sound), Upcaster("publish", 2, 3, of_name)]))


def test_an_input_of_an_older_shape_is_upcast() -> None:
    """Contract 9: whoever holds a record holds the newest shape, and it is written under the newest version."""
    record = CODEC.decode(OLD)

    assert record == Record(1, 0, "s", command=Publish("old", stream_name="unnamed", audio=False), version=3)
    assert msgspec.msgpack.decode(CODEC.encode(record))[8] == 3
    assert CODEC.decode(CODEC.encode(record)) == record


def test_an_older_shape_is_upcast_also_where_it_could_be_read_as_it_stands() -> None:
    """The version decides, not whether the bytes happen to fit."""
    second = msgspec.msgpack.encode([1, 0, "s", {"command": "publish", "streamId": "x"}, None, None, None, [], 2])

    assert CODEC.decode(second).input == Publish("x", stream_name="unnamed")


def test_inputs_whose_shape_never_changed_are_left_alone() -> None:
    """Upcasters of one input are none of another's."""
    assert CODEC.decode(encode_record(EVERYTHING)) == EVERYTHING
    assert CODEC.encode(EVERYTHING) == encode_record(EVERYTHING)


@pytest.mark.parametrize("decode", [decode_record, CODEC.decode])
def test_a_newer_shape_is_told(decode: Callable[[bytes], Record]) -> None:
    """It could mean anything, also where it can be read."""
    for fields in ({"streamId": "x"}, {"streamId": "x", "audio": "loud"}):
        newer = msgspec.msgpack.encode([1, 0, "s", {"command": "publish", **fields}, None, None, None, [], 4])
        with pytest.raises(msgspec.ValidationError, match="publish is of version 4, made by a newer version"):
            decode(newer)


def test_an_upcaster_that_meets_nonsense_is_damage() -> None:
    """A stranger's reel may lack what an upcaster counts on."""
    nonsense = msgspec.msgpack.encode([1, 0, "s", {"command": "publish", "streamId": "x"}, None, None, None, []])

    with pytest.raises(msgspec.ValidationError, match="publish of version 1 cannot be upcast: KeyError"):
        CODEC.decode(nonsense)


def test_a_record_has_a_largest_size() -> None:
    """What is larger is not written, and not read."""
    with pytest.raises(ValueError, match="at most 16777216 bytes"):
        encode_record(Record(1, 0, "s", command=Publish("x" * RECORD_BYTES_MAX)))
    with pytest.raises(msgspec.ValidationError, match="at most 16777216"):
        decode_record(bytes(RECORD_BYTES_MAX + 1))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (msgspec.msgpack.Ext(1, b"x"), "Ext, which JSON has not"),
        (b"bytes", "bytes, which JSON has not"),
        ({"a": [{"b": b"bytes"}]}, "bytes, which JSON has not"),
        (msgspec.json.decode("[" * 40 + "]" * 40), "nested deeper than 32"),
    ],
)
def test_the_json_of_a_client_is_what_the_door_lets_in(data: object, why: str) -> None:
    """A stranger's reel may hold what no client could have sent, and what whoever reads it would stumble over."""
    written = msgspec.msgpack.encode([1, 0, "s", {"command": "peerMessageCommand", "data": data}])

    with pytest.raises(msgspec.ValidationError, match=why):
        decode_record(written)


def test_nesting_without_end_is_told() -> None:
    """It is found by the decoder or by the limit; either way it is an error that a reader of reels expects."""
    with pytest.raises((ValueError, RecursionError)):
        decode_record(b"\x94\x01\x00\xa1s\x82\xa7command\xb2peerMessageCommand\xa4data" + b"\x91" * 100_000 + b"\x00")


def test_no_two_inputs_share_a_name() -> None:
    """Upcasters are found by it, whatever field the input stands in."""
    assert len(INPUTS) == len(COMMANDS) + len(EVENTS) + len(HOST_COMMANDS)


def test_the_schema_hash_is_of_this_version() -> None:
    """Contract 9: when this fails, an input has another shape or another default than before.

    If records of before would be read differently, or not at all: raise that input's version with an upcaster. Then
    write down the new hash.
    """
    assert schema_of_inputs() == "07cf60015b4c14a58b5f94b694afdf55"


def test_a_grant_says_nothing_of_how_it_was_reached() -> None:
    """Contract 11: a grant has a verdict, keyed tags, a definition, a time, rooms; no field is for a token itself."""
    assert Grant.__struct_fields__ == ("allowed", "identity", "refusal", "once", "until", "sealed", "rooms")
    assert Grant(allowed=False).refusal == UNAUTHORIZED_ACCESS.definition
    assert encode_record(Record(1, 0, "s", command=Publish("x"), grant=Grant(allowed=True))).endswith(b"\x90\x01")
