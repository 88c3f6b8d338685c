"""A transport with faults in it: it stands between the runtime and the real one, and does to both what an id asks for.

Nothing here answers in the engine's place but the refusals; what is late, lost, twice or made up is so on the way.
"""

from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from functools import partial
from typing import Any, Final, cast

import anyio
import anyio.abc
import msgspec
from msgspec import structs

from signalreel.machines.context import error_of
from signalreel.messages import AnyMessage, Notification, encode_message
from signalreel.refusals import INVALID_STREAM_NAME, Refusal
from signalreel_adapters.ports import Clock, Peer, Transport, TransportClosed
from signalreel_adapters.testserver.faults import Moment
from signalreel_adapters.testserver.scripts import InvalidScript, Script, inner_of, is_mock, outer_in, read_script

__all__ = ("ATTEMPTS_MAX", "INPUTS_MAX", "Attempts", "MockedTransport")

Attempts = MutableMapping[tuple[str, str], int]
"""How often each id was named by each command, over all connections."""

ATTEMPTS_MAX: Final = 100_000
"""Ids that are counted; then all begin anew."""

INPUTS_MAX: Final = 256
"""What of one client waits to be read; it is read no further until some of it was."""

_Json = dict[str, Any]

_NAMING: Final = ("streamId", "room", "mainTrack")
"""Fields in which a command names what it is about."""

_NAMED: Final = ("streamId", "room", "ATTR_ROOM_NAME")
"""Fields in which a message does."""

_FOLLOWING: Final = frozenset({"takeConfiguration", "takeCandidate", "stop", "leave", "leaveFromRoom"})
"""Commands that only go on with what another began, or end it. They are no attempts."""

_DESCRIBING: Final = frozenset({"takeConfiguration", "takeCandidate"})
_STARTED: Final = frozenset({"publish_started", "play_started", "session_restored", "joined", "joinedTheRoom"})
_ENDING: Final = ("stop", "leave", "leaveFromRoom")
_STARTING_OF: Final = {"joined": "leave", "joinedTheRoom": "leaveFromRoom"}
"""What ends that which began so; all else, `stop` ends."""

_CLOSED_BY_FAULT: Final = 1011
_RESTART: Final = 1012
_AGAIN_US: Final = 3_000_000
_WEAK: Final = Notification("bitrateMeasurement", target_bitrate=150_000, video_bitrate=1_500_000, audio_bitrate=32_000)
_GARBAGE: Final = (
    b"this is no JSON",
    b'{"command":"unheardOf","streamId":"nobody"}',
    b'{"command":"notification","definition":"unheard_of"}',
    b'{"command":"notification","definition":"play_finished","streamId":"nobody"}',
)


class MockedTransport:
    """One connection. Run `pump` beside it; what it starts besides runs in `tasks` until those are cancelled."""

    def __init__(self, transport: Transport, attempts: Attempts, clock: Clock, tasks: anyio.abc.TaskGroup) -> None:
        self._transport = transport
        self._attempts = attempts
        self._clock = clock
        self._tasks = tasks
        self._scripts: dict[str, Script] = {}
        self._begun: set[str] = set()
        self._late: dict[str, deque[tuple[int, bytes]]] = {}
        self._answers_pings = True
        self._is_dead = False
        self._end: Exception = TransportClosed()
        self._put, self._inward = anyio.create_memory_object_stream[bytes | str](INPUTS_MAX)

    @property
    def peer(self) -> Peer:
        """Who is at the other end."""
        return self._transport.peer

    async def pump(self) -> None:
        """Read the client until it has gone."""
        try:
            while True:
                await self._take(await self._transport.receive())
        except Exception as error:  # noqa: BLE001 - raised again where it belongs, in `receive`
            self._end = error
        finally:
            self._put.close()

    async def receive(self) -> bytes | str:
        """Wait for what the client says and no fault has swallowed."""
        try:
            return await self._inward.receive()
        except anyio.EndOfStream:
            raise self._end from None

    async def send(self, data: bytes) -> None:
        """Hand over a message, unless a fault swallows it; later, or twice, when one says so."""
        if self._is_dead:
            return
        message, data = _as_client_sees_it(data)
        name = next((str(message[field]) for field in _NAMED if message.get(field) in self._scripts), "")
        if not name:
            await self._transport.send(data)
            return
        faults = self._scripts[name].faults
        lost = {"takeConfiguration": "no_description", "takeCandidate": "no_candidates"}.get(str(message["command"]))
        if lost in faults:
            return
        for _ in range(2 if "duplicate" in faults else 1):
            await self._send(name, data)
        if message.get("definition") in _STARTED and name not in self._begun:
            self._begun.add(name)
            self._begin(name, str(message["definition"]))

    async def close(self, code: int, reason: str) -> None:
        """End the connection. What is late does not come any more."""
        await self._transport.close(code, reason)

    def release(self) -> None:
        """Let go of what waits; nobody reads it any more."""
        self._put.close()
        self._inward.close()

    # ---- what the client says

    async def _take(self, data: bytes | str) -> None:
        if self._is_dead:
            return
        try:
            said = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeError):
            said = None
        if not isinstance(said, dict):
            await self._put.send(data)
            return
        message = cast(_Json, said)
        if message.get("command") == "ping" and not self._answers_pings:
            return
        name = next((one for field in _NAMING if isinstance(one := message.get(field), str) and is_mock(one)), "")
        if name and await self._is_swallowed(name, str(message.get("command"))):
            return
        await self._put.send(msgspec.json.encode(inner_of(message)))

    async def _is_swallowed(self, name: str, command: str) -> bool:
        """Do what the id asks for when it is named; whether the command goes no further."""
        if command not in _FOLLOWING and not await self._attempted(name, command):
            return True
        script = self._scripts.get(name)
        if script is None:
            return False
        faults, fault = script.faults, script.refusal
        if "close" in faults and "close_after_start" not in faults:
            await self.close(faults["close"], "as the id asked for")
            return True
        if fault is None or fault.refusal is None:
            return "no_answer" in faults
        if fault.moment is Moment.NEVER_CONNECTED:
            return command in _DESCRIBING
        if fault.moment is Moment.STARTED or command in _ENDING:
            return False
        if fault.moment is Moment.DESCRIPTION and command != "takeConfiguration":
            return False
        await self._refuse(fault.refusal, name)
        return True

    async def _attempted(self, name: str, command: str) -> bool:
        """Count an attempt and take up what it asks for. Answers an id that cannot be read, and says so by False."""
        try:
            script = read_script(name)
        except InvalidScript as error:
            refusal = structs.replace(INVALID_STREAM_NAME, information=f"{name}: {error}.")
            await self._refuse(refusal, name)
            return False
        if len(self._attempts) >= ATTEMPTS_MAX:
            self._attempts.clear()
        count = self._attempts.get((name, command), 0) + 1
        self._attempts[name, command] = count
        self._begun.discard(name)
        if "times" in script.faults and count > script.faults["times"]:
            self._scripts.pop(name, None)
            return True
        self._scripts[name] = script
        if "no_pong" in script.faults:
            self._answers_pings = False
        return True

    # ---- what the client is told

    async def _refuse(self, refusal: Refusal, name: str) -> None:
        await self._send(name, _encoded(error_of(refusal, None, stream_id=name)))

    async def _send(self, name: str, data: bytes) -> None:
        """Hand over what is about an id, when its time has come."""
        script = self._scripts.get(name)
        wait = script.faults.get("slow_answer", 0) if script is not None else 0
        if not wait:
            with suppress(TransportClosed):
                await self._transport.send(data)
            return
        late = self._late.setdefault(name, deque())
        late.append((self._clock.now() + wait, data))
        if len(late) == 1:
            self._tasks.start_soon(self._deliver, late)

    async def _deliver(self, late: deque[tuple[int, bytes]]) -> None:
        """Hand over what is late, in its order."""
        while late:
            await self._clock.sleep_until(late[0][0])
            if not self._is_dead:
                with suppress(TransportClosed):
                    await self._transport.send(late[0][1])
            late.popleft()

    # ---- what happens once something has started

    def _begin(self, name: str, started: str) -> None:
        script = self._scripts[name]
        faults, fault = script.faults, script.refusal
        ends = _STARTING_OF.get(started, "stop")
        if "garbage" in faults:
            self._tasks.start_soon(self._babble, name)
        if "low_bitrate" in faults:
            self._tasks.start_soon(self._complain, name)
        if "finish_after" in faults:
            self._later(faults["finish_after"], partial(self._finish, name, ends))
        if fault is not None and fault.refusal is not None and fault.moment is Moment.STARTED:
            self._later(0, partial(self._give_up, name, ends, fault.refusal))
        if "server_will_stop" in faults:
            self._later(0, partial(self._send, name, _encoded(Notification("server_will_stop"))))
            self._later(faults["server_will_stop"], partial(self.close, _RESTART, "the server stops"))
        if "close_after_start" in faults:
            code = faults.get("close", _CLOSED_BY_FAULT)
            self._later(faults["close_after_start"], partial(self.close, code, "as the id asked for"))
        if "half_open" in faults:
            self._later(faults["half_open"], self._die)

    def _later(self, wait: int, work: Callable[[], Awaitable[None]]) -> None:
        at = self._clock.now() + wait

        async def run() -> None:
            await self._clock.sleep_until(at)
            await work()

        self._tasks.start_soon(run)

    async def _babble(self, name: str) -> None:
        for data in _GARBAGE:
            await self._send(name, data)

    async def _complain(self, name: str) -> None:
        data = _encoded(structs.replace(_WEAK, stream_id=name))
        while True:
            await self._send(name, data)
            await self._clock.sleep_until(self._clock.now() + _AGAIN_US)

    async def _finish(self, name: str, ends: str) -> None:
        """End it as if the client had wished so: it is told what it is told of an end by the server."""
        field = "room" if ends == "leaveFromRoom" else "streamId"
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            await self._put.send(msgspec.json.encode(inner_of({"command": ends, field: name})))

    async def _give_up(self, name: str, ends: str, refusal: Refusal) -> None:
        await self._refuse(refusal, name)
        await self._finish(name, ends)

    async def _die(self) -> None:
        self._is_dead = True


def _encoded(message: AnyMessage) -> bytes:
    return encode_message(message)


def _as_client_sees_it(data: bytes) -> tuple[_Json, bytes]:
    """Give a message with the ids as clients wrote them; descriptions are left as they are."""
    if b"mock." not in data:
        return {}, data
    message = cast(_Json, msgspec.json.decode(data))
    sdp = message.pop("sdp", None)
    renamed = cast(_Json, msgspec.json.decode(outer_in(msgspec.json.encode(message).decode())))
    if sdp is not None:
        renamed["sdp"] = sdp
    return renamed, msgspec.json.encode(renamed)
