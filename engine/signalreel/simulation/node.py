"""The server of a simulated world: the real engine, and around it what the runtime does.

It stamps what comes with a seq and the time, draws ids, asks the gate, answers pings off the reel, has records on its
disk before it applies them, sends the messages over the links, wakes the engine when it asks for it, and shows each
step to media. Every step is held against the invariants, unless the plan says otherwise.
"""

from collections.abc import Callable
from typing import Final

from signalreel.commands import AnyCommand, Command, Ping, ids_wanted
from signalreel.engine import Engine
from signalreel.events import (
    AnyEvent,
    ClockAdjusted,
    DeadlineReached,
    Event,
    ResourcesMeasured,
    RunStarted,
    SessionClosed,
    SessionOpened,
    SettingsChanged,
    ShutdownAnnounced,
)
from signalreel.header import Header
from signalreel.host import AnyHostCommand
from signalreel.machines.context import error_of
from signalreel.messages import CloseSession, Pong
from signalreel.record import Grant, Record
from signalreel.refusals import DATA_STORE_NOT_AVAILABLE
from signalreel.simulation.agenda import MS, SECOND, Agenda
from signalreel.simulation.disk import BATCH_MAX, BUFFERED_US, Disk
from signalreel.simulation.gate import Gate
from signalreel.simulation.links import ClientEnd, Link
from signalreel.simulation.luck import Luck
from signalreel.simulation.media import Media
from signalreel.simulation.plan import STARTED_AT, Plan
from signalreel.step import Step
from signalreel.verify import Monitor, Violation

__all__ = ("GRACE", "ID_BITS", "REEL_RETRY", "REPLAYS_THE_SAME", "Node")

ID_BITS: Final = 96
"""Random bits of an id that the server draws, as the runtime draws them."""

REEL_RETRY: Final = 500 * MS
"""After a failed commit, how long until what must not be lost is written again."""

GRACE: Final = 1 * SECOND
"""How long clients have to leave by themselves, once they were told that the server stops."""

REPLAYS_THE_SAME: Final = "replays-the-same"
"""The name of what is broken when the records of a reel do not give again what they gave."""

_SERVICE_RESTART: Final = 1012
_TELLING: Final = 20 * MS  #: between telling one client and the next that the server stops
_PONG: Final = Pong()
_UNMEASURED: Final = ResourcesMeasured(0, -1)

_Input = AnyCommand | AnyEvent | AnyHostCommand


class Node:
    """One server, with its disk, its gate and its media."""

    def __init__(
        self, agenda: Agenda, plan: Plan, luck: Luck, on_violations: Callable[[list[Violation]], None]
    ) -> None:
        self.header: Final = Header(plan.settings, started_at=STARTED_AT, seed=plan.seed)
        self.disk: Final = Disk(self.header, plan.commit_us, is_buffered=plan.is_buffered)
        self.gate: Gate | None = Gate(luck, uses_once=plan.uses_once) if plan.has_gate else None
        self.media: Final = Media(agenda, plan, luck, self.report)
        self.engine = Engine(plan.settings, started_at=STARTED_AT, logic=self.header.logic)
        self.links: dict[str, Link] = {}  #: by session
        self.is_up = True
        self.is_stopping = False
        self.pings = 0
        self.unrecorded = 0  #: commands that were answered off the reel, because it failed
        self.wall_offset = STARTED_AT  #: of the wall clock from the virtual time
        self._agenda: Final = agenda
        self._plan: Final = plan
        self._luck: Final = luck
        self._on_violations: Final = on_violations
        self._monitor = Monitor(self.engine) if plan.is_monitored else None
        self._alarm = -1  #: when it is to be woken; -1: not at all
        self._inbox: list[tuple[str, _Input, Grant | None]] = []
        self._is_committing = False
        self._run = 0  #: what was under way in a former run is gone

    # ---- links

    def accept(self, link: Link, client: ClientEnd) -> bool:
        """Take a connection, or turn it away."""
        if not self.is_up or self.is_stopping:
            return False
        link.session = session = f"{self._luck.random.getrandbits(ID_BITS):024x}"
        link.server_open = True
        self.links[session] = link
        self._put(session, SessionOpened(client.app, client.identity))
        return True

    def receive(self, link: Link, command: AnyCommand) -> None:
        """Take what a client says."""
        if type(command) is Ping:
            self.pings += 1
            link.tell(_PONG)
            return
        grant = None
        if self.gate is not None:
            client = link.client
            grant = self.gate.decide(command, client.tag, self._agenda.now, is_thief=client.is_thief)
        self._put(link.session, command, grant)

    def closed(self, link: Link, code: int) -> None:
        """Take note that a connection has ended."""
        if self.links.pop(link.session, None) is not None:
            self._put(link.session, SessionClosed(code))

    # ---- the host and media

    def report(self, event: AnyEvent) -> None:
        """Take what media or a monitor reports."""
        if self.is_up:
            self._put("", event)

    def order(self, command: AnyHostCommand) -> None:
        """Take an order of the host."""
        if self.is_up:
            self._put("", command)

    def set_wall(self, offset: int) -> None:
        """Have the wall clock be this far from the virtual time; whatever comes next is told so first."""
        self.wall_offset = offset

    # ---- the end of a run, and the next

    def crash(self, *, is_seen: bool = True) -> None:
        """Die. The clients see their connections break, unless the whole machine is gone."""
        if not self.is_up:
            return
        self.is_up = self.is_stopping = False
        self._run += 1
        links, self.links = self.links, {}
        for link in links.values():
            link.drop(is_seen=is_seen)
        self._inbox.clear()
        self._is_committing = False
        self._alarm = -1
        self.media.forget()

    def restart(self) -> None:
        """Come back: replay what is on the disk, and end what the former run left."""
        if self.is_up:
            return
        disk = self.disk
        records, former = disk.crash(self._luck.random), disk.steps
        self.engine = engine = Engine(self._plan.settings, started_at=STARTED_AT, logic=self.header.logic)
        disk.steps = steps = [engine.apply(record) for record in records]
        disk.safe = len(steps)
        for step, before in zip(steps, former, strict=False):
            if step.digest != before.digest:
                told = "replaying gave another outcome than the record had"
                self._on_violations([Violation(REPLAYS_THE_SAME, step.record.seq, "reel", told)])
                return
        self._monitor = Monitor(engine) if self._plan.is_monitored else None
        self.is_up = True
        if records:
            self._put("", RunStarted())
        environment = engine.environment
        if (environment.cpu_percent, environment.free_memory_mb) != (0, -1):
            self._put("", _UNMEASURED)
        if engine.settings != self._plan.settings:
            self._put("", SettingsChanged(self._plan.settings))

    def shut_down(self) -> None:
        """Tell everyone that the server stops, give them time to leave, and stop."""
        if not self.is_up or self.is_stopping:
            return
        self.is_stopping = True
        for number, session in enumerate(list(self.links)):
            self._agenda.after(number * _TELLING, self._announce, session, self._run)
        self._agenda.after(len(self.links) * _TELLING + GRACE, self._stop, self._run)

    def _announce(self, session: str, run: int) -> None:
        if run == self._run and session in self.links:
            self._put(session, ShutdownAnnounced())

    def _stop(self, run: int) -> None:
        if run != self._run:
            return
        for link in list(self.links.values()):
            link.end(_SERVICE_RESTART)
        self._agenda.after(100 * MS + 2 * self.disk.commit_us, self._stopped, run)

    def _stopped(self, run: int) -> None:
        if run == self._run:
            self.crash()

    # ---- the loop

    def put(self, session: str, input: _Input) -> None:
        """Take any input, as if it had come the usual way."""
        self._put(session, input)

    def _put(self, session: str, input: _Input, grant: Grant | None = None) -> None:
        if self.wall_offset != self.engine.environment.clock_offset and self.is_up:
            self._hand_on("", ClockAdjusted(self.wall_offset), None)
        self._hand_on(session, input, grant)

    def _hand_on(self, session: str, input: _Input, grant: Grant | None) -> None:
        """Apply an input at once, where the disk takes no time; else have it wait for its turn."""
        if not self.is_up:
            return
        if self.disk.is_prompt and not self._is_committing and not self._inbox:
            self._apply(self._record(self.engine.seq + 1, session, input, grant))
        else:
            self._inbox.append((session, input, grant))
            self._turn()

    def _record(self, seq: int, session: str, input: _Input, grant: Grant | None) -> Record:
        now = self._agenda.now
        if isinstance(input, Command):
            ids: tuple[str, ...] = ()
            if ids_wanted(input):
                ids = (f"{self._luck.random.getrandbits(ID_BITS):024x}",)
            return Record(seq, now, session, input, None, None, grant, ids)
        if isinstance(input, Event):
            return Record(seq, now, session, None, input)
        return Record(seq, now, session, None, None, input)

    def _turn(self) -> None:
        """Have what waits written, a batch at a time."""
        if self._is_committing or not self.is_up:
            return
        if self.disk.is_full:
            self._give_back()
            return
        engine = self.engine
        deadline = engine.deadline()
        if deadline is not None and deadline.at <= self._agenda.now:
            self._inbox.insert(0, ("", DeadlineReached(deadline.machine, deadline.timer), None))
        if not self._inbox:
            return
        batch = self._inbox[:BATCH_MAX]
        del self._inbox[:BATCH_MAX]
        seq = engine.seq + 1
        records = [self._record(seq + number, *pending) for number, pending in enumerate(batch)]
        self._is_committing = True
        self.disk.under_way = records
        self._agenda.after(self.disk.commit_us, self._committed, self._run)

    def _committed(self, run: int) -> None:
        if run != self._run:
            return
        records, self.disk.under_way = self.disk.under_way, []
        for record in records:
            self._apply(record)
            if self._agenda.is_stopped:
                return
        self._is_committing = False
        self._turn()

    def _give_back(self) -> None:
        """Answer the commands that cannot be recorded; keep what must not be lost, and try again in a while."""
        kept: list[tuple[str, _Input, Grant | None]] = []
        for session, input, grant in self._inbox:
            link = self.links.get(session)
            if isinstance(input, Command):
                self.unrecorded += 1
                if link is not None:
                    link.tell(error_of(DATA_STORE_NOT_AVAILABLE, input))
            elif isinstance(input, Event) and not isinstance(input, DeadlineReached | ClockAdjusted):
                kept.append((session, input, grant))
        self._inbox = kept
        self._is_committing = True
        self._agenda.after(REEL_RETRY, self._try_again, self._run)

    def _try_again(self, run: int) -> None:
        if run == self._run:
            self._is_committing = False
            self._turn()

    def _apply(self, record: Record) -> None:
        """Apply a record and carry out what it caused."""
        engine, disk = self.engine, self.disk
        step = engine.apply(record)
        disk.steps.append(step)
        if disk.is_buffered and disk.safe == len(disk.steps) - 1:
            self._agenda.after(max(BUFFERED_US, disk.commit_us), self._flushed, self._run)
        if self._monitor is not None:
            violations = self._monitor.observe(engine, step)
            if violations:
                self._on_violations(violations)
                return
        if step.messages:
            self._send(step)
        if step.transitions:
            self.media.react(step)
        deadline = step.deadline
        if deadline is not None and (self._alarm < 0 or deadline.at < self._alarm):
            self._arm(deadline.at)

    def _flushed(self, run: int) -> None:
        if run == self._run:
            self.disk.safe = len(self.disk.steps)

    def _send(self, step: Step) -> None:
        links = self.links
        for session, message in step.messages:
            link = links.get(session)
            if link is None:
                continue
            if type(message) is CloseSession:
                link.dismiss(message.code)
            else:
                link.tell(message)

    def _arm(self, at: int) -> None:
        self._alarm = at = max(at, self._agenda.now)
        self._agenda.at(at, self._ring, at, self._run)

    def _ring(self, at: int, run: int) -> None:
        """Wake the engine if it asked for that; it may have changed its mind."""
        if at != self._alarm or run != self._run or not self.is_up:
            return
        self._alarm = -1
        deadline = self.engine.deadline()
        if deadline is None:
            return
        if deadline.at <= self._agenda.now:
            if not self.disk.is_prompt or self._is_committing:
                self._turn()
                self._arm(self._agenda.now + REEL_RETRY)
                return
            self._put("", DeadlineReached(deadline.machine, deadline.timer))
            deadline = self.engine.deadline()
        if deadline is not None and (self._alarm < 0 or deadline.at < self._alarm):
            self._arm(deadline.at)
