"""A record: one input on the reel, with everything the engine needs to apply it, and its codec.

The codec is MessagePack of the Structs as arrays, with the input as a tagged map. `FORMAT` counts its versions; a reel
says in its header which one it was written with. The input's own shape has a version too, on the record: an older one
is upcast while it is decoded, and whoever holds a `Record` holds the newest shape.

A reel may come from a stranger, so what is decoded has limits: its bytes, and the depth of the JSON that is a client's
own, which must be plain JSON.
"""

import hashlib
from functools import cache
from typing import Any, Final, cast

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from signalreel.commands import COMMANDS, AnyCommand, PeerMessage, SendPush
from signalreel.decoding import DEPTH_MAX
from signalreel.events import EVENTS, AnyEvent
from signalreel.host import HOST_COMMANDS, AnyHostCommand
from signalreel.refusals import UNAUTHORIZED_ACCESS
from signalreel.upcasting import UPCASTERS, Upcasters

__all__ = (
    "FORMAT",
    "INPUTS",
    "RECORD_BYTES_MAX",
    "Grant",
    "Input",
    "Record",
    "RecordCodec",
    "decode_record",
    "encode_record",
    "input_name",
    "schema_of_inputs",
)

FORMAT: Final = 1
"""The version of the record codec. Raised when a record of the version before cannot be read as it stands."""

RECORD_BYTES_MAX: Final = 1 << 24
"""Bytes of one record. A client's message has far fewer, the offer for a room of a thousand tracks about a million."""

Input = AnyCommand | AnyEvent | AnyHostCommand
"""What a record carries."""

INPUTS: Final[dict[str, type[Struct]]] = {**COMMANDS, **EVENTS, **HOST_COMMANDS}
"""Every input by its name on the reel."""


class Grant(Struct, frozen=True, array_like=True, gc=False):
    """The gate's verdict on a command; never the token or code it was reached from."""

    allowed: bool
    identity: str = ""  #: a keyed tag of whoever it was granted to; equal for the same subscriber
    refusal: str = UNAUTHORIZED_ACCESS.definition  #: what to refuse with when not allowed
    once: str = ""  #: a keyed tag of the one-time token or code it rests on; used when the command is accepted
    until: int = 0  #: record time (microseconds) at which that token has expired by itself; 0: never
    sealed: str = ""  #: what the gate sealed of the command for whoever performs it; readable to them alone
    rooms: tuple[str, ...] | None = None  #: the rooms it is good for, "" for none at all; None: for any


class Record(Struct, frozen=True, array_like=True, gc=False):
    """One input on the reel. Exactly one of `command`, `event` and `host` is set."""

    seq: int  #: 1 for the first record of a reel, then one more each
    time: int  #: microseconds since the reel's header; never less than the record before
    session: str  #: whose input it is; empty for the server's own
    command: AnyCommand | None = None
    event: AnyEvent | None = None
    host: AnyHostCommand | None = None
    grant: Grant | None = None  #: None: no gate was asked
    ids: tuple[str, ...] = ()  #: what the runtime drew for this input, each of at least 96 random bits
    version: int = 1  #: of the input's shape

    @property
    def input(self) -> Input:
        """The one input that is set."""
        chosen = self.command or self.event or self.host
        if chosen is None:
            raise ValueError(f"record {self.seq} carries no input")
        return chosen


_VERSION: Final = 8
_INPUT_FIELDS: Final = {3: "command", 4: "event", 5: "host"}
"""Where things stand in a record's array."""

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Record).decode
_decode_plainly: Final = msgspec.msgpack.Decoder(list[Any]).decode


class RecordCodec:
    """Records to bytes and back. Use `encode_record` and `decode_record`, which know this version's upcasters."""

    def __init__(self, upcasters: Upcasters) -> None:
        self._upcasters = upcasters
        self._versions: dict[type[Struct], int] = {
            INPUTS[name]: upcasters.newest(name) for name in upcasters.shapes if name in INPUTS
        }

    def encode(self, record: Record) -> bytes:
        """Give the record as bytes, under the version of its input's shape."""
        if self._versions:
            record = replace(record, version=self._versions.get(type(record.input), 1))
        data = _encode(record)
        if len(data) > RECORD_BYTES_MAX:
            raise ValueError(f"a record has at most {RECORD_BYTES_MAX} bytes, this one has {len(data)}")
        return data

    def decode(self, data: bytes) -> Record:
        """Read a record, upcast when its input is of an older shape."""
        if len(data) > RECORD_BYTES_MAX:
            raise msgspec.ValidationError(f"it has {len(data)} bytes; a record has at most {RECORD_BYTES_MAX}")
        try:
            record = _decode(data)
        except msgspec.ValidationError:
            upcast = self._upcast(data)
            if upcast is None:
                raise
            record = upcast
        else:
            if record.version != 1 or self._versions:
                record = self._upcast(data) or record
        command = record.command
        if type(command) is PeerMessage or type(command) is SendPush:
            _check_own_json(command)
        return record

    def _upcast(self, data: bytes) -> Record | None:
        """Read a record whose input is not of the newest shape; None when it is, or when it is no record at all."""
        try:
            values = _decode_plainly(data)
        except msgspec.ValidationError:
            return None
        version = values[_VERSION] if len(values) > _VERSION else 1
        place = next((index for index in _INPUT_FIELDS if len(values) > index and isinstance(values[index], dict)), 0)
        name = values[place].get(_INPUT_FIELDS[place]) if place else None
        if not isinstance(name, str) or not isinstance(version, int) or version == self._upcasters.newest(name):
            return None
        try:
            values[place] = self._upcasters.upcast(name, version, values[place])
        except (LookupError, TypeError, AttributeError) as error:
            raise msgspec.ValidationError(f"{name} of version {version} cannot be upcast: {error!r}") from None
        except ValueError as error:
            raise msgspec.ValidationError(str(error)) from None
        values[_VERSION:] = [self._upcasters.newest(name)]
        return _decode(_encode(values))


_codec: Final = RecordCodec(UPCASTERS)

encode_record: Final = _codec.encode
"""Give a record as bytes for a reel. Raises `ValueError` and the like when it cannot be encoded."""

decode_record: Final = _codec.decode
"""Read a record of a reel. Raises `msgspec.DecodeError`, which is a `ValueError`, or `RecursionError` when it is none,
or was made by a newer version."""


def _check_own_json(command: PeerMessage | SendPush) -> None:
    """Raise `msgspec.ValidationError` unless the JSON that is a client's own is what the door lets in."""
    level: list[object] = [command.data if isinstance(command, PeerMessage) else command.push_notification_content]
    for _ in range(DEPTH_MAX):
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner += cast(dict[object, object], value).values()
            elif isinstance(value, list):
                inner += cast(list[object], value)
            elif value is not None and not isinstance(value, str | int | float):
                raise msgspec.ValidationError(f"a client's own JSON holds a {type(value).__name__}, which JSON has not")
        if not inner:
            return
        level = inner
    raise msgspec.ValidationError(f"a client's own JSON is nested deeper than {DEPTH_MAX}")


@cache
def schema_of_inputs() -> str:
    """Give a hash of the shapes of all inputs, defaults included: what stands on a reel means the same under the same.

    It stands in the header for whoever compares reels of two versions; nothing is decided by it.
    """
    schema = _without_words(msgspec.json.schema(Record))
    return hashlib.blake2b(msgspec.json.encode(schema, order="sorted"), digest_size=16).hexdigest()


def _without_words(schema: object) -> object:
    """Take the docstrings out of a schema."""
    if isinstance(schema, dict):
        parts = cast(dict[str, object], schema)
        return {name: _without_words(part) for name, part in parts.items() if name != "description"}
    return [_without_words(part) for part in cast(list[object], schema)] if isinstance(schema, list) else schema


def input_name(record: Record) -> str:
    """Name the record's input as it is tagged on the reel: `publish`, `SessionClosed`, `closeRoom`."""
    return str(type(record.input).__struct_config__.tag)
