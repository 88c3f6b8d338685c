"""The loop: take what waits, record it, apply it, carry it out. One turn after the other, until cancelled.

One turn, in this order: take what waits, append it to the reel, commit, and then for each record apply it, send its
messages, show the step to the media adapter and the subscribers. Whatever arrives while a commit runs is the next
batch; there is no window to wait out.
"""

from collections.abc import Mapping
from typing import Final

import anyio
import anyio.lowlevel

from signalreel.errors import ReelUnavailable, SignalreelError
from signalreel.events import ClockAdjusted, DeadlineReached
from signalreel.refusals import DATA_STORE_NOT_AVAILABLE
from signalreel_adapters.ports import Clock
from signalreel_adapters.runtime.alarm import Alarm
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.inbox import Inbox, Pending, RuntimeStopped
from signalreel_adapters.runtime.limits import MICROSECONDS, Limits
from signalreel_adapters.runtime.log import Log
from signalreel_adapters.runtime.noting import Noting
from signalreel_adapters.runtime.publisher import Publisher
from signalreel_adapters.runtime.recorder import Recorder
from signalreel_adapters.runtime.session import Session

__all__ = ("Loop",)

_log: Final = Log("signalreel.loop")


class Loop:
    """Turns what waits in an inbox into steps that are carried out."""

    def __init__(
        self,
        inbox: Inbox,
        recorder: Recorder,
        publisher: Publisher,
        *,
        sessions: Mapping[str, Session],
        clock: Clock,
        limits: Limits,
        counters: Counters,
        notes: Noting | None = None,
    ) -> None:
        self.reel_works = True  #: whether the last attempt to write the reel succeeded
        self._inbox = inbox
        self._recorder = recorder
        self._publisher = publisher
        self._sessions = sessions
        self._clock = clock
        self._limits = limits
        self._counters = counters
        self._notes = notes
        self._alarm = Alarm(clock, inbox)
        self._is_idle = anyio.Event()
        self._decisions = 0

    async def run(self) -> None:
        """Take turns until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._alarm.run)
            await self._run()

    async def idle(self) -> None:
        """Wait until everything enqueued so far, and everything it caused, is recorded and published.

        Returns as well while the reel fails, because what waits then may wait for long.
        """
        if self._is_idle.is_set() and not self._inbox.has_rung and not self._decisions:
            return
        if self._is_idle.is_set():
            self._is_idle = anyio.Event()
        await self._is_idle.wait()

    def decision_began(self) -> None:
        """Take note that a gate thinks: until it is done nothing counts as idle."""
        self._decisions += 1

    def decision_ended(self) -> None:
        """Take note that a gate is done."""
        self._decisions -= 1
        self._inbox.ring()

    async def _run(self) -> None:
        recorder = self._recorder
        while True:
            batch = self._inbox.take(self._limits.batch_records_max)
            due = recorder.due()
            if due is not None:
                batch.insert(0, due)
            adjustment = recorder.adjustment() if batch else None
            if adjustment is not None:
                batch.insert(0, adjustment)
            if batch:
                await self._turn(batch)
                # A reel in memory never waits; others must get their turn all the same.
                await anyio.lowlevel.checkpoint()
            elif self._notes is not None and self._notes.is_urgent:
                self._notes.write()
                await recorder.flush()
            self._arm()
            if not self.reel_works or (not len(self._inbox) and recorder.due() is None):
                if not self._decisions:
                    self._is_idle.set()
                await self._inbox.wait()
                if self._is_idle.is_set():
                    self._is_idle = anyio.Event()

    def _arm(self) -> None:
        """Have the loop woken when the engine wants it; not at once and again while the reel cannot be written."""
        at = self._recorder.wake_at()
        if at is not None and not self.reel_works:
            at = max(at, self._retry_at())
        self._alarm.arm(at)

    def _retry_at(self) -> int:
        return self._clock.now() + self._limits.reel_retry_ms * MICROSECONDS

    async def _turn(self, batch: list[Pending]) -> None:
        """Take a turn, and leave nobody waiting for a step that will not be made when it is cut short."""
        try:
            await self._carry_out(batch)
        except BaseException:
            for pending in batch:
                if pending.ticket is not None and not pending.ticket.is_settled:
                    pending.ticket.fail(RuntimeStopped())
            raise

    async def _carry_out(self, batch: list[Pending]) -> None:
        """Record a batch, then apply and publish each record before the next."""
        if self._notes is not None:
            self._notes.write()
        try:
            written = await self._recorder.write(batch)
        except ReelUnavailable as error:
            self._give_back(batch, error)
            return
        if not self.reel_works:
            self.reel_works = True
            _log.warning("the reel can be written again")
        self._inbox.put_back(written.rest)
        for pending in written.rejected:
            if pending.ticket is not None:
                pending.ticket.fail(SignalreelError("the command cannot be encoded"))
            self._count_applied(pending)
        for pending, record in written.records:
            step = self._recorder.apply(record)
            self._publisher.publish(step)
            if pending.ticket is not None:
                pending.ticket.keep(step)
            self._count_applied(pending)
        await self._recorder.roll()

    def _count_applied(self, pending: Pending) -> None:
        """Let the session whose command this was be read further."""
        session = self._sessions.get(pending.session) if pending.command is not None else None
        if session is not None:
            session.applied()

    def _give_back(self, batch: list[Pending], error: ReelUnavailable) -> None:
        """Answer what cannot be recorded; keep what must not be lost, and try again in a while.

        Commands are answered off the reel, all that wait at once. Events are not: a session that closed in the
        meantime must be recorded as closed, or its ids would be taken for ever (contract item 14).
        """
        self._counters.reel_failures += 1
        if self.reel_works:
            self.reel_works = False
            _log.error("the reel cannot be written", error=str(error))
        self._inbox.put_back([pending for pending in batch if self._must_be_kept(pending, error)])
        # What was kept before is not looked at again: however much it is, an attempt costs no more for it.
        for pending in self._inbox.take_new():
            if self._must_be_kept(pending, error):
                self._inbox.hold(pending)
        self._alarm.arm(self._retry_at())

    def _must_be_kept(self, pending: Pending, error: ReelUnavailable) -> bool:
        """Whether an input that could not be recorded is tried again; one that is not is answered."""
        if pending.event is not None:
            # The engine still asks for a wake-up, and the clock is looked at again.
            return not isinstance(pending.event, DeadlineReached | ClockAdjusted)
        if pending.ticket is not None:
            pending.ticket.fail(error)
        session = self._sessions.get(pending.session)
        if pending.command is not None and session is not None:
            self._counters.unrecorded += 1
            session.unrecorded(DATA_STORE_NOT_AVAILABLE, pending.command)
            session.applied()
        return False
