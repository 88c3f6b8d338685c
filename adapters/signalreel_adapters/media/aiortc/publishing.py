"""The adapter's side of one published stream: answers its offers, and says when media flows and what it is."""

from collections.abc import Callable

from signalreel.events import AnyEvent, DescriptionCreated, MediaConnected, TracksFound
from signalreel.identifiers import Reference
from signalreel.step import PublishTerms
from signalreel_adapters.media.aiortc.data import DataEnd, Relay
from signalreel_adapters.media.aiortc.encoders import StartEncoder
from signalreel_adapters.media.aiortc.failures import Failures
from signalreel_adapters.media.aiortc.fanout import FanOut
from signalreel_adapters.media.aiortc.negotiation import answer, setup_of_answer
from signalreel_adapters.media.aiortc.noting import Flow
from signalreel_adapters.media.aiortc.peer import PeerTransport
from signalreel_adapters.media.aiortc.publisher import Publisher
from signalreel_adapters.media.aiortc.sdp import Section
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.aiortc.side import MakeTransport, Side

__all__ = ("StreamSide",)

_BOTH_KINDS = ("video", "audio")


class StreamSide(Side):
    """One life of one published stream."""

    def __init__(
        self,
        machine: Reference,
        settings: AiortcSettings,
        make_transport: MakeTransport,
        report: Callable[[AnyEvent], None],
        failures: Failures,
        *,
        fan_out: FanOut,
        clock: Callable[[], float],
        start_encoder: StartEncoder | None = None,
    ) -> None:
        super().__init__(machine, settings, make_transport, report, failures)
        self.publisher = Publisher(machine.id, settings, fan_out, clock, start_encoder=start_encoder)
        self._clock = clock
        self.relay = Relay(settings, clock)
        self._data: DataEnd | None = None
        self.on_flowing: Callable[[], None] = lambda: None  #: called when media begins to flow
        self._terms = PublishTerms(video=True, audio=True, codecs=settings.codecs)

    def take_offer(self, sdp: str, terms: PublishTerms | None) -> None:
        """Answer an offer: the first one of a connection, or a new one on it, on the same terms unless others come."""
        self._describe(lambda: self._answer(sdp, terms))

    async def _answer(self, sdp: str, terms: PublishTerms | None) -> None:
        if terms is not None:
            self._terms = terms
        description = self._parse(sdp, self._settings.offer_sections_max)
        agreed = answer(
            description,
            codecs=self._enabled_codecs(),
            wanted=self._wanted_kinds(),
            tracks_max=self._settings.tracks_per_publisher_max,
            message_bytes_max=self._settings.message_bytes_max,
        )
        setup = setup_of_answer(description.transport.setup)
        first = self._connecting is None
        if first:
            await self._close_transport()  # one whose offer was refused half-way
            transport = await self._open(controlling=description.ice_lite)
            self.publisher.attach(transport)
            self.publisher.on_flowing = self._on_flowing
        sdp_of_answer = self._render(setup, agreed.sections)
        self.publisher.agree(agreed.tracks, carries_data=agreed.data is not None, ladder=self._terms.ladder)
        if first:
            self._connect(description, dtls_client=setup == "passive")
        self._report(DescriptionCreated(self.machine, "answer", sdp_of_answer))

    def _enabled_codecs(self) -> tuple[str, ...]:
        """Give what both the recorded settings enable and this adapter forwards."""
        enabled = {name.lower() for name in self._terms.codecs}
        return tuple(name for name in self._settings.codecs if name.lower() in enabled)

    def _wanted_kinds(self) -> tuple[str, ...]:
        return tuple(kind for kind, on in (("video", self._terms.video), ("audio", self._terms.audio)) if on)

    def suspend(self) -> None:
        """The connection is gone, and the publisher may come back with a new one: keep its viewers."""
        self._actor.post(self._suspend, must=True)

    async def _suspend(self) -> None:
        self.publisher.detach()
        self._drop_data()
        self._forget_candidates()
        await self._close_transport()

    def switch(self, kind: str, *, enabled: bool) -> None:
        """Stop or resume a kind for everybody; an empty kind means both. The viewers are to be told."""
        kinds = {kind} if kind else set(_BOTH_KINDS)
        publisher = self.publisher
        publisher.switch(publisher.disabled - kinds if enabled else publisher.disabled | kinds)

    async def ready(self) -> None:
        """Return at once: whoever publishes here has been answered, and what it publishes is known."""

    def _on_flowing(self) -> None:
        self._report(MediaConnected(self.machine))
        self.on_flowing()

    def _on_connected(self) -> None:
        # A publisher of data alone has nothing else to show for its being connected.
        if not self.publisher.tracks:
            self.publisher.start_flowing()

    async def _start_data(self, transport: PeerTransport, section: Section) -> None:
        end = DataEnd(transport.open_sctp(), self._settings, self.relay.from_publisher, self._clock)
        self.relay.publisher = self._data = end
        await end.start(section.sctp_port, section.message_bytes_max)

    def _drop_data(self) -> None:
        end, self._data, self.relay.publisher = self._data, None, None
        if end is not None:
            end.close()

    def look(self, now: float) -> None:
        """Report what the stream consists of, when that has changed. To be called about once a second."""
        self.check_silence(now)
        if self._transport is None:
            return
        self._transport.refresh()
        self._check_flow(now)
        self.publisher.report(now)
        self._report_tracks(now)

    def flow(self) -> Flow | None:
        """Give how much came of the publisher's media."""
        return self.publisher.flow() if self._connected else None

    def look_early(self, now: float) -> bool:
        """Report what the stream consists of as soon as that is known; true while it is not."""
        if self._transport is None or not self.publisher.flowing:
            return False
        self._report_tracks(now)
        return not self.publisher.is_told

    def _report_tracks(self, now: float) -> None:
        found = self.publisher.found(now)
        if found is not None:
            self._report(TracksFound(self.machine, found))

    def _check_flow(self, now: float) -> None:
        """Give up a live publisher whose connection stands, and that has sent no media for longer than it may.

        One of data alone has none to send.
        """
        publisher, silence_ms = self.publisher, self._terms.silence_ms
        if silence_ms and publisher.tracks and publisher.flowing and now - publisher.heard_at > silence_ms / 1_000:
            self._lose("no media came for too long", silent=True)

    async def close(self) -> None:
        """Free everything, and let the viewers go."""
        self.publisher.close()
        self._drop_data()
        await super().close()
