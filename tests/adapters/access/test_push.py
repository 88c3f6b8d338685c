"""`signalreel_adapters.access.push`: who may register a device and send to others."""

from typing import Any

import pytest

from signalreel.commands import Publish, RegisterPushToken, SendPush
from signalreel.record import Grant
from signalreel.refusals import AUTHENTICATION_TOKEN_NOT_VALID, MISSING_PARAMETER
from signalreel_adapters import FakeMedia, MemoryClient, Runtime
from signalreel_adapters.access import ClosedGate, OpenGate
from signalreel_adapters.access.jwt import UnfitKey
from signalreel_adapters.access.push import DEVICE_TOKEN_LENGTH_MAX, PushGate
from signalreel_adapters.access.times import SECOND
from signalreel_adapters.testing import ManualClock
from tests.adapters.access.scenes import JWT_KEY, TAGS, session_of, signed

pytestmark = pytest.mark.anyio

NOW = ManualClock().wall() // SECOND
GOOD = {"iss": "ann", "exp": NOW + 300}


class Envelope:
    """A sealing whose inside can be seen."""

    def seal(self, purpose: str, text: str) -> str:
        """Write the purpose on it."""
        return f"<{purpose}: {len(text)}>"


def gate(**options: Any) -> PushGate:
    """A gate at the time `NOW`, for the app of the scenes."""
    return PushGate(ClosedGate(), {"live": JWT_KEY}, tags=TAGS, sealing=Envelope(), clock=ManualClock(), **options)


def register(token: str, *, address: str = "address", subscriber_id: str = "ann") -> RegisterPushToken:
    """Register a device."""
    return RegisterPushToken(subscriber_id, token, address, "fcm")


async def grant_for(command: RegisterPushToken | SendPush, of: PushGate | None = None) -> Grant:
    """What a push command is granted."""
    return (await (of or gate()).decide(command, session_of())).grant


async def test_a_device_of_whoever_signed_is_sealed() -> None:
    """The token's issuer is the subscriber; what is recorded is a tag and the sealed address."""
    assert await grant_for(register(signed(GOOD))) == Grant(
        allowed=True, identity=TAGS.subscriber("ann"), sealed="<push token: 7>"
    )


async def test_whoever_signed_may_send() -> None:
    """Nothing is sealed then: there is nothing secret in what is sent."""
    assert await grant_for(SendPush("ann", signed(GOOD), {"a": 1}, ("ben",))) == Grant(
        allowed=True, identity=TAGS.subscriber("ann")
    )


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        signed({**GOOD, "iss": "ben"}),
        signed({"exp": NOW + 300}),
        signed({"iss": "ann"}),
        signed({**GOOD, "exp": NOW - 61}),
        signed({**GOOD, "nbf": NOW + 61}),
        signed({**GOOD, "iss": 5}),
        signed(GOOD, key="another secret of thirty-two octets"),
    ],
    ids=["none", "another's", "nobody's", "endless", "expired", "not yet", "no text", "forged"],
)
async def test_a_token_that_does_not_prove_the_subscriber_is_refused(token: str) -> None:
    """For registering as for sending."""
    expected = Grant(allowed=False, refusal=AUTHENTICATION_TOKEN_NOT_VALID.definition)

    assert await grant_for(register(token)) == expected
    assert await grant_for(SendPush("ann", token, {"a": 1}, ("ben",))) == expected


async def test_what_lacks_a_token_or_an_address_is_told_so() -> None:
    """Only the gate sees those fields."""
    missing = Grant(allowed=False, refusal=MISSING_PARAMETER.definition)

    assert await grant_for(register("")) == missing
    assert await grant_for(register(signed(GOOD), address="")) == missing
    assert await grant_for(register(signed(GOOD), subscriber_id="")) == missing
    assert not (await grant_for(register(signed(GOOD), address="a" * (DEVICE_TOKEN_LENGTH_MAX + 1)))).allowed


async def test_an_app_without_a_key_takes_no_pushes() -> None:
    """What is not configured is refused."""
    verdict = await gate().decide(register(signed(GOOD)), session_of(app="other"))

    assert verdict.grant.refusal == AUTHENTICATION_TOKEN_NOT_VALID.definition


async def test_a_token_without_an_expiry_is_taken_where_that_is_allowed() -> None:
    """For issuers who leave it out."""
    assert (await grant_for(register(signed({"iss": "ann"})), gate(allow_without_expiry=True))).allowed


async def test_other_commands_are_left_to_the_gate_behind() -> None:
    """And without one, everybody may do them."""
    alone = PushGate(None, {}, tags=TAGS, sealing=Envelope())

    assert not (await gate().decide(Publish("s"), session_of())).grant.allowed
    assert (await alone.decide(Publish("s"), session_of())).grant.allowed


async def test_the_open_gate_lets_no_push_pass() -> None:
    """A push reaches people who are not there: an open app is no reason to let anybody send one."""
    verdict = await OpenGate(tags=TAGS).decide(SendPush("ann", "", {"a": 1}, ("ben",)), session_of())

    assert verdict.grant == Grant(allowed=False, refusal=AUTHENTICATION_TOKEN_NOT_VALID.definition)


def test_a_key_that_could_be_found_is_refused() -> None:
    """As for every web token; and a leeway beyond a minute softens every expiry."""
    with pytest.raises(UnfitKey):
        PushGate(None, {"live": "short"}, tags=TAGS, sealing=Envelope())
    with pytest.raises(ValueError, match="leeway"):
        gate(leeway_s=61)


async def test_a_client_hears_whether_it_succeeded() -> None:
    """Through the runtime, with what the gate sealed in the registry and nothing of the tokens on it."""
    clock = ManualClock()
    pushes = PushGate(None, {"live": JWT_KEY}, tags=TAGS, sealing=Envelope(), clock=clock)
    async with Runtime(gate=pushes, media=FakeMedia(), clock=clock) as runtime, MemoryClient(runtime) as client:
        await client.send(register(signed(GOOD)))
        kept = await client.expect("registerPushNotificationToken")
        await client.send(SendPush("ann", signed(GOOD), {"a": 1}, ("ann",)))
        sent = await client.expect("sendPushNotification")
        await client.send(SendPush("ann", "forged", {"a": 1}, ("ann",)))
        refused = await client.expect("authenticationTokenNotValid")
        registered = runtime.engine.registry.pushes("live", "ann")

    assert (kept["success"], sent["success"], refused["success"]) == (True, True, False)
    assert [push.sealed for push in registered] == ["<push token: 7>"]
