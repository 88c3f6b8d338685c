"""Decoding: the one door through which a client's bytes become a command, and what is taken off it at that door.

What cannot be a command is refused here, before anything is recorded; so is what could not stand on a reel. Secrets are
taken off here too, because a command that has been recorded can be read by whoever may read the reel.
"""

from typing import Final, cast

import msgspec

from signalreel.commands import (
    COMMANDS,
    STREAMLESS,
    AnyCommand,
    PeerMessage,
    SendPush,
)
from signalreel.errors import Undecodable
from signalreel.identifiers import is_valid_name

__all__ = ("DEPTH_MAX", "SECRETS", "decode_command", "without_secrets")

DEPTH_MAX: Final = 32
"""How deep the JSON of a client's own may be nested. Whoever reads a reel walks it; clients use two levels or three."""

SECRETS: Final = frozenset({"token", "subscriberCode", "pnsRegistrationToken"})
"""The fields, by their names on the wire, whose text lets whoever knows it in. Nothing that is kept may hold one."""

_SECRETS_OF: Final = {
    kind: tuple(field.name for field in msgspec.structs.fields(kind) if field.encode_name in SECRETS)
    for kind in COMMANDS.values()
}

_decoder: Final[msgspec.json.Decoder[AnyCommand]] = msgspec.json.Decoder(AnyCommand)


def decode_command(data: bytes | str) -> AnyCommand:
    """Turn what a client sent into a command.

    Raises `Undecodable`, whose reason is one of `not_json`, `not_an_object`, `no_command`, `unknown_command` or
    `wrong_type`. As on the real server, most of these get no answer; but a missing or invalid stream id is answered
    even when the command is unknown, because that check comes first there.

    What is tolerated, each for a client that needs it: `null` for a field that is not set (Flutter), numbers and
    booleans written as text (the protocol page itself), and fields nobody knows.
    """
    try:
        command = _decoder.decode(data)
    except (ValueError, RecursionError):
        command = _decode_leniently(data)
    if isinstance(command, PeerMessage | SendPush) and not _can_be_recorded(command):
        raise Undecodable("wrong_type")
    return command


def _can_be_recorded(command: PeerMessage | SendPush) -> bool:
    """Whether a record can hold the JSON that is the client's own: its numbers have an end, and so has its depth."""
    own = command.data if isinstance(command, PeerMessage) else command.push_notification_content
    level: list[object] = [own]
    for _ in range(DEPTH_MAX):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            break
    else:
        return False
    try:
        msgspec.msgpack.encode(own)
    except (ValueError, OverflowError):
        return False
    return True


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(cast(dict[str, object], value).values())
    return list(cast(list[object], value)) if isinstance(value, list) else []


def _decode_leniently(data: bytes | str) -> AnyCommand:
    try:
        fields = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        raise Undecodable("not_json") from None
    if not isinstance(fields, dict):
        raise Undecodable("not_an_object")
    present = {name: value for name, value in cast(dict[str, object], fields).items() if value is not None}
    command = present.get("command")
    if not isinstance(command, str):
        raise Undecodable("no_command")
    kind = COMMANDS.get(command)
    if kind is not None:
        try:
            return cast(AnyCommand, msgspec.convert(present, kind, strict=False))
        except (ValueError, RecursionError):
            pass
    reason = "unknown_command" if kind is None else "wrong_type"
    raise Undecodable(reason, *_answer_to(command, present.get("streamId", "")))


def _answer_to(command: str, stream_id: object) -> tuple[str, str]:
    """Decide the answer to a command that could not be decoded: (definition, stream id), both empty for none.

    A stream id that is no text at all gets no answer, like every other wrong type.
    """
    if not isinstance(stream_id, str):
        return "", ""
    if not stream_id:
        return ("", "") if command in STREAMLESS else ("noStreamNameSpecified", "")
    return ("", "") if is_valid_name(stream_id) else ("invalidStreamName", stream_id)


def without_secrets(command: AnyCommand) -> AnyCommand:
    """Give the command as it may stand on a reel: the fields of `SECRETS`, which only the gate may see, are emptied."""
    emptied = {name: "" for name in _SECRETS_OF[type(command)] if getattr(command, name)}
    return msgspec.structs.replace(command, **emptied) if emptied else command
