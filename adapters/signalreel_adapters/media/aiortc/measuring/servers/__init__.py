"""The servers that a measurement compares, each behind the same small face, `Server`."""

__all__ = ()
