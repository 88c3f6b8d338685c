"""Media in processes beside the engine's, and what carries a stream from one of them to another."""

__all__ = ()
