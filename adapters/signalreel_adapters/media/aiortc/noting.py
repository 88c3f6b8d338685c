"""What the adapter notes beside its reports: which layer failed, and how much flowed for each machine.

Notes name no address and quote nothing of a peer's: reasons are our own words. Nothing is gathered until somebody takes
notes.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Protocol

from signalreel.identifiers import Kind, Reference
from signalreel.notes import AnyNote, MediaFailed, MediaStatistics

__all__ = ("STATISTICS_EVERY_S", "Flow", "Noted", "Notes", "summed")

STATISTICS_EVERY_S: Final = 5.0
"""Seconds between two notes of what flowed for one machine."""

_US_PER_S: Final = 1_000_000

_BITS: Final = 8


class Flow(NamedTuple):
    """What flowed for one machine since it was connected; what is 0 may also be not known."""

    packets: int
    octets: int  #: of payload
    lost: int = 0  #: packets
    round_trip: float = 0.0  #: seconds
    height: int = 0  #: pixels, of the picture that flows now
    keyframes_asked: int = 0


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
        noted: tuple[float, int] | None = None  # when, and the octets by then

        def look(now: float) -> None:
            nonlocal noted
            if noted is not None and now - noted[0] < STATISTICS_EVERY_S:
                return
            flow = side.flow()
            if flow is not None:
                bitrate = int((flow.octets - noted[1]) * _BITS / (now - noted[0])) if noted is not None else 0
                noted = now, flow.octets
                self.take(_statistics(side.machine, flow, max(0, bitrate)))

        return look


def summed(flows: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Add up packets and bytes."""
    packets = size = 0
    for each_packets, each_size in flows:
        packets += each_packets
        size += each_size
    return packets, size


def _statistics(machine: Reference, flow: Flow, bitrate: int) -> MediaStatistics:
    is_received = machine.kind is Kind.STREAM
    return MediaStatistics(
        machine,
        packets_received=flow.packets if is_received else 0,
        packets_sent=0 if is_received else flow.packets,
        bytes_received=flow.octets if is_received else 0,
        bytes_sent=0 if is_received else flow.octets,
        packets_lost=flow.lost,
        keyframes_asked=flow.keyframes_asked,
        round_trip_us=round(flow.round_trip * _US_PER_S),
        bitrate=bitrate,
        height=flow.height,
    )
