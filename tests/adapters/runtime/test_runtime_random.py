"""The runtime under anything that clients send: commands that are right, commands that are a little wrong, and noise.

Several sessions over memory, a gate that says anything, and media that does its part. Nothing raises, everybody else is
served as before, each message is accounted for, and what a session was sent is what the reel says it was to be sent, of
which `rights` has its own opinion.
"""

import random
from collections import Counter
from typing import Any, Final, cast

import anyio
import msgspec
import pytest

from signalreel.commands import COMMANDS, AnyCommand
from signalreel.engine import Engine
from signalreel.header import Header
from signalreel.messages import Pong, encode_message
from signalreel.record import Record, decode_record
from signalreel.reel import MemoryReel
from signalreel.settings import Settings
from signalreel.step import Step
from signalreel_adapters import (
    FakeMedia,
    Limits,
    MemoryClient,
    MemoryTransport,
    Runtime,
    SeededIds,
    SessionInfo,
    TransportClosed,
    Verdict,
)
from signalreel_adapters.runtime.limits import UNLIMITED
from signalreel_adapters.testing import ManualClock
from signalreel_adapters.testing.clock import SECOND
from tests.adapters.calls import names
from tests.engine.rights import Rights
from tests.engine.test_engine_random import Chance
from tests.engine.test_engine_rights import command_of

pytestmark = pytest.mark.anyio

SEEDS: Final = range(3)
MESSAGES_IN_A_RUN: Final = 500
SESSIONS: Final = ("live", "live", "live", "other")
SETTINGS: Final = Settings(restore_ms=2_000, hide_streams=True, room_events=True)
FREELY: Final = Limits(
    messages_per_s_max=UNLIMITED,
    pings_per_s_max=UNLIMITED,
    bytes_per_s_max=UNLIMITED,
    identity_messages_per_s_max=UNLIMITED,
    address_messages_per_s_max=UNLIMITED,
)
"""Nothing is dropped for being too much, so that everything sent can be counted."""

VALUES: Final[tuple[Any, ...]] = (
    None, True, -1, 0.5, 10**400, -(2**64), "", "a\n", "x" * 5_000, "\U0001f600", [], {}, [[]], {"a": None}, ["s1", 7],
)  # fmt: skip
NOISE: Final = (
    b"",
    b"undefined",
    b"null",
    b"[]",
    b"7",
    b'"publish"',
    b"{",
    b"{}",
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b'{"command":7}',
    b'{"command":"nothing"}',
    b'{"command":"publish","streamId":"\\ud800"}',
    b'{"command":"publish","command":"stop","streamId":"s1","streamId":"s2"}',
    b"[" * 3_000,
    b'{"command":"stop","streamId":"s1","x":' + b"[" * 3_000 + b"]" * 3_000 + b"}",
    b'{"command":"peerMessageCommand","streamId":"p1","data":' + b"[" * 40 + b"]" * 40 + b"}",
    b'{"command":"takeCandidate","streamId":"s1","label":1e400}',
    b'{"command":"stop","streamId":"' + b"y" * 90_000 + b'"}',
)
OFF_THE_REEL: Final = {"noStreamNameSpecified", "invalidStreamName"}
"""What is answered to what is no command (contract 13), besides pongs."""

PONG: Final = encode_message(Pong())
OFTEN: Final = ("publish", "play", "takeConfiguration", "join", "joinRoom") * 4


class Whim:
    """A gate that says anything, or fails."""

    def __init__(self, seed: int) -> None:
        self.failures = 0
        self._chance = random.Random(seed)

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Allow mostly; raise, or give something that is no verdict, now and then."""
        await anyio.lowlevel.checkpoint()
        whim = self._chance.random()
        if whim < 0.05:
            self.failures += 1
            raise LookupError("a whim")
        if whim < 0.1:
            self.failures += 1
            return cast(Verdict, True)
        if whim < 0.2:
            return Verdict.refuse()
        return Verdict.allow(self._chance.choice(("", "alice", "bob")), once=self._chance.choice(("", "", "", "t1")))


def spelled(session: str, chance: Chance) -> bytes:
    """Something that a client sends: a command, one with something wrong in it, or noise."""
    kind = cast(type[AnyCommand], COMMANDS[chance.choice((*COMMANDS, *OFTEN))])
    fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(command_of(kind, session, chance)))
    sort = chance.random()
    if sort < 0.15:
        fields[chance.choice((*fields, "streamId", "unknown"))] = chance.choice(VALUES)
    elif sort < 0.2:
        del fields[chance.choice(tuple(fields))]
    text = bytearray(json_of(fields))
    if 0.2 <= sort < 0.3:
        for _ in range(chance.randrange(1, 4)):
            text[chance.randrange(len(text))] = chance.randrange(256)
    elif 0.3 <= sort < 0.33:
        del text[chance.randrange(len(text)) :]
    elif 0.33 <= sort < 0.4:
        return chance.choice(NOISE)
    return bytes(text)


def json_of(fields: dict[str, Any]) -> bytes:
    """JSON, with numbers as large as one likes."""
    parts = [
        msgspec.json.encode(name) + b":" + (str(value).encode() if type(value) is int else msgspec.json.encode(value))
        for name, value in fields.items()
    ]
    return b"{" + b",".join(parts) + b"}"


class Caller:
    """A session and everything that it was sent."""

    def __init__(self, app: str) -> None:
        self.app = app
        self.transport = MemoryTransport()
        self.id = ""
        self.heard: list[bytes] = []

    def is_open(self) -> bool:
        """Whether neither end has closed."""
        return self.transport.ended is None

    async def listen(self) -> None:
        """Read until the transport ends."""
        try:
            while True:
                self.heard.append(await self.transport.get())
        except TransportClosed:
            return


class Crowd:
    """Sessions that come, say anything, and go."""

    def __init__(self, runtime: Runtime, tasks: Any, seed: int) -> None:  # noqa: ANN401 - either backend's task group
        self.runtime = runtime
        self.chance = Chance(seed)
        self.callers: list[Caller] = []
        self.gone: list[Caller] = []
        self.sent = 0
        self._tasks = tasks

    async def settle(self) -> None:
        """Until everything that was said has been read, and has had its effect.

        The pong to a ping says that all before it was read. Waiting for idle tasks would do, and takes an age.
        """
        for caller in self.callers:
            await self._ping(caller)
        await self.runtime.idle()
        for caller in self.callers:
            await self._ping(caller)

    async def _ping(self, caller: Caller) -> None:
        if caller.is_open():
            self.sent += 1
            awaited = caller.heard.count(PONG) + 1
            await caller.transport.put(b'{"command":"ping"}')
            while caller.is_open() and caller.heard.count(PONG) < awaited:
                await anyio.lowlevel.checkpoint()

    async def come(self, app: str) -> None:
        """One more session."""
        caller = Caller(app)
        self.runtime.attach_soon(caller.transport, app=app)
        self._tasks.start_soon(caller.listen)
        self.callers.append(caller)
        await self.settle()
        caller.id = self.runtime.engine.sessions()[-1].id

    async def go(self, caller: Caller) -> None:
        """One fewer; after what it said has been applied, so that it counts."""
        await self.settle()
        caller.transport.end(self.chance.choice((1000, 1006)), "")
        self.callers.remove(caller)
        self.gone.append(caller)
        await self.settle()

    async def say(self) -> None:
        """Somebody says something; as bytes, or as text where it is one."""
        caller = self.chance.choice(self.callers)
        if not caller.is_open():
            await self.go(caller)
            await self.come(caller.app)
            return
        if self.chance.random() < 0.5:
            alive = [machine for _, machine in self.runtime.engine.machines()]
            self.chance.focus = (self.chance.choice(alive).id if alive else "").rpartition("/")[2]
        data = spelled(caller.id, self.chance)
        self.chance.focus = ""
        self.sent += 1
        try:
            text: bytes | str = data.decode() if self.chance.random() < 0.5 else data
        except UnicodeDecodeError:
            text = data
        await caller.transport.put(text)
        while len(data) > FREELY.message_bytes_max and caller.is_open():
            await anyio.lowlevel.checkpoint()  # It is cut off for this, and hears nothing that is said to it then.
        if self.chance.random() < 0.5:
            await self.settle()


def steps_of(reel: MemoryReel) -> list[tuple[Record, Step]]:
    """What the reel says happened."""
    engine = Engine(reel.header.settings, started_at=reel.header.started_at)
    records = [decode_record(entry.record) for entry in reel.entries()]
    return [(record, engine.apply(record)) for record in records]


def check_heard(caller: Caller, steps: list[tuple[Record, Step]]) -> None:
    """What a session was sent is what was to be said to it, in order, and the few answers that are off the reel."""
    meant = [encode_message(message) for _, step in steps for to, message in step.messages if to == caller.id]
    rest = iter(caller.heard)
    was_cut = caller.transport.ended is not None and caller.transport.ended.code == 1009
    assert was_cut or all(message in rest for message in meant), "something was not said, or not in its turn"
    beside = Counter(caller.heard) - Counter(meant)
    for data in beside:
        message = msgspec.json.decode(data)
        assert message["command"] == "pong" or message["definition"] in OFF_THE_REEL, message


def check_counted(runtime: Runtime, crowd: Crowd, gate: Whim, steps: list[tuple[Record, Step]]) -> None:
    """Everything that was sent is on the reel or in exactly one counter."""
    counters = runtime.counters
    commands = sum(record.command is not None for record, _ in steps)
    beside = counters.pings + sum(counters.undecodable.values()) + counters.oversized
    assert crowd.sent == commands + beside
    assert counters.gate_failures == gate.failures
    assert (counters.over_rate, counters.flooding_sessions, counters.unrecorded) == (0, 0, 0)
    assert (counters.transport_failures, counters.media_failures, counters.unreachable) == (0, 0, 0)


async def check_free(runtime: Runtime, clock: ManualClock) -> None:
    """When all have gone and every timer has come, nothing lives, and whoever comes is served."""
    await clock.advance(60 * SECOND)
    await runtime.idle()
    assert list(runtime.engine.machines()) == []
    async with MemoryClient(runtime) as late:
        for id in ("s1", "s2", "r1", "p1"):
            await late.send({"command": "ping"})
            await late.expect("pong")
            heard: list[str] = []
            while heard in ([], ["unauthorized_access"]):  # Until the gate is in the mood.
                await late.send({"command": "publish", "streamId": id})
                heard = names(await late.flush())
            assert heard == ["start"]
            await late.send({"command": "stop", "streamId": id})
            await late.flush()


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_clients_send_nothing_raises_and_nothing_leaks(seed: int) -> None:
    """Contracts 10, 12, 13 and 14, on both backends, with whatever comes over the wire."""
    reel, clock, gate = MemoryReel(Header(SETTINGS)), ManualClock(), Whim(seed)
    media, ids = FakeMedia(), SeededIds(seed)
    run = Runtime(reel, gate=gate, media=media, clock=clock, ids=ids, limits=FREELY)
    async with run as runtime, anyio.create_task_group() as tasks:
        crowd = Crowd(runtime, tasks, seed)
        for app in SESSIONS:
            await crowd.come(app)
        for _ in range(MESSAGES_IN_A_RUN):
            await crowd.say()
            if crowd.chance.random() < 0.02:
                leaves = crowd.chance.choice(crowd.callers)
                await crowd.go(leaves)
                await crowd.come(leaves.app)
            if crowd.chance.random() < 0.005:
                await clock.advance(crowd.chance.choice((SECOND // 10, 3 * SECOND)))
        for caller in list(crowd.callers):
            await crowd.go(caller)
        steps = steps_of(reel)
        check_counted(runtime, crowd, gate, steps)
        await check_free(runtime, clock)

        rights = Rights(SETTINGS)
        for record, step in steps:
            rights.follow(record, step)
        for caller in crowd.gone:
            check_heard(caller, steps)
        assert sum(record.command is not None for record, _ in steps) > MESSAGES_IN_A_RUN // 2
