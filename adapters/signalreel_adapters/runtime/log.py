"""Logging that cannot hurt: a line that cannot be written is lost, and nothing else is.

The loop must not stop because the program that reads the log has gone, or because an embedder's log processor raises.
"""

from contextlib import suppress

import structlog

__all__ = ("Log",)


class Log:
    """A structlog logger of this name, without its exceptions. Client data goes into fields, never into the text."""

    def __init__(self, name: str) -> None:
        self._logger = structlog.stdlib.get_logger(name)

    def info(self, event: str, **fields: object) -> None:
        """Write what happened."""
        with suppress(Exception):
            self._logger.info(event, **fields)

    def warning(self, event: str, **fields: object) -> None:
        """Write what an operator may want to look at."""
        with suppress(Exception):
            self._logger.warning(event, **fields)

    def error(self, event: str, **fields: object) -> None:
        """Write what is wrong."""
        with suppress(Exception):
            self._logger.error(event, **fields)
