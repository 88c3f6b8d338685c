"""How much of what clients say of themselves and their streams is kept, and told to others.

Such texts go to whoever asks: one command of a publisher's comes back in every answer about its room. So a text has a
most where it is kept, and all texts of a list together have one where the list is told.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec

from signalreel.registered import TEXT_LENGTH_MAX

__all__ = ("LIST_SIZE_MAX", "SHARE_SIZE_MIN", "TOLD_LENGTH_MAX", "listed", "told")

TOLD_LENGTH_MAX: Final = TEXT_LENGTH_MAX
"""Characters of a stream's name or meta data that others are told. Every member of a room gets those of every stream,
so one publisher's text must not fill the others' connections; clients keep a few dozen characters there."""

LIST_SIZE_MAX: Final = 65_536
"""Bytes of JSON that the entries of a list may have before anybody's texts are left out."""

SHARE_SIZE_MIN: Final = 512
"""Bytes that each entry of a list may have in any case, so that those of a large room keep their names."""

_ESCAPED: Final = re.compile(r"[\x00-\x1f]")
_ESCAPE_LENGTH: Final = 6

_encode: Final = msgspec.json.Encoder().encode

_Entry = TypeVar("_Entry")


def told(text: str) -> str:
    """What a client said of itself or its stream, as it is kept and told to others; a text beyond all measure is not.

    A control character counts as what it is in JSON, six characters.
    """
    if len(text) > TOLD_LENGTH_MAX:
        return ""
    length = len(text) + (_ESCAPE_LENGTH - 1) * len(_ESCAPED.findall(text))
    return text if length <= TOLD_LENGTH_MAX else ""


def listed(
    entries: Sequence[_Entry], as_sent: Callable[[_Entry], object], without_texts: Callable[[_Entry], _Entry]
) -> tuple[_Entry, ...]:
    """Give the entries of a list as they may be told together.

    Where they are too much, those that take more than an equal share are told without their texts: nobody can push out
    what others say by saying much, and every entry stays in its place.
    """
    sizes = [len(_encode(as_sent(entry))) for entry in entries]
    if sum(sizes) <= LIST_SIZE_MAX:
        return tuple(entries)
    share = max(LIST_SIZE_MAX // len(entries), SHARE_SIZE_MIN)
    return tuple(entry if size <= share else without_texts(entry) for entry, size in zip(entries, sizes, strict=True))
