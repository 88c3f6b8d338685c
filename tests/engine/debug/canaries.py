"""Canaries: texts that must not come out of what is for sharing, planted in every text that a reel can hold.

They are planted by the types, so that a field which is added tomorrow has one too.
"""

import base64
from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Any, Final, TypeVar, get_args
from urllib.parse import quote

import msgspec
from msgspec import Struct, inspect

from signalreel.commands import COMMANDS, Command, Ping
from signalreel.events import EVENTS, Event, LogicRaised, SessionOpened
from signalreel.header import Header
from signalreel.host import HOST_COMMANDS
from signalreel.machines.context import Environment
from signalreel.notes import AnyNote, Note
from signalreel.record import Grant, Record, encode_record
from signalreel.reel import MemoryReel
from signalreel.settings import Settings
from signalreel.snapshot import Snapshot, encode_snapshot
from signalreel.step import DIGEST_SIZE

__all__ = ("CANARY", "CANDIDATES", "DESCRIPTION", "Planter", "canaries_in", "planted_reel", "planted_seam")

CANARY: Final = "Kanari"
"""How every canary begins, in whatever it is planted."""

_SPELT: Final = (CANARY, CANARY.lower(), CANARY.upper(), CANARY[::-1], CANARY[::-1].lower(), CANARY.swapcase())


_Struct = TypeVar("_Struct", bound=Struct)


class Planter:
    """Makes values of any type with a canary in every text."""

    def __init__(self) -> None:
        self._number = count(1)

    def text(self) -> str:
        """A canary that is not like any other, and a valid name."""
        return f"{CANARY}{next(self._number)}"

    def of(self, kind: object) -> Any:  # noqa: ANN401 - of any type
        """A value of a type, or of what `msgspec.inspect` says of one."""
        info = kind if isinstance(kind, inspect.Type) else inspect.type_info(kind)
        match info:
            case inspect.StrType():
                return self.text()
            case inspect.AnyType():
                return {self.text(): [self.text(), 4_711, None, True, {self.text(): self.text()}]}
            case inspect.BoolType():
                return True
            case inspect.IntType(ge=lowest):
                return max(1, lowest or 0)
            case inspect.BytesType():
                return self.text().encode()
            case inspect.EnumType(cls=members):
                return next(iter(members))
            case inspect.VarTupleType(item_type=item):
                return (self.of(item), self.of(item))
            case inspect.TupleType(item_types=items):
                return tuple(self.of(item) for item in items)
            case inspect.DictType(key_type=key, value_type=value):
                return {self.of(key): self.of(value)}
            case inspect.UnionType(types=types):
                return self.of(next(one for one in types if not isinstance(one, inspect.NoneType)))
            case inspect.StructType(cls=struct):
                return self.struct(struct)
            case _:
                raise AssertionError(f"a type that no canary was ever planted in: {info}")

    def struct(self, kind: type[_Struct], **given: object) -> _Struct:
        """A Struct with a canary in every text."""
        info = inspect.type_info(kind)
        assert isinstance(info, inspect.StructType)
        return kind(**({field.name: self.of(field.type) for field in info.fields} | given))


DESCRIPTION: Final = "\r\n".join(
    line.replace("@", CANARY)
    for line in (
        *("v=0", "o=@1 4711@ @2 IN IP4 @3.example", "s=@", "i=@", "u=@", "e=@", "p=@", "t=@ 0", "r=@", "z=@", "k=@"),
        *("c=IN IP4 @.example", "b=AS:@", "b=@:5", "a=@", "a=@:@", "a=group:BUNDLE 0 @", "a=group:@ 0", "a=cname:@"),
        *("a=msid-semantic: WMS @", "a=msid-semantic:@ x", "a=ice-options:trickle @", "a=setup:@", "a=tool:@"),
        *("m=audio 9 UDP/TLS/RTP/SAVPF 111 @", "m=@ 9 UDP/TLS/RTP/SAVPF 111", "m=audio @ UDP/TLS/RTP/SAVPF 111"),
        *("m=audio 9 @ 111", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:@", "a=rtcp:9 IN IP4 @", "a=ice-ufrag:@"),
        *("a=ice-pwd:@@@@@", "a=fingerprint:sha-256 @", "a=fingerprint:@ 00:11", "a=rtpmap:111 @/48000/2"),
        *(
            "a=rtpmap:111 opus/48000/2/@",
            "a=rtpmap:@ opus/48000",
            "a=fmtp:111 minptime=@;@=1;useinbandfec=1",
            "a=fmtp:@",
        ),
        *("a=fmtp:111 @", "a=rtcp-fb:111 @", "a=rtcp-fb:@ nack", "a=extmap:1 @", "a=extmap:1 urn:@", "a=extmap:@ x"),
        *("a=ssrc:1 cname:@", "a=ssrc:1 msid:@ @", "a=ssrc:1 label:@", "a=ssrc:1 @:x", "a=ssrc:@ cname:x"),
        *("a=ssrc-group:FID 1 @", "a=ssrc-group:@ 1 2", "a=msid:@ @", "a=rid:@ send pt=@", "a=rid:h send @"),
        *("a=simulcast:send @;~@,h recv @", "a=simulcast:@ h", "a=sctp-port:@", "a=max-message-size:@", "a=ptime:@"),
        *("a=candidate:@ 1 udp 1 @.local 9 typ host @ @ ufrag @", "a=candidate:1 1 udp 1 @ 9 typ @", "a=candidate:@"),
        *("a=candidate:1 1 udp 1 192.0.2.1 9 typ srflx raddr @ rport @", "a=x-google-flag:@", "a=imageattr:@", "@"),
        *("a=end-of-candidates:@", "a=sendrecv@", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:@", ""),
    )
)
"""A description with a canary in every place of every kind of line."""

CANDIDATES: Final = (
    "candidate:@ 1 udp 2122260223 192.168.17.71 54321 typ host generation 0 ufrag @ network-id 1",
    "candidate:1 1 tcp 1 2a00:1450:4001:81b::200e 9 typ srflx raddr 10.71.17.1 rport 9 tcptype @",
    "candidate:1 1 udp 1 @-4b5c.local 9 typ host @ @",
    "a=candidate:1 1 udp 1 @ 9 typ relay",
    "@",
    "candidate:@",
)
ADDRESSES: Final = ("192.168.17.71", "2a00:1450:4001:81b::200e", "10.71.17.1")


def planted_reel() -> MemoryReel:
    """A reel with a record for every input, each text of it a canary; media and candidates several times."""
    planter = Planter()
    header = planter.struct(Header, logic=(), settings=planter.struct(Settings, registered_streams_only=False))
    reel = MemoryReel(header)
    session = planter.text()

    def put(**input: Any) -> None:
        seq = reel.last_seq + 1
        grant = planter.struct(Grant)
        ids = (planter.text(), planter.text())
        reel.append(seq, encode_record(Record(seq, seq, session, grant=grant, ids=ids, **input)))

    put(event=planter.struct(SessionOpened))
    for command in _commands(planter):
        put(command=command)
    for kind in EVENTS.values():
        if kind is LogicRaised:
            continue  # It has no text, and a flag that is not known ends a replay.
        put(event=_event(planter, kind))
    for order in HOST_COMMANDS.values():
        put(host=planter.struct(order))
    for body in get_args(AnyNote):
        reel.note(Note(1, 1, session, planter.struct(body)))
    return reel


def planted_seam() -> bytes:
    """What no engine would leave at a seam: every text of it is a canary."""
    planter = Planter()
    environment = planter.struct(Environment, logic=())
    return encode_snapshot(planter.struct(Snapshot, digest=bytes(DIGEST_SIZE), environment=environment))


def _commands(planter: Planter) -> Iterator[Command]:
    for kind in COMMANDS.values():
        if kind is Ping:
            continue  # Never recorded.
        command = planter.struct(kind)
        yield command
        if "sdp" in kind.__struct_fields__:
            yield msgspec.structs.replace(command, type="offer", sdp=DESCRIPTION)
        if "candidate" in kind.__struct_fields__:
            for candidate in CANDIDATES:
                yield msgspec.structs.replace(command, candidate=candidate.replace("@", planter.text()))


def _event(planter: Planter, kind: type[Event]) -> Event:
    event = planter.struct(kind)
    return msgspec.structs.replace(event, sdp=DESCRIPTION) if "sdp" in kind.__struct_fields__ else event


@cache
def _needles() -> tuple[bytes, ...]:
    """What a canary looks like in the encodings in which a text can come out."""
    found: dict[bytes, None] = {}
    for text in _SPELT:
        plain = text.encode()
        found[plain] = None
        found[text.encode("utf-16-le")] = None
        found[text.encode("utf-16-be")] = None
        found[plain.hex().encode()] = None
        found[plain.hex().upper().encode()] = None
        found["".join(f"%{byte:02x}" for byte in plain).encode()] = None
        found["".join(f"%{byte:02X}" for byte in plain).encode()] = None
        found["".join(f"\\u{byte:04x}" for byte in plain).encode()] = None
        found[quote(text).encode()] = None
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + plain + b"\0\0")
            found[coded[4 if shift else 0 : 4 * ((shift + len(plain)) // 3)]] = None
    found.update(dict.fromkeys(address.encode() for address in ADDRESSES))
    return tuple(found)


def canaries_in(data: bytes) -> list[bytes]:
    """What of the canaries, in any spelling, stands in some bytes."""
    return [needle for needle in _needles() if needle in data]
