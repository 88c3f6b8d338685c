"""`signalreel_adapters.access.chain`: how gates are put together."""

import pytest

from signalreel.commands import Join, Play, Publish, Stop
from signalreel.record import Grant
from signalreel_adapters import Verdict
from signalreel_adapters.access.chain import (
    AllOf,
    ByPurpose,
    ClosedGate,
    FirstThatKnows,
    OpenGate,
    PerApp,
    TwoUses,
)
from signalreel_adapters.ports import Gate
from tests.adapters.access.scenes import TAGS, Says, session_of

pytestmark = pytest.mark.anyio

PUBLISH = Publish(stream_id="a")
ANN = Verdict.allow("ann")
REFUSED = Grant(allowed=False)


async def grant(gate: Gate, command: Publish | Play | Join | Stop = PUBLISH, app: str = "live") -> Grant:
    """What a gate grants."""
    return (await gate.decide(command, session_of(app))).grant


class TestFirstThatKnows:
    """Any one of several kinds of credential."""

    async def test_the_first_that_knows_decides(self) -> None:
        """A refusal of a check that knows the credential is final: nobody else is asked."""
        silent, refusing, unasked = Says(None), Says(Verdict.refuse()), Says(ANN)

        assert await grant(FirstThatKnows(silent, refusing, unasked)) == REFUSED
        assert await grant(FirstThatKnows(silent, unasked, refusing)) == ANN.grant
        assert (len(silent.asked), len(refusing.asked), len(unasked.asked)) == (2, 1, 1)

    async def test_what_nobody_knows_is_refused(self) -> None:
        """No credential, no check at all, or a command that is none of a gate's."""
        assert await grant(FirstThatKnows(Says(None))) == REFUSED
        assert await grant(FirstThatKnows()) == REFUSED
        assert await grant(FirstThatKnows(Says(ANN)), Stop(stream_id="a")) == REFUSED

    async def test_it_can_stand_in_another(self) -> None:
        """It is a check itself."""
        assert await grant(FirstThatKnows(FirstThatKnows(Says(None)), Says(ANN))) == ANN.grant


class TestAllOf:
    """Every one of several gates."""

    async def test_all_must_allow(self) -> None:
        """The first refusal is the answer, whatever it says, and ends the asking."""
        unasked = Says(ANN)

        assert await grant(AllOf(Says(ANN), Says(Verdict.refuse("user_blocked")), unasked)) == Grant(
            allowed=False, refusal="user_blocked"
        )
        assert unasked.asked == []

    async def test_what_they_say_is_put_together(self) -> None:
        """The first identity and the only one-time tag, with its end."""
        gate = AllOf(Says(Verdict.allow()), Says(ANN), Says(Verdict.allow("bob", once="use", until=7)))

        assert await grant(gate) == Grant(allowed=True, identity="ann", once="use", until=7)

    async def test_it_is_good_for_the_rooms_that_all_are(self) -> None:
        """None of them lets anybody into a room that another keeps closed."""
        first = Says(Verdict.allow(rooms=("", "r")))

        assert (await grant(AllOf(first, Says(ANN), Says(Verdict.allow(rooms=("r", "q")))))).rooms == ("r",)
        assert await grant(AllOf(first, Says(Verdict.allow(rooms=("q",))))) == Grant(allowed=False)

    async def test_two_one_time_credentials_are_a_mistake(self) -> None:
        """A grant carries one; rather than leave the other unmarked nobody gets in."""
        with pytest.raises(TwoUses):
            await grant(AllOf(Says(Verdict.allow(once="a")), Says(Verdict.allow(once="b"))))


async def test_purposes_have_gates_of_their_own() -> None:
    """Publishing and playing; a peer that sends publishes."""
    gate = ByPurpose(publish=Says(Verdict.allow("p")), play=Says(Verdict.allow("q")))
    commands: list[Publish | Play | Join | Stop] = [
        PUBLISH,
        Join(stream_id="a"),
        Play(stream_id="a"),
        Join(stream_id="a", mode="play"),
    ]

    assert [(await grant(gate, command)).identity for command in commands] == ["p", "p", "q", "q"]
    assert await grant(gate, Stop(stream_id="a")) == REFUSED


async def test_apps_have_gates_of_their_own() -> None:
    """An app that is not configured is closed, unless something else is said about it."""
    closed = PerApp({"live": Says(ANN)})
    open_else = PerApp({"live": ClosedGate()}, otherwise=Says(ANN))

    assert [(await grant(gate, app=app)).allowed for gate in (closed, open_else) for app in ("live", "other")] == [
        True,
        False,
        False,
        True,
    ]


async def test_the_open_gate_knows_whom_the_host_vouches_for() -> None:
    """Everybody may do everything, and is recorded by the keyed tag of the host's word, if there is one."""
    gate = OpenGate(tags=TAGS)

    assert await grant(gate) == Grant(allowed=True)
    verdict = await gate.decide(PUBLISH, session_of(identity="ann"))
    assert verdict.grant == Grant(allowed=True, identity=TAGS.subscriber("ann"))
