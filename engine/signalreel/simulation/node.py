"""The server of a simulated world: the real engine, and around it what the runtime does.

It stamps what comes with a seq and the time, draws ids, answers pings off the reel, applies, sends the messages over
the links, wakes the engine when it asks for it, and shows each step to media. Every step is held against the
invariants, unless the plan says otherwise.
"""

from collections.abc import Callable
from random import Random
from typing import Final

from signalreel.commands import AnyCommand, Command, Ping, ids_wanted
from signalreel.engine import Engine
from signalreel.events import AnyEvent, DeadlineReached, Event, SessionClosed, SessionOpened
from signalreel.header import Header
from signalreel.host import AnyHostCommand
from signalreel.messages import CloseSession, Pong
from signalreel.record import Grant, Record
from signalreel.simulation.agenda import Agenda
from signalreel.simulation.disk import Disk
from signalreel.simulation.links import ClientEnd, Link
from signalreel.simulation.media import Media
from signalreel.simulation.plan import STARTED_AT, Plan
from signalreel.step import Step
from signalreel.verify import Monitor, Violation

__all__ = ("ID_BITS", "Node")

ID_BITS: Final = 96
"""Random bits of an id that the server draws, as the runtime draws them."""

_PONG: Final = Pong()


class Node:
    """One server, with its disk and its media."""

    def __init__(
        self, agenda: Agenda, plan: Plan, random: Random, on_violations: Callable[[list[Violation]], None]
    ) -> None:
        self.header: Final = Header(plan.settings, started_at=STARTED_AT, seed=plan.seed)
        self.engine = Engine(plan.settings, started_at=STARTED_AT, logic=self.header.logic)
        self.links: dict[str, Link] = {}  #: by session
        self.disk: Final = Disk(self.header)
        self.media: Final = Media(agenda, plan, self.report)
        self.refused: dict[str, int] = {}  #: how often, by definition
        self.pings = 0
        self._agenda = agenda
        self._plan = plan
        self._random = random
        self._on_violations = on_violations
        self._monitor = Monitor(self.engine) if plan.is_monitored else None
        self._alarm = -1  #: when it is to be woken; -1: not at all

    # ---- links

    def accept(self, link: Link, client: ClientEnd) -> bool:
        """Take a connection, or turn it away."""
        link.session = session = f"{self._random.getrandbits(ID_BITS):024x}"
        link.server_open = True
        self.links[session] = link
        self._put(session, event=SessionOpened(client.app, client.identity))
        return True

    def receive(self, link: Link, command: AnyCommand) -> None:
        """Take what a client says."""
        if type(command) is Ping:
            self.pings += 1
            link.tell(_PONG)
        else:
            self._put(link.session, command=command)

    def closed(self, link: Link, code: int) -> None:
        """Take note that a connection has ended."""
        if self.links.pop(link.session, None) is not None:
            self._put(link.session, event=SessionClosed(code))

    # ---- the host and media

    def report(self, event: AnyEvent) -> None:
        """Take what media or a monitor reports."""
        self._put("", event=event)

    def order(self, command: AnyHostCommand) -> None:
        """Take an order of the host."""
        self._put("", host=command)

    def put(self, session: str, input: AnyCommand | AnyEvent | AnyHostCommand) -> None:
        """Take any input, as if it had come the usual way."""
        if isinstance(input, Command):
            self._put(session, command=input)
        elif isinstance(input, Event):
            self._put(session, event=input)
        else:
            self._put(session, host=input)

    # ---- the loop

    def _put(
        self,
        session: str,
        *,
        command: AnyCommand | None = None,
        event: AnyEvent | None = None,
        host: AnyHostCommand | None = None,
        grant: Grant | None = None,
    ) -> None:
        """Record an input, apply it, and carry out what it caused."""
        engine = self.engine
        ids: tuple[str, ...] = ()
        if command is not None and ids_wanted(command):
            ids = (f"{self._random.getrandbits(ID_BITS):024x}",)
        record = Record(engine.seq + 1, self._agenda.now, session, command, event, host, grant, ids)
        step = engine.apply(record)
        self.disk.steps.append(step)
        if self._monitor is not None:
            violations = self._monitor.observe(engine, step)
            if violations:
                self._on_violations(violations)
                return
        if step.messages:
            self._send(step)
        if step.transitions:
            self.media.react(step)
        if step.refused:
            self.refused[step.refused] = self.refused.get(step.refused, 0) + 1
        deadline = step.deadline
        if deadline is not None and (self._alarm < 0 or deadline.at < self._alarm):
            self._arm(deadline.at)

    def _send(self, step: Step) -> None:
        links = self.links
        for session, message in step.messages:
            link = links.get(session)
            if link is None:
                continue
            if type(message) is CloseSession:
                link.dismiss(message.code, message.reason)
            else:
                link.tell(message)

    def _arm(self, at: int) -> None:
        self._alarm = at = max(at, self._agenda.now)
        self._agenda.at(at, self._ring, at)

    def _ring(self, at: int) -> None:
        """Wake the engine if it asked for that; it may have changed its mind."""
        if at != self._alarm:
            return
        self._alarm = -1
        deadline = self.engine.deadline()
        if deadline is None:
            return
        if deadline.at <= self._agenda.now:
            self._put("", event=DeadlineReached(deadline.machine, deadline.timer))
            deadline = self.engine.deadline()
        if deadline is not None and (self._alarm < 0 or deadline.at < self._alarm):
            self._arm(deadline.at)
