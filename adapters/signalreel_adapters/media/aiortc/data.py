"""Data channels: what a publisher says is relayed to its players, in order, as text or bytes.

The publisher opens its channel, to players the server opens one; its label is the stream's or room's id. A player that
reads too slowly loses messages instead of costing memory. SCTP is pure Python: fit for chat and control, not for files.
A message costs half a millisecond for everybody who hears it, however short it is, so what one peer may say is bounded
by the second.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from aiortc import RTCDataChannel, RTCDataChannelParameters, RTCSctpTransport
from aiortc.rtcsctptransport import RTCSctpCapabilities

from signalreel_adapters.media.aiortc.rtcp import Budget
from signalreel_adapters.media.aiortc.settings import AiortcSettings

__all__ = ("DataEnd", "Hearer", "Message", "Relay")

Message = str | bytes


class Hearer(Protocol):
    """Whoever is told a message: a peer's data channel, or the way to peers of another process."""

    def send(self, message: Message) -> bool:
        """Send one message; false when it was dropped."""
        ...


_BURST_SECONDS: Final = 4.0
"""What a peer may say at once, in seconds of what it may say steadily: a page says much at first, and little then."""


def _ignore(message: Message) -> None:
    """Stand in when nobody listens any more."""


class DataEnd:
    """Our end of the data channel of one peer."""

    def __init__(
        self,
        sctp: RTCSctpTransport,
        settings: AiortcSettings,
        on_message: Callable[[Message], None],
        clock: Callable[[], float],
    ) -> None:
        self.dropped = 0  #: messages that were too large, too many to be heard, or too many for a slow peer
        self.on_open: Callable[[], None] = lambda: None  #: called when the peer can hear what we say
        self._clock = clock
        self._budget = Budget(settings.messages_per_second, _BURST_SECONDS * settings.messages_per_second)
        self._waiting: deque[int] = deque()  # where each message that waits ends, counted in all bytes ever sent
        self._sent_bytes = 0
        self._sctp = sctp
        self._settings = settings
        self._on_message: Callable[[Message], None] = on_message
        self._channel: RTCDataChannel | None = None
        self._channels = 0
        sctp.on("datachannel", self._accept)

    async def start(self, remote_port: int, remote_bytes_max: int, label: str = "") -> None:
        """Start the association over a connected DTLS; with a label, open a channel of our own."""
        if label:
            self._use(RTCDataChannel(self._sctp, RTCDataChannelParameters(label=label)))
        await self._sctp.start(RTCSctpCapabilities(maxMessageSize=remote_bytes_max), remote_port)

    def _accept(self, channel: RTCDataChannel) -> None:
        """Use the first channel that the peer opens. Others are closed: nobody would hear what is said on them."""
        self._channels += 1
        if self._channels > self._settings.data_channels_max or (self._channel is not None and self._channels > 1):
            channel.close()
        elif self._channel is None:
            self._use(channel)
        else:
            # The peer opened one beside ours: it is heard, and ours goes on carrying what we say.
            channel.on("message", self._take)

    def _use(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        channel.on("message", self._take)
        if channel.readyState == "open":
            self.on_open()
        else:
            channel.on("open", self._opened)

    def _opened(self) -> None:
        self.on_open()

    def _take(self, message: Message) -> None:
        if len(message) > self._settings.message_bytes_max or not self._budget.take(self._clock()):
            self.dropped += 1
            return
        self._on_message(message)

    def send(self, message: Message) -> bool:
        """Send one message; false when it was dropped."""
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return False
        if not self._has_room(channel.bufferedAmount, len(message)):
            self.dropped += 1
            return False
        before = channel.bufferedAmount
        try:
            channel.send(message)
        except ValueError:  # larger than the peer takes
            self.dropped += 1
            return False
        self._sent_bytes += channel.bufferedAmount - before
        self._waiting.append(self._sent_bytes)
        return True

    def _has_room(self, buffered: int, length: int) -> bool:
        """Whether one more message may wait: what waits is bounded in bytes, and in number for the shortest ones."""
        sent = self._sent_bytes - buffered
        while self._waiting and self._waiting[0] <= sent:
            self._waiting.popleft()
        # A text is at most four bytes a character; that bound is enough here.
        return (
            buffered + length <= self._settings.buffered_bytes_max
            and len(self._waiting) < self._settings.buffered_messages_max
        )

    def close(self) -> None:
        """Hear nothing more. The association ends with its transport."""
        self._on_message = _ignore
        self.on_open = lambda: None
        self._sctp.remove_all_listeners()
        if self._channel is not None:
            self._channel.remove_all_listeners()
            self._channel = None


class Relay:
    """Who hears what is said about one stream: its publisher's end, and those of its players.

    A message reaches all who are to hear it or nobody, by what of the stream's own budget is left: with many players
    one of them could keep the server busy with saying little.
    """

    def __init__(self, settings: AiortcSettings, clock: Callable[[], float]) -> None:
        self.publisher: Hearer | None = None
        self.players: dict[int, Hearer] = {}  #: by a number of the adapter's
        self.dropped = 0  #: messages that were said too often, or to too many
        self._player_messages = settings.player_messages
        self._clock = clock
        self._budget = Budget(settings.deliveries_per_second, _BURST_SECONDS * settings.deliveries_per_second)

    def from_publisher(self, message: Message) -> None:
        """Relay what the publisher said."""
        self._deliver(message, list(self.players.values()))

    def from_player(self, player: int, message: Message) -> None:
        """Relay what a player said, as far as the settings have it."""
        if self._player_messages == "none":
            return
        hearers: list[Hearer] = [self.publisher] if self.publisher is not None else []
        if self._player_messages == "all":
            hearers += [end for number, end in self.players.items() if number != player]
        self._deliver(message, hearers)

    def _deliver(self, message: Message, hearers: list[Hearer]) -> None:
        if not self._budget.take(self._clock(), len(hearers)):
            self.dropped += 1
            return
        for end in hearers:
            end.send(message)
