"""A record: one input on the reel, with everything the engine needs to apply it, and its codec.

The codec is MessagePack of the Structs as arrays, with the input as a tagged map. `FORMAT` counts its versions; a reel
says in its header which one it was written with.
"""

from typing import Final

import msgspec
from msgspec import Struct

from signalreel.commands import AnyCommand
from signalreel.events import AnyEvent
from signalreel.host import AnyHostCommand
from signalreel.refusals import UNAUTHORIZED_ACCESS

__all__ = ("FORMAT", "Grant", "Input", "Record", "decode_record", "encode_record", "input_name")

FORMAT: Final = 1
"""The version of the record codec. Raised when a record of the version before cannot be read as it stands."""

Input = AnyCommand | AnyEvent | AnyHostCommand
"""What a record carries."""


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

    @property
    def input(self) -> Input:
        """The one input that is set."""
        chosen = self.command or self.event or self.host
        if chosen is None:
            raise ValueError(f"record {self.seq} carries no input")
        return chosen


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Record)


def encode_record(record: Record) -> bytes:
    """Give the record as bytes for a reel."""
    return _encoder.encode(record)


def decode_record(data: bytes) -> Record:
    """Read a record of a reel. Raises `msgspec.ValidationError` or `msgspec.DecodeError` when it is none."""
    return _decoder.decode(data)


def input_name(record: Record) -> str:
    """Name the record's input as it is tagged on the reel: `publish`, `SessionClosed`, `closeRoom`."""
    return str(type(record.input).__struct_config__.tag)
