"""The path between one client and the server: how long it takes, and what becomes of what is sent over it.

A path that is cut keeps what is sent, as TCP does, and delivers it when it is mended. One that loses or duplicates or
changes the order is no TCP: a transport made of datagrams.
"""

from collections.abc import Callable
from typing import Any, Final

from signalreel.simulation.agenda import Agenda
from signalreel.simulation.luck import Luck

__all__ = ("DOWN", "UP", "Path")

UP: Final = 0
"""From the client to the server."""

DOWN: Final = 1
"""From the server to the client."""


class Path:
    """Both ways between a client and the server."""

    __slots__ = (
        "_agenda",
        "_held",
        "_last",
        "_luck",
        "cut",
        "is_lossy",
        "jitter",
        "latency",
    )

    def __init__(self, agenda: Agenda, luck: Luck, latency: int, *, jitter: int = 0, is_lossy: bool = False) -> None:
        self.latency = latency
        self.jitter = jitter
        self.cut = [False, False]  #: up and down
        self.is_lossy = is_lossy  #: it is no TCP
        self._agenda: Final = agenda
        self._luck: Final = luck
        self._last = [0, 0]
        self._held: tuple[list[Any], list[Any]] = ([], [])

    def send(self, way: int, action: Callable[..., None], *args: Any) -> None:
        """Have something arrive at the other end, after all that was sent before."""
        if self.cut[way]:
            self._held[way].append((action, args))
            return
        agenda = self._agenda
        arrival = agenda.now + self.latency
        if self.jitter:
            arrival += int(self._luck.random.random() * self.jitter)
        last = self._last
        if arrival < last[way]:
            arrival = last[way]
        else:
            last[way] = arrival
        agenda.at(arrival, action, *args)

    def throw(self, way: int, action: Callable[..., None], *args: Any) -> None:
        """Have a message arrive, or not, or twice, or out of order, where the path is lossy."""
        if self.is_lossy:
            luck = self._luck
            if luck.meets("loss"):
                return
            if luck.meets("duplication"):
                self.send(way, action, *args)
            if not self.cut[way] and luck.meets("reordering"):
                self._agenda.after(self.latency + int(luck.random.random() * 10 * self.latency), action, *args)
                return
        self.send(way, action, *args)

    def held(self, way: int) -> int:
        """How much waits for the path to be mended."""
        return len(self._held[way])

    def sever(self, way: int) -> None:
        """Cut one way. What is under way still arrives."""
        self.cut[way] = True

    def mend(self) -> None:
        """Mend both ways; what waited is under way now."""
        self.cut[UP] = self.cut[DOWN] = False
        for way, held in enumerate(self._held):
            waiting = held[:]
            held.clear()
            for action, args in waiting:
                self.send(way, action, *args)

    def heal(self) -> None:
        """Mend both ways, and be reliable from now on."""
        self.is_lossy = False
        self.mend()
