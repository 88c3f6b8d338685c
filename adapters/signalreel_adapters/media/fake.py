"""Media without any media: answers, offers and connects at once, in a fixed order. For tests and demonstrations.

It reports before `react` returns, so that what it says stands on the reel right behind the input that asked for it, the
same in every run. Its descriptions are well-formed enough for a browser to read and name no address.
"""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, Literal, Self

from signalreel.commands import TakeConfiguration
from signalreel.events import (
    AnyEvent,
    BitrateMeasured,
    DescriptionCreated,
    DescriptionFailed,
    MediaConnected,
    MediaLost,
    ResolutionChanged,
    Track,
    TracksFound,
)
from signalreel.identifiers import Kind, Reference
from signalreel.notes import AnyNote, MediaFailed, MediaStatistics
from signalreel.step import Detail, PublishTerms, Roster, Step, TrackSwitched, Transition
from signalreel_adapters.ports import Report

__all__ = ("FAKE_ANSWER", "FakeMedia", "fake_offer", "fake_tracks")

_SESSION_LINES: Final = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"

FAKE_ANSWER: Final = _SESSION_LINES + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\n"
"""The answer to every publisher's offer."""


class FakeMedia:
    """A `Media` that only says what a real one would say.

    `refuse` makes every description fail, because of the client's (`remote`) or of its own (`local`). With
    `connects=False` nothing ever flows, so that the engine's timers decide. `live` names what it holds at the moment.
    """

    def __init__(self, *, refuse: Literal["", "remote", "local"] = "", connects: bool = True) -> None:
        self.refuse: Literal["", "remote", "local"] = refuse
        self.connects = connects
        self.is_entered = False
        self.live: dict[tuple[Kind, str, str], Reference] = {}
        self._report: Report | None = None
        self._note: Callable[[AnyNote], None] | None = None
        self._shown: dict[Reference, Roster] = {}
        self._switched: dict[tuple[Reference, str, str], bool] = {}

    def report_to(self, report: Report, failed: Callable[[], None]) -> None:
        """Take the callable to report events with. Nothing fails here: `failed` is never called."""
        self._report = report

    def note_to(self, note: Callable[[AnyNote], None]) -> None:
        """Take the callable to hand notes to."""
        self._note = note

    async def __aenter__(self) -> Self:
        self.is_entered = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.is_entered = False
        self.live.clear()
        self._shown.clear()
        self._switched.clear()

    def react(self, step: Step) -> None:
        """Report what a real adapter would find, for each transition in its turn."""
        for transition in step.transitions:
            self._keep(transition)
            for event in self._reaction(transition, step):
                self._tell(event)

    def lose(self, kind: Kind, app: str, id: str, reason: str = "lost on request", *, silent: bool = False) -> None:
        """Report that the transport of what is live by this name was lost, or that it fell silent."""
        self._tell(MediaLost(self.live[kind, app, id], reason, silent))

    def note_failure(self, kind: Kind, app: str, id: str, layer: str, what: str) -> None:
        """Note, where notes are kept, that a layer of what is live by this name failed."""
        if self._note is not None:
            self._note(MediaFailed(layer, what, self.live[kind, app, id]))

    def note_statistics(self, kind: Kind, app: str, id: str, *, packets: int, size: int) -> None:
        """Note, where notes are kept, how much flowed for what is live by this name."""
        if self._note is not None:
            machine = self.live[kind, app, id]
            received = kind is Kind.STREAM
            self._note(
                MediaStatistics(machine, packets_received=packets, bytes_received=size)
                if received
                else MediaStatistics(machine, packets_sent=packets, bytes_sent=size)
            )

    def change_height(self, app: str, id: str, height: int) -> None:
        """Report that the player of this playback gets pictures of another height (pixels) now."""
        self._tell(ResolutionChanged(self.live[Kind.PLAYBACK, app, id], height))

    def measure(self, kind: Kind, app: str, id: str, *, target: int, video: int, audio: int) -> None:
        """Report bitrates (bit/s) of the playback that is live by this name."""
        self._tell(BitrateMeasured(self.live[kind, app, id], target, video, audio))

    def forwarded(self, app: str, id: str) -> dict[str, tuple[str, ...]]:
        """Give what this playback would be sent now: of each stream that it was offered, the kinds that are on."""
        playback = self.live[Kind.PLAYBACK, app, id]
        roster = self._shown[playback]
        return {
            source.stream_id: tuple(
                kind
                for kind in ("video", "audio")
                if self._switched.get((playback, source.stream_id, kind), not roster.switched_off)
            )
            for source in roster.sources
        }

    def _tell(self, event: AnyEvent) -> None:
        if self._report is not None:
            self._report(event)

    def _keep(self, transition: Transition) -> None:
        machine = transition.machine
        key = (machine.kind, machine.app, machine.id)
        if transition.target == "finished":
            self.live.pop(key, None)
            self._shown.pop(machine, None)
            self._switched = {switch: on for switch, on in self._switched.items() if switch[0] != machine}
        elif machine.kind in {Kind.STREAM, Kind.PLAYBACK}:
            self.live[key] = machine
            self._obey(machine, transition.detail)

    def _obey(self, machine: Reference, detail: Detail | None) -> None:
        """Note what a player is to get."""
        if machine.kind is Kind.PLAYBACK and isinstance(detail, Roster):
            self._shown[machine] = detail
        elif machine.kind is Kind.PLAYBACK and isinstance(detail, TrackSwitched):
            for kind in (detail.kind,) if detail.kind else ("video", "audio"):
                self._switched[machine, detail.stream_id, kind] = detail.enabled

    def _reaction(self, transition: Transition, step: Step) -> Iterable[AnyEvent]:
        machine = transition.machine
        match machine.kind, transition.detail:
            case Kind.STREAM, PublishTerms() if isinstance(step.record.command, TakeConfiguration):
                return [self._described(machine, DescriptionCreated(machine, "answer", FAKE_ANSWER))]
            case Kind.PLAYBACK, Roster(sources=sources):
                names = [source.stream_id for source in sources]
                return [self._described(machine, fake_offer(machine, names))]
            case Kind.STREAM, _ if transition.target == "connecting" and self.connects:
                return [TracksFound(machine, fake_tracks(machine.id)), MediaConnected(machine)]
            case Kind.PLAYBACK, _ if transition.target == "connecting" and self.connects:
                return [MediaConnected(machine)]
            case _:
                return []

    def _described(self, machine: Reference, description: DescriptionCreated) -> AnyEvent:
        if self.refuse:
            return DescriptionFailed(machine, self.refuse, "refused on request")
        return description


def fake_tracks(stream_id: str) -> tuple[Track, ...]:
    """What every fake stream consists of."""
    return (
        Track(f"ARDAMSv{stream_id}", "video", "VP8", 640, 360, 500_000),
        Track(f"ARDAMSa{stream_id}", "audio", "opus", bitrate=32_000),
    )


def fake_offer(machine: Reference, stream_ids: Iterable[str]) -> DescriptionCreated:
    """The offer of these streams to a player: audio and video of each, or a data channel alone when there is none."""
    lines: list[str] = []
    id_mapping: dict[str, str] = {}
    for stream_id in stream_ids:
        for kind in ("audio", "video"):
            mid = str(len(id_mapping))
            id_mapping[mid] = f"ARDAMS{kind[0]}{stream_id}"
            lines.append(f"m={kind} 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=sendonly\r\n")
    if not lines:
        lines.append("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n")
    return DescriptionCreated(machine, "offer", _SESSION_LINES + "".join(lines), id_mapping)
