"""What a transport promises, kept by each kind."""

import socket

from aiortc import RTCCertificate

from signalreel_adapters.media.aiortc.full import AioicePeer
from signalreel_adapters.media.aiortc.lite import LitePeer
from signalreel_adapters.media.aiortc.peer import NO_RUNS, Egress, PeerTransport
from tests.adapters.media.aiortc.fakes import FakeTransport

PROMISED = {name for name in vars(PeerTransport) if not name.startswith("_")} | set(PeerTransport.__annotations__)


def test_every_kind_keeps_the_promise() -> None:
    """The two real transports and the one of these tests have every name of the Protocol."""
    methods = {name for name in PROMISED if callable(getattr(PeerTransport, name, None))}

    for kind in (AioicePeer, LitePeer, FakeTransport):
        assert methods <= set(dir(kind)), kind.__name__
    assert set(vars(FakeTransport())) >= PROMISED - methods


def test_an_egress_keeps_its_owner_alive() -> None:
    """Its context is a bare pointer into the session: without the session it would point at nothing."""
    owner = RTCCertificate
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as through:
        egress = Egress("context", owner, through, ("192.0.2.1", 5_000))

        assert egress._owner is owner


def test_an_egress_that_moves_sends_elsewhere() -> None:
    """The peer has come by another network: its address changes in every form at once."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as through:
        egress = Egress("context", None, through, ("192.0.2.1", 5_000))
        name = egress.name
        egress.growth = NO_RUNS
        egress.move(through, ("192.0.2.2", 5_000))

        assert egress.address == ("192.0.2.2", 5_000)
        assert egress.name != name
        assert egress.growth == 0  # whether the new path takes runs is to be found out
