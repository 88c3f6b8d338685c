"""The four machines: stream, playback, pair and room, each a table of rows and the functions the rows name."""

__all__ = ()
