"""The media adapter of a simulated server: what it makes of each transition, a while later.

It answers publishers and offers to players, finds candidates, connects once both descriptions are known. What it
reports are events like any other, with the reference of the life they are about.
"""

from collections.abc import Callable
from typing import Final

from signalreel.commands import TakeConfiguration
from signalreel.events import AnyEvent, CandidateFound, DescriptionCreated, MediaConnected, Track, TracksFound
from signalreel.identifiers import Kind, Reference
from signalreel.simulation.agenda import Agenda
from signalreel.simulation.plan import Plan
from signalreel.simulation.texts import CANDIDATE, MEDIA_ANSWER, MEDIA_OFFER
from signalreel.step import PublishTerms, Roster, Step, Transition

__all__ = ("Media",)

_OURS: Final = frozenset((Kind.STREAM, Kind.PLAYBACK))
_CONNECTING: Final = "connecting"
_FINISHED: Final = "finished"
_GAP: Final = 1_000  #: microseconds between two candidates


class Media:
    """Says what a real adapter would say. `report` takes each event when it comes."""

    def __init__(self, agenda: Agenda, plan: Plan, report: Callable[[AnyEvent], None]) -> None:
        self.live: dict[Reference, None] = {}  #: the lives that it holds something of
        self._agenda = agenda
        self._plan = plan
        self._report = report

    def react(self, step: Step) -> None:
        """Take a step's transitions in."""
        for transition in step.transitions:
            if transition.machine.kind in _OURS:
                self._follow(transition, step)

    def forget(self) -> None:
        """The server has gone, and media with it."""
        self.live.clear()

    def _follow(self, transition: Transition, step: Step) -> None:
        machine, detail = transition.machine, transition.detail
        if transition.target == _FINISHED:
            self.live.pop(machine, None)
            return
        self.live[machine] = None
        if type(detail) is Roster:
            mapping = {str(mid): f"ARDAMSv{source.stream_id}" for mid, source in enumerate(detail.sources)}
            self._describe(machine, DescriptionCreated(machine, "offer", MEDIA_OFFER, mapping))
        elif type(detail) is PublishTerms and type(step.record.command) is TakeConfiguration:
            self._describe(machine, DescriptionCreated(machine, "answer", MEDIA_ANSWER))
        elif transition.target == _CONNECTING and transition.source != _CONNECTING:
            if machine.kind is Kind.STREAM:
                track = Track(f"ARDAMSv{machine.id}", "video", "VP8", 640, 360, 500_000)
                self._later(self._plan.connect_us, TracksFound(machine, (track,)))
            self._later(self._plan.connect_us, MediaConnected(machine))

    def _describe(self, machine: Reference, description: DescriptionCreated) -> None:
        delay = self._plan.media_us
        self._later(delay, description)
        for number in range(self._plan.candidates):
            self._later(delay + (number + 1) * _GAP, CandidateFound(machine, 0, "0", CANDIDATE))

    def _later(self, delay: int, event: AnyEvent) -> None:
        self._agenda.after(delay, self._tell, event)

    def _tell(self, event: AnyEvent) -> None:
        machine = getattr(event, "machine", None)
        if machine in self.live:
            self._report(event)
