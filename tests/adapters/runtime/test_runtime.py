"""`signalreel_adapters.runtime.runtime`: whole calls through the one loop, on asyncio and trio."""

from collections.abc import Callable
from contextlib import suppress
from typing import Self

import anyio
import pytest
from structlog.testing import capture_logs

from signalreel.commands import AnyCommand, JoinRoom, Play, Publish, TakeConfiguration
from signalreel.events import (
    BitrateMeasured,
    ClockAdjusted,
    DeadlineReached,
    RunStarted,
    SessionClosed,
    SettingsChanged,
)
from signalreel.header import Header
from signalreel.host import CloseRoom, EndStream, KickSession, RegisterStream
from signalreel.identifiers import Kind, Reference
from signalreel.messages import POLICY_VIOLATION
from signalreel.record import Input, decode_record
from signalreel.reel import MemoryReel, Reel
from signalreel.registered import RegisteredStream
from signalreel.replay import Cursor
from signalreel.settings import Settings
from signalreel.step import Step
from signalreel_adapters import (
    FakeMedia,
    Limits,
    MemoryClient,
    MemoryTransport,
    Peer,
    Runtime,
    RuntimeStopped,
    SeededIds,
    SubscriptionLagged,
    TransportClosed,
    TurnedAway,
    Verdict,
)
from signalreel_adapters.ports import Report, SessionInfo
from signalreel_adapters.runtime.runtime import SERVICE_RESTART
from signalreel_adapters.runtime.subscriptions import Overflow
from signalreel_adapters.testing import FailingReel, ManualClock
from signalreel_adapters.testing.clock import MILLISECOND, SECOND
from tests.adapters.calls import OFFER, names, play, publish

pytestmark = pytest.mark.anyio


def inputs(reel: Reel) -> list[Input]:
    """What stands on a reel, besides the setting of its clock: a reel in memory says not when it began."""
    found = [decode_record(entry.record).input for entry in reel.entries()]
    return [input for input in found if not isinstance(input, ClockAdjusted)]


class StuckReel(FailingReel):
    """A reel whose first commit never returns."""

    def __init__(self) -> None:
        super().__init__()
        self.is_stuck = anyio.Event()

    async def commit(self) -> None:
        """Wait for ever the first time, work afterwards."""
        if not self.is_stuck.is_set():
            self.is_stuck.set()
            await anyio.sleep_forever()
        await super().commit()


class OpenGate:
    """A gate that lets everything pass."""

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Allow."""
        return Verdict.allow()


class Deliveries:
    """The way out of a session made of callbacks: keeps what it was given."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed_with = 0

    def send(self, data: bytes) -> None:
        """Keep a message."""
        self.sent.append(data)

    def close(self, code: int, reason: str) -> None:
        """Keep the code."""
        self.closed_with = code


class TestCalls:
    """Clients in memory, fake media, one loop."""

    async def test_a_stream_is_published_and_played(self) -> None:
        """A publisher and a viewer get every message of the protocol page, in its order."""
        async with Runtime(media=FakeMedia()) as runtime:
            publisher, viewer = MemoryClient(runtime), MemoryClient(runtime)
            await publish(publisher, "s")
            await play(viewer, "s")
            await publisher.send({"command": "stop", "streamId": "s"})
            await publisher.expect("publish_finished")
            await viewer.expect("play_finished")

    async def test_replaying_the_reel_gives_the_recorded_outcomes(self) -> None:
        """Same reel, same state: everything a run recorded holds when it is replayed (Contract 8)."""
        reel = MemoryReel()
        async with Runtime(reel, media=FakeMedia()) as runtime:
            publisher, viewer = MemoryClient(runtime), MemoryClient(runtime)
            await publish(publisher, "s")
            await play(viewer, "s")
            await publisher.close()
        replayed = list(Cursor(reel))

        assert len(replayed) == reel.last_seq
        assert [one.divergence for one in replayed] == [None] * len(replayed)
        assert all(one.recorded is not None for one in replayed)

    async def test_one_input_then_its_step_then_the_next(self) -> None:
        """Whatever media reports while it reacts comes after the step that made it react (Contract 3)."""
        reel = MemoryReel()
        async with Runtime(reel, media=FakeMedia()) as runtime:
            await publish(MemoryClient(runtime), "s")
        kinds = [type(input).__name__ for input in inputs(reel)]

        assert kinds[:6] == [
            "SessionOpened",
            "Publish",
            "TakeConfiguration",
            "DescriptionCreated",
            "TracksFound",
            "MediaConnected",
        ]

    async def test_the_same_seed_gives_the_same_run(self) -> None:
        """With seeded ids and a manual clock, two runs of a call write the same bytes."""
        reels = [MemoryReel(), MemoryReel()]
        for reel in reels:
            async with Runtime(reel, media=FakeMedia(), ids=SeededIds(1), clock=ManualClock()) as runtime:
                publisher, viewer = MemoryClient(runtime), MemoryClient(runtime)
                await publish(publisher, "s")
                await play(viewer, "s")

        assert list(reels[0].entries()) == list(reels[1].entries())

    async def test_ids_are_drawn_and_recorded(self) -> None:
        """A room without a stream id draws one: it is on the record, and no other session has it (Contract 10)."""
        reel = MemoryReel()
        async with Runtime(reel) as runtime:
            clients = [MemoryClient(runtime), MemoryClient(runtime)]
            drawn = []
            for client in clients:
                await client.send(JoinRoom(room="r"))
                drawn.append((await client.expect("joinedTheRoom"))["streamId"])
        recorded = [decode_record(entry.record).ids for entry in reel.entries()]

        assert [ids for ids in recorded if ids] == [(drawn[0],), (drawn[1],)]
        assert len(set(drawn)) == 2

    async def test_an_id_is_free_the_moment_its_session_closes(self) -> None:
        """The next publish of the same id is accepted, through the same transport kind (Contract 14)."""
        async with Runtime(media=FakeMedia()) as runtime:
            first, second = MemoryClient(runtime), MemoryClient(runtime)
            await publish(first, "s")
            await second.send(Publish(stream_id="s"))
            await second.expect("streamIdInUse")
            await first.close()
            await publish(second, "s")

    async def test_nothing_crosses_apps(self) -> None:
        """The same id lives in two apps at once, and a viewer sees its own app's only (Contract 1)."""
        async with Runtime(media=FakeMedia()) as runtime:
            one, other = MemoryClient(runtime, app="one"), MemoryClient(runtime, app="other")
            viewer = MemoryClient(runtime, app="third")
            await publish(one, "s")
            await publish(other, "s")
            await viewer.send(Play(stream_id="s"))
            await viewer.expect("no_stream_exist")


class TestDeadlines:
    """The clock wakes the engine."""

    async def test_a_publish_without_media_times_out(self) -> None:
        """The publish timer ends the stream at its time and not before, by an event on the reel (Contract 7)."""
        reel, clock = MemoryReel(), ManualClock()
        async with Runtime(reel, clock=clock) as runtime:
            client = MemoryClient(runtime)
            await client.send(Publish(stream_id="s"))
            await client.expect("start")
            await clock.advance(5 * SECOND - 1)
            assert await client.flush() == []
            await clock.advance(1)
            await client.expect("publishTimeoutError")

        wakes = [
            decode_record(entry.record)
            for entry in reel.entries()
            if isinstance(decode_record(entry.record).event, DeadlineReached)
        ]
        assert [wake.time for wake in wakes] == [5 * SECOND]

    async def test_timers_that_come_together_all_ring(self) -> None:
        """Every timer that is due is applied, however many come at once; a retired one is inert."""
        clock = ManualClock()
        async with Runtime(clock=clock, media=FakeMedia(connects=False)) as runtime:
            clients = [MemoryClient(runtime) for _ in range(5)]
            for number, client in enumerate(clients):
                await client.send(Publish(stream_id=f"s{number}"))
                await client.expect("start")
            await clients[0].send({"command": "stop", "streamId": "s0"})
            await clients[0].flush()
            await clock.advance(6 * SECOND)

            assert [names(await client.flush()) for client in clients] == [[], *([["publishTimeoutError"]] * 4)]


class TestHost:
    """What the embedding server orders and sees."""

    async def test_an_order_is_an_input_with_a_step(self) -> None:
        """`submit` records who ordered what and gives the step it caused."""
        reel = MemoryReel()
        async with Runtime(reel) as runtime:
            client = MemoryClient(runtime)
            await client.send(JoinRoom(room="lobby", stream_id="a"))
            await client.expect("joinedTheRoom")
            step = await runtime.submit(CloseRoom(room="lobby"), app="live", actor="admin")
            await client.expect("leavedFromRoom")

        assert step.record.host == CloseRoom(room="lobby", app="live", actor="admin")
        assert step.record.host in inputs(reel)
        assert [move.machine.kind for move in step.transitions] == [Kind.ROOM]

    async def test_an_order_may_be_refused(self) -> None:
        """Ending what does not live is a refused step, no exception."""
        async with Runtime() as runtime:
            step = await runtime.submit(EndStream(stream_id="nothing"), app="live")

        assert step.refused == "no_stream_exist"

    async def test_a_kicked_session_is_closed_after_what_was_said(self) -> None:
        """`CloseSession` flushes and closes with its code; the end is on the reel with it."""
        reel = MemoryReel()
        async with Runtime(reel, media=FakeMedia(), ids=SeededIds(1)) as runtime:
            client = MemoryClient(runtime)
            await publish(client, "s")
            await runtime.submit(KickSession(session=runtime.engine.sessions()[0].id))
            end = await client.closed()
            await runtime.idle()

        assert (end.code, end.reason) == (1008, "kicked")
        assert SessionClosed(1008, "kicked") in inputs(reel)

    async def test_steps_can_be_followed(self) -> None:
        """A subscription gives the steps of one room as they happen, and ends with the runtime."""
        async with Runtime() as runtime:
            steps = runtime.steps(machine="room", id="lobby", app="live")
            for app, room in (("live", "lobby"), ("live", "other"), ("elsewhere", "lobby"), ("live", "lobby")):
                client = MemoryClient(runtime, app=app)
                await client.send(JoinRoom(room=room))
                await client.expect("joinedTheRoom")
            await runtime.submit(CloseRoom(room="lobby"), app="live")
        followed = [type(step.record.input).__name__ async for step in steps]

        assert followed == ["JoinRoom", "JoinRoom", "CloseRoom"]

    async def test_a_slow_subscriber_holds_up_nobody(self) -> None:
        """Steps go on while a subscriber sleeps; it is told that it missed some (Contract 15)."""
        async with Runtime(limits=Limits(subscription_steps_max=2)) as runtime:
            lossy = runtime.steps()
            strict = runtime.steps(overflow=Overflow.END)
            client = MemoryClient(runtime)
            for _ in range(5):
                await client.send(Play(stream_id="nothing"))
            assert names(await client.flush()) == ["no_stream_exist"] * 5

            assert lossy.missed == 4
            await anext(lossy)
            await anext(strict)
            await anext(strict)
            with pytest.raises(SubscriptionLagged):
                await anext(strict)

    async def test_measurements_are_dropped_while_too_much_waits(self) -> None:
        """A bitrate report is replaced by the next one, so it may be dropped; nothing else is."""
        async with Runtime(limits=Limits(inputs_max=1)) as runtime:
            lost = Reference(Kind.PLAYBACK, "live", "s/x", 1)
            for _ in range(3):
                runtime.report(BitrateMeasured(lost, 1, 1, 1))
            await runtime.idle()

        assert (runtime.counters.dropped_measurements, runtime.counters.records) == (2, 1)


class TestGate:
    """Access control in front of the loop."""

    async def test_the_refused_are_told_and_the_allowed_go_on(self) -> None:
        """A gate's refusal is a refused command on the reel, with the gate's definition."""

        class Tokens:
            async def decide(self, command: object, session: SessionInfo) -> Verdict:
                known = {"good": Verdict.allow("tag")}
                return known.get(getattr(command, "token", ""), Verdict.refuse("user_blocked"))

        reel = MemoryReel()
        async with Runtime(reel, gate=Tokens()) as runtime:
            client = MemoryClient(runtime)
            await client.send(Publish(stream_id="s", token="bad"))
            await client.send(Publish(stream_id="s", token="good"))

            assert names(await client.flush()) == ["user_blocked", "start"]
        assert [getattr(input, "token", "") for input in inputs(reel)] == [""] * len(inputs(reel))


class TestAttaching:
    """Transports come and go."""

    async def test_a_slow_session_slows_itself_alone(self) -> None:
        """A client that does not read is ended with 1013; another one's call goes on all the while (item 15)."""
        async with Runtime(limits=Limits(outbox_messages_max=8)) as runtime:
            slow = MemoryClient(runtime, messages_max=2)
            quick = MemoryClient(runtime)
            async with anyio.create_task_group() as tasks:

                async def flood() -> None:
                    with suppress(TransportClosed):
                        while True:
                            await slow.send(Play(stream_id="nothing"))

                tasks.start_soon(flood)
                for _ in range(20):
                    await quick.send(Play(stream_id="nothing"))
                    await quick.expect("no_stream_exist")
                end = await slow.closed()

        assert (end.code, runtime.counters.slow_sessions) == (1013, 1)

    async def test_a_transport_that_fails_ends_its_session_alone(self) -> None:
        """An exception that no transport may raise is logged and counted; its session ends, the runtime goes on."""

        class Faulty(MemoryTransport):
            async def receive(self) -> bytes | str:
                raise LookupError("canary")

        reel = MemoryReel()
        async with Runtime(reel) as runtime:
            with capture_logs() as logs:
                await runtime.attach(Faulty())
            assert await MemoryClient(runtime).flush() == []

        assert "canary" not in repr(logs)
        assert runtime.counters.transport_failures == 1
        assert SessionClosed(1011, "transport failed") in inputs(reel)

    async def test_a_cancelled_attachment_ends_its_session(self) -> None:
        """Whoever serves a client in a task of their own may cancel it; the session is let go."""
        async with Runtime(media=FakeMedia()) as runtime:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(runtime.attach, MemoryTransport())
                await anyio.wait_all_tasks_blocked()
                assert len(runtime.engine.sessions()) == 1
                tasks.cancel_scope.cancel()
            await runtime.idle()

            assert runtime.engine.sessions() == ()

    async def test_an_app_must_have_a_name(self) -> None:
        """An app's name obeys the rule of stream names; a client of any other is closed with 1008."""
        async with Runtime() as runtime:
            for app in ("", "..", "a b", "a\n"):
                transport = MemoryTransport()
                await runtime.attach(transport, app=app)

                assert transport.ended is not None
                assert transport.ended.code == POLICY_VIOLATION

    async def test_a_stream_or_room_is_ordered_about_by_app_and_id(self) -> None:
        """Without an app it could only be a mistake, and doing nothing in silence would hide it."""
        async with Runtime() as runtime:
            for command in (CloseRoom(room="lobby"), EndStream(stream_id="s1")):
                with pytest.raises(ValueError, match="app"):
                    await runtime.submit(command)

    async def test_nobody_waits_for_a_step_that_will_not_be_made(self) -> None:
        """What was submitted and was being written when the runtime ended is answered `RuntimeStopped`."""
        answers: list[type[BaseException]] = []
        reel = StuckReel()

        async def order(runtime: Runtime) -> None:
            try:
                await runtime.submit(CloseRoom(room="lobby"), app="live")
            except RuntimeStopped as error:
                answers.append(type(error))

        async with anyio.create_task_group() as tasks:
            with suppress(KeyError):
                async with Runtime(reel) as runtime:
                    tasks.start_soon(order, runtime)
                    await reel.is_stuck.wait()
                    raise KeyError

        assert answers == [RuntimeStopped]

    async def test_a_session_of_callbacks_ends_with_the_runtime(self) -> None:
        """Also when the runtime is left by an error: what still comes is refused, and raises nothing (contract 12)."""
        delivery = Deliveries()
        runtime = Runtime(gate=OpenGate())
        with suppress(KeyError):
            async with runtime:
                session = runtime.open_session("live", delivery)
                raise KeyError

        assert session.is_closed
        assert delivery.closed_with == SERVICE_RESTART
        assert session.receive('{"command":"join","streamId":"p"}') is False

    async def test_too_many_waiting_inputs_turn_new_sessions_away(self) -> None:
        """Above the bound of all waiting inputs, a new session is closed with 1013 (Contract 15)."""
        async with Runtime(limits=Limits(inputs_max=1)) as runtime:
            runtime.report(RunStarted())
            transport = MemoryTransport()
            await runtime.attach(transport)

        assert transport.ended is not None
        assert (transport.ended.code, runtime.counters.turned_away) == (1013, 1)

    async def test_a_callback_path_needs_no_task(self) -> None:
        """`open_session`, `receive` and `closed` serve a client without any task of its own."""

        class Wire:
            def __init__(self) -> None:
                self.said: list[bytes] = []

            def send(self, data: bytes) -> None:
                self.said.append(data)

            def close(self, code: int, reason: str) -> None:
                session.closed(code, reason)

        async with Runtime(media=FakeMedia()) as runtime:
            wire = Wire()
            session = runtime.open_session("live", wire, peer=Peer("callbacks"))
            session.receive(b'{"command":"publish","streamId":"s"}')
            session.receive(b'{"command":"ping"}')
            await runtime.idle()
            session.closed(1001, "gone")
            await runtime.idle()
            assert runtime.engine.sessions() == ()

        assert wire.said == [b'{"command":"pong"}', b'{"command":"start","streamId":"s","subscriberId":""}']


class TestLifetime:
    """Entering, stopping, leaving, and coming back."""

    async def test_a_stop_tells_everyone_and_closes_those_who_stay(self) -> None:
        """Sessions are told one after the other, get their grace, and are closed with 1012."""
        clock = ManualClock()
        limits = Limits(drain_step_ms=10, drain_grace_ms=100)
        async with Runtime(clock=clock, limits=limits) as runtime:
            stays, leaves = MemoryClient(runtime), MemoryClient(runtime)
            await stays.flush()
            await leaves.flush()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(runtime.stop)
                await clock.advance(9 * MILLISECOND)
                assert names(await stays.flush()) == ["server_will_stop"]
                assert await leaves.flush() == []
                await clock.advance(11 * MILLISECOND)
                await leaves.expect("server_will_stop")
                await leaves.close()
                await clock.advance(99 * MILLISECOND)
                assert await stays.flush() == []
                with pytest.raises(TurnedAway):
                    runtime.open_session("live", _Nowhere())
                await clock.advance(1 * MILLISECOND)
                end = await stays.closed()

            assert (end.code, runtime.is_stopping) == (1012, True)
            assert runtime.engine.sessions() == ()

    async def test_a_stop_is_over_when_everyone_has_left(self) -> None:
        """Grace is not waited out for nobody."""
        clock = ManualClock()
        async with Runtime(clock=clock) as runtime:
            client = MemoryClient(runtime)
            await client.flush()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(runtime.stop)
                await clock.advance(20 * MILLISECOND)
                await client.expect("server_will_stop")
                await client.close()

    async def test_leaving_closes_everything_at_once(self) -> None:
        """The end of `async with` tells and closes sessions without waiting, records their end, closes the reel."""
        reel = MemoryReel()
        async with Runtime(reel, clock=ManualClock()) as runtime:
            client = MemoryClient(runtime)
            await client.flush()

        assert names(client.transcript) == []
        assert inputs(reel)[-1] == SessionClosed(1012, "the server stops")
        with pytest.raises(RuntimeStopped):
            await runtime.submit(CloseRoom(room="r"), app="live")
        with pytest.raises(RuntimeStopped):
            runtime.open_session("live", _Nowhere())
        runtime.report(RunStarted())

    async def test_an_error_of_the_body_comes_out_as_it_is(self) -> None:
        """What goes wrong inside `async with` is not wrapped in a group, and media is left in good order."""
        media = FakeMedia()

        async def body() -> None:
            async with Runtime(media=media):
                assert media.is_entered
                raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            await body()
        assert not media.is_entered

    async def test_a_new_run_ends_what_the_last_one_left(self) -> None:
        """A reel that holds records is replayed, and its first new record frees every id (Contract 14)."""
        reel = MemoryReel()

        async def crash() -> None:
            async with Runtime(reel, media=FakeMedia()) as runtime:
                await publish(MemoryClient(runtime), "s")
                raise LookupError("a crash, so to say")

        with pytest.raises(LookupError):
            await crash()
        before = len(inputs(reel))
        async with Runtime(reel, media=FakeMedia()) as runtime:
            await publish(MemoryClient(runtime), "s")

        assert inputs(reel)[before] == RunStarted()
        assert [one.divergence for one in Cursor(reel)] == [None] * reel.last_seq

    async def test_the_wall_clock_is_an_input_when_it_goes_astray(self) -> None:
        """The header says where it began; more than a second of difference is recorded, and replay needs no clock."""
        clock = ManualClock()
        reel = MemoryReel(Header(Settings(), started_at=clock.wall()))
        async with Runtime(reel, clock=clock) as runtime:
            start = runtime.engine.environment.clock_offset
            for shift in (0, SECOND, 1, -3_600 * SECOND):
                await clock.advance(MILLISECOND)
                clock.shift_wall(shift)
                await runtime.submit(RegisterStream(stream=RegisteredStream(f"s{shift}")), app="live")
            registered = runtime.engine.registry.registrations("live")
        found = [decode_record(entry.record).input for entry in reel.entries()]
        cursor = Cursor(reel)

        assert [input.offset - start for input in found if isinstance(input, ClockAdjusted)] == [
            SECOND + 1,
            -3_599 * SECOND + 1,
        ]
        assert [one.divergence for one in cursor if one.divergence] == []
        assert cursor.engine.registry.registrations("live") == registered

    async def test_without_a_reel_dates_are_those_of_the_wall_clock(self) -> None:
        """Nothing is kept, and what is planned is held against the time of day all the same."""
        clock = ManualClock(now=5 * SECOND)
        async with Runtime(clock=clock) as runtime:
            await runtime.submit(RegisterStream(stream=RegisteredStream("s")), app="live")
            registered = runtime.engine.registry.stream("live", "s")

        assert registered is not None
        assert registered.created_at == clock.wall() // MILLISECOND

    async def test_an_order_that_no_reel_could_hold_is_told_at_once(self) -> None:
        """Nothing is recorded then: a record that cannot be read back would end every replay."""
        reel = MemoryReel()
        async with Runtime(reel) as runtime:
            with pytest.raises(ValueError, match="cannot stand on a reel"):
                await runtime.submit(RegisterStream(stream=RegisteredStream("s", viewers_max=-2)), app="live")

        assert inputs(reel) == []

    async def test_other_settings_are_an_input(self) -> None:
        """Settings that are not the reel's are recorded as a change; none given means the reel's own."""
        reel = MemoryReel()
        async with Runtime(reel, settings=Settings(viewers_max=1)):
            pass
        async with Runtime(reel, settings=Settings(viewers_max=1)):
            pass
        async with Runtime(reel) as runtime:
            settings = runtime.engine.settings

        assert inputs(reel) == [SettingsChanged(Settings(viewers_max=1)), RunStarted(), RunStarted()]
        assert settings == Settings(viewers_max=1)

    async def test_media_is_entered_with_a_way_to_report(self) -> None:
        """The adapter gets its callable before it is entered, and is left after the last step."""
        told: list[str] = []

        class Telling:
            def report_to(self, report: Report, failed: Callable[[], None]) -> None:
                told.append("report_to")

            async def __aenter__(self) -> Self:
                told.append("enter")
                return self

            async def __aexit__(self, *error: object) -> None:
                told.append("leave")

            def react(self, step: Step) -> None:
                told.append(type(step.record.input).__name__)

        async with Runtime(media=Telling()) as runtime:
            client = MemoryClient(runtime)
            await client.send(TakeConfiguration(stream_id="s", type="offer", sdp=OFFER))
            await client.flush()
            await client.close()

        assert told == ["report_to", "enter", "SessionOpened", "TakeConfiguration", "SessionClosed", "leave"]

    async def test_failures_that_media_got_over_are_counted(self) -> None:
        """They happen in tasks of the adapter's own, where the runtime sees nothing of them."""

        class Clumsy(FakeMedia):
            def report_to(self, report: Report, failed: Callable[[], None]) -> None:
                super().report_to(report, failed)
                failed()

        async with Runtime(media=Clumsy()) as runtime:
            assert runtime.counters.media_failures == 1

    async def test_media_that_cannot_start_leaves_the_reel_free(self) -> None:
        """What goes wrong while entering comes out, and the reel is closed."""

        class Unstartable(FakeMedia):
            async def __aenter__(self) -> Self:
                raise LookupError("no port")

        reel = FailingReel()
        with pytest.raises(LookupError, match="no port"):
            await Runtime(reel, media=Unstartable()).__aenter__()

        assert reel.is_closed


class _Nowhere:
    """A delivery that nobody reads."""

    def send(self, data: bytes) -> None:
        """Drop it."""

    def close(self, code: int, reason: str) -> None:
        """Drop it."""
