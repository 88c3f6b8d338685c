"""The runtime: what an embedder holds. It opens sessions, takes orders and reports, and ends in good order.

It runs on asyncio and on trio. All methods but `attach`, `submit`, `idle` and `stop` are synchronous; call them in the
thread of the event loop. The loop itself is in `loop`.

Sessions may be opened before it is ready: while it brings its reel back, and even before it is entered. Until then each
command is answered `not_initialized_yet`; afterwards the same session is served like any other.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Final, Self

import anyio
import anyio.abc
from msgspec import structs

from signalreel.engine import Engine
from signalreel.errors import SignalreelError
from signalreel.events import AnyEvent, BitrateMeasured, LogicRaised, ResourcesMeasured, RunStarted, SettingsChanged
from signalreel.header import Header
from signalreel.host import AnyHostCommand, KickSession, checked
from signalreel.identifiers import App, Kind, SessionId, is_valid_name
from signalreel.logic import CATALOGUE, Catalogue
from signalreel.messages import POLICY_VIOLATION
from signalreel.reel import Reel
from signalreel.settings import Settings
from signalreel.step import Step
from signalreel_adapters.ports import (
    Clock,
    Delivery,
    Gate,
    IceServers,
    Ids,
    Media,
    NotingMedia,
    Peer,
    SessionInfo,
    Transport,
    WorkingReel,
)
from signalreel_adapters.runtime.clock import SystemClock
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.draining import tell_all, until_left
from signalreel_adapters.runtime.ids import RandomIds
from signalreel_adapters.runtime.inbox import Inbox, Pending, RuntimeStopped, Ticket
from signalreel_adapters.runtime.keeping import Unrecorded, as_durable
from signalreel_adapters.runtime.limits import Limits
from signalreel_adapters.runtime.log import Log
from signalreel_adapters.runtime.loop import Loop
from signalreel_adapters.runtime.noting import Noting, checked_correlation
from signalreel_adapters.runtime.outbox import TRY_AGAIN_LATER, Outbox
from signalreel_adapters.runtime.publisher import Publisher
from signalreel_adapters.runtime.rates import SharedRates
from signalreel_adapters.runtime.recorder import Recorder
from signalreel_adapters.runtime.serving import close_unserved, serve_transport
from signalreel_adapters.runtime.session import Session
from signalreel_adapters.runtime.subscriptions import Overflow, Subscription, Subscriptions
from signalreel_adapters.runtime.tasks import end_tasks

__all__ = ("SERVICE_RESTART", "STOPPING", "UNMEASURED", "Runtime", "TurnedAway", "first_inputs")

SERVICE_RESTART: Final = 1012
"""Close code for a server that goes away and comes back (IANA WebSocket close code registry)."""

STOPPING: Final = "the server stops"
"""The reason that goes with it."""

UNMEASURED: Final = ResourcesMeasured(0, -1)
"""That nothing is known of the load, which counts as none: how every run begins, until somebody measures."""

_log: Final = Log("signalreel.runtime")


class TurnedAway(SignalreelError):
    """There is no room for another session now, or the server stops. Close the transport with `code`."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"{reason}; close the transport with {code}")


def first_inputs(
    engine: Engine, settings: Settings | None, *, held_records: bool, catalogue: Catalogue = CATALOGUE
) -> list[Pending]:
    """Give what a run begins with: the end of the former one, and what that one knew and this one does not.

    And the other way round: what the logic does differently since the version that began the reel.
    """
    first: list[AnyEvent] = [RunStarted()] if held_records else []
    first += [LogicRaised(flag) for flag in catalogue.unraised(engine.environment.logic)]
    if engine.environment.cpu_percent or engine.environment.free_memory_mb != UNMEASURED.free_memory_mb:
        first.append(UNMEASURED)
    if settings is not None and settings != engine.settings:
        first.append(SettingsChanged(settings))
    return [Pending(event=event) for event in first]


class Runtime:
    """Runs one reel. Use it as `async with Runtime(...) as runtime`; leaving it closes every session and the reel.

    `settings=None` means those of the reel; others are recorded as a change. Without a reel nothing is kept. Without a
    gate everybody may do everything. Without media, descriptions are only relayed between peers. Without `ice`, clients
    are told of the `stun_server` of the settings. With `monitored` each step is held against the invariants: what is
    broken is logged and counted (`counters.broken`), and disturbs nobody.
    """

    def __init__(
        self,
        reel: Reel | None = None,
        *,
        settings: Settings | None = None,
        gate: Gate | None = None,
        media: Media | None = None,
        ice: IceServers | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
        limits: Limits | None = None,
        monitored: bool = False,
    ) -> None:
        self.limits = limits if limits is not None else Limits()
        self.shared_rates = SharedRates(self.limits)
        self.counters = Counters()
        self.ice = ice
        self.is_monitored = monitored
        self.clock: Clock = clock if clock is not None else SystemClock()
        header = Header(settings or Settings(), started_at=self.clock.wall())
        self.reel: Reel = reel if reel is not None else Unrecorded(header)
        self._durable = as_durable(self.reel)
        self._settings = settings
        self._gate = gate
        self._media = media
        self._ids: Ids = ids if ids is not None else RandomIds()
        self._sessions: dict[str, Session] = {}
        self._attached: dict[anyio.Event, None] = {}
        self._inbox = Inbox()
        self._subscriptions = Subscriptions(self.counters)
        header = self.reel.header
        self._recorder = Recorder(
            self._durable,
            Engine(header.settings, started_at=header.started_at, logic=header.logic),
            self.clock,
            self._ids,
            self.counters,
            monitored=monitored,
        )
        # Where nothing is kept nothing is noted, and nobody on the way looks at a clock for it.
        self.notes: Noting | None = None
        if reel is not None:
            self.notes = Noting(
                self._durable,
                seq=lambda: max(self.reel.first_seq, self.engine.seq),
                now=self._recorder.now,
                wake=self._inbox.ring,
                limits=self.limits,
                counters=self.counters,
            )
        self._loop = Loop(
            self._inbox,
            self._recorder,
            Publisher(self._sessions, self._subscriptions, media, self.counters),
            sessions=self._sessions,
            clock=self.clock,
            limits=self.limits,
            counters=self.counters,
            notes=self.notes,
        )
        self._tasks: anyio.abc.TaskGroup | None = None
        self._is_ready = False
        self._is_stopping = False
        self._is_over = anyio.Event()

    # ---- lifetime

    async def __aenter__(self) -> Self:
        tasks = anyio.create_task_group()
        await tasks.__aenter__()
        self._tasks = tasks
        try:
            held_records = await self._recorder.resume()
            if self._media is not None:
                self._media.report_to(self.report, self._count_media_failure)
                if self.notes is not None and isinstance(self._media, NotingMedia):
                    self._media.note_to(self.notes.note)
                await self._media.__aenter__()
        except BaseException as error:
            try:
                await end_tasks(tasks, type(error), error, error.__traceback__)
            finally:
                self._tasks = None
                self._send_everyone_away()
                self.reel.close()
            raise
        # Before anything that has come in meanwhile: it ends the sessions of the former run, and only those.
        self._inbox.put_back(first_inputs(self._recorder.engine, self._settings, held_records=held_records))
        self._is_ready = True
        tasks.start_soon(self._loop.run)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        tasks = self._tasks
        if tasks is None:
            return None
        try:
            if error is None:
                await self.stop(spread_ms=0, grace_ms=0)
        finally:
            try:
                handled = await end_tasks(tasks, kind, error, traceback)
            finally:
                self._tasks = None
                with anyio.CancelScope(shield=True):
                    await self._release(kind, error, traceback)
        return handled

    async def _release(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give back what entering took, in the opposite order, whatever happened in between."""
        self._send_everyone_away()
        try:
            if self._media is not None:
                await self._media.__aexit__(kind, error, traceback)
        finally:
            if self.notes is not None:
                self.notes.write(everything=True)
            await self._recorder.flush()
            self.reel.close()

    def _count_media_failure(self) -> None:
        self.counters.media_failures += 1

    def _send_everyone_away(self) -> None:
        """End every session, subscription and promise; from now on there are no new ones."""
        self._is_stopping = True
        self._is_over.set()
        for pending in self._inbox.take(len(self._inbox)):
            if pending.ticket is not None:
                pending.ticket.fail(RuntimeStopped())
        self._subscriptions.close()
        for session in list(self._sessions.values()):
            session.close(SERVICE_RESTART, STOPPING)
            session.closed(SERVICE_RESTART, STOPPING)

    async def stop(self, *, spread_ms: int | None = None, grace_ms: int | None = None) -> None:
        """Tell every session that the server will stop, give them time to leave, close those that stay.

        Telling is spread over time, because clients reconnect at once when told. Sessions that are left after
        `grace_ms` are closed with 1012. Returns when all of that is on the reel, and ends the subscriptions. Leaving
        `async with` does the same without any waiting.
        """
        self._is_stopping = True
        limits = structs.replace(
            self.limits,
            drain_spread_ms=self.limits.drain_spread_ms if spread_ms is None else spread_ms,
            drain_grace_ms=self.limits.drain_grace_ms if grace_ms is None else grace_ms,
        )
        await tell_all(self._sessions, self.enqueue, self.clock, limits)
        await self.idle()
        await until_left(self._sessions, self.clock, limits)
        for session in list(self._sessions.values()):
            # Recorded here and not when the transport is done, so that the order does not depend on who is quickest.
            session.close(SERVICE_RESTART, STOPPING)
            session.closed(SERVICE_RESTART, STOPPING)
        with anyio.move_on_after(limits.close_ms_max / 1_000):
            while self._attached:
                await next(iter(self._attached)).wait()
        await self.idle()
        self._subscriptions.close()

    @property
    def engine(self) -> Engine:
        """The engine, to look at. Nothing but the loop may apply a record to it."""
        return self._recorder.engine

    @property
    def is_ready(self) -> bool:
        """Whether what sessions say is taken. Before, each command is answered `not_initialized_yet`."""
        return self._is_ready

    @property
    def is_recorded(self) -> bool:
        """Whether there is a reel that can be read."""
        return self.notes is not None

    @property
    def is_stopping(self) -> bool:
        """Whether new sessions are turned away because the server stops."""
        return self._is_stopping

    @property
    def reel_works(self) -> bool:
        """Whether the last attempt to write the reel succeeded, the reel's own behind the loop's back included."""
        return self._loop.reel_works and (not isinstance(self.reel, WorkingReel) or self.reel.works)

    # ---- the face

    async def attach(
        self, transport: Transport, *, app: str = "live", identity: str = "", correlation: str = ""
    ) -> None:
        """Serve a client over this transport until either end closes it.

        `correlation` is the host's own id of this session, such as that of the request that brought it; it is noted
        beside the reel, so that the host's logs and the reel can be read together.

        An app's name obeys the rule of stream names; check it before accepting the client, since here it can only be
        closed (1008). Never raises because of the transport or the client. It may be called before the runtime is
        ready, even before it is entered.
        """
        await self._serve(transport, self._open_outbox(transport, app, identity, correlation))

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

    def _open_outbox(
        self, transport: Transport, app: str, identity: str, correlation: str = ""
    ) -> tuple[Session, Outbox] | int:
        """Open a session with an outbox; give the close code instead when it is turned away."""
        outbox = Outbox(self.limits, self.counters)
        try:
            session = self.open_session(app, outbox, identity=identity, peer=transport.peer, correlation=correlation)
        except TurnedAway as error:
            return error.code
        except RuntimeStopped:
            return SERVICE_RESTART
        except ValueError:
            return POLICY_VIOLATION
        if self.notes is not None:
            session.delivery_tells = True
            outbox.on_sent = partial(self.notes.delivered, session.id)
            outbox.on_dropped = partial(self.notes.dropped, session.id)
        return session, outbox

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

    def open_session(
        self,
        app: str,
        delivery: Delivery,
        *,
        identity: str = "",
        peer: Peer = Peer("memory"),
        correlation: str = "",
    ) -> Session:
        """Open a session for a transport that works by callbacks: feed `Session.receive`, end with `Session.closed`.

        Raises `TurnedAway` when too much is waiting or the server stops, `ValueError` when the app's name is none. A
        `correlation` that holds what such an id may not is left out.
        """
        if not is_valid_name(app):
            raise ValueError("the app's name holds a character that is not allowed, or none at all")
        if self._is_over.is_set():
            raise RuntimeStopped
        if self._is_stopping:
            self.counters.turned_away += 1
            raise TurnedAway(SERVICE_RESTART, STOPPING)
        if len(self._inbox) >= (self.limits.inputs_max if self._is_ready else self.limits.early_inputs_max):
            self.counters.turned_away += 1
            raise TurnedAway(TRY_AGAIN_LATER, "too much is waiting")
        session = Session(
            self, SessionInfo(SessionId(self._ids.draw()), App(app), identity, peer), delivery, self._gate
        )
        self._sessions[session.id] = session
        self.counters.sessions_opened += 1
        if self.notes is not None and correlation and checked_correlation(correlation):
            self.notes.correlated(session.id, correlation)
        return session

    async def submit(self, order: AnyHostCommand, *, app: str = "", actor: str = "") -> Step:
        """Record a command of the host itself and give the step it caused; `actor` says who ordered it.

        Raises `ReelUnavailable` when it could not be recorded, and then nothing was done; `ValueError` when a stream or
        room is named without its app, or a field holds what no reel could. Only a session may be named without an app:
        its id is unique in the whole runtime. A step that is `refused` says why nothing was done.
        """
        self._running()
        ticket = Ticket()
        named = checked(structs.replace(order, app=app or order.app, actor=actor or order.actor))
        if not named.app and not isinstance(named, KickSession):
            raise ValueError("a stream or room is found by its app and its id; say which app")
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

        Returns as well while the reel fails, because what waits then may wait for long, and before all is ready.
        """
        if self._tasks is not None and self._is_ready:
            await self._loop.idle()

    # ---- for sessions

    def enqueue(self, pending: Pending) -> None:
        """Put an input in its place in the order."""
        self._inbox.put(pending)

    def forget(self, session: Session) -> None:
        """Drop a session that has ended."""
        if self._sessions.pop(session.id, None) is not None:
            self.counters.sessions_closed += 1

    def decide_soon(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run a session's gate beside the loop."""

        async def decide() -> None:
            try:
                await work()
            finally:
                self._loop.decision_ended()

        self._running().start_soon(decide)
        self._loop.decision_began()

    def _running(self) -> anyio.abc.TaskGroup:
        if self._tasks is None:
            raise RuntimeStopped
        return self._tasks
