"""Pseudonyms: what stands for a text in a reel that is shared, by a key that is not shared.

    pseudonyms = Pseudonyms(key)
    for text in texts: pseudonyms.learn(text)
    pseudonyms.of("alice")      # n0007-q3zk5abc: the seventh text in order, and a keyed tag of it

The engine looks at texts in few ways: whether two are equal, which comes first, whether one is a valid name, whether it
is too long to be told, and what is put together from two (`session/stream`, `!track`, `ARDAMSvstream`). A pseudonym is
the same in all of these ways as the text it stands for. Hence the number in it, and hence all texts are learnt before
the first is asked for. The tag is the same in every reel that is redacted with the same key; the number is not.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

from signalreel.identifiers import is_valid_name
from signalreel.machines.texts import told

__all__ = ("KEY_LENGTH_MIN", "TAG_LENGTH", "Pseudonyms")

KEY_LENGTH_MIN: Final = 16
"""Bytes of a key at least: texts are short, and whoever could try all keys would find them."""

TAG_LENGTH: Final = 8
"""Characters of the keyed tag in a pseudonym, 40 bits: enough to tell the texts of many reels apart."""

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
_TRACK_PREFIXES: Final = ("ARDAMSv", "ARDAMSa")
_EXCLUDED: Final = "!"
_INVALID: Final = "~"
"""Ends what stands for a text that is no valid name: neither is it."""

_UNTELLABLE: Final = "\x01" * 700
"""Ends what stands for a text that is too long to be told: what counts is how long it is when it is sent."""


class Pseudonyms:
    """What stands for which text. `kept` are texts that stand for themselves, such as names that may be known."""

    def __init__(self, key: bytes, kept: Iterable[str] = ()) -> None:
        if len(key) < KEY_LENGTH_MIN:
            raise ValueError(f"a key has at least {KEY_LENGTH_MIN} bytes")
        self._key = hashlib.blake2b(key, digest_size=32).digest()
        self._kept = frozenset(part for text in kept if text for part, _ in _parts_of(text))
        self._learnt: set[str] = set()
        self._standing: dict[str, str] = {}

    # ---- texts

    def learn(self, text: str) -> None:
        """Note a text that will be asked for."""
        if text:
            self._learnt.update(part for part, _ in _parts_of(text) if part)

    def of(self, text: str) -> str:
        """Give what stands for a text. An empty one stands for itself: it says that there is none.

        What stands for one that was not learnt has no place among the others.
        """
        return "".join(self._part(part) + mark for part, mark in _parts_of(text)) if text else ""

    def _part(self, part: str) -> str:
        if not part or part in self._kept:
            return part
        if not self._standing:
            width = max(4, len(str(len(self._learnt))))
            self._standing = {
                one: f"n{rank:0{width}d}-{self._tagged(one)}" for rank, one in enumerate(sorted(self._learnt), 1)
            }
        return self._standing.get(part) or f"n-{self._tagged(part)}"

    def _tagged(self, text: str) -> str:
        tag = self.token("name", text, TAG_LENGTH)
        if not told(text):
            return tag + _INVALID + _UNTELLABLE
        return tag if is_valid_name(text) else tag + _INVALID

    # ---- what has no order: parts of descriptions and candidates

    def digest(self, kind: str, text: str, size: int) -> bytes:
        """Give so many bytes (64 at most) that depend on the text, what sort of thing it is, and the key alone."""
        keyed = hashlib.blake2b(key=self._key, digest_size=size, person=kind.encode())
        keyed.update(text.encode())
        return keyed.digest()

    def token(self, kind: str, text: str, length: int) -> str:
        """Give so many letters and digits (64 at most) for a text."""
        return "".join(_ALPHABET[byte & 31] for byte in self.digest(kind, text, length))

    def number(self, kind: str, text: str, below: int) -> int:
        """Give a number for a text."""
        return int.from_bytes(self.digest(kind, text, 8), "big") % below


def _parts_of(text: str) -> list[tuple[str, str]]:
    """Take a text apart: each part that is replaced, with the mark that follows it and stays."""
    if not told(text):
        return [(text, "")]  # Its length is what counts, so it is one thing.
    if text[0] == _EXCLUDED:
        return [("", _EXCLUDED), *_names_in(text[1:])]
    return _names_in(text)


def _names_in(text: str) -> list[tuple[str, str]]:
    head, slash, rest = text.partition("/")
    return [(head, slash), *_name_in(rest)] if slash else _name_in(text)


def _name_in(text: str) -> list[tuple[str, str]]:
    for prefix in _TRACK_PREFIXES:
        rest = text.removeprefix(prefix)
        if rest and rest != text and is_valid_name(rest) == is_valid_name(text):
            return [("", prefix), (rest, "")]
    return [(text, "")]
