"""`signalreel simulate`: its arguments, its tables, and what it says of a seed that failed."""

__all__ = ()
