"""The one unit of time that tokens have, and how long a used one is remembered."""

from typing import Final

__all__ = ("FAR_S", "MARGIN_S", "SECOND", "kept_until", "seconds")

SECOND: Final = 1_000_000
"""In microseconds, the unit of every clock of the shell."""

MARGIN_S: Final = 120
"""How long beyond its expiry a used token is remembered, in seconds.

A verdict is reached a moment before it is recorded, and clocks of nodes differ: without a margin, a token shown by two
sessions at its very end could be forgotten between the two.
"""

FAR_S: Final = 2**40
"""Seconds since 1970 beyond which an expiry is no date any more; what is later counts as this."""


def seconds(microseconds: int) -> float:
    """Give a clock's time in seconds, as tokens write it."""
    return microseconds / SECOND


def kept_until(expiry: float) -> int:
    """Give the wall time (microseconds) until which a token is remembered that expires then."""
    return int(min(expiry, FAR_S * SECOND)) + MARGIN_S * SECOND
