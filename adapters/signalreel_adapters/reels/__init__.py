"""Reels that outlive the process."""

from signalreel_adapters.reels.segments import Rolling
from signalreel_adapters.reels.sqlite import Durability, SqliteReel

__all__ = ("Durability", "Rolling", "SqliteReel")
