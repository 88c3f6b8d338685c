"""The media adapter of a simulated server: what it makes of each transition, a while later.

It answers publishers and offers to players, finds candidates, connects once both descriptions are known, and reports
while it flows. What it reports are events like any other, with the reference of the life they are about.
"""

from collections.abc import Callable
from typing import Final

from signalreel.commands import TakeConfiguration
from signalreel.events import (
    AnyEvent,
    BitrateMeasured,
    CandidateFound,
    DescriptionCreated,
    DescriptionFailed,
    MediaConnected,
    MediaLost,
    ResolutionChanged,
    Track,
    TracksFound,
)
from signalreel.identifiers import Kind, Reference
from signalreel.simulation.agenda import SECOND, Agenda
from signalreel.simulation.luck import Luck
from signalreel.simulation.plan import Plan
from signalreel.simulation.texts import CANDIDATE, MEDIA_ANSWER, MEDIA_OFFER
from signalreel.step import PublishTerms, Roster, Step, Transition

__all__ = ("MEASURED_EVERY", "Media")

MEASURED_EVERY: Final = 5 * SECOND
"""How often it reports what a player can take."""

_OURS: Final = frozenset((Kind.STREAM, Kind.PLAYBACK))
_CONNECTING: Final = "connecting"
_FINISHED: Final = "finished"
_RESTORING: Final = "restoring"
_GAP: Final = 1_000  #: microseconds between two candidates
_HEIGHTS: Final = (240, 360, 480)


class Media:
    """Says what a real adapter would say. `report` takes each event when it comes."""

    def __init__(self, agenda: Agenda, plan: Plan, luck: Luck, report: Callable[[AnyEvent], None]) -> None:
        self.live: dict[Reference, None] = {}  #: the lives that it holds something of
        self._agenda: Final = agenda
        self._plan: Final = plan
        self._luck: Final = luck
        self._report: Final = report
        self._run = 0  #: of the server; what was under way in a former one is gone

    def react(self, step: Step) -> None:
        """Take a step's transitions in."""
        for transition in step.transitions:
            if transition.machine.kind in _OURS:
                self._follow(transition, step)

    def forget(self) -> None:
        """The server has gone, and media with it."""
        self.live.clear()
        self._run += 1

    def lose(self, machine: Reference, *, silent: bool = False) -> None:
        """Report that what is live was lost, or that it fell silent."""
        if machine in self.live:
            self._report(MediaLost(machine, "lost", silent))

    def _follow(self, transition: Transition, step: Step) -> None:
        machine, detail, target = transition.machine, transition.detail, transition.target
        if target in {_FINISHED, _RESTORING}:
            self.live.pop(machine, None)
            return
        self.live[machine] = None
        if type(detail) is Roster:
            mapping = {str(mid): f"ARDAMSv{source.stream_id}" for mid, source in enumerate(detail.sources)}
            self._describe(machine, DescriptionCreated(machine, "offer", MEDIA_OFFER, mapping))
        elif type(detail) is PublishTerms and type(step.record.command) is TakeConfiguration:
            self._describe(machine, DescriptionCreated(machine, "answer", MEDIA_ANSWER))
        elif target == _CONNECTING and transition.source != _CONNECTING:
            self._connect(machine)

    def _describe(self, machine: Reference, description: DescriptionCreated) -> None:
        delay, luck = self._plan.media_us, self._luck
        if luck.meets("bad description"):
            side = "remote" if luck.random.random() < 0.5 else "local"  # noqa: PLR2004 -- either way
            self._later(delay, DescriptionFailed(machine, side, "made up"))
            return
        self._later(delay, description)
        for number in range(self._plan.candidates):
            self._later(delay + (number + 1) * _GAP, CandidateFound(machine, 0, "0", CANDIDATE))

    def _connect(self, machine: Reference) -> None:
        if self._luck.meets("never connects"):
            return
        delay = self._plan.connect_us
        if machine.kind is Kind.STREAM:
            track = Track(f"ARDAMSv{machine.id}", "video", "VP8", 640, 360, 500_000)
            self._later(delay, TracksFound(machine, (track,)))
        else:
            self._agenda.after(delay + MEASURED_EVERY, self._measure, machine, self._run)
        self._later(delay, MediaConnected(machine))

    def _measure(self, machine: Reference, run: int) -> None:
        """Report what a player can take, for as long as it plays."""
        if run != self._run or machine not in self.live:
            return
        chance = self._luck.random.random()
        self._report(BitrateMeasured(machine, 1_000_000, int(chance * 500_000), 32_000))
        if chance < 1 / len(_HEIGHTS):
            self._report(ResolutionChanged(machine, _HEIGHTS[int(chance * len(_HEIGHTS) * len(_HEIGHTS))]))
        self._agenda.after(MEASURED_EVERY, self._measure, machine, run)

    def _later(self, delay: int, event: AnyEvent) -> None:
        self._agenda.after(delay, self._tell, event, self._run)

    def _tell(self, event: AnyEvent, run: int) -> None:
        machine = getattr(event, "machine", None)
        if run == self._run and (machine in self.live or self._luck.meets("late report")):
            self._report(event)
