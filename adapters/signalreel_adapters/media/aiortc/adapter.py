"""The aiortc media adapter: follows the transitions of streams and playbacks, forwards media, reports what happens.

Media is forwarded as it comes; only the rungs of a ladder are encoded anew, in processes beside this one. Each live
stream and each live playback has a side of its own; one task gives all of them their regular turns. asyncio only, as
aiortc is.
"""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiortc import RTCCertificate

from signalreel.commands import TakeCandidate, TakeConfiguration
from signalreel.events import AnyEvent
from signalreel.identifiers import Kind, Reference
from signalreel.notes import AnyNote
from signalreel.step import HeightForced, PublishTerms, Roster, Step, TrackSwitched, VideoAssigned
from signalreel_adapters.media.aiortc.addresses import machine_hosts
from signalreel_adapters.media.aiortc.encoders import Encoders
from signalreel_adapters.media.aiortc.failures import Failures
from signalreel_adapters.media.aiortc.fanout import FanOut
from signalreel_adapters.media.aiortc.full import AioicePeer
from signalreel_adapters.media.aiortc.lite import LitePeer, UdpMux
from signalreel_adapters.media.aiortc.noting import Notes
from signalreel_adapters.media.aiortc.peer import PeerTransport
from signalreel_adapters.media.aiortc.playing import PlaybackSide, Shown
from signalreel_adapters.media.aiortc.publisher import Publisher
from signalreel_adapters.media.aiortc.publishing import StreamSide
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.aiortc.side import Side
from signalreel_adapters.media.aiortc.strategies import choose
from signalreel_adapters.media.aiortc.transport import RAW_WAY_WORKS
from signalreel_adapters.media.aiortc.turns import Look, Turns
from signalreel_adapters.media.moves import Move, moves_of

__all__ = ("AiortcMedia",)


def _ignore(event: AnyEvent) -> None:
    """Stand in until somebody wants reports."""


class AiortcMedia:
    """Media over aiortc. Use it as an async context manager, on a running asyncio loop; hand it every step in order."""

    def __init__(
        self,
        settings: AiortcSettings | None = None,
        *,
        fan_out: FanOut | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings if settings is not None else AiortcSettings()
        self._fan_out = fan_out if fan_out is not None else choose(self.settings.fan_out)
        self._clock = clock
        self._failures = Failures()
        self._report_to: Callable[[AnyEvent], None] = _ignore
        self._notes = Notes()
        self._streams: dict[Reference, StreamSide] = {}
        self._playbacks: dict[Reference, PlaybackSide] = {}
        self._elsewhere: dict[Reference, Shown] = {}  # streams whose publishers another process has
        self._shown: dict[Reference, list[Reference]] = {}  # by each playback: streams, as of its last roster
        self._players: dict[Reference, dict[Reference, PlaybackSide]] = {}  # of each stream that is shown
        self._encoders = Encoders(self.settings.encoders_max, self._failures)
        self._turns = Turns(self._failures, clock)
        self._certificate: RTCCertificate | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._numbers = 0
        self._mux: UdpMux | None = None

    def report_to(self, report: Callable[[AnyEvent], None], failed: Callable[[], None]) -> None:
        """Take the callable to report events with, and the one to count each own exception that it got over."""
        self._report_to = report
        self._failures.count_with = failed

    def note_to(self, note: Callable[[AnyNote], None]) -> None:
        """Take the callable to hand notes to: failures with their layer, and what flows, every few seconds."""
        self._notes.take_with = note

    @property
    def live(self) -> tuple[int, int]:
        """How many streams and playbacks there are now."""
        return len(self._streams), len(self._playbacks)

    @property
    def ports(self) -> tuple[int, ...]:
        """The UDP port that all peers share; none when each has its own."""
        return () if self._mux is None else (self._mux.addresses[0][1],)

    async def __aenter__(self) -> Self:
        # One certificate for all peers: making a key for each would cost more than the handshake.
        self._certificate = RTCCertificate.generateCertificate()
        if self.settings.transport == "one-port":
            hosts = self.settings.hosts or machine_hosts()
            self._mux = UdpMux(
                hosts,
                self.settings.port,
                advertised=self.settings.advertised,
                this_machine_only=self.settings.this_machine_only,
            )
        self._ticking = asyncio.get_running_loop().create_task(self._turns.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End every stream and playback and free everything."""
        self._report_to = _ignore
        self._notes.take_with = None
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
            self._ticking = None
        for reference in [*self._playbacks, *self._streams]:
            self._finish(reference)
        while self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)
        await self._encoders.close()
        if self._mux is not None:
            self._mux.close()
            self._mux = None

    # -------------------------------------------------------------------------------------------------- transitions

    def react(self, step: Step) -> None:
        """Begin what the step's transitions ask for."""
        for move in moves_of(step):
            self.follow(move)

    def follow(self, move: Move) -> None:
        """Begin what one transition asks for."""
        machine = move.transition.machine
        try:
            if machine.kind is Kind.STREAM:
                self._follow_stream(machine, move)
            else:
                self._follow_playback(machine, move)
        except Exception as error:  # noqa: BLE001 - the transitions that follow must be seen all the same
            self._failures.note("transition not followed", error, kind=str(machine.kind))

    def _follow_stream(self, machine: Reference, move: Move) -> None:
        cause, detail, target = move.cause, move.transition.detail, move.transition.target
        if target == "finished":
            self._finish(machine)
        elif target == "restoring":
            if machine in self._streams:
                self._streams[machine].suspend()
        elif isinstance(cause, TakeConfiguration) and cause.type == "offer":
            self._stream(machine).take_offer(cause.sdp, detail if isinstance(detail, PublishTerms) else None)
        elif isinstance(cause, TakeCandidate):
            self._stream(machine).take_candidate(cause.candidate)
        elif isinstance(detail, TrackSwitched) and machine in self._streams:
            self._streams[machine].switch(detail.kind, enabled=detail.enabled)
            self.tell_players(machine)

    def tell_players(self, stream: Reference) -> None:
        """Have the players of a stream look again at what its publisher has switched off."""
        for side in self._players.get(stream, {}).values():
            if side.viewer is not None:
                side.viewer.publisher_switched()

    def _follow_playback(self, machine: Reference, move: Move) -> None:
        cause, detail = move.cause, move.transition.detail
        if move.transition.target == "finished":
            self._finish(machine)
            return
        side = self._playback(machine)
        # The answer comes first: the very transition that takes it may ask for the next offer.
        if isinstance(cause, TakeConfiguration) and cause.type == "answer":
            side.take_answer(cause.sdp)
        elif isinstance(cause, TakeCandidate):
            side.take_candidate(cause.candidate)
        if isinstance(detail, Roster):
            side.offer(self._show(machine, side, detail), switched_off=detail.switched_off)
        elif isinstance(detail, TrackSwitched):
            side.switch(detail.stream_id, detail.kind, enabled=detail.enabled)
        elif isinstance(detail, HeightForced):
            side.force_height(detail.height)
        elif isinstance(detail, VideoAssigned):
            side.assign(detail.assignments)

    def _show(self, machine: Reference, side: PlaybackSide, roster: Roster) -> dict[str, Shown]:
        """Note what a playback shows from now on, and give it."""
        self._show_nothing(machine)
        found: dict[str, Shown] = {}
        for source in roster.sources:
            stream = Reference(Kind.STREAM, machine.app, source.stream_id, source.born)
            shown = self._streams.get(stream) or self._elsewhere.get(stream)
            if shown is not None:
                found[source.stream_id] = shown
                self._shown.setdefault(machine, []).append(stream)
                self._players.setdefault(stream, {})[machine] = side
        return found

    def _show_nothing(self, machine: Reference) -> None:
        for stream in self._shown.pop(machine, ()):
            players = self._players[stream]
            del players[machine]
            if not players:
                del self._players[stream]

    # ---------------------------------------------------------------------------------------- with another process

    def stream(self, machine: Reference) -> StreamSide:
        """Give a stream whose publisher is connected here, or about to be. It must not be over."""
        return self._stream(machine)

    def show_from_elsewhere(self, machine: Reference, shown: Shown, look: Look) -> None:
        """Let playbacks show a stream that another process has; `look` is called about once a second."""
        self._elsewhere[machine] = shown
        self._turns.join((machine, "elsewhere"), look)

    def forget_elsewhere(self, machine: Reference) -> None:
        """Let no other playback show it."""
        self._elsewhere.pop(machine, None)
        self._turns.leave((machine, "elsewhere"))

    def make_publisher(self, stream_id: str) -> Publisher:
        """Make one for a stream that another process has."""
        return Publisher(stream_id, self.settings, self._fan_out, self._clock, start_encoder=self._encoders.start)

    # -------------------------------------------------------------------------------------------------------- sides

    def _stream(self, machine: Reference) -> StreamSide:
        side = self._streams.get(machine)
        if side is None:
            side = self._streams[machine] = StreamSide(
                machine,
                self.settings,
                self._make_transport,
                self._report,
                self._failures,
                fan_out=self._fan_out,
                clock=self._clock,
                start_encoder=self._encoders.start,
            )
            publisher = side.publisher
            publisher.on_gap = lambda: self._turns.hasten(machine, publisher.request_missing)
            look_early = side.look_early
            side.on_flowing = lambda: self._turns.hasten((machine, "tracks"), look_early)
            self._turns.join(machine, side.look)
            self._take_notes_of(side)
        return side

    def _playback(self, machine: Reference) -> PlaybackSide:
        side = self._playbacks.get(machine)
        if side is None:
            self._numbers += 1
            side = self._playbacks[machine] = PlaybackSide(
                machine,
                self._numbers,
                self.settings,
                self._make_transport,
                self._report,
                self._failures,
                clock=self._clock,
            )
            self._turns.join(machine, side.look)
            self._take_notes_of(side)
        return side

    def _take_notes_of(self, side: Side) -> None:
        if self._notes:
            self._turns.join((side.machine, "notes"), self._notes.follow(side))

    def _make_transport(self, controlling: bool) -> PeerTransport:
        if self._certificate is None:
            self._certificate = RTCCertificate.generateCertificate()
        raw = RAW_WAY_WORKS and self.settings.fan_out != "polite"
        if self._mux is not None:
            return LitePeer(self._mux, self.settings, self._certificate, raw=raw)
        return AioicePeer(self.settings, self._certificate, controlling=controlling, raw=raw)

    def _report(self, event: AnyEvent) -> None:
        self._report_to(event)

    def _finish(self, machine: Reference) -> None:
        self._turns.leave(machine)
        self._turns.leave((machine, "notes"))
        self._show_nothing(machine)
        side: Side | None = self._streams.pop(machine, None) or self._playbacks.pop(machine, None)
        if side is not None:
            task = asyncio.get_running_loop().create_task(side.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
