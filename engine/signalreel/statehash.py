"""The digest of a whole state, kept up to date at the cost of what changed.

It is the sum, modulo 2^128, of one hash per machine and session. A sum does not depend on any order, so no dict is
sorted for it, and one entry is replaced by subtracting its old hash and adding the new one: a digest every 64 records
costs at most 64 small hashes, however many streams are live. It finds accidents; it is no defence against whoever
writes the reel, who could write another digest as well.
"""

from hashlib import blake2b
from typing import Final, Protocol

import msgspec

from signalreel.step import DIGEST_SIZE

__all__ = (
    "Observer",
    "Place",
    "StateHash",
)

_encode: Final = msgspec.msgpack.Encoder().encode
_MODULUS: Final = 1 << (8 * DIGEST_SIZE)

Place = tuple[str, ...]
"""Where a value of the state stands: a machine's key, or `("session", id)`."""


class Observer(Protocol):
    """Somebody who is told what changes in a state, at the cost of what changes."""

    def changed(self, place: Place, value: msgspec.Struct | None) -> None:
        """Hear what stands at a place now; None when nothing does. One step may change a place several times."""
        ...

    def restored(self) -> None:
        """Hear that everything may be another: the engine took a snapshot over."""
        ...


class StateHash:
    """A running hash over a set of places and the values there. `observers` are told of every change as well."""

    def __init__(self) -> None:
        self.observers: tuple[Observer, ...] = ()
        self._total = 0
        self._parts: dict[Place, int] = {}
        self._changed: dict[Place, msgspec.Struct | None] = {}

    def changed(self, place: Place, value: msgspec.Struct | None) -> None:
        """Note what stands at a place now; None when nothing does."""
        self._changed[place] = value
        if self.observers:
            for observer in self.observers:
                observer.changed(place, value)

    def digest(self, rest: msgspec.Struct) -> bytes:
        """Give the digest of everything noted so far, together with `rest`."""
        total, parts = self._total, self._parts
        for place, value in self._changed.items():
            total -= parts.pop(place, 0)
            if value is not None:
                hashed = blake2b(_encode((place, value)), digest_size=DIGEST_SIZE).digest()
                part = parts[place] = int.from_bytes(hashed, "big")
                total += part
        self._changed.clear()
        self._total = total % _MODULUS
        whole = blake2b(self._total.to_bytes(DIGEST_SIZE, "big"), digest_size=DIGEST_SIZE)
        whole.update(_encode(rest))
        return whole.digest()
