"""Reels that outlive the process."""

from signalreel_adapters.reels.sqlite import SqliteReel

__all__ = ("SqliteReel",)
