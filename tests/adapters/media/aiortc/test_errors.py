"""Errors say whose fault it is."""

from signalreel.errors import SignalreelError
from signalreel_adapters.media.aiortc.errors import (
    DescriptionImpossible,
    DescriptionRefused,
    MediaError,
    TransportFailed,
)


def test_every_error_has_one_base_and_a_reason() -> None:
    """A handler may catch the base of the adapter, or that of the project."""
    for kind in (DescriptionImpossible, DescriptionRefused, TransportFailed):
        error = kind("because")

        assert isinstance(error, MediaError)
        assert isinstance(error, SignalreelError)
        assert (error.reason, str(error)) == ("because", "because")
