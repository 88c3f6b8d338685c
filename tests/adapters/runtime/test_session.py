"""`signalreel_adapters.runtime.session`: what is answered off the reel, what reaches the inbox, and the gate."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import msgspec
import pytest

from signalreel.commands import AnyCommand, Join, JoinRoom, Play, Publish, Stop
from signalreel.events import SessionClosed, SessionOpened
from signalreel.identifiers import App, SessionId
from signalreel.messages import CloseSession
from signalreel.record import Grant
from signalreel.refusals import INVALID_STREAM_NAME, NO_STREAM_EXIST
from signalreel_adapters.ports import Gate, IceServers, SessionInfo, Verdict
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.inbox import Pending
from signalreel_adapters.runtime.limits import Limits
from signalreel_adapters.runtime.noting import Noting
from signalreel_adapters.runtime.rates import SharedRates
from signalreel_adapters.runtime.session import Session
from signalreel_adapters.testing.clock import SECOND, ManualClock

pytestmark = pytest.mark.anyio


class Host:
    """What a session needs of a runtime, with nothing behind it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits if limits is not None else Limits()
        self.counters = Counters()
        self.shared_rates = SharedRates(self.limits)
        self.notes: Noting | None = None
        self.clock = ManualClock()
        self.is_ready = True
        self.ice: IceServers | None = None
        self.enqueued: list[Pending] = []
        self.applies_to: Session | None = None
        self.forgotten: list[Session] = []
        self.work: list[Callable[[], Awaitable[None]]] = []

    def enqueue(self, pending: Pending) -> None:
        """Keep an input, and apply it at once where that is wished."""
        self.enqueued.append(pending)
        if pending.command is not None and self.applies_to is not None:
            self.applies_to.applied()

    def forget(self, session: Session) -> None:
        """Keep who left."""
        self.forgotten.append(session)

    def decide_soon(self, work: Callable[[], Awaitable[None]]) -> None:
        """Keep the work for the test to run."""
        self.work.append(work)

    async def work_off(self) -> None:
        """Do the work that was kept first."""
        await self.work[0]()

    @property
    def commands(self) -> list[AnyCommand]:
        """The commands that reached the inbox."""
        return [pending.command for pending in self.enqueued if pending.command is not None]


class Delivery:
    """What a session said, decoded, and how it was closed."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.closed: list[tuple[int, str]] = []

    def send(self, data: bytes) -> None:
        """Keep a message."""
        self.said.append(msgspec.json.decode(data))

    def close(self, code: int, reason: str) -> None:
        """Keep the end."""
        self.closed.append((code, reason))


def make(*, gate: Gate | None = None, limits: Limits | None = None) -> tuple[Session, Host, Delivery]:
    """A session with its surroundings."""
    host, delivery = Host(limits), Delivery()
    session = Session(host, SessionInfo(SessionId("s"), App("live"), "someone"), delivery, gate)
    host.applies_to = session if gate is not None else None
    return session, host, delivery


class TestInput:
    """From bytes to the inbox."""

    async def test_opening_and_closing_are_inputs(self) -> None:
        """A session is on the reel from its opening, with its app and identity, to its end, once."""
        session, host, _ = make()
        session.closed(1001, "gone")
        session.closed(1000, "again")

        assert [(pending.session, pending.event) for pending in host.enqueued] == [
            ("s", SessionOpened("live", "someone")),
            ("s", SessionClosed(1001, "gone")),
        ]
        assert host.forgotten == [session]

    async def test_commands_are_enqueued_without_their_secrets(self) -> None:
        """Tokens and codes are emptied before a command is recorded (Contract 11)."""
        session, host, _ = make()
        session.receive(b'{"command":"publish","streamId":"a","token":"canary","subscriberCode":"canary"}')
        session.receive('{"command":"joinRoom","room":"r","token":"canary"}')

        assert host.commands == [Publish(stream_id="a"), JoinRoom(room="r")]

    async def test_a_ping_is_answered_and_not_enqueued(self) -> None:
        """Pings stay off the reel (Contract 13); they need no stream id, but a bad one is refused."""
        session, host, delivery = make()
        session.receive(b'{"command":"ping"}')
        session.receive(b'{"command":"ping","streamId":"../x"}')

        assert host.commands == []
        assert host.counters.pings == 1
        assert delivery.said[0] == {"command": "pong"}
        assert delivery.said[1]["definition"] == "invalidStreamName"

    @pytest.mark.parametrize(
        ("data", "reason", "definition"),
        [
            (b"undefined", "not_json", ""),
            (b"", "not_json", ""),
            (b"\xff\xfe", "not_json", ""),
            (b"[" * 5_000, "not_json", ""),
            ("[1, 2]", "not_an_object", ""),
            ('{"streamId":"a"}', "no_command", ""),
            ('{"command":7}', "no_command", ""),
            ('{"command":"fly","streamId":"a"}', "unknown_command", ""),
            ('{"command":"fly"}', "unknown_command", "noStreamNameSpecified"),
            ('{"command":"fly","streamId":"a b"}', "unknown_command", "invalidStreamName"),
            ('{"command":"publish","streamId":{}}', "wrong_type", ""),
            ('{"command":"publish","streamId":"a","video":[]}', "wrong_type", ""),
        ],
    )
    async def test_what_is_no_command_is_counted_and_sometimes_answered(
        self, data: bytes | str, reason: str, definition: str
    ) -> None:
        """Bad input never raises (Contract 12); it is counted by reason and answered as the real server does."""
        session, host, delivery = make()

        assert session.receive(data)
        assert host.counters.undecodable == {reason: 1}
        assert host.commands == []
        assert [said["definition"] for said in delivery.said] == ([definition] if definition else [])

    async def test_an_answer_off_the_reel_is_a_whole_one(self) -> None:
        """It names the stream where there is one, and holds the sentence for a person."""
        session, _, delivery = make()
        session.receive('{"command":"fly","streamId":"a b"}')

        assert delivery.said == [
            {
                "command": "error",
                "definition": "invalidStreamName",
                "streamId": "a b",
                "information": INVALID_STREAM_NAME.information,
            }
        ]

    @pytest.mark.parametrize("data", [b"x" * 101, "x" * 101, "é" * 51], ids=["bytes", "text", "two bytes each"])
    async def test_a_message_beyond_the_limit_ends_the_session(self, data: bytes | str) -> None:
        """Size is counted in bytes of UTF-8; beyond the limit the session is closed with 1009."""
        session, host, delivery = make(limits=Limits(message_bytes_max=100))

        assert not session.receive(data)
        assert delivery.closed == [(1009, "message too big")]
        session.closed(1009)
        assert host.counters.oversized == 1

    async def test_a_message_at_the_limit_is_read(self) -> None:
        """Exactly as many bytes as allowed are fine."""
        session, host, _ = make(limits=Limits(message_bytes_max=100))
        session.receive("é" * 50)

        assert host.counters.undecodable == {"not_json": 1}


class TestRoom:
    """How a session is held back, Contract 15 in the other direction."""

    async def test_a_session_is_not_read_while_too_much_waits(self) -> None:
        """`receive` says when to stop reading, and `room` when to go on."""
        session, _, _ = make(limits=Limits(session_inputs_max=2))
        heard = [session.receive('{"command":"stop","streamId":"a"}') for _ in range(2)]

        assert heard == [True, False]
        with anyio.move_on_after(0) as scope:
            await session.room()
        assert scope.cancelled_caught
        session.applied()
        await session.room()

    async def test_a_client_that_does_not_stop_is_ended(self) -> None:
        """A callback path that goes on regardless ends its session with 1008, and no input more is taken."""
        session, host, delivery = make(limits=Limits(session_inputs_max=1, session_inputs_burst_max=2))
        for _ in range(4):
            session.receive('{"command":"stop","streamId":"a"}')

        assert len(host.commands) == 2
        assert delivery.closed[0] == (1008, "too many messages at once")
        assert host.counters.flooding_sessions == len(delivery.closed) == 1

    async def test_the_end_makes_room(self) -> None:
        """Whoever waits to read is let go when the session ends."""
        session, _, _ = make(limits=Limits(session_inputs_max=1))
        session.receive('{"command":"stop","streamId":"a"}')
        session.closed()
        await session.room()

        assert not session.receive('{"command":"ping"}')


PING = '{"command":"ping"}'
STOP = '{"command":"stop","streamId":"a"}'


class TestRates:
    """What one session may send in a while."""

    async def test_what_is_over_the_rate_is_dropped_and_counted(self) -> None:
        """Beyond its burst a session is answered by nothing, off the reel (contract item 13), until time passes."""
        session, host, delivery = make(limits=Limits(messages_per_s_max=2, messages_burst_max=3))
        for data in (STOP, "undefined", STOP, STOP, '{"command":"fly"}'):
            assert session.receive(data)
        await host.clock.advance(SECOND)
        for _ in range(3):
            session.receive(STOP)

        assert host.commands == [Stop(stream_id="a")] * 4
        assert (host.counters.over_rate, host.counters.undecodable) == (3, {"not_json": 1})
        assert (delivery.said, delivery.closed) == ([], [])

    async def test_sessions_of_one_identity_share_a_rate(self) -> None:
        """Two sessions say no more than one may, and the bucket goes with the last of them."""
        limits = Limits(identity_messages_per_s_max=1, identity_messages_burst_max=3)
        session, host, delivery = make(limits=limits)
        other = Session(host, session.info, delivery, None)
        for one in (session, other, session, other):
            one.receive(STOP)
        for one in (session, other, other):
            one.closed()
        kept = len(host.shared_rates)
        await host.clock.advance(3 * SECOND)
        host.shared_rates.join(SessionInfo(SessionId("t"), App("live"), ""), host.clock.now())

        assert (len(host.commands), host.counters.over_rate) == (3, 1)
        assert (kept, len(host.shared_rates)) == (1, 0)

    async def test_pings_are_counted_apart(self) -> None:
        """A session that may say nothing more may still say that it is there, and the other way round."""
        session, host, delivery = make(limits=Limits(messages_burst_max=1, pings_burst_max=2))
        for data in (STOP, STOP, PING, PING, PING):
            session.receive(data)

        assert (len(host.commands), delivery.said) == (1, [{"command": "pong"}] * 2)
        assert (host.counters.pings, host.counters.over_rate) == (2, 2)

    async def test_bytes_have_a_rate_too(self) -> None:
        """However few the messages, one session cannot make the reel grow faster than its rate."""
        limits = Limits(message_bytes_max=100, bytes_per_s_max=50, bytes_burst_max=100)
        session, host, _ = make(limits=limits)
        large = '{"command":"stop","streamId":"' + "a" * 38 + '"}'
        for _ in range(3):
            session.receive(large.replace("aa", "é"))  # Seventy bytes, fewer characters.
        await host.clock.advance(SECOND)
        session.receive(large)

        assert (len(host.commands), host.counters.over_rate) == (2, 2)

    @pytest.mark.parametrize("data", [STOP, PING, "undefined"], ids=["commands", "pings", "undecodable"])
    async def test_who_goes_on_is_ended(self, data: str) -> None:
        """After so much that was dropped the session is closed with 1008, once, and not read further."""
        limits = Limits(messages_burst_max=1, pings_burst_max=1, excess_messages_max=5)
        session, host, delivery = make(limits=limits)
        heard = [session.receive(data) for _ in range(9)]

        assert heard == [True] * 6 + [False] * 3
        assert delivery.closed == [(1008, "too many messages")]
        assert (host.counters.over_rate, host.counters.flooding_sessions) == (6, 1)
        with anyio.move_on_after(0) as scope:
            await session.room()
        assert scope.cancelled_caught

    async def test_who_pauses_has_a_clean_record(self) -> None:
        """Bursts that are too large now and then do not add up to a flood."""
        limits = Limits(messages_per_s_max=1, messages_burst_max=1, excess_messages_max=3)
        session, host, delivery = make(limits=limits)
        for _ in range(20):
            for _ in range(4):
                session.receive(STOP)
            await host.clock.advance(SECOND)

        assert (host.counters.over_rate, len(host.commands), delivery.closed) == (60, 20, [])

    async def test_a_real_client_is_far_below(self) -> None:
        """Sixty candidates at once, ten times over, and a ping every two seconds for an hour: nothing is dropped."""
        session, host, _ = make(limits=Limits(session_inputs_burst_max=1_000))
        for number in range(600):
            session.receive(f'{{"command":"takeCandidate","streamId":"a","label":0,"candidate":"candidate:{number}"}}')
        for _ in range(1_800):
            session.receive(PING)
            await host.clock.advance(2 * SECOND)

        assert (host.counters.over_rate, len(host.commands), host.counters.pings) == (0, 600, 1_800)

    async def test_no_limit(self) -> None:
        """A host that knows its clients can let them send what they like."""
        limits = Limits(
            messages_per_s_max=-1,
            identity_messages_per_s_max=-1,
            pings_per_s_max=-1,
            bytes_per_s_max=-1,
            session_inputs_burst_max=100_000,
        )
        session, host, _ = make(limits=limits)
        for _ in range(5_000):
            session.receive(STOP)
            session.receive(PING)

        assert (host.counters.over_rate, len(host.commands), host.counters.pings) == (0, 5_000, 5_000)


class TestMessages:
    """From messages to the delivery."""

    async def test_close_session_closes_and_is_not_sent(self) -> None:
        """`CloseSession` is for the transport alone."""
        session, _, delivery = make()
        session.deliver(CloseSession(1008, "kicked"))

        assert (delivery.said, delivery.closed) == ([], [(1008, "kicked")])

    async def test_nothing_is_sent_after_the_end(self) -> None:
        """A message for a session that has ended goes nowhere."""
        session, _, delivery = make()
        session.closed()
        session.refuse(NO_STREAM_EXIST, Play("a"))

        assert delivery.said == []


class ScriptedGate:
    """A gate that does what the test says, and keeps what it was asked."""

    def __init__(self, decide: Callable[[AnyCommand], Any]) -> None:
        self.asked: list[AnyCommand] = []
        self._decide = decide

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Decide as the test says."""
        self.asked.append(command)
        verdict: Verdict = self._decide(command)
        return verdict


class TestGate:
    """Access control in front of the runtime."""

    async def test_the_gate_sees_the_token_and_the_reel_does_not(self) -> None:
        """The gate decides about the whole command; the record gets the grant and no secret (Contract 11)."""
        gate = ScriptedGate(lambda _: Verdict.allow("tag"))
        session, host, _ = make(gate=gate)
        session.receive('{"command":"publish","streamId":"a","token":"secret"}')
        await host.work[0]()

        assert gate.asked == [Publish(stream_id="a", token="secret")]
        assert [(pending.command, pending.grant) for pending in host.enqueued[1:]] == [
            (Publish(stream_id="a"), Grant(allowed=True, identity="tag"))
        ]

    async def test_commands_keep_their_order(self) -> None:
        """What needs no verdict waits for what came before it and does; a gate is asked once that is applied."""
        gate = ScriptedGate(lambda _: Verdict.allow())
        session, host, _ = make(gate=gate)
        host.applies_to = None
        for data in (
            '{"command":"publish","streamId":"a"}',
            '{"command":"stop","streamId":"a"}',
            '{"command":"join","streamId":"b"}',
        ):
            session.receive(data)
        assert len(host.work) == 1
        async with anyio.create_task_group() as group:
            group.start_soon(host.work_off)
            for applied in range(2):
                await anyio.wait_all_tasks_blocked()
                assert (len(host.commands), len(gate.asked)) == (2, 1), applied
                session.applied()

        assert host.commands == [Publish(stream_id="a"), Stop(stream_id="a"), Join(stream_id="b")]
        assert gate.asked == [Publish(stream_id="a"), Join(stream_id="b")]

    async def test_a_session_that_has_ended_is_not_asked_about(self) -> None:
        """What waited for its turn is wished for by nobody any more."""
        gate = ScriptedGate(lambda _: Verdict.allow())
        session, host, _ = make(gate=gate)
        host.applies_to = None
        session.receive('{"command":"publish","streamId":"a"}')
        session.receive('{"command":"join","streamId":"b"}')
        async with anyio.create_task_group() as group:
            group.start_soon(host.work_off)
            await anyio.wait_all_tasks_blocked()
            session.closed()

        assert gate.asked == [Publish(stream_id="a")]

    async def test_what_needs_no_grant_is_not_asked_about(self) -> None:
        """A command that acts on what is held goes straight to the inbox."""
        gate = ScriptedGate(lambda _: Verdict.allow())
        session, host, _ = make(gate=gate)
        session.receive('{"command":"stop","streamId":"a"}')

        assert (host.work, host.commands) == ([], [Stop(stream_id="a")])

    @pytest.mark.parametrize("answer", [True, None, Grant(allowed=True)], ids=["True", "None", "Grant"])
    async def test_what_is_no_verdict_lets_nobody_in(self, answer: object) -> None:
        """Only a `Verdict` can allow; a bare truth, nothing, or anything else refuses."""
        session, host, _ = make(gate=ScriptedGate(lambda _: answer))
        session.receive('{"command":"play","streamId":"a"}')
        await host.work[0]()

        assert [pending.grant for pending in host.enqueued[1:]] == [Grant(allowed=False)]
        assert host.counters.gate_failures == 1

    async def test_a_gate_that_raises_lets_nobody_in(self) -> None:
        """An exception refuses the command; the next one is decided anew."""

        def decide(command: AnyCommand) -> Verdict:
            if command == Publish(stream_id="a"):
                raise LookupError("the token is canary")
            return Verdict.allow()

        session, host, _ = make(gate=ScriptedGate(decide))
        session.receive('{"command":"publish","streamId":"a"}')
        session.receive('{"command":"play","streamId":"a"}')
        await host.work[0]()

        assert [(type(pending.command), pending.grant) for pending in host.enqueued[1:]] == [
            (Publish, Grant(allowed=False)),
            (Play, Grant(allowed=True)),
        ]

    async def test_a_gate_that_is_silent_lets_nobody_in(self) -> None:
        """A gate has a named time; after it the command is refused."""

        class Silent:
            async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
                await anyio.sleep_forever()
                return Verdict.allow()

        session, host, _ = make(gate=Silent(), limits=Limits(gate_ms_max=1))
        session.receive('{"command":"publish","streamId":"a"}')
        await host.work[0]()

        assert [pending.grant for pending in host.enqueued[1:]] == [Grant(allowed=False)]

    async def test_a_session_that_leaves_wishes_for_nothing(self) -> None:
        """What the gate still thinks about is dropped when its session ends."""

        def decide(_: AnyCommand) -> Verdict:
            session.closed()
            return Verdict.allow()

        session, host, _ = make(gate=ScriptedGate(decide))
        session.receive('{"command":"publish","streamId":"a"}')
        await host.work[0]()

        assert host.commands == []
