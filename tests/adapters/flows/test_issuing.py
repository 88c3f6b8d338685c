"""`signalreel_adapters.flows.issuing`: what is issued opens what it was issued for, and nothing else."""

import pytest

from signalreel.commands import AnyCommand, Play, Publish, RegisterPushToken
from signalreel.identifiers import App, SessionId
from signalreel_adapters import SessionInfo
from signalreel_adapters.access import Purpose
from signalreel_adapters.flows.issuing import IssuingGate
from signalreel_adapters.testing import ManualClock

pytestmark = pytest.mark.anyio

GATE = IssuingGate(ManualClock(), app="live")
TOKEN = GATE.token("s", Purpose.PUBLISH)
CODE = GATE.code("s", Purpose.PUBLISH, "anna")
PUSH = GATE.push_token("anna")


@pytest.mark.parametrize(
    ("command", "is_allowed"),
    [
        (Publish(stream_id="s", token=TOKEN), True),
        (Publish(stream_id="t", token=TOKEN), False),
        (Play(stream_id="s", token=TOKEN), False),
        (Publish(stream_id="s", subscriber_id="anna", subscriber_code=CODE), True),
        (Publish(stream_id="s", subscriber_id="ben", subscriber_code=CODE), False),
        (Publish(stream_id="s"), False),
        (RegisterPushToken("anna", PUSH, "device", "fcm"), True),
        (RegisterPushToken("ben", PUSH, "device", "fcm"), False),
        (RegisterPushToken("anna", TOKEN, "device", "fcm"), False),
    ],
)
async def test_what_is_issued_is_accepted(command: AnyCommand, is_allowed: bool) -> None:
    """A token for its stream and purpose, a code for its subscriber; nothing without either."""
    verdict = await GATE.decide(command, SessionInfo(SessionId("one"), App("live")))

    assert verdict.grant.allowed == is_allowed
