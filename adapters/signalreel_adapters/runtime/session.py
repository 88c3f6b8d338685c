"""One client's attachment: from the bytes it sends to inputs in the inbox, and from messages to its delivery.

Everything here is synchronous, so that a transport made of callbacks needs no task for a session. Only a gate needs
one, and only while it thinks.

What ends here and never reaches the reel (contract item 13): pings, what cannot be decoded, what is too much, and what
comes before the runtime is ready.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, cast

import anyio

from signalreel.commands import (
    AnyCommand,
    Ping,
)
from signalreel.decoding import decode_command, without_secrets
from signalreel.errors import Undecodable
from signalreel.events import SessionClosed, SessionOpened
from signalreel.grants import GATED
from signalreel.identifiers import is_valid_name
from signalreel.machines.context import error_of
from signalreel.machines.names import refusal_of_names
from signalreel.messages import (
    POLICY_VIOLATION,
    AnyMessage,
    CloseSession,
    IceServerConfig,
    Pong,
    encode_message,
)
from signalreel.record import Grant
from signalreel.refusals import INVALID_STREAM_NAME, NOT_INITIALIZED_YET, REFUSALS, Refusal
from signalreel_adapters.ports import Clock, Delivery, Gate, IceServers, SessionInfo, Verdict
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.inbox import Pending
from signalreel_adapters.runtime.limits import Limits
from signalreel_adapters.runtime.log import Log
from signalreel_adapters.runtime.noting import Noting
from signalreel_adapters.runtime.rates import Rates, SharedRates

__all__ = ("MESSAGE_TOO_BIG", "Host", "Session")

MESSAGE_TOO_BIG: Final = 1009
"""Close code for a message beyond the limit (RFC 6455, section 7.4.1)."""

_VANISHED: Final = 1006
"""The code that stands for a connection that ended without one (RFC 6455, section 7.4.1)."""

_SERVERS_CODES: Final = frozenset({1011, 1012, 1013, MESSAGE_TOO_BIG})
"""Codes with which only a server ends a session."""

_PONG: Final = encode_message(Pong())
_log: Final = Log("signalreel.session")


class Host(Protocol):
    """What a session needs of the runtime."""

    limits: Limits
    counters: Counters
    ice: IceServers | None
    shared_rates: SharedRates
    notes: Noting | None

    @property
    def clock(self) -> Clock:
        """What the rates are measured with."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether commands are taken."""
        ...

    def enqueue(self, pending: Pending) -> None:
        """Put an input in its place in the order."""
        ...

    def forget(self, session: "Session") -> None:
        """Drop a session that has ended."""
        ...

    def decide_soon(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run the gate beside the loop."""
        ...


class Session:
    """One client's attachment through a transport. Made by `Runtime.open_session`."""

    def __init__(self, host: Host, info: SessionInfo, delivery: Delivery, gate: Gate | None) -> None:
        self.info = info
        self.delivery_tells = False  #: whether the delivery itself says what it handed over, and what it did not
        self._host = host
        self._delivery = delivery
        self._gate = gate
        self._ungated: deque[AnyCommand] = deque()
        self._deciding = False
        self._settled = anyio.Event()
        self._in_flight = 0
        self._is_flooding = False
        self._is_closing = False
        now = host.clock.now()
        self._rates = Rates(host.limits, now, host.shared_rates.join(info, now))
        self._room = anyio.Event()
        self._room.set()
        self._ended = anyio.Event()
        host.enqueue(Pending(info.session, event=SessionOpened(info.app, info.identity)))

    @property
    def id(self) -> str:
        """The id that the runtime drew for the session."""
        return self.info.session

    @property
    def is_closed(self) -> bool:
        """Whether the session has ended."""
        return self._ended.is_set()

    def receive(self, data: bytes | str) -> bool:
        """Take what the client sent. Never raises, whatever it is.

        Returns False when enough of this session's input is waiting: stop reading from its transport until `room` says
        otherwise. A transport that cannot stop at once is tolerated up to `Limits.session_inputs_burst_max`.
        """
        if self._ended.is_set() or self._is_flooding:
            return False
        limits = self._host.limits
        size = _size(data, limits.message_bytes_max)
        if size > limits.message_bytes_max:
            self._note("oversized")
            self.close(MESSAGE_TOO_BIG, "message too big")
            return False
        now = self._host.clock.now()
        if not self._rates.allow_bytes(size, now):
            return self._drop()
        try:
            command = decode_command(data)
        except Undecodable as error:
            return self._reject(error, now)
        if type(command) is Ping:
            return self._answer_ping(command, now)
        if not self._rates.allow_message(now):
            return self._drop()
        if not self._host.is_ready:
            return self._answer_early(command)
        if self._in_flight >= limits.session_inputs_burst_max:
            return self._end_flood("too many messages at once")
        self._in_flight += 1
        if self._deciding or (self._gate is not None and isinstance(command, GATED)):
            self._ungated.append(command)
            if not self._deciding:
                self._deciding = True
                self._host.decide_soon(self._decide)
        else:
            self._enqueue(command, None)
        return self._has_room()

    async def room(self) -> None:
        """Wait until more input may be read: some of what waited was applied, or the session has ended."""
        await self._room.wait()

    def closed(self, code: int = 1000, reason: str = "") -> None:
        """Take note that the transport has ended; what the session held is let go. Calling it twice is harmless."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._room.set()
        if code == MESSAGE_TOO_BIG:  # Found here, or by a transport that does not even hand such a message over.
            self._host.counters.oversized += 1
        self._ungated.clear()
        self._settled.set()
        self._host.shared_rates.leave(self.info, self._host.clock.now())
        self._host.forget(self)
        if self._host.notes is not None:
            self._host.notes.closed(self.id, code, reason, self._closed_by(code))
        self._host.enqueue(Pending(self.id, event=SessionClosed(code, reason)))

    def _closed_by(self, code: int) -> str:
        """Say who ended the transport; nothing when it just broke."""
        if self._is_closing or code in _SERVERS_CODES:
            return "server"
        return "" if code == _VANISHED else "client"

    def _note(self, reason: str) -> None:
        """Note an input that is on no record."""
        if self._host.notes is not None:
            self._host.notes.off_reel(self.id, reason)

    async def ended(self) -> None:
        """Wait until the session has ended."""
        await self._ended.wait()

    def deliver(self, message: AnyMessage) -> None:
        """Hand a message to the transport, or close it when that is what the message says."""
        if self._ended.is_set():
            return
        if type(message) is CloseSession:
            self.close(message.code, message.reason)
            return
        self._host.counters.messages += 1
        if self._host.notes is not None and not self.delivery_tells:
            self._host.notes.delivered(self.id)
        self._delivery.send(encode_message(self._completed(message)))

    def _completed(self, message: AnyMessage) -> AnyMessage:
        """Put the ICE server and this session's credential into the message that tells of them, on its way out only."""
        if self._host.ice is None or type(message) is not IceServerConfig:
            return message
        try:
            server = self._host.ice.for_session(self.info)
        except Exception as error:  # noqa: BLE001 - an adapter's bug must not stop the order
            self._host.counters.ice_failures += 1
            _log.error("ICE servers failed", session=self.id, error=type(error).__name__)
            return message
        return IceServerConfig(server.uri, server.username, server.credential)

    def close(self, code: int, reason: str) -> None:
        """End the session from this side, after what was said before."""
        self._is_closing = True
        self._delivery.close(code, reason)

    def unrecorded(self, refusal: Refusal, command: AnyCommand) -> None:
        """Answer a command that could not be put on the reel."""
        self._note("reel failed")
        self.refuse(refusal, command)

    def refuse(self, refusal: Refusal, command: AnyCommand | None, stream_id: str = "") -> None:
        """Answer off the reel with an entry of the catalogue, as the engine does."""
        self.deliver(error_of(refusal, command, stream_id=stream_id))

    def applied(self) -> None:
        """Take note that one of the session's inputs has been applied or refused."""
        self._in_flight -= 1
        self._settled.set()
        if self._is_flooding or self._room.is_set():
            return
        if self._in_flight < self._host.limits.session_inputs_max:
            self._room.set()

    def _drop(self) -> bool:
        """Count a message that is over the rate; end the session when it goes on and on. Whether to read further."""
        self._host.counters.over_rate += 1
        self._note("rate limited")
        if not self._rates.is_flooding:
            return self._has_room()
        return self._end_flood("too many messages")

    def _end_flood(self, reason: str) -> bool:
        """End a session that does not stop writing, and read no more of it."""
        self._is_flooding = True
        self._host.counters.flooding_sessions += 1
        self._room = anyio.Event()
        self.close(POLICY_VIOLATION, reason)
        return False

    def _has_room(self) -> bool:
        if self._in_flight < self._host.limits.session_inputs_max:
            return True
        if self._room.is_set() and not self._ended.is_set():
            self._room = anyio.Event()
        return False

    def _reject(self, error: Undecodable, now: int) -> bool:
        """Count what is no command, and answer it where the protocol has an answer."""
        if not self._rates.allow_message(now):
            return self._drop()
        self._host.counters.reject(error.reason)
        self._note("undecodable")
        if error.definition:
            self.refuse(REFUSALS[error.definition], None, error.stream_id)
        return self._has_room()

    def _answer_ping(self, ping: Ping, now: int) -> bool:
        """Answer at once. It needs no stream id, but one that it carries is checked, as on the real server."""
        if not self._rates.allow_ping(now):
            return self._drop()
        if ping.stream_id and not is_valid_name(ping.stream_id):
            self._host.counters.reject("invalid_name")
            self.refuse(INVALID_STREAM_NAME, ping)
        else:
            self._host.counters.pings += 1
            self._host.counters.messages += 1
            self._delivery.send(_PONG)
        return self._has_room()

    def _answer_early(self, command: AnyCommand) -> bool:
        """Answer a command that comes before the runtime is ready; it is not kept."""
        refusal = refusal_of_names(command) or NOT_INITIALIZED_YET
        self._host.counters.early += 1
        self._note("not initialized yet")
        self.refuse(refusal, command)
        return self._has_room()

    def _enqueue(self, command: AnyCommand, grant: Grant | None) -> None:
        self._host.enqueue(Pending(self.id, command=without_secrets(command), grant=grant))

    async def _decide(self) -> None:
        """Ask the gate about what waits, in order; what needs no verdict keeps its place in the order.

        A gate looks at the engine, so it is asked once all that the session said before has been applied. Otherwise two
        commands sent at once would be decided by what was before the first.
        """
        gate = self._gate
        while self._ungated:
            command = self._ungated[0]
            grant: Grant | None = None
            if gate is not None and isinstance(command, GATED):
                await self._all_applied()
                if self._ungated:
                    grant = await self._verdict(gate, command)
            if not self._ungated:  # The session ended meanwhile, and with it everything it still wished for.
                break
            self._ungated.popleft()
            self._enqueue(command, grant)
        self._deciding = False

    async def _all_applied(self) -> None:
        """Wait until nothing of the session is on its way but what waits for the gate."""
        while self._in_flight > len(self._ungated) and not self._ended.is_set():
            self._settled = anyio.Event()
            await self._settled.wait()

    async def _verdict(self, gate: Gate, command: AnyCommand) -> Grant:
        """Ask the gate once. An exception, silence, or anything that is no verdict refuses."""
        try:
            with anyio.fail_after(self._host.limits.gate_ms_max / 1_000):
                # Taken as `object`: an untyped gate may well return True, which must let nobody in.
                verdict = cast(object, await gate.decide(command, self.info))
        except Exception as error:  # noqa: BLE001 - whatever a gate raises, nobody is let in by it
            self._host.counters.gate_failures += 1
            _log.error("gate failed", session=self.id, command=type(command).__name__, error=type(error).__name__)
            return Grant(allowed=False)
        if not isinstance(verdict, Verdict):
            self._host.counters.gate_failures += 1
            _log.error("gate gave no verdict", session=self.id, command=type(command).__name__)
            return Grant(allowed=False)
        return verdict.grant


def _size(data: bytes | str, most: int) -> int:
    """Give the length in bytes of UTF-8; of what is too long anyway, any length that is too long."""
    if len(data) > most or isinstance(data, bytes) or data.isascii():
        return len(data)
    return len(data.encode("utf-8", "surrogatepass"))
