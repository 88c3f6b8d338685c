"""What can go wrong between the adapter and a peer, by whose fault it is.

    MediaError
    |-- DescriptionRefused    the client's: its description may not reach the transport, or asks for what is not offered
    |-- DescriptionImpossible ours: no description could be made
    `-- TransportFailed       broken: ICE or DTLS did not come up in time, or ended

None of them leaves the adapter: the first two become `DescriptionFailed`, the third `MediaLost`. A reason is written by
us and never quotes what the client sent.
"""

from signalreel.errors import SignalreelError

__all__ = ("DescriptionImpossible", "DescriptionRefused", "MediaError", "TransportFailed")


class MediaError(SignalreelError):
    """Base of what the media adapter raises inside. `reason` is fit for a reel and a log."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class DescriptionRefused(MediaError):
    """The client's description is not acceptable. The client must make another one."""


class DescriptionImpossible(MediaError):
    """We could not make our own description; nothing is wrong with the client's."""


class TransportFailed(MediaError):
    """The transport did not connect in time or was lost. The peer has to start over. `layer` says what failed of it."""

    def __init__(self, reason: str, layer: str = "ice") -> None:
        self.layer = layer
        super().__init__(reason)
