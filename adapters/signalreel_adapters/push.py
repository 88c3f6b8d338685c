"""Delivery of push notifications: what a client had sent by `sendPushNotification` goes to a webhook of the operator's.

    async with Runtime(reel, gate=gate) as runtime, PushDelivery(runtime, url, sealing=sealing):
        ...

Signalreel speaks to no push service itself: each has its own keys and its own rules, and the operator has them already.
The webhook gets the content and, for each subscriber that is to be notified, under which tokens its devices can be
reached. Those tokens are sealed on the reel and opened here, on their way out.

Delivery is at most once for each attempt that succeeds: it follows the steps as they happen, so neither a replay nor a
restart sends anything again, and what waits when the server ends is lost. A webhook that is slow makes pushes wait, up
to a number of them, and nothing else.
"""

import hashlib
import hmac
from collections import deque
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Final, Protocol, Self

import anyio
import anyio.abc
import msgspec
from msgspec import Struct

from signalreel.commands import SendPush
from signalreel.engine import Engine
from signalreel.events import SessionClosed, SessionOpened
from signalreel.reel import Reel
from signalreel.step import Step
from signalreel_adapters.access.sealing import PUSH_TOKEN
from signalreel_adapters.access.tags import KEY_BYTES_MIN
from signalreel_adapters.http import HttpPost, Unreachable
from signalreel_adapters.ports import Clock
from signalreel_adapters.runtime import Subscription
from signalreel_adapters.runtime.limits import MICROSECONDS
from signalreel_adapters.runtime.log import Log
from signalreel_adapters.runtime.tasks import end_tasks

__all__ = (
    "ATTEMPTS_MAX",
    "BODY_BYTES_MAX",
    "PUSHES_MAX",
    "RETRY_MS",
    "SIGNATURE",
    "SIGNATURE_AGE_S_MAX",
    "Opener",
    "Post",
    "PushCounters",
    "PushDelivery",
    "Source",
    "is_signed",
    "signature",
)

PUSHES_MAX: Final = 256
"""Pushes that wait for the webhook; one more is dropped and counted."""

BODY_BYTES_MAX: Final = 262_144
"""One request. A push to more subscribers than it can hold is sent in several."""

ATTEMPTS_MAX: Final = 3
"""How often a request is sent before it is given up."""

RETRY_MS: Final = (1_000, 5_000)
"""How long after each failed attempt but the last the next one follows, in milliseconds."""

SIGNATURE: Final = "Signalreel-Signature"
"""The header field that tells the webhook who calls, when the two share a key."""

SIGNATURE_AGE_S_MAX: Final = 300
"""How old a signature may be. One that was overheard is good for no longer."""

_MICROSECONDS_PER_S: Final = 1_000_000
_log: Final = Log("signalreel.push")


class Post(Protocol):
    """Posts a JSON body to an address and gives the status. Raises `Unreachable` when there is none."""

    async def __call__(self, url: str, body: bytes, *, headers: tuple[tuple[str, str], ...] = ()) -> int:
        """Post it once."""
        ...


class Source(Protocol):
    """What a delivery needs of a runtime."""

    @property
    def clock(self) -> Clock:
        """What it waits and signs by."""
        ...

    @property
    def engine(self) -> Engine:
        """Where it is registered how subscribers are reached."""
        ...

    @property
    def reel(self) -> Reel:
        """What the pushes stand on."""
        ...

    def steps(self) -> Subscription:
        """Subscribe to everything that happens."""
        ...


class Opener(Protocol):
    """Opens what was sealed, for its purpose. Raises whatever it likes when it cannot."""

    def open(self, purpose: str, sealed: str) -> str:
        """Give what was sealed."""
        ...


class PushCounters(Struct):
    """What became of pushes since the delivery was made. Only the delivery writes them."""

    delivered: int = 0  #: requests that the webhook answered with a status of success
    retried: int = 0  #: attempts that were repeated
    refused: int = 0  #: requests that it answered with any other status
    failed: int = 0  #: requests that it did not answer
    dropped: int = 0  #: pushes for which there was no room
    unreadable: int = 0  #: tokens of devices that could not be opened


class _Device(Struct, frozen=True, rename="camel"):
    subscriber_id: str
    pns_type: str
    pns_registration_token: str


class _Request(Struct, frozen=True, rename="camel", omit_defaults=True):
    app: str
    id: str  #: the same in each attempt, so that the webhook can tell a repetition
    sender: str
    content: Any
    devices: Sequence[_Device]
    topic: str = ""
    not_registered: Sequence[str] = ()


class _Push(Struct, frozen=True):
    app: str
    seq: int
    command: SendPush


class PushDelivery:
    """Delivers pushes as long as it is entered; enter it beside the runtime. `counters` tells what became of them.

    `url` is the operator's configuration and never a client's. Only public addresses are called unless `allow_private`
    is set; redirects are not followed. `key` signs each request (`is_signed` checks it at the other end). `sealing`
    opens the tokens of devices; `post` replaces the way of sending.
    """

    def __init__(
        self,
        runtime: Source,
        url: str,
        *,
        sealing: Opener,
        key: bytes | str | None = None,
        allow_private: bool = False,
        pushes_max: int = PUSHES_MAX,
        post: Post | None = None,
    ) -> None:
        octets = key.encode() if isinstance(key, str) else key
        if octets is not None and len(octets) < KEY_BYTES_MIN:
            raise ValueError(f"the key for signatures has fewer than {KEY_BYTES_MIN} bytes")
        self.counters = PushCounters()
        self._runtime = runtime
        self._url = url
        self._sealing = sealing
        self._key = octets
        self._pushes_max = pushes_max
        self._post: Post = post if post is not None else HttpPost(url, allow_private=allow_private)
        self._apps: dict[str, str] = {}
        self._waiting: deque[_Push] = deque()
        self._bell = anyio.Event()
        self._is_sending = False
        self._tasks: anyio.abc.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        tasks = anyio.create_task_group()
        await tasks.__aenter__()
        self._tasks = tasks
        # Before anything can happen, and not when the task has its first turn.
        self._note_apps()
        tasks.start_soon(self._listen, self._runtime.steps())
        tasks.start_soon(self._deliver)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        tasks = self._tasks
        if tasks is None:
            return None
        self._tasks = None
        lost = len(self._waiting) + self._is_sending
        if lost:
            self.counters.dropped += lost
            _log.warning("pushes are lost at the end", pushes=lost)
        return await end_tasks(tasks, kind, error, traceback)

    async def _listen(self, steps: Subscription) -> None:
        """Pick the pushes out of what happens. Never waits for the webhook, so no step is missed because of it."""
        missed = 0
        with steps:
            async for step in steps:
                if steps.missed > missed:
                    missed = steps.missed
                    self._note_apps()
                push = self._push_of(step)
                if push is None:
                    continue
                if len(self._waiting) >= self._pushes_max:
                    self.counters.dropped += 1
                    _log.warning("too many pushes wait for the webhook", seq=push.seq)
                    continue
                self._waiting.append(push)
                self._bell.set()

    def _note_apps(self) -> None:
        """Note which app each session is in, for steps do not say."""
        self._apps = {session.id: session.app for session in self._runtime.engine.sessions()}

    def _push_of(self, step: Step) -> _Push | None:
        """Give the push that a step accepted, if it did."""
        record = step.record
        if isinstance(record.event, SessionOpened):
            self._apps[record.session] = record.event.app
        elif isinstance(record.event, SessionClosed):
            self._apps.pop(record.session, None)
        elif isinstance(record.command, SendPush) and record.grant is not None and record.grant.allowed:
            # Noted when it opened: by now the session may have gone, and its push is sent all the same.
            app = self._apps.get(record.session)
            if app is not None and not step.refused:
                return _Push(app, record.seq, record.command)
        return None

    async def _deliver(self) -> None:
        """Send what waits, one after the other."""
        while True:
            while self._waiting:
                push = self._waiting.popleft()
                self._is_sending = True
                for request in self._requests(push):
                    await self._send(push, msgspec.json.encode(request))
                self._is_sending = False
            await self._bell.wait()
            self._bell = anyio.Event()

    # ---- what is sent

    def _requests(self, push: _Push) -> Iterator[_Request]:
        """Give the requests that tell of a push: one, unless it is for very many."""
        command = push.command
        devices, missing = self._devices(push)
        id = f"{push.app}-{push.seq}-{self._runtime.reel.header.started_at}"
        topic = command.topic or command.push_notification_topic

        def request(some: Sequence[_Device], missing: Sequence[str] = ()) -> _Request:
            content = command.push_notification_content
            return _Request(push.app, id, command.subscriber_id, content, some, topic, missing)

        room = BODY_BYTES_MAX - len(msgspec.json.encode(request((), missing)))
        batch: list[_Device] = []
        used = 0
        for device in devices:
            size = len(msgspec.json.encode(device)) + 1
            if batch and used + size > room:
                yield request(batch)
                batch, used = [], 0
            batch.append(device)
            used += size
        yield request(batch, missing)

    def _devices(self, push: _Push) -> tuple[list[_Device], list[str]]:
        """Give where those who are to be notified can be reached now, and who cannot."""
        found: list[_Device] = []
        missing: list[str] = []
        for subscriber_id in dict.fromkeys(push.command.subscriber_ids_to_notify):
            before = len(found)
            for registration in self._runtime.engine.registry.pushes(push.app, subscriber_id):
                try:
                    token = self._sealing.open(PUSH_TOKEN, registration.sealed)
                except Exception as error:  # noqa: BLE001 - sealed under another key, or damaged: the others get theirs
                    self.counters.unreadable += 1
                    _log.error("push token cannot be opened", seq=push.seq, error=type(error).__name__)
                    continue
                found.append(_Device(subscriber_id, registration.pns_type, token))
            if len(found) == before:
                missing.append(subscriber_id)
        return found, missing

    async def _send(self, push: _Push, body: bytes) -> None:
        """Send a request until it is answered, a few times at most. What is answered is not sent again."""
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                self.counters.retried += 1
                clock = self._runtime.clock
                await clock.sleep_until(clock.now() + RETRY_MS[attempt - 1] * MICROSECONDS)
            try:
                status = await self._post(self._url, body, headers=self._headers(body))
            except Unreachable as error:
                _log.warning("push webhook was not reached", seq=push.seq, attempt=attempt + 1, why=error.why)
                continue
            if status in range(200, 300):
                self.counters.delivered += 1
                return
            _log.warning("push webhook refused", seq=push.seq, attempt=attempt + 1, status=status)
            if status not in _TRY_AGAIN:
                self.counters.refused += 1
                return
        self.counters.failed += 1

    def _headers(self, body: bytes) -> tuple[tuple[str, str], ...]:
        if self._key is None:
            return ()
        return ((SIGNATURE, signature(self._key, self._runtime.clock.wall() // _MICROSECONDS_PER_S, body)),)


_TRY_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
"""What a webhook answers that is busy, or behind a proxy that does not reach it."""


def signature(key: bytes, time_s: int, body: bytes) -> str:
    """Give the signature of a body at a time: both are under the key, so that neither can be exchanged."""
    digest = hmac.new(key, b"%d." % time_s + body, hashlib.sha256).hexdigest()
    return f"t={time_s},v1={digest}"


def is_signed(key: bytes, header: str, body: bytes, *, now_s: int) -> bool:
    """Whether a request comes from who holds the key, as it was sent, and not long ago. For the webhook's side."""
    time, _, _ = header.removeprefix("t=").partition(",")
    if not time.isascii() or not time.isdigit() or abs(now_s - int(time)) > SIGNATURE_AGE_S_MAX:
        return False
    return hmac.compare_digest(header.encode(), signature(key, int(time), body).encode())
