"""Another code in this process: the same one with a bug of the zoo in it, or without."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from signalreel.debug.finding import Given, given_by
from signalreel.debug.state import state_of
from signalreel.reel import Reel
from signalreel.replay import Cursor
from tests.engine.zoo import Bug

__all__ = ("WithBug",)


class WithBug:
    """The code with a bug in it; everything is applied at once, before this process goes on without."""

    def __init__(self, bug: Bug) -> None:
        self._bug = bug
        self._states: dict[int, dict[str, Any]] = {}

    @property
    def name(self) -> str:
        """The bug's."""
        return self._bug.name

    def steps(self, reel: Reel) -> Iterator[Given]:
        """Apply all with the bug planted."""
        with ExitStack() as stack:
            self._bug.plant(stack)
            cursor = Cursor(reel)
            given: list[Given] = []
            for replayed in cursor:
                given.append(given_by(replayed.step))
                self._states[replayed.step.record.seq] = state_of(cursor.engine)
        return iter(given)

    def state(self, seq: int) -> dict[str, Any] | None:
        """As it was after the record."""
        return self._states[seq]
