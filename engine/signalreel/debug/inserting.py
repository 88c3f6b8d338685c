"""What is to be put into a reel, as a person writes it: a line for each input, or the same as JSON.

    # time   session  input    its fields
    12.5s    a1b2     publish  streamId=s1 video=false
    13s      new      SessionOpened  app=live

    [{"time": 12.5, "session": "a1b2", "command": {"command": "publish", "streamId": "s1"}}]

The time is that of the reel, in seconds. A session that the reel has may be shortened to its beginning; `-` is the
server's own. Any command, event or host command can be put in, by its name on the reel; a field's value is JSON, or
else text as it stands. A JSON object has one of `command`, `event` and `host`, and may have a `grant`.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from signalreel.commands import COMMANDS, AnyCommand, ids_wanted
from signalreel.errors import InvalidInsert
from signalreel.events import EVENTS, AnyEvent
from signalreel.host import HOST_COMMANDS, AnyHostCommand
from signalreel.record import Grant, Record

__all__ = ("INSERTED_LENGTH_MAX", "INSERTED_MAX", "read_inserted")

INSERTED_MAX: Final = 1_000
"""Inputs of one file."""

INSERTED_LENGTH_MAX: Final = 1 << 20
"""Characters of one file."""

_TIME_MAX: Final = 10 * 366 * 24 * 3_600
"""Seconds that a reel can last at most."""

_WORDS_MIN: Final = 3
"""A line has a time, a session and an input at least."""

_SERVER: Final = "-"


class _Given(Struct, forbid_unknown_fields=True):
    """One input of a JSON file."""

    time: float
    session: str = ""
    command: AnyCommand | None = None
    event: AnyEvent | None = None
    host: AnyHostCommand | None = None
    grant: Grant | None = None


def read_inserted(text: str, sessions: Collection[str] = ()) -> list[Record]:
    """Read what is to be put in; numbered from -1 down. Raises `InvalidInsert`, which says what is wrong and where."""
    if len(text) > INSERTED_LENGTH_MAX:
        raise InvalidInsert("the file", f"it is longer than {INSERTED_LENGTH_MAX} characters")
    given = list(_of_json(text) if text.lstrip().startswith("[") else _of_lines(text))
    if len(given) > INSERTED_MAX:
        raise InvalidInsert("the file", f"it has {len(given)} inputs; at most {INSERTED_MAX} can be put in")
    records = [_record(number, place, one, sessions) for number, (place, one) in enumerate(given, 1)]
    return sorted(records, key=lambda record: (record.time, -record.seq))


def _of_json(text: str) -> Iterator[tuple[str, _Given]]:
    try:
        entries = msgspec.json.decode(text, type=list[msgspec.Raw])
    except (ValueError, RecursionError) as error:
        raise InvalidInsert("the file", f"it is no JSON list: {error}") from None
    for number, entry in enumerate(entries, 1):
        try:
            yield f"entry {number}", msgspec.json.decode(entry, type=_Given)
        except (ValueError, RecursionError) as error:
            raise InvalidInsert(f"entry {number}", str(error)) from None


def _of_lines(text: str) -> Iterator[tuple[str, _Given]]:
    for number, line in enumerate(text.splitlines(), 1):
        place, words = f"line {number}", line.partition(" #")[0].split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) < _WORDS_MIN:
            raise InvalidInsert(
                place, "a line is `TIME SESSION INPUT field=value ...`, like `12.5s a1b2 stop streamId=s1`"
            )
        time, session, name, *pairs = words
        field = next(
            (
                field
                for field, known in (("command", COMMANDS), ("event", EVENTS), ("host", HOST_COMMANDS))
                if name in known
            ),
            "",
        )
        if not field:
            raise InvalidInsert(
                place, f"there is no input {name!r}; inputs are named as on the reel: publish, SessionClosed"
            )
        tagged = {field: name, **dict(_pair(place, pair) for pair in pairs)}
        try:
            seconds = float(time.removesuffix("s"))
            yield (
                place,
                msgspec.convert(
                    {"time": seconds, "session": "" if session == _SERVER else session, field: tagged}, _Given
                ),
            )
        except (ValueError, RecursionError) as error:
            raise InvalidInsert(place, str(error)) from None


def _pair(place: str, pair: str) -> tuple[str, Any]:
    name, is_pair, value = pair.partition("=")
    if not is_pair or not name:
        raise InvalidInsert(place, f"{pair!r} is not `field=value`")
    try:
        return name, msgspec.json.decode(value)
    except (ValueError, RecursionError):
        return name, value


def _record(number: int, place: str, given: _Given, sessions: Collection[str]) -> Record:
    if (given.command is None) + (given.event is None) + (given.host is None) != _OTHERS:
        raise InvalidInsert(place, "give exactly one of command, event and host")
    if not 0 <= given.time <= _TIME_MAX:
        raise InvalidInsert(place, f"{given.time} is no time in seconds since the reel began")
    like = sorted(session for session in sessions if given.session and session.startswith(given.session))
    if len(like) > 1 and given.session not in like:
        raise InvalidInsert(place, f"{len(like)} sessions begin with {given.session!r}")
    wanted = ids_wanted(given.command) if given.command is not None else 0
    return Record(
        -number,
        round(given.time * 1_000_000),
        like[0] if like and given.session not in like else given.session,
        command=given.command,
        event=given.event,
        host=given.host,
        grant=given.grant,
        ids=tuple(f"inserted-{number}-{drawn}" for drawn in range(wanted)),
    )


_OTHERS: Final = 2
"""Of the three sorts of input, those that an entry does not have."""
