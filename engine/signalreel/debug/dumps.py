"""Reading what a browser says of its connections: a webrtc-internals dump of Chrome, or an rtcstats dump.

A dump comes from whoever reports a fault, so it is hostile until it is read: its size, its depth and the number of its
events have an end. What is read is put into one form; what is not known is left out. Descriptions and candidates are
kept only as marks to compare by (`DumpEvent.marks`), which nothing prints.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Final, cast

import msgspec
from msgspec import Struct

from signalreel.errors import SignalreelError

__all__ = (
    "CONNECTIONS_MAX",
    "DUMP_BYTES_MAX",
    "EVENTS_MAX",
    "Connection",
    "DumpEvent",
    "DumpUnreadable",
    "marks_of",
    "read_dump",
)

DUMP_BYTES_MAX: Final = 1 << 27
"""Bytes of a dump, unpacked. An hour of a conference has some twenty million."""

CONNECTIONS_MAX: Final = 1_000
"""Connections in one dump."""

EVENTS_MAX: Final = 200_000
"""Events in one dump that are looked at; measurements are no events."""

_US_PER_MS: Final = 1_000
_GZIP: Final = b"\x1f\x8b"
_LATEST_MS: Final = 1 << 53


class DumpUnreadable(SignalreelError):
    """It is no dump of a kind that is known, or there is too much of it. The message says which."""


class DumpEvent(Struct, frozen=True):
    """Something that happened to a browser's connection, by the browser's own clock."""

    time: int  #: microseconds since 1970
    what: str  #: `set local`, `set remote`, `candidate found`, `candidate added`, `signaling`, `ice`, `connection`
    word: str = ""  #: `offer` or `answer`; a state; or `failed`
    marks: frozenset[str] = frozenset()  #: what a description or candidate is known by; for comparing alone


class Connection(Struct, frozen=True):
    """One connection of a browser."""

    name: str  #: as the dump numbers it, in letters and digits
    events: tuple[DumpEvent, ...]
    ended: int = 0  #: microseconds since 1970: nothing later is in the dump


def read_dump(data: bytes) -> tuple[Connection, ...]:
    """Read a dump of any known kind. Raises `DumpUnreadable`."""
    text = _unpacked(data)
    try:
        return _internals(msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _rtcstats(text)


def _unpacked(data: bytes) -> bytes:
    """Take gzip off, as newer versions of Chrome put it on, and no more than a dump may have."""
    if len(data) > DUMP_BYTES_MAX:
        raise DumpUnreadable(f"the dump has {len(data)} bytes; at most {DUMP_BYTES_MAX} are read")
    if not data.startswith(_GZIP):
        return data
    inflater = zlib.decompressobj(wbits=31)
    try:
        text = inflater.decompress(data, DUMP_BYTES_MAX)
    except zlib.error:
        raise DumpUnreadable("the dump is packed, and cannot be unpacked") from None
    if inflater.unconsumed_tail:
        raise DumpUnreadable(f"the dump has more than {DUMP_BYTES_MAX} bytes when it is unpacked")
    return text


# ---------------------------------------------------------------- the two kinds


def _internals(dump: object) -> tuple[Connection, ...]:
    """Read a webrtc-internals dump: an object with `PeerConnections`, each of them with an `updateLog`."""
    found = _get(dump, "PeerConnections")
    if isinstance(dump, list):
        return _connections(cast(list[object], dump))  # An rtcstats dump of one array, on one line.
    if not isinstance(found, dict):
        raise DumpUnreadable("this is no dump: it has no PeerConnections")
    ended = _time(_get(dump, "timestamp"))
    named: list[tuple[str, list[DumpEvent]]] = []
    for name, connection in cast(dict[str, object], found).items():
        log = _get(connection, "updateLog")
        events: list[DumpEvent] = []
        for entry in cast(list[object], log) if isinstance(log, list) else ():
            at = _time(_get(entry, "timestamp") or _get(entry, "time"))
            events += _event(str(_get(entry, "type")), _unquoted(_get(entry, "value")), at)
        named.append((name, events))
    return _checked(named, ended)


def _rtcstats(text: bytes) -> tuple[Connection, ...]:
    """Read an rtcstats dump: on each line an array of method, connection, payload and time."""
    lines: list[object] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            lines.append(msgspec.json.decode(line))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise DumpUnreadable(f"this is no dump: line {len(lines) + 1} is no JSON") from None
        if len(lines) > EVENTS_MAX:
            raise DumpUnreadable(f"the dump has more than {EVENTS_MAX} lines")
    return _connections(lines)


def _connections(lines: list[object]) -> tuple[Connection, ...]:
    by_name: dict[str, list[DumpEvent]] = {}
    ended = 0
    for line in lines:
        if not (isinstance(line, list) and len(parts := cast(list[object], line)) >= 4):  # noqa: PLR2004 - an rtcstats line
            continue
        method, name, payload, at = parts[0], parts[1], parts[2], _time(parts[3])
        ended = max(ended, at)
        if isinstance(name, str) and isinstance(method, str):
            by_name.setdefault(name, []).extend(_event(method, payload, at))
    if not by_name:
        raise DumpUnreadable("this is no dump: no line of it is an array of method, connection, payload and time")
    return _checked(list(by_name.items()), ended)


def _checked(named: list[tuple[str, list[DumpEvent]]], ended: int) -> tuple[Connection, ...]:
    if len(named) > CONNECTIONS_MAX:
        raise DumpUnreadable(f"the dump has {len(named)} connections; at most {CONNECTIONS_MAX} are looked at")
    if sum(len(events) for _, events in named) > EVENTS_MAX:
        raise DumpUnreadable(f"the dump has more than {EVENTS_MAX} events")
    made: list[Connection] = []
    for number, (name, events) in enumerate(named, 1):
        events.sort(key=lambda event: event.time)
        plain = re.sub(r"[^A-Za-z0-9_\-]", "", name)[:32] or str(number)
        made.append(Connection(plain, tuple(events), max(ended, events[-1].time if events else 0)))
    return tuple(made)


# ---------------------------------------------------------------- one event

_SIGNALING: Final = frozenset(
    {"stable", "have-local-offer", "have-remote-offer", "have-local-pranswer", "have-remote-pranswer", "closed"}
)
_STATES: Final = frozenset(
    {"new", "checking", "connecting", "connected", "completed", "disconnected", "failed", "closed"}
)
_CHANGES: Final = {
    "signalingstatechange": ("signaling", _SIGNALING),
    "iceconnectionstatechange": ("ice", _STATES),
    "connectionstatechange": ("connection", _STATES),
}
_DESCRIPTIONS: Final = {"setlocaldescription": "set local", "setremotedescription": "set remote"}
_CANDIDATES: Final = {"icecandidate": "candidate found", "addicecandidate": "candidate added"}


def _event(method: str, payload: object, at: int) -> Iterator[DumpEvent]:
    """Give what an entry means, under whatever name the kind and version of the dump has for it."""
    name = method.lower().removeprefix("on")
    if name in _CHANGES:
        what, states = _CHANGES[name]
        state = payload.strip().strip('"') if isinstance(payload, str) else ""
        if state in states:
            yield DumpEvent(at, what, state)
    elif name in _DESCRIPTIONS:
        text = _text(payload, "sdp")
        kind = _text(payload, "type")
        if kind not in {"offer", "answer"}:
            kind = next((word for word in ("offer", "answer") if kind == "" and f"type: {word}" in text[:32]), "")
        yield DumpEvent(at, _DESCRIPTIONS[name], kind, marks_of(text))
    elif name in _CANDIDATES:
        marks = marks_of(_text(payload, "candidate"))
        if marks:  # The end of the candidates has none.
            yield DumpEvent(at, _CANDIDATES[name], "", marks)
    elif name.removesuffix("onfailure") in _DESCRIPTIONS and name.endswith("onfailure"):
        yield DumpEvent(at, _DESCRIPTIONS[name.removesuffix("onfailure")], "failed")


_MARKS: Final = re.compile(
    r"^a=ice-ufrag:(?P<ufrag>\S{1,256})|^a=fingerprint:\S{1,16} (?P<print>[0-9A-Fa-f:]{32,256})"
    r"|^o=\S{1,64} (?P<session>\d{1,20}) |\bcandidate:(?P<candidate>\S{1,64} \d+ \S+ \d+ \S{1,255} \d+)",
    re.MULTILINE,
)


def marks_of(text: str) -> frozenset[str]:
    """Give what a description or a candidate is known by: ufrag, fingerprint, session and candidates."""
    return frozenset(
        f"{found.lastgroup} {found[found.lastgroup]}" for found in _MARKS.finditer(text) if found.lastgroup
    )


def _text(payload: object, field: str) -> str:
    """Give a text of a payload, which some write as an object, or as one inside of one, and others as text alone."""
    if isinstance(payload, str):
        return payload if field != "type" else ""
    value = _get(payload, field)
    found = value if isinstance(value, str) else _get(value, field)
    return found if isinstance(found, str) else ""


def _unquoted(value: object) -> object:
    """Give what an entry's value says: newer versions of Chrome write JSON into it, older ones lines of text."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            return cast(object, msgspec.json.decode(value))
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            return value
    return value


def _get(value: object, name: str) -> object:
    return cast(dict[str, object], value).get(name) if isinstance(value, dict) else None


def _time(value: object) -> int:
    """Give milliseconds since 1970 as microseconds; 0 for what is none."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,16}(?:\.[0-9]{1,9})?", value):
        value = float(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(cast(float, value) * _US_PER_MS) if is_number and 0 <= cast(float, value) <= _LATEST_MS else 0
