"""Where ids come from: the operating system's randomness, or a seed in tests and simulations.

Contract item 10: an id has at least 96 random bits and cannot be guessed from earlier ones or from a reel.
"""

import hashlib
import secrets
from typing import Final

__all__ = ("ID_BYTES", "RandomIds", "SeededIds")

ID_BYTES: Final = 15
"""Random bytes of an id: 120 bits, twenty characters of base32 without padding."""

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
"""RFC 4648, section 6, in lower case: every character may stand in a stream name, and none is mistaken when read."""


def _spell(data: bytes) -> str:
    value = int.from_bytes(data)
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(len(data) * 8 - 5, -1, -5))


class RandomIds:
    """Ids from the operating system's source of randomness."""

    def draw(self) -> str:
        """Give a fresh id."""
        return _spell(secrets.token_bytes(ID_BYTES))


class SeededIds:
    """The same ids for the same seed, so that a test can be repeated. Never for a server."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn = 0

    def draw(self) -> str:
        """Give the next id of the seed."""
        self._drawn += 1
        digest = hashlib.blake2b(f"{self._seed} {self._drawn}".encode(), digest_size=ID_BYTES)
        return _spell(digest.digest())
