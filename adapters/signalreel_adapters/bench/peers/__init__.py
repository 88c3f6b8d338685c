"""Other programs that do the same work, each behind the smallest adapter that is fair to it."""

__all__ = ()
