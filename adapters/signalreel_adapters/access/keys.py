"""Keys that an operator chooses: how short is too short, and which could be guessed.

A key guards everything that is behind it, and nobody hears of the attempts that were made on it. So a short one is
refused everywhere, and one that a program could guess is refused where others than this machine can try.
"""

import re
from typing import Final

from signalreel_adapters.access.tags import KEY_BYTES_MIN

__all__ = ("CHARACTERS_MIN", "is_guessable", "is_too_short")

CHARACTERS_MIN: Final = 8
"""Different characters in a key that was drawn. Sixteen hexadecimal digits drawn at random nearly always have more."""

_HABITS: Final = re.compile(
    r"abcdefgh\w*|admin|change[-_ ]?(?:me|this|it)|default|demo|dev(?:elopment)?|example|insecure|key|letmein|"
    r"local(?:host)?|master|my|operator|passw(?:or)?d|please|qwert[yz]\w*|sample|secret|signalreel|super|test(?:ing)?|"
    r"the|this|token|your|12345\d*|0123\w*|[^a-z0-9]"
)
"""What people write where a key should stand."""


def is_too_short(key: bytes) -> bool:
    """Whether the key could be found by trying, however it was made."""
    return len(key) < KEY_BYTES_MIN


def is_guessable(key: bytes) -> bool:
    """Whether the key looks like one that somebody thought of, or left as it was in an example, and nobody drew.

    A drawn key is taken for one only by an accident that nobody will see; a clever choice may pass.
    """
    left = _HABITS.sub("", key.decode("latin-1").lower()) if key.isascii() else key.decode("latin-1")
    return len(left) < CHARACTERS_MIN or len(set(left)) < CHARACTERS_MIN
