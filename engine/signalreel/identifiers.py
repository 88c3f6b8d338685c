"""The names things go by, and the rule a name that comes from outside must obey.

What lives here: the `NewType`s of the project, the kinds of machine, the reference to one life of one machine, and the
stream-name rule. What may not: anything that knows what a name is used for.
"""

import re
from enum import StrEnum
from typing import Final, NewType

from msgspec import Struct

__all__ = (
    "NAME_LENGTH_MAX",
    "App",
    "Kind",
    "Reference",
    "SessionId",
    "is_valid_name",
    "playback_id",
)

App = NewType("App", str)
"""An application of the server: the first part of the path in `ws://HOST/{app}/websocket`. Nothing crosses apps."""

SessionId = NewType("SessionId", str)
"""One client's attachment through a transport, drawn by the runtime. The empty session is the server itself."""

NAME_LENGTH_MAX: Final = 255
"""Characters in the name of a stream, room or pair. Real servers set no limit; 255 is what every file system takes."""

_NAME: Final = re.compile(rf"(?!\.{{1,2}}\Z)[A-Za-z0-9_.\-]{{1,{NAME_LENGTH_MAX}}}")
_is_name: Final = _NAME.fullmatch


class Kind(StrEnum):
    """The four kinds of machine."""

    STREAM = "stream"
    PLAYBACK = "playback"
    PAIR = "pair"
    ROOM = "room"


for _kind in Kind:
    # Python 3.11 finds a member by a descriptor that is written in Python, at ten times the cost of an attribute, and a
    # record asks for several. Later versions put the member there themselves.
    type.__setattr__(Kind, _kind.name, _kind)


class Reference(Struct, frozen=True, array_like=True, gc=False):
    """Names one life of one machine.

    An id can be used again; `born`, the seq of the record that created this life, cannot. An event that carries the
    reference of a former life is inert.
    """

    kind: Kind
    app: str
    id: str
    born: int


def is_valid_name(name: str) -> bool:
    """Whether a client may use this name: only `A-Z a-z 0-9 - _ .`, as the Ant Media server's validator has it.

    Stricter than that server in two ways: `.` and `..` are refused, because a name may become part of a path in a
    host's own code, and so is a name of more than `NAME_LENGTH_MAX` characters. A trailing newline is refused as well,
    which a pattern that ends in `$` would let through.
    """
    return _is_name(name) is not None


def playback_id(session: str, stream_id: str) -> str:
    """Name the playback of one stream or room by one session; `/` cannot stand in either part of it."""
    return f"{session}/{stream_id}"
