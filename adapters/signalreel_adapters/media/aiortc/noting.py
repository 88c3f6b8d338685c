"""What the adapter notes beside its reports: which layer failed, and how much flowed for each machine.

Notes name no address and quote nothing of a peer's: reasons are our own words. Nothing is gathered until somebody takes
notes.
"""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from signalreel.identifiers import Kind, Reference
from signalreel.notes import AnyNote, MediaFailed, MediaStatistics

__all__ = ("STATISTICS_EVERY_S", "Flow", "Noted", "Notes", "summed")

STATISTICS_EVERY_S: Final = 5.0
"""Seconds between two notes of what flowed for one machine."""

_US_PER_S: Final = 1_000_000

Flow = tuple[int, int, int, float]
"""Packets, bytes of payload, packets lost as the other end reports, and the round trip in seconds (0: not known)."""


class Noted(Protocol):
    """One life of one machine, as far as it is noted."""

    machine: Reference
    on_failure: Callable[[str, str], None]

    def flow(self) -> Flow | None:
        """Give how much flowed since it was connected; None while it is not."""
        ...


class Notes:
    """Where the notes of one adapter go. Falsy until somebody takes them."""

    def __init__(self) -> None:
        self.take_with: Callable[[AnyNote], None] | None = None

    def __bool__(self) -> bool:
        return self.take_with is not None

    def take(self, note: AnyNote) -> None:
        """Hand a note on, if somebody takes notes."""
        if self.take_with is not None:
            self.take_with(note)

    def follow(self, side: Noted) -> Callable[[float], None]:
        """Note what fails on a side from now on. Gives what is to be called every second to note what flows there."""
        side.on_failure = lambda layer, what: self.take(MediaFailed(layer, what, side.machine))
        noted_at: float | None = None

        def look(now: float) -> None:
            nonlocal noted_at
            if noted_at is None or now - noted_at >= STATISTICS_EVERY_S:
                flow = side.flow()
                if flow is not None:
                    noted_at = now
                    self.take(_statistics(side.machine, flow))

        return look


def summed(flows: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Add up packets and bytes."""
    packets = size = 0
    for each_packets, each_size in flows:
        packets += each_packets
        size += each_size
    return packets, size


def _statistics(machine: Reference, flow: Flow) -> MediaStatistics:
    packets, size, lost, round_trip = flow
    trip = round(round_trip * _US_PER_S)
    if machine.kind is Kind.STREAM:
        return MediaStatistics(machine, packets, 0, size, 0, lost, round_trip_us=trip)
    return MediaStatistics(machine, 0, packets, 0, size, lost, round_trip_us=trip)
