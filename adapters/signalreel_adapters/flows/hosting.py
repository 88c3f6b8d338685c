"""A runtime of its own for one flow: with the settings, media, gate, reel and clock that its header asks for."""

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, assert_never

from signalreel.commands import AnyCommand
from signalreel.events import BitrateMeasured, CandidateFound, MediaLost, ResolutionChanged
from signalreel.header import Header
from signalreel.identifiers import Kind, Reference
from signalreel.settings import Settings
from signalreel_adapters.flows.given import GIVEN
from signalreel_adapters.flows.script import (
    Disk,
    FindCandidate,
    Flow,
    Issue,
    Lose,
    Measure,
    MediaWish,
    Order,
    PassTime,
    Report,
    Resize,
    ServerStep,
    StopServer,
)
from signalreel_adapters.flows.stages import Unable
from signalreel_adapters.media.fake import FakeMedia
from signalreel_adapters.ports import Clock, Gate, SessionInfo, Verdict
from signalreel_adapters.runtime import Runtime, SystemClock
from signalreel_adapters.testing.clock import MILLISECOND, ManualClock
from signalreel_adapters.testing.failing import FailingReel

if TYPE_CHECKING:
    from signalreel_adapters.flows.issuing import IssuingGate

__all__ = ("RefusingGate", "RuntimeHost", "hosted")


class RefusingGate:
    """A gate that refuses the commands it was told to, each with its definition, and lets every other one pass."""

    def __init__(self, definitions: Mapping[str, str]) -> None:
        self._definitions = definitions

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Look the command up."""
        definition = self._definitions.get(str(type(command).__struct_config__.tag))
        return Verdict.refuse(definition) if definition is not None else Verdict.allow()


class RuntimeHost:
    """The hand on a runtime in this process."""

    def __init__(
        self, runtime: Runtime, media: FakeMedia, reel: FailingReel, clock: Clock, issuing: "IssuingGate | None"
    ) -> None:
        self.runtime = runtime
        self._media = media
        self._reel = reel
        self._clock = clock
        self._issuing = issuing

    async def perform(self, step: ServerStep, app: str) -> Mapping[str, str]:
        """Make it happen, after everything that was said before. Raises `Unable`."""
        await self.runtime.idle()
        learned: dict[str, str] = {}
        match step:
            case StopServer():
                await self.runtime.stop(spread_ms=0, grace_ms=0)
            case Report(event=event):
                self.runtime.report(event)
            case Order(order=order):
                refused = (await self.runtime.submit(order, app=app)).refused
                if refused:
                    raise Unable(f"the order was refused: {refused}")
            case Disk(works=works):
                self._reel.fails = not works
            case Issue():
                learned[step.name] = self._issue(step)
            case PassTime(milliseconds=milliseconds):
                assert isinstance(self._clock, ManualClock)  # noqa: S101 - `hosted` sees to it
                await self._clock.advance(milliseconds * MILLISECOND)
            case _:
                self._media_does(step, app)
        await self.runtime.idle()
        return learned

    def _issue(self, step: Issue) -> str:
        assert self._issuing is not None  # noqa: S101 - the parser sees to it
        if step.purpose is None:
            return self._issuing.push_token(step.subscriber_id)
        if step.subscriber_id:
            return self._issuing.code(step.stream_id, step.purpose, step.subscriber_id)
        return self._issuing.token(step.stream_id, step.purpose)

    def _media_does(self, step: Lose | Measure | Resize | FindCandidate, app: str) -> None:
        """Report what media would report of a stream, or of everyone who plays it."""
        report = self.runtime.report
        playbacks = list(self._live(Kind.PLAYBACK, app, step.stream_id))
        streams = list(self._live(Kind.STREAM, app, step.stream_id))
        if not (streams if isinstance(step, Lose) else [*streams, *playbacks]):
            raise Unable(f"nothing of {step.stream_id} is live")
        match step:
            case Lose(silent=silent):
                for machine in streams:
                    report(MediaLost(machine, "lost on request", silent=silent))
            case Measure():
                for machine in playbacks:
                    report(BitrateMeasured(machine, step.target, step.video, step.audio))
            case Resize(height=height):
                for machine in playbacks:
                    report(ResolutionChanged(machine, height))
            case FindCandidate():
                for machine in [*streams, *playbacks]:
                    report(CandidateFound(machine, 0, "0", GIVEN["candidate"]))
            case _:  # pyright: ignore[reportUnnecessaryComparison] - complete by type, kept for the next step
                assert_never(step)

    def _live(self, kind: Kind, app: str, stream_id: str) -> Iterator[Reference]:
        for (of_kind, of_app, id), machine in self._media.live.items():
            if (of_kind, of_app) == (kind, app) and id.rpartition("/")[2] == stream_id:
                yield machine


@asynccontextmanager
async def hosted(flow: Flow) -> AsyncGenerator[RuntimeHost]:
    """Run a runtime as a flow's header asks for."""
    media = _media_for(flow.media)
    clock: Clock = ManualClock() if any(isinstance(step, PassTime) for step in flow.steps) else SystemClock()
    reel = FailingReel(Header(flow.settings or Settings(), started_at=clock.wall()))
    issuing = _issuing(flow, clock) if flow.access else None
    gate: Gate | None = RefusingGate(flow.refuse) if flow.refuse else issuing
    async with Runtime(reel, gate=gate, media=media, clock=clock) as runtime:
        try:
            yield RuntimeHost(runtime, media, reel, clock, issuing)
        finally:
            reel.fails = False  # Else nothing could be recorded any more, and stopping would wait for it.


def _issuing(flow: Flow, clock: Clock) -> "IssuingGate":
    """Make the gate where there is to be one: web tokens need a library that not everybody has."""
    from signalreel_adapters.flows.issuing import IssuingGate  # noqa: PLC0415 - an extra has it

    return IssuingGate(clock, app=flow.app)


def _media_for(wish: MediaWish) -> FakeMedia:
    match wish:
        case "any" | "fake":
            return FakeMedia()
        case "silent":
            return FakeMedia(connects=False)
        case "refuses remote":
            return FakeMedia(refuse="remote")
        case "refuses local":
            return FakeMedia(refuse="local")
