"""Data channels: what a publisher says is relayed to its players, in order, as text or bytes.

The publisher opens its channel, to players the server opens one; its label is the stream's or room's id. A player that
reads too slowly loses messages instead of costing memory. SCTP is pure Python: fit for chat and control, not for files.
"""

from collections.abc import Callable

from aiortc import RTCDataChannel, RTCDataChannelParameters, RTCSctpTransport
from aiortc.rtcsctptransport import RTCSctpCapabilities

from signalreel_adapters.media.aiortc.settings import AiortcSettings

__all__ = ("DataEnd", "Message", "Relay")

Message = str | bytes


def _ignore(message: Message) -> None:
    """Stand in when nobody listens any more."""


class DataEnd:
    """Our end of the data channel of one peer."""

    def __init__(self, sctp: RTCSctpTransport, settings: AiortcSettings, on_message: Callable[[Message], None]) -> None:
        self.dropped = 0  #: messages that were too large, or too many for a slow peer
        self._sctp = sctp
        self._settings = settings
        self._on_message: Callable[[Message], None] = on_message
        self._channel: RTCDataChannel | None = None
        self._opened = 0
        sctp.on("datachannel", self._accept)

    async def start(self, remote_port: int, remote_bytes_max: int, label: str = "") -> None:
        """Start the association over a connected DTLS; with a label, open a channel of our own."""
        if label:
            self._use(RTCDataChannel(self._sctp, RTCDataChannelParameters(label=label)))
        await self._sctp.start(RTCSctpCapabilities(maxMessageSize=remote_bytes_max), remote_port)

    def _accept(self, channel: RTCDataChannel) -> None:
        """Use the first channel that the peer opens. Others are closed: nobody would hear what is said on them."""
        self._opened += 1
        if self._opened > self._settings.data_channels_max or (self._channel is not None and self._opened > 1):
            channel.close()
        elif self._channel is None:
            self._use(channel)
        else:
            # The peer opened one beside ours: it is heard, and ours goes on carrying what we say.
            channel.on("message", self._take)

    def _use(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        channel.on("message", self._take)

    def _take(self, message: Message) -> None:
        if len(message) > self._settings.message_bytes_max:
            self.dropped += 1
            return
        self._on_message(message)

    def send(self, message: Message) -> bool:
        """Send one message; false when it was dropped."""
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return False
        # A text is at most four bytes a character; that bound is enough here.
        if channel.bufferedAmount + len(message) > self._settings.buffered_bytes_max:
            self.dropped += 1
            return False
        try:
            channel.send(message)
        except ValueError:  # larger than the peer takes
            self.dropped += 1
            return False
        return True

    def close(self) -> None:
        """Hear nothing more. The association ends with its transport."""
        self._on_message = _ignore
        self._sctp.remove_all_listeners()
        if self._channel is not None:
            self._channel.remove_all_listeners()
            self._channel = None


class Relay:
    """Who hears what is said about one stream: its publisher's end, and those of its players."""

    def __init__(self, player_messages: str) -> None:
        self.publisher: DataEnd | None = None
        self.players: dict[int, DataEnd] = {}  #: by a number of the adapter's
        self._player_messages = player_messages

    def from_publisher(self, message: Message) -> None:
        """Relay what the publisher said."""
        for end in self.players.values():
            end.send(message)

    def from_player(self, player: int, message: Message) -> None:
        """Relay what a player said, as far as the settings have it."""
        if self._player_messages == "none":
            return
        if self.publisher is not None:
            self.publisher.send(message)
        if self._player_messages == "all":
            for number, end in self.players.items():
                if number != player:
                    end.send(message)
