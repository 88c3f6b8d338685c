"""A runtime of its own for one flow: with the settings, media, gate and reel that its header asks for."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from signalreel.commands import AnyCommand
from signalreel.identifiers import Kind
from signalreel.reel import Header
from signalreel.settings import Settings
from signalreel_adapters.flows.script import Disk, Flow, Lose, Measure, MediaWish, Order, Report, ServerStep, StopServer
from signalreel_adapters.media.fake import FakeMedia
from signalreel_adapters.ports import SessionInfo, Verdict
from signalreel_adapters.runtime import Runtime
from signalreel_adapters.testing.reels import FailingReel

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

    def __init__(self, runtime: Runtime, media: FakeMedia, reel: FailingReel) -> None:
        self.runtime = runtime
        self._media = media
        self._reel = reel

    async def perform(self, step: ServerStep, app: str) -> None:
        """Make it happen, after everything that was said before."""
        await self.runtime.idle()
        match step:
            case StopServer():
                await self.runtime.stop(spread_ms=0, grace_ms=0)
            case Report(event=event):
                self.runtime.report(event)
            case Order(order=order):
                await self.runtime.submit(order, app=app)
            case Disk(works=works):
                self._reel.fails = not works
            case Lose(stream_id=stream_id):
                self._media.lose(Kind.STREAM, app, stream_id)
            case Measure():
                self._measure(step, app)
        await self.runtime.idle()

    def _measure(self, step: Measure, app: str) -> None:
        for kind, of_app, id in list(self._media.live):
            if kind is Kind.PLAYBACK and of_app == app and id.partition("/")[2] == step.stream_id:
                self._media.measure(kind, app, id, target=step.target, video=step.video, audio=step.audio)


@asynccontextmanager
async def hosted(flow: Flow) -> AsyncGenerator[RuntimeHost]:
    """Run a runtime as a flow's header asks for."""
    media = _media_for(flow.media)
    reel = FailingReel(Header(flow.settings or Settings()))
    gate = RefusingGate(flow.refuse) if flow.refuse else None
    async with Runtime(reel, gate=gate, media=media) as runtime:
        try:
            yield RuntimeHost(runtime, media, reel)
        finally:
            reel.fails = False  # Else nothing could be recorded any more, and stopping would wait for it.


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
