"""Which other programs are there to be measured: one that is not installed is told with the reason."""

from importlib import import_module
from typing import Final, Protocol

from signalreel_adapters.bench.source import Peer

__all__ = ("PACKAGES", "Turns", "prepare")

PACKAGES: Final = {"eventsourcing": "eventsourced", "temporalio": "temporal", "simpy": "simpying"}
"""The package of each, and the module here that measures it."""


class Turns(Protocol):
    """Somebody who does the same work, once each time, and tells how long it took."""

    def run(self) -> None:
        """Take a turn."""
        ...

    def figures(self) -> Peer:
        """Give what was measured."""
        ...


def prepare(package: str, what: str, *input: object) -> Turns | Peer:
    """Prepare the work of another program, its class `what`; give the reason when it is not installed."""
    try:
        module = import_module(f"signalreel_adapters.bench.peers.{PACKAGES[package]}")
    except ImportError:
        return Peer(missing=f"{package} is not installed (pip install {package})")
    made: Turns = getattr(module, what)(*input)
    return made
