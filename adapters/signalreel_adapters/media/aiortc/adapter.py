"""The aiortc media adapter: follows the transitions of streams and playbacks, forwards media, reports what happens.

Media is forwarded, never transcoded. Each live stream and each live playback has a side of its own; one task gives all
of them their regular turns. asyncio only, as aiortc is.
"""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from aiortc import RTCCertificate

from signalreel.commands import TakeCandidate, TakeConfiguration
from signalreel.events import AnyEvent
from signalreel.identifiers import Kind, Reference
from signalreel.step import HeightForced, PublishTerms, Roster, Step, TrackSwitched, Transition, VideoAssigned
from signalreel_adapters.media.aiortc.addresses import machine_hosts
from signalreel_adapters.media.aiortc.failures import Failures
from signalreel_adapters.media.aiortc.fanout import FanOut, choose
from signalreel_adapters.media.aiortc.full import AioicePeer
from signalreel_adapters.media.aiortc.lite import LitePeer, UdpMux
from signalreel_adapters.media.aiortc.peer import PeerTransport
from signalreel_adapters.media.aiortc.playing import PlaybackSide
from signalreel_adapters.media.aiortc.publishing import StreamSide
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.aiortc.side import Side
from signalreel_adapters.media.aiortc.transport import RAW_WAY_WORKS

__all__ = ("AiortcMedia",)

_TURN: Final = 0.05
"""Seconds between two turns of the ticking task: how soon a lost packet is asked for."""

_SLOTS: Final = 20
"""Turns after which every side has had its regular one; the sides are spread over them, so that reports come evenly."""


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
        self._streams: dict[Reference, StreamSide] = {}
        self._playbacks: dict[Reference, PlaybackSide] = {}
        self._certificate: RTCCertificate | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._numbers = 0
        self._mux: UdpMux | None = None

    def report_to(self, report: Callable[[AnyEvent], None], failed: Callable[[], None]) -> None:
        """Take the callable to report events with, and the one to count each own exception that it got over."""
        self._report_to = report
        self._failures.count_with = failed

    @property
    def live(self) -> tuple[int, int]:
        """How many streams and playbacks there are now."""
        return len(self._streams), len(self._playbacks)

    async def __aenter__(self) -> Self:
        # One certificate for all peers: making a key for each would cost more than the handshake.
        self._certificate = RTCCertificate.generateCertificate()
        if self.settings.transport == "one-port":
            hosts = self.settings.hosts or machine_hosts()
            self._mux = UdpMux(hosts, self.settings.port, advertised=self.settings.advertised)
        self._ticking = asyncio.get_running_loop().create_task(self._tick())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End every stream and playback and free everything."""
        self._report_to = _ignore
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
            self._ticking = None
        for reference in [*self._playbacks, *self._streams]:
            self._finish(reference)
        while self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)
        if self._mux is not None:
            self._mux.close()
            self._mux = None

    # -------------------------------------------------------------------------------------------------- transitions

    def react(self, step: Step) -> None:
        """Begin what the step's transitions ask for."""
        for transition in step.transitions:
            try:
                if transition.machine.kind is Kind.STREAM:
                    self._react_to_stream(step, transition)
                elif transition.machine.kind is Kind.PLAYBACK:
                    self._react_to_playback(step, transition)
            except Exception as error:  # noqa: BLE001 - the transitions that follow must be seen all the same
                self._failures.note("transition not followed", error, kind=str(transition.machine.kind))

    def _react_to_stream(self, step: Step, transition: Transition) -> None:
        machine, cause, detail = transition.machine, step.record.command, transition.detail
        if transition.target == "finished":
            self._finish(machine)
            return
        if transition.target == "restoring":
            if machine in self._streams:
                self._streams[machine].suspend()
            return
        if isinstance(cause, TakeConfiguration) and cause.type == "offer":
            self._stream(machine).take_offer(cause.sdp, detail if isinstance(detail, PublishTerms) else None)
        elif isinstance(cause, TakeCandidate):
            self._stream(machine).take_candidate(cause.candidate)
        elif isinstance(detail, TrackSwitched) and machine in self._streams:
            self._streams[machine].switch(detail.kind, enabled=detail.enabled)
            for side in self._playbacks.values():
                if side.viewer is not None and machine.id in side.viewer.publishers:
                    side.viewer.publisher_switched()

    def _react_to_playback(self, step: Step, transition: Transition) -> None:
        machine, cause, detail = transition.machine, step.record.command, transition.detail
        if transition.target == "finished":
            self._finish(machine)
            return
        side = self._playback(machine)
        # The answer comes first: the very transition that takes it may ask for the next offer.
        if isinstance(cause, TakeConfiguration) and cause.type == "answer":
            side.take_answer(cause.sdp)
        elif isinstance(cause, TakeCandidate):
            side.take_candidate(cause.candidate)
        if isinstance(detail, Roster):
            shown = {
                source.stream_id: self._streams[reference]
                for source in detail.sources
                if (reference := Reference(Kind.STREAM, machine.app, source.stream_id, source.born)) in self._streams
            }
            side.offer(shown, switched_off=detail.switched_off)
        elif isinstance(detail, TrackSwitched):
            side.switch(detail.stream_id, detail.kind, enabled=detail.enabled)
        elif isinstance(detail, HeightForced):
            side.force_height(detail.height)
        elif isinstance(detail, VideoAssigned):
            side.assign(detail.assignments)

    def _stream(self, machine: Reference) -> StreamSide:
        if machine not in self._streams:
            self._streams[machine] = StreamSide(
                machine,
                self.settings,
                self._make_transport,
                self._report,
                self._failures,
                fan_out=self._fan_out,
                clock=self._clock,
            )
        return self._streams[machine]

    def _playback(self, machine: Reference) -> PlaybackSide:
        if machine not in self._playbacks:
            self._numbers += 1
            self._playbacks[machine] = PlaybackSide(
                machine,
                self._numbers,
                self.settings,
                self._make_transport,
                self._report,
                self._failures,
                clock=self._clock,
            )
        return self._playbacks[machine]

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
        side: Side | None = self._streams.pop(machine, None) or self._playbacks.pop(machine, None)
        if side is not None:
            task = asyncio.get_running_loop().create_task(side.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    # -------------------------------------------------------------------------------------------------------- turns

    async def _tick(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(_TURN)
            turn = (turn + 1) % _SLOTS
            now = self._clock()
            for stream in list(self._streams.values()):
                self._guarded(stream.publisher.request_missing, now)
                if stream.machine.born % _SLOTS == turn:
                    self._guarded(stream.look, now)
            for playback in list(self._playbacks.values()):
                if playback.number % _SLOTS == turn:
                    self._guarded(playback.look, now)

    def _guarded(self, turn: Callable[[float], None], now: float) -> None:
        try:
            turn(now)
        except Exception as error:  # noqa: BLE001 - one side's bug must not stop the turns of all
            self._failures.note("regular turn failed", error)
