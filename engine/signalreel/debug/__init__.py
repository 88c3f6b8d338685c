"""What can be asked of a reel: what happened, why, since when, and what if. Nothing here performs anything."""

__all__ = ()
