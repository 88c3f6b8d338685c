"""The adapter's side of one playback: offers what is to be shown, and takes the answers."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import msgspec

from signalreel.events import AnyEvent, BitrateMeasured, DescriptionCreated, MediaConnected, ResolutionChanged
from signalreel.identifiers import Reference
from signalreel.messages import VideoTrackAssignment
from signalreel_adapters.media.aiortc.data import DataEnd, Message, Relay
from signalreel_adapters.media.aiortc.errors import DescriptionRefused
from signalreel_adapters.media.aiortc.failures import Failures
from signalreel_adapters.media.aiortc.noting import Flow
from signalreel_adapters.media.aiortc.peer import PeerTransport
from signalreel_adapters.media.aiortc.probing import Cluster
from signalreel_adapters.media.aiortc.publisher import Publisher
from signalreel_adapters.media.aiortc.sdp import Section
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.aiortc.side import MakeTransport, Side
from signalreel_adapters.media.aiortc.viewer import Viewer

__all__ = ("PlaybackSide", "Shown")

_SLICE: Final = 0.01
"""Seconds between two slices of padding."""

_ASSIGNED: Final = "VIDEO_TRACK_ASSIGNMENT_LIST"
"""What the clients' pages know the list by."""


class Shown(Protocol):
    """A stream that can be shown, wherever its publisher is connected."""

    publisher: Publisher
    relay: Relay

    async def ready(self) -> None:
        """Wait until it is known what is published."""
        ...


class PlaybackSide(Side):
    """One life of one playback. `number` tells it from every other one of this adapter."""

    def __init__(
        self,
        machine: Reference,
        number: int,
        settings: AiortcSettings,
        make_transport: MakeTransport,
        report: Callable[[AnyEvent], None],
        failures: Failures,
        *,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(machine, settings, make_transport, report, failures)
        self.viewer: Viewer | None = None
        self.number = number
        self._clock = clock
        self._data: DataEnd | None = None
        self._relays: list[Relay] = []
        self._switches: list[tuple[str, str, bool]] = []
        self._height = 0
        self._assignments: tuple[VideoTrackAssignment, ...] | None = None
        # A playback's id is that of its session, `/`, and the name that the player asked for.
        self._watches = machine.id.partition("/")[2]
        self._measured_at = clock()
        self._cluster: asyncio.Task[None] | None = None  # that is being sent

    def offer(self, streams: Mapping[str, Shown], *, switched_off: bool = False) -> None:
        """Offer these streams and no others: at first, and again on the same connection.

        With `switched_off` nothing of them is sent that the player does not switch on itself.
        """
        self._describe(lambda: self._offer(streams, switched_off=switched_off))

    async def _offer(self, streams: Mapping[str, Shown], *, switched_off: bool) -> None:
        for side in streams.values():
            await side.ready()
        viewer = self.viewer
        if viewer is None:
            transport = await self._open(controlling=True)
            viewer = self.viewer = Viewer(transport, self._settings, self._clock, watches=self._watches)
            viewer.on_cluster = self._begin_cluster
            if switched_off:
                viewer.switch_off()
            viewer.force_height(self._height)
        sections, id_mapping = viewer.show({stream_id: side.publisher for stream_id, side in streams.items()})
        for stream_id, kind, enabled in self._switches:
            viewer.switch(stream_id, kind, enabled=enabled)
        self._switches.clear()
        if self._assignments is not None:
            viewer.assign(each.track_id for each in self._assignments)
        sdp = self._render("actpass", sections)
        self._leave_relays()
        self._relays = [side.relay for side in streams.values()]
        self._join_relays()
        self._report(DescriptionCreated(self.machine, "offer", sdp, id_mapping))

    def take_answer(self, sdp: str) -> None:
        """Take the answer to the last offer."""
        self._describe(lambda: self._take_answer(sdp))

    async def _take_answer(self, sdp: str) -> None:
        viewer = self.viewer
        if viewer is None:
            raise DescriptionRefused("nothing was offered")
        description = self._parse(sdp, self._settings.viewer_sections_max)
        setup = description.transport.setup
        if setup == "actpass":
            raise DescriptionRefused("an answer must choose its side of the DTLS handshake")
        viewer.agree(description)
        if self._connecting is None:
            self._connect(description, dtls_client=setup == "active")

    def switch(self, stream_id: str, kind: str, *, enabled: bool) -> None:
        """Stop or resume tracks for this player; before the first offer it is remembered."""
        if self.viewer is not None:
            self.viewer.switch(stream_id, kind, enabled=enabled)
        elif len(self._switches) < self._settings.inbox_max:
            self._switches.append((stream_id, kind, enabled))

    def force_height(self, height: int) -> None:
        """Choose the rendition by its height; 0 chooses the best."""
        self._height = height
        if self.viewer is not None:
            self.viewer.force_height(height)

    def assign(self, assignments: tuple[VideoTrackAssignment, ...]) -> None:
        """Show these pictures alone, and tell the player on its data channel which is where."""
        self._assignments = assignments
        if self.viewer is not None:
            self.viewer.assign(each.track_id for each in assignments)
        self._tell_assignments()

    def _tell_assignments(self) -> None:
        if self._assignments is not None and self._data is not None:
            told = {"eventType": _ASSIGNED, "streamId": self._watches, "payload": self._assignments}
            self._data.send(msgspec.json.encode(told).decode())

    def _on_connected(self) -> None:
        if self.viewer is not None:
            self.viewer.connected()
        self._report(MediaConnected(self.machine))

    async def _start_data(self, transport: PeerTransport, section: Section) -> None:
        self._data = DataEnd(transport.open_sctp(), self._settings, self._take_message, self._clock)
        self._join_relays()
        self._data.on_open = self._tell_assignments
        await self._data.start(section.sctp_port, section.message_bytes_max, self._watches)

    def _take_message(self, message: Message) -> None:
        for relay in self._relays:
            relay.from_player(self.number, message)

    def _join_relays(self) -> None:
        if self._data is not None:
            for relay in self._relays:
                relay.players[self.number] = self._data

    def _leave_relays(self) -> None:
        for relay in self._relays:
            relay.players.pop(self.number, None)
        self._relays = []

    def look(self, now: float) -> None:
        """Report to the player and about it. To be called about once a second."""
        self.check_silence(now)
        if self.viewer is None or not self._connected:
            return
        self.viewer.report(now)
        self.viewer.follow_estimate(now)
        height = self.viewer.changed_height()
        if height:
            self._report(ResolutionChanged(self.machine, height))
        interval = self._settings.bitrate_interval
        if interval and now - self._measured_at >= interval:
            self._measured_at = now
            self._report(BitrateMeasured(self.machine, *self.viewer.measured()))

    def flow(self) -> Flow | None:
        """Give how much the player was sent, and what it says of it."""
        return self.viewer.flow() if self.viewer is not None and self._connected else None

    def _begin_cluster(self, cluster: Cluster) -> None:
        if self._cluster is None or self._cluster.done():
            self._cluster = asyncio.get_running_loop().create_task(self._send_cluster(cluster))

    async def _send_cluster(self, cluster: Cluster) -> None:
        """Have it sent evenly in its time; a slice that comes late is the larger."""
        began, sent, due = self._clock(), 0, 0
        try:
            while sent < cluster.bits and sent >= due and self.viewer is not None:
                await asyncio.sleep(_SLICE)
                now = self._clock()
                due = int(cluster.bits * min(1.0, (now - began) / cluster.seconds))
                sent = self.viewer.fill(due, now)
            if self.viewer is not None:
                self.viewer.end_cluster(self._clock())
        except Exception as error:  # noqa: BLE001 - a probe's bug must be heard of, and end nothing else
            self._failures.note("a probe failed", error)

    async def close(self) -> None:
        """Free everything."""
        if self._cluster is not None:
            self._cluster.cancel()
            await asyncio.gather(self._cluster, return_exceptions=True)
        self._leave_relays()
        if self._data is not None:
            self._data.close()
            self._data = None
        if self.viewer is not None:
            self.viewer.close()
        await super().close()
