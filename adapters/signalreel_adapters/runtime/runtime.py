"""The runtime: one loop that takes inputs, records them, applies them, and carries out what they caused.

It is the only place where effects happen. One turn of the loop, in this order: take what waits, append it to the reel,
commit, and then for each record apply it, send its messages, show the step to the media adapter and the subscribers.
Whatever arrives while a commit runs is the next batch; there is no window to wait out.

It runs on asyncio and on trio. All methods but `attach`, `submit` and `stop` are synchronous; call them in the thread
of the event loop.
"""

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, Self

import anyio
import anyio.abc
import anyio.lowlevel
from msgspec import structs

from signalreel.commands import AnyHostCommand
from signalreel.engine import Engine
from signalreel.errors import ReelUnavailable, SignalreelError
from signalreel.events import AnyEvent, BitrateMeasured, DeadlineReached, RunStarted, SettingsChanged, ShutdownAnnounced
from signalreel.identifiers import App, Kind, SessionId, is_valid_name
from signalreel.reel import Header, Reel
from signalreel.refusals import DATA_STORE_NOT_AVAILABLE
from signalreel.settings import Settings
from signalreel.step import Step
from signalreel_adapters.ports import (
    Clock,
    Delivery,
    Gate,
    Ids,
    Media,
    Peer,
    SessionInfo,
    Transport,
)
from signalreel_adapters.runtime.alarm import Alarm
from signalreel_adapters.runtime.clock import SystemClock
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.ids import RandomIds
from signalreel_adapters.runtime.inbox import Inbox, Pending, Ticket
from signalreel_adapters.runtime.keeping import Unrecorded, as_durable
from signalreel_adapters.runtime.limits import MICROSECONDS, Limits
from signalreel_adapters.runtime.log import Log
from signalreel_adapters.runtime.outbox import TRY_AGAIN_LATER, Outbox
from signalreel_adapters.runtime.publisher import Publisher
from signalreel_adapters.runtime.recorder import Recorder
from signalreel_adapters.runtime.serving import close_unserved, serve_transport
from signalreel_adapters.runtime.session import Session
from signalreel_adapters.runtime.subscriptions import Overflow, Subscription, Subscriptions

__all__ = ("SERVICE_RESTART", "STOPPING", "Runtime", "RuntimeStopped", "TurnedAway")

SERVICE_RESTART: Final = 1012
"""Close code for a server that goes away and comes back (IANA WebSocket close code registry)."""

STOPPING: Final = "the server stops"
"""The reason that goes with it."""

_log: Final = Log("signalreel.runtime")


class RuntimeStopped(SignalreelError):
    """The runtime is stopping, has stopped, or was not entered yet."""

    def __init__(self) -> None:
        super().__init__("the runtime is not running; enter it with `async with` and use it inside")


class TurnedAway(SignalreelError):
    """There is no room for another session now, or the server stops. Close the transport with `code`."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"{reason}; close the transport with {code}")


class Runtime:
    """Runs one reel. Use it as `async with Runtime(...) as runtime`; leaving it closes every session and the reel.

    `settings=None` means those of the reel; others are recorded as a change. Without a reel nothing is kept. Without a
    gate everybody may do everything. Without media, descriptions are only relayed between peers.
    """

    def __init__(
        self,
        reel: Reel | None = None,
        *,
        settings: Settings | None = None,
        gate: Gate | None = None,
        media: Media | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.limits = limits if limits is not None else Limits()
        self.counters = Counters()
        self.reel: Reel = reel if reel is not None else Unrecorded(Header(settings or Settings()))
        self._durable = as_durable(self.reel)
        self._settings = settings
        self._gate = gate
        self._media = media
        self._clock: Clock = clock if clock is not None else SystemClock()
        self._ids: Ids = ids if ids is not None else RandomIds()
        self._sessions: dict[str, Session] = {}
        self._attached: dict[anyio.Event, None] = {}
        self._inbox = Inbox()
        self._alarm = Alarm(self._clock, self._inbox)
        self._subscriptions = Subscriptions(self.counters)
        self._publisher = Publisher(self._sessions, self._subscriptions, media, self.counters)
        self._recorder = Recorder(
            self._durable, Engine(settings=self.reel.header.settings), self._clock, self._ids, self.counters
        )
        self._tasks: anyio.abc.TaskGroup | None = None
        self._reel_fails = False
        self._is_stopping = False
        self._is_over = anyio.Event()
        self._is_idle = anyio.Event()
        self._decisions = 0

    # ---- lifetime

    async def __aenter__(self) -> Self:
        try:
            held_records = await self._recorder.resume()
        except BaseException:
            self.reel.close()
            raise
        if held_records:
            self.enqueue(Pending(event=RunStarted()))
        if self._settings is not None and self._settings != self._recorder.engine.settings:
            self.enqueue(Pending(event=SettingsChanged(self._settings)))
        if self._media is not None:
            self._media.report_to(self.report)
            await self._media.__aenter__()
        tasks = anyio.create_task_group()
        await tasks.__aenter__()
        self._tasks = tasks
        tasks.start_soon(self._alarm.run)
        tasks.start_soon(self._run)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        tasks = self._tasks
        if tasks is None:
            return None
        # An error of the body is not the task group's business: handed to it, it would come back wrapped in a group.
        ours = error is None or isinstance(error, anyio.get_cancelled_exc_class())
        try:
            if error is None:
                await self.stop(spread_ms=0, grace_ms=0)
        finally:
            tasks.cancel_scope.cancel()
            try:
                handled = await tasks.__aexit__(*((kind, error, traceback) if ours else (None, None, None)))
            finally:
                self._tasks = None
                with anyio.CancelScope(shield=True):
                    await self._release(kind, error, traceback)
        return handled if ours else None

    async def _release(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give back what entering took, in the opposite order, whatever happened in between."""
        self._is_stopping = True
        self._is_over.set()
        for pending in self._inbox.take(len(self._inbox)):
            if pending.ticket is not None:
                pending.ticket.fail(RuntimeStopped())
        self._subscriptions.close()
        for session in list(self._sessions.values()):
            session.close(SERVICE_RESTART, STOPPING)
        try:
            if self._media is not None:
                await self._media.__aexit__(kind, error, traceback)
        finally:
            await self._recorder.flush()
            self.reel.close()

    async def stop(self, *, spread_ms: int | None = None, grace_ms: int | None = None) -> None:
        """Tell every session that the server will stop, give them time to leave, close those that stay.

        Telling is spread over time, because clients reconnect at once when told. Sessions that are left after
        `grace_ms` are closed with 1012. Returns when all of that is on the reel, and ends the
        subscriptions. Leaving `async with` does the same
        without any waiting.
        """
        limits = self.limits
        self._is_stopping = True
        told = list(self._sessions.values())
        spread = limits.drain_spread_ms if spread_ms is None else spread_ms
        step = min(limits.drain_step_ms, spread // len(told)) if told else 0
        for session in told:
            self.enqueue(Pending(session.id, event=ShutdownAnnounced()))
            if step:
                await self._clock.sleep_until(self._clock.now() + step * MICROSECONDS)
        await self.idle()
        grace = limits.drain_grace_ms if grace_ms is None else grace_ms
        await self._wait_until_left(grace)
        for session in list(self._sessions.values()):
            # Recorded here and not when the transport is done, so that the order does not depend on who is quickest.
            session.close(SERVICE_RESTART, STOPPING)
            session.closed(SERVICE_RESTART, STOPPING)
        with anyio.move_on_after(limits.close_ms_max / 1_000):
            while self._attached:
                await next(iter(self._attached)).wait()
        await self.idle()
        self._subscriptions.close()

    async def _wait_until_left(self, grace_ms: int) -> None:
        """Return when all sessions have left by themselves, or the time is over."""
        if not grace_ms or not self._sessions:
            return
        async with anyio.create_task_group() as either:

            async def time_is_over() -> None:
                await self._clock.sleep_until(self._clock.now() + grace_ms * MICROSECONDS)
                either.cancel_scope.cancel()

            either.start_soon(time_is_over)
            while self._sessions:
                await next(iter(self._sessions.values())).ended()
            either.cancel_scope.cancel()

    @property
    def engine(self) -> Engine:
        """The engine, to look at. Nothing but the loop may apply a record to it."""
        return self._recorder.engine

    @property
    def is_stopping(self) -> bool:
        """Whether new sessions are turned away because the server stops."""
        return self._is_stopping

    @property
    def reel_works(self) -> bool:
        """Whether the last attempt to write the reel succeeded."""
        return not self._reel_fails

    # ---- the face

    async def attach(self, transport: Transport, *, app: str = "live", identity: str = "") -> None:
        """Serve a client over this transport until either end closes it.

        An app's name obeys the rule of stream names; check it before accepting the client, since here it can only be
        closed. Never raises because of the transport or the client.
        """
        await self._serve(transport, self._open_outbox(transport, app, identity))

    def attach_soon(self, transport: Transport, *, app: str = "live", identity: str = "") -> anyio.Event:
        """Open the session now and serve it in a task of the runtime; give the event of its end."""
        opened = self._open_outbox(transport, app, identity)
        done = anyio.Event()

        async def serve() -> None:
            try:
                await self._serve(transport, opened)
            finally:
                done.set()

        self._running().start_soon(serve)
        return done

    def _open_outbox(self, transport: Transport, app: str, identity: str) -> tuple[Session, Outbox] | int:
        """Open a session with an outbox; give the close code instead when it is turned away."""
        outbox = Outbox(self.limits, self.counters)
        try:
            return self.open_session(app, outbox, identity=identity, peer=transport.peer), outbox
        except TurnedAway as error:
            return error.code
        except RuntimeStopped:
            return SERVICE_RESTART

    async def _serve(self, transport: Transport, opened: tuple[Session, Outbox] | int) -> None:
        if isinstance(opened, int):
            await close_unserved(transport, opened, self.counters, self.limits.close_ms_max)
            return
        detached = anyio.Event()
        self._attached[detached] = None
        try:
            await serve_transport(transport, *opened, self.counters)
        finally:
            del self._attached[detached]
            detached.set()

    def open_session(self, app: str, delivery: Delivery, *, identity: str = "", peer: Peer = Peer("memory")) -> Session:
        """Open a session for a transport that works by callbacks: feed `Session.receive`, end with `Session.closed`.

        Raises `TurnedAway` when too much is waiting or the server stops, `ValueError` when the app's name is none.
        """
        if not is_valid_name(app):
            raise ValueError("the app's name holds a character that is not allowed, or none at all")
        self._running()
        if self._is_stopping:
            self.counters.turned_away += 1
            raise TurnedAway(SERVICE_RESTART, STOPPING)
        if len(self._inbox) >= self.limits.inputs_max:
            self.counters.turned_away += 1
            raise TurnedAway(TRY_AGAIN_LATER, "too much is waiting")
        session = Session(
            self, SessionInfo(SessionId(self._ids.draw()), App(app), identity, peer), delivery, self._gate
        )
        self._sessions[session.id] = session
        self.counters.sessions_opened += 1
        return session

    async def submit(self, order: AnyHostCommand, *, app: str = "", actor: str = "") -> Step:
        """Record a command of the host itself and give the step it caused; `actor` says who ordered it.

        Raises `ReelUnavailable` when it could not be recorded, and then nothing was done.
        """
        self._running()
        ticket = Ticket()
        named = structs.replace(order, app=app or order.app, actor=actor or order.actor)
        self.enqueue(Pending(host=named, ticket=ticket))
        return await ticket.step()

    def report(self, event: AnyEvent) -> None:
        """Take what an adapter or a monitor reports. Without effect once the runtime has stopped.

        Measurements are dropped while too much waits: the next one replaces them. Everything else is kept, and there is
        no more of it than there are lives of machines.
        """
        if self._is_over.is_set():
            return
        if isinstance(event, BitrateMeasured) and len(self._inbox) >= self.limits.inputs_max:
            self.counters.dropped_measurements += 1
            return
        self.enqueue(Pending(event=event))

    def steps(
        self,
        *,
        machine: Kind | str | None = None,
        id: str | None = None,
        app: str | None = None,
        overflow: Overflow = Overflow.DROP_OLDEST,
        steps_max: int | None = None,
    ) -> Subscription:
        """Subscribe to steps, from the next one on: all of them, or those with a transition of a matching machine."""
        subscription = Subscription(
            machine=Kind(machine) if machine is not None else None,
            id=id,
            app=app,
            steps_max=self.limits.subscription_steps_max if steps_max is None else steps_max,
            overflow=overflow,
        )
        self._subscriptions.add(subscription)
        return subscription

    async def idle(self) -> None:
        """Wait until everything enqueued so far, and everything it caused, is recorded and published.

        Returns as well while the reel fails, because what waits then may wait for long.
        """
        if self._tasks is None or (self._is_idle.is_set() and not self._inbox.has_rung and not self._decisions):
            return
        if self._is_idle.is_set():
            self._is_idle = anyio.Event()
        await self._is_idle.wait()

    # ---- for sessions

    def enqueue(self, pending: Pending) -> None:
        """Put an input in its place in the order."""
        self._inbox.put(pending)

    def forget(self, session: Session) -> None:
        """Drop a session that has ended."""
        if self._sessions.pop(session.id, None) is not None:
            self.counters.sessions_closed += 1

    def decide_soon(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run a session's gate beside the loop. Until it is done the runtime does not count as idle."""

        async def decide() -> None:
            try:
                await work()
            finally:
                self._decisions -= 1
                self._inbox.ring()

        self._running().start_soon(decide)
        self._decisions += 1

    def _running(self) -> anyio.abc.TaskGroup:
        if self._tasks is None:
            raise RuntimeStopped
        return self._tasks

    # ---- the loop

    async def _run(self) -> None:
        """Take turns until cancelled."""
        recorder = self._recorder
        while True:
            batch = self._inbox.take(self.limits.batch_records_max)
            due = recorder.due()
            if due is not None:
                batch.insert(0, due)
            if batch:
                await self._turn(batch)
                # A reel in memory never waits; others must get their turn all the same.
                await anyio.lowlevel.checkpoint()
            self._arm()
            if self._reel_fails or (not len(self._inbox) and recorder.due() is None):
                if not self._decisions:
                    self._is_idle.set()
                await self._inbox.wait()
                if self._is_idle.is_set():
                    self._is_idle = anyio.Event()

    def _arm(self) -> None:
        """Have the loop woken when the engine wants it; not at once and again while the reel cannot be written."""
        at = self._recorder.wake_at()
        if at is not None and self._reel_fails:
            at = max(at, self._retry_at())
        self._alarm.arm(at)

    def _retry_at(self) -> int:
        return self._clock.now() + self.limits.reel_retry_ms * MICROSECONDS

    async def _turn(self, batch: list[Pending]) -> None:
        """Record a batch, then apply and publish each record before the next."""
        try:
            written = await self._recorder.write(batch)
        except ReelUnavailable as error:
            self._give_back(batch, error)
            return
        if self._reel_fails:
            self._reel_fails = False
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
        self.counters.reel_failures += 1
        if not self._reel_fails:
            self._reel_fails = True
            _log.error("the reel cannot be written", error=str(error))
        kept: list[Pending] = []
        for pending in (*batch, *self._inbox.take(len(self._inbox))):
            if pending.event is not None:
                if not isinstance(pending.event, DeadlineReached):  # The engine still asks for that wake-up.
                    kept.append(pending)
                continue
            if pending.ticket is not None:
                pending.ticket.fail(error)
            session = self._sessions.get(pending.session)
            if pending.command is not None and session is not None:
                self.counters.unrecorded += 1
                session.refuse(DATA_STORE_NOT_AVAILABLE.definition, getattr(pending.command, "stream_id", ""))
                session.applied()
        self._inbox.put_back(kept)
        self._alarm.arm(self._retry_at())
