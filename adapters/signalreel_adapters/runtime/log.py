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

    def failure(self, event: str, error: BaseException, **fields: object) -> None:
        """Write what was raised and where. Never its text, which might quote a description (Contract 11)."""
        self.error(event, error=type(error).__name__, at=_place(error), **fields)


def _place(error: BaseException) -> str:
    """Name the line that raised."""
    traceback = error.__traceback__
    if traceback is None:
        return ""
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
