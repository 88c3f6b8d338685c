"""The commands that read reels, one module each."""

__all__ = ()
