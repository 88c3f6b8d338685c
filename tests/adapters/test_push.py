"""`signalreel_adapters.push`: what the operator's webhook gets, how often, and what it cannot slow down."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import pytest
from structlog.testing import capture_logs

from signalreel.commands import Command, SendPush, Stop
from signalreel.engine import Engine
from signalreel.events import Event, SessionClosed, SessionOpened
from signalreel.header import Header
from signalreel.record import Grant, Record
from signalreel.reel import MemoryReel
from signalreel.registered import PushRegistration
from signalreel.settings import Settings
from signalreel.step import Step
from signalreel_adapters.access.sealing import PUSH_TOKEN
from signalreel_adapters.http import Unreachable
from signalreel_adapters.push import (
    BODY_BYTES_MAX,
    RETRY_MS,
    SIGNATURE,
    PushCounters,
    PushDelivery,
    is_signed,
    signature,
)
from signalreel_adapters.runtime import Counters, Overflow, Subscription
from signalreel_adapters.runtime.subscriptions import Subscriptions
from signalreel_adapters.testing import ManualClock
from signalreel_adapters.testing.clock import MILLISECOND, SECOND

pytestmark = pytest.mark.anyio

KEY: Final = b"a key that both ends share"
URL: Final = "https://pushes.example.org/notify"


class Unsealing:
    """Opens what is sealed by writing `sealed:` before it."""

    def open(self, purpose: str, sealed: str) -> str:
        """Give what follows."""
        assert purpose == PUSH_TOKEN
        before, _, token = sealed.partition("sealed:")
        if before:
            raise LookupError("canary")
        return token


class Webhook:
    """An address that answers as the test says, and keeps what it was sent."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.headers: list[tuple[tuple[str, str], ...]] = []
        self.bodies: list[bytes] = []
        self.answers: list[int | None] = []
        self.hangs = False

    async def __call__(self, url: str, body: bytes, *, headers: tuple[tuple[str, str], ...] = ()) -> int:
        """Answer with the next status, 200 when there is none; None is silence."""
        assert url == URL
        self.heard.append(json.loads(body))
        self.headers.append(headers)
        self.bodies.append(body)
        if self.hangs:
            await anyio.sleep_forever()
        status = self.answers.pop(0) if self.answers else 200
        if status is None:
            raise Unreachable("no answer in time")
        return status


class Happening:
    """What a delivery needs of a runtime; the test says what happens."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.engine = Engine()
        self.reel = MemoryReel(Header(Settings(), started_at=7))
        self.subscriptions = Subscriptions(Counters())
        self.steps_max = 1_000
        self._seq = 0

    def steps(self) -> Subscription:
        """Subscribe to what the test lets happen."""
        subscription = Subscription(
            machine=None, id=None, app=None, steps_max=self.steps_max, overflow=Overflow.DROP_OLDEST
        )
        self.subscriptions.add(subscription)
        return subscription

    def happens(
        self, input: Command | Event, *, session: str = "s", refused: str = "", grant: Grant | None = None
    ) -> None:
        """Let an input have been applied."""
        self._seq += 1
        command = input if isinstance(input, Command) else None
        event = input if isinstance(input, Event) else None
        record: Any = Record(self._seq, self._seq, session, command=command, event=event, grant=grant)  # type: ignore[arg-type]
        self.subscriptions.publish(Step(record, [], [], None, b"", refused))

    def push(self, *receivers: str, content: object = None, session: str = "s", topic: str = "") -> None:
        """Let a push be accepted."""
        command = SendPush(
            subscriber_id="ann", push_notification_content=content, subscriber_ids_to_notify=receivers, topic=topic
        )
        self.happens(command, session=session, grant=Grant(allowed=True))

    def register(self, subscriber_id: str, pns_type: str, sealed: str, *, app: str = "live") -> None:
        """Note where a subscriber can be reached."""
        self.engine.registry.take_push(app, PushRegistration(subscriber_id, pns_type, sealed))


@asynccontextmanager
async def delivering(
    *, key: bytes | None = None, pushes_max: int = 256, steps_max: int = 1_000
) -> AsyncGenerator[tuple[Happening, Webhook, PushCounters]]:
    """A delivery at work, for one session that is open."""
    source, webhook = Happening(), Webhook()
    source.steps_max = steps_max
    delivery = PushDelivery(source, URL, sealing=Unsealing(), key=key, pushes_max=pushes_max, post=webhook)
    async with delivery:
        source.happens(SessionOpened("live"))
        await anyio.wait_all_tasks_blocked()
        yield source, webhook, delivery.counters


class TestContent:
    """What a request says."""

    async def test_it_names_every_device_and_who_has_none(self) -> None:
        """Tokens are opened on their way out; who is named twice is notified once."""
        async with delivering() as (source, webhook, counters):
            source.register("ben", "fcm", "sealed:token of ben")
            source.register("ben", "apn", "sealed:other token of ben")
            source.register("eve", "fcm", "sealed:token elsewhere", app="other")
            source.push("ben", "eve", "ben", content={"title": "Come!"})
            await anyio.wait_all_tasks_blocked()

        assert webhook.heard == [
            {
                "app": "live",
                "id": "live-2-7",
                "sender": "ann",
                "content": {"title": "Come!"},
                "devices": [
                    {"subscriberId": "ben", "pnsType": "apn", "pnsRegistrationToken": "other token of ben"},
                    {"subscriberId": "ben", "pnsType": "fcm", "pnsRegistrationToken": "token of ben"},
                ],
                "notRegistered": ["eve"],
            }
        ]
        assert webhook.headers == [()]
        assert counters == PushCounters(delivered=1)

    async def test_a_topic_needs_no_devices(self) -> None:
        """Push services know who listens to it."""
        async with delivering() as (source, webhook, _):
            source.push(topic="news")
            await anyio.wait_all_tasks_blocked()

        assert [(one["topic"], one["devices"]) for one in webhook.heard] == [("news", [])]

    async def test_many_devices_are_told_in_several_requests(self) -> None:
        """None is larger than the limit, each has the same id and content, and nobody is left out or told twice."""
        async with delivering() as (source, webhook, counters):
            names = [f"subscriber-{number}" for number in range(200)]
            for name in names:
                source.register(name, "fcm", "sealed:" + "t" * 4_000)
            source.push(*names, "nobody", content={"text": "x" * 1_000})
            await anyio.wait_all_tasks_blocked()

        assert len(webhook.bodies) == counters.delivered > 1
        assert max(map(len, webhook.bodies)) <= BODY_BYTES_MAX
        assert [device["subscriberId"] for one in webhook.heard for device in one["devices"]] == names
        assert {(one["id"], one["content"]["text"]) for one in webhook.heard} == {("live-2-7", "x" * 1_000)}
        assert [one.get("notRegistered", []) for one in webhook.heard][-1] == ["nobody"]

    async def test_a_token_that_cannot_be_opened_keeps_nobody_else(self) -> None:
        """It is counted, and its error says nothing but its type."""
        with capture_logs() as lines:
            async with delivering() as (source, webhook, counters):
                source.register("ben", "fcm", "damaged sealed:x")
                source.register("eve", "fcm", "sealed:token of eve")
                source.push("ben", "eve")
                await anyio.wait_all_tasks_blocked()

        assert [device["subscriberId"] for device in webhook.heard[0]["devices"]] == ["eve"]
        assert (webhook.heard[0]["notRegistered"], counters.unreadable) == (["ben"], 1)
        assert "canary" not in repr(lines)

    async def test_it_is_signed_when_there_is_a_key(self) -> None:
        """With the time and every byte of the body; any change, another key or five minutes undo it."""
        async with delivering(key=KEY) as (source, webhook, _):
            source.push("ben")
            await anyio.wait_all_tasks_blocked()
            now_s = source.clock.wall() // SECOND
        ((name, value),) = webhook.headers[0]
        body = webhook.bodies[0]

        assert (name, value) == (SIGNATURE, signature(KEY, now_s, body))
        assert is_signed(KEY, value, body, now_s=now_s + 300)
        assert not is_signed(KEY, value, body, now_s=now_s + 301)
        assert not is_signed(KEY, value, body + b" ", now_s=now_s)
        assert not is_signed(b"another key of the same length", value, body, now_s=now_s)
        for forged in ("", "t=", "t=x,v1=", value.replace("t=1", "t=2"), value.replace("v1", "v0"), value + "é"):
            assert not is_signed(KEY, forged, body, now_s=now_s)

    def test_a_short_key_is_refused(self) -> None:
        """It could be found by trying."""
        with pytest.raises(ValueError, match="fewer than 16 bytes"):
            PushDelivery(Happening(), URL, sealing=Unsealing(), key="short")


class TestWhich:
    """Which pushes are delivered: those that were accepted, while they happen."""

    async def test_only_what_was_accepted(self) -> None:
        """Not what was refused, what nobody granted, what the gate refused, and nothing else that is said."""
        async with delivering() as (source, webhook, _):
            command = SendPush(subscriber_ids_to_notify=("ben",))
            source.happens(command, refused="missingParameter", grant=Grant(allowed=True))
            source.happens(command)
            source.happens(command, grant=Grant(allowed=False))
            source.happens(Stop(stream_id="s"), grant=Grant(allowed=True))
            source.push("ben", session="unknown")
            await anyio.wait_all_tasks_blocked()

        assert webhook.heard == []

    async def test_who_leaves_at_once_has_sent_it_all_the_same(self) -> None:
        """The session's end comes right behind the push."""
        async with delivering() as (source, webhook, _):
            source.happens(SessionOpened("other"), session="brief")
            source.push("ben", session="brief")
            source.happens(SessionClosed(), session="brief")
            source.push("ben", session="brief")
            await anyio.wait_all_tasks_blocked()

        assert [one["app"] for one in webhook.heard] == ["other"]

    async def test_after_a_gap_the_sessions_are_looked_up(self) -> None:
        """Steps that were missed may have told of some."""
        async with delivering(steps_max=1) as (source, webhook, _):
            source.engine.apply(Record(1, 1, "later", event=SessionOpened("live")))
            source.happens(Stop(stream_id="s"))
            source.push("ben", session="later")
            await anyio.wait_all_tasks_blocked()

        assert len(webhook.heard) == 1


class TestFailing:
    """A webhook that is busy, gone, or slow."""

    @pytest.mark.parametrize("answer", [429, 500, 503, None])
    async def test_what_may_pass_is_tried_again(self, answer: int | None) -> None:
        """Three times at most, later each time; the same request, so that it can be told from a new one."""
        async with delivering() as (source, webhook, counters):
            webhook.answers = [answer, answer]
            source.push("ben")
            await anyio.wait_all_tasks_blocked()
            tries = [len(webhook.heard)]
            for pause in RETRY_MS:
                await source.clock.advance((pause - 1) * MILLISECOND)
                tries.append(len(webhook.heard))
                await source.clock.advance(MILLISECOND)
                tries.append(len(webhook.heard))

        assert tries == [1, 1, 2, 2, 3]
        assert webhook.bodies == [webhook.bodies[0]] * 3
        assert counters == PushCounters(delivered=1, retried=2)

    async def test_after_three_times_it_is_given_up(self) -> None:
        """And the next one is sent."""
        async with delivering() as (source, webhook, counters):
            webhook.answers = [503, None, 503]
            source.push("ben")
            source.push("eve")
            await source.clock.advance(10 * SECOND)

        assert [one["id"] for one in webhook.heard] == ["live-2-7"] * 3 + ["live-3-7"]
        assert counters == PushCounters(delivered=1, retried=2, failed=1)

    @pytest.mark.parametrize("answer", [301, 302, 400, 401, 404])
    async def test_a_refusal_is_final(self, answer: int) -> None:
        """A redirect is one: only the operator's own address is called."""
        async with delivering() as (source, webhook, counters):
            webhook.answers = [answer]
            source.push("ben")
            await source.clock.advance(10 * SECOND)

        assert (len(webhook.heard), counters) == (1, PushCounters(refused=1))

    async def test_a_slow_webhook_makes_pushes_wait_up_to_a_number(self) -> None:
        """One more is dropped and counted; steps are taken all the while, and none is missed."""
        async with delivering(pushes_max=2) as (source, webhook, counters):
            webhook.hangs = True
            for _ in range(4):
                source.push("ben")
                await anyio.wait_all_tasks_blocked()
            waiting = PushCounters(dropped=counters.dropped)

        assert (len(webhook.heard), waiting) == (1, PushCounters(dropped=1))
        assert counters == PushCounters(dropped=4)

    async def test_leaving_twice_is_harmless_and_errors_come_out_as_they_are(self) -> None:
        """What goes wrong inside `async with` is not wrapped in a group."""
        with pytest.raises(LookupError, match="mine"):
            async with delivering():
                raise LookupError("mine")
        delivery = PushDelivery(Happening(), URL, sealing=Unsealing(), post=Webhook())
        assert await delivery.__aexit__(None, None, None) is None
