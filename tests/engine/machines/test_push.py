"""Push commands: what is kept, what is accepted, and what is answered."""

from typing import Any

import pytest

from signalreel.commands import RegisterPushToken, SendPush
from signalreel.machines.push import PNS_TYPES
from signalreel.machines.registry import Registry, RegistryLimits
from signalreel.messages import Notification
from signalreel.record import Grant, encode_record
from signalreel.refusals import (
    AUTHENTICATION_TOKEN_NOT_VALID,
    HIGH_RESOURCE_USAGE,
    MISSING_PARAMETER,
    UNAUTHORIZED_ACCESS,
    Refusal,
)
from signalreel.registered import PushRegistration
from tests.engine.world import APP, World, told

VOUCHED = Grant(allowed=True, identity="tag-of-ann", sealed="sealed address")
SENDER = Grant(allowed=True, identity="tag-of-ann")
REGISTER = RegisterPushToken("ann", pns_type="fcm")
SEND = SendPush("ann", push_notification_content={"title": "hello"}, subscriber_ids_to_notify=("ben",))


def world() -> World:
    """A world with one session."""
    made = World()
    made.open("a")
    return made


def answer(definition: str, *, success: bool) -> tuple[str, bool]:
    """What matters of an answer."""
    return (definition, success)


def heard(messages: list[Any]) -> list[tuple[str, bool]]:
    """The answers of a step; each also says something to a person."""
    assert all(isinstance(message, Notification) and message.information for message in messages)
    return [(message.definition, message.success) for message in messages]


@pytest.mark.parametrize("pns_type", PNS_TYPES)
def test_where_a_device_can_be_reached_is_kept_as_the_gate_sealed_it(pns_type: str) -> None:
    """One address for each type of service; a later one takes its place."""
    around = world()
    command = RegisterPushToken("ann", pns_type=pns_type)

    first = around.say("a", command, grant=VOUCHED)
    around.say("a", command, grant=Grant(allowed=True, sealed="another"))

    assert heard(told(first, "a")) == [answer("registerPushNotificationToken", success=True)]
    assert around.engine.registry.pushes(APP, "ann") == [PushRegistration("ann", pns_type, "another")]
    assert (first.refused, first.transitions) == ("", [])


@pytest.mark.parametrize(
    "command",
    [SEND, SendPush("ann", "", {"a": 1}, topic="news"), SendPush("ann", "", {"a": 1}, push_notification_topic="news")],
    ids=["to subscribers", "to a topic", "to a topic, as others write it"],
)
def test_what_is_to_be_sent_is_accepted(command: SendPush) -> None:
    """Whoever delivers reads it off the step."""
    step = world().say("a", command, grant=SENDER)

    assert heard(told(step, "a")) == [answer("sendPushNotification", success=True)]
    assert (step.refused, step.record.command) == ("", command)


@pytest.mark.parametrize(
    ("command", "grant", "refusal"),
    [
        (RegisterPushToken("", pns_type="fcm"), VOUCHED, MISSING_PARAMETER),
        (RegisterPushToken("ann"), VOUCHED, MISSING_PARAMETER),
        (RegisterPushToken("ann", pns_type="pigeon"), VOUCHED, MISSING_PARAMETER),
        (RegisterPushToken("a" * 256, pns_type="fcm"), VOUCHED, MISSING_PARAMETER),
        (REGISTER, SENDER, MISSING_PARAMETER),
        (REGISTER, None, AUTHENTICATION_TOKEN_NOT_VALID),
        (REGISTER, Grant(allowed=False), AUTHENTICATION_TOKEN_NOT_VALID),
        (REGISTER, Grant(allowed=False, refusal=MISSING_PARAMETER.definition), MISSING_PARAMETER),
        (SEND, None, AUTHENTICATION_TOKEN_NOT_VALID),
        (SEND, Grant(allowed=False, refusal=UNAUTHORIZED_ACCESS.definition), AUTHENTICATION_TOKEN_NOT_VALID),
        (SendPush("", "", {"a": 1}, ("ben",)), SENDER, MISSING_PARAMETER),
        (SendPush("ann", "", {}, ("ben",)), SENDER, MISSING_PARAMETER),
        (SendPush("ann", "", "text", ("ben",)), SENDER, MISSING_PARAMETER),
        (SendPush("ann", "", {"a": 1}), SENDER, MISSING_PARAMETER),
    ],
)
def test_what_lacks_something_or_is_not_proved_is_refused(
    command: RegisterPushToken | SendPush, grant: Grant | None, refusal: Refusal
) -> None:
    """The answer says that it failed, under the name of the refusal; nothing is kept."""
    around = world()

    step = around.say("a", command, grant=grant)

    assert heard(told(step, "a")) == [answer(refusal.definition, success=False)]
    assert step.refused == refusal.definition
    assert around.engine.registry.pushes(APP, "ann") == []


def test_there_is_a_bound_and_it_is_told() -> None:
    """A server that cannot keep another address is too busy for it."""
    around = world()
    around.engine._context.registry = Registry(RegistryLimits(pushes_max=0))

    assert around.say("a", REGISTER, grant=VOUCHED).refused == HIGH_RESOURCE_USAGE.definition


def test_apps_do_not_share_devices() -> None:
    """Contract 1: the same name in another app is somebody else."""
    around = world()
    around.open("b", app="other")
    around.say("a", REGISTER, grant=VOUCHED)

    assert around.engine.registry.pushes("other", "ann") == []


def test_the_record_holds_what_was_sealed_and_no_token() -> None:
    """Contract 11: what the client sent as a secret is not among the fields that the record keeps."""
    around = world()
    around.say("a", REGISTER, grant=VOUCHED)
    data = encode_record(around.records[-1])

    assert b"sealed address" in data
    assert b"pnsRegistrationToken" not in data
