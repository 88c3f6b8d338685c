"""What becomes of an exception that nobody foresaw: it is logged and counted, and everything else goes on.

Jobs, turns and connections run on their own, where the runtime cannot see them fail. So each hands its exception here.
"""

from collections.abc import Callable
from typing import Final

from signalreel_adapters.runtime.log import Log

__all__ = ("Failures",)

_log: Final = Log("signalreel.media")


def _ignore() -> None:
    """Stand in until somebody counts."""


class Failures:
    """The bugs of one adapter that showed themselves. `count_with` is told of each."""

    def __init__(self) -> None:
        self.count_with: Callable[[], None] = _ignore

    def note(self, what: str, error: BaseException, **fields: object) -> None:
        """Take note of one. Its text is never written: it might quote a description."""
        _log.failure(what, error, **fields)
        self.count_with()
