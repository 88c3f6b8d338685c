"""`signalreel_adapters.access.policy`: a registered stream says which kinds of credential it takes."""

import pytest

from signalreel.commands import AnyCommand, GetTrackList, Join, JoinRoom, Play, Publish, RegisterPushToken
from signalreel.host import RegisterStream
from signalreel.registered import Credential, RegisteredStream
from signalreel_adapters import MemoryClient, Runtime, SessionInfo, Verdict
from signalreel_adapters.access import OpenGate
from signalreel_adapters.access.policy import PolicyGate
from signalreel_adapters.access.rights import Wish
from signalreel_adapters.access.rooms import LiveRooms
from tests.adapters.access.scenes import TAGS, FixedRooms, answer_to, session_of

pytestmark = pytest.mark.anyio


class Password:
    """A check that knows one word."""

    def __init__(self, word: str) -> None:
        self._word = word

    async def examine(self, wish: Wish, session: SessionInfo) -> Verdict | None:
        """Look at the token."""
        return Verdict.allow(self._word) if wish.token == self._word else None


CHECKS = {Credential.TOKEN: Password("token"), Credential.JWT: Password("jwt")}


async def asked(stream: RegisteredStream | None, *commands: AnyCommand) -> list[bool]:
    """Whether commands are let in where this stream is registered and the app itself is open."""
    gate = PolicyGate(OpenGate(tags=TAGS), CHECKS, rooms=FixedRooms({"room": ("in-room",)}))
    async with Runtime(gate=gate) as runtime:
        gate.look_at(runtime.engine)
        if stream is not None:
            await runtime.submit(RegisterStream(stream=stream), app="live")
        return [(await gate.decide(command, session_of())).grant.allowed for command in commands]


async def test_a_stream_without_a_policy_is_the_app_s() -> None:
    """Registered or not."""
    assert await asked(None, Publish("s"), Play("s")) == [True, True]
    assert await asked(RegisteredStream("s"), Publish("s"), Play("s")) == [True, True]


async def test_a_stream_takes_the_kinds_that_it_names() -> None:
    """For publishing and for playing apart; any one of them is enough, and no other."""
    stream = RegisteredStream("s", publish_access=(Credential.JWT,), play_access=(Credential.TOKEN, Credential.JWT))

    assert await asked(stream, *(Publish("s", token=token) for token in ("jwt", "token", ""))) == [True, False, False]
    assert await asked(stream, *(Play("s", token=token) for token in ("jwt", "token", ""))) == [True, True, False]
    assert await asked(stream, Publish("other"), Join("s"), GetTrackList("s")) == [True, False, False]


async def test_a_kind_without_a_gate_lets_nobody_in() -> None:
    """A server that cannot check a code accepts none."""
    assert await asked(RegisteredStream("s", play_access=(Credential.TOTP,)), Play("s", token="token")) == [False]


async def test_a_room_s_policy_holds_for_what_is_in_it() -> None:
    """Unless the stream has one itself; the room is looked up, not believed."""
    room = RegisteredStream("room", publish_access=(Credential.JWT,), play_access=(Credential.JWT,))

    assert await asked(
        room,
        Publish("new", main_track="room"),
        Publish("new", main_track="room", token="jwt"),
        Play("in-room"),
        Play("in-room", token="jwt"),
        Play("elsewhere", room="room"),
        JoinRoom("room"),
    ) == [False, True, False, True, True, False]


async def test_nobody_comes_in_before_the_registry_is_known() -> None:
    """A policy that cannot be looked up is no open door; what asks for no access is left to the gate behind."""
    gate = PolicyGate(OpenGate(tags=TAGS), CHECKS)

    assert not (await gate.decide(Publish("s"), session_of())).grant.allowed
    assert not (await gate.decide(RegisterPushToken("ann"), session_of())).grant.allowed


async def test_it_stands_before_a_runtime() -> None:
    """As any gate."""
    gate = PolicyGate(OpenGate(tags=TAGS), CHECKS)
    async with Runtime(gate=gate) as runtime, MemoryClient(runtime) as client:
        gate.look_at(runtime.engine)
        stream = RegisteredStream("s", publish_access=(Credential.TOKEN,))
        await runtime.submit(RegisterStream(stream=stream), app="live")
        await client.send(Publish("s"))
        await client.expect("unauthorized_access")
        await client.send(Publish("s", token="token"))
        await client.expect("start")


async def test_a_room_s_policy_holds_for_what_is_registered_for_it() -> None:
    """The engine publishes such a stream in the room, so the room's policy is asked, named or not."""
    gate = PolicyGate(OpenGate(tags=TAGS), CHECKS)
    async with Runtime(gate=gate) as runtime, MemoryClient(runtime) as client:
        gate.look_at(runtime.engine)
        await runtime.submit(RegisterStream(stream=RegisteredStream("r", publish_access=(Credential.JWT,))), app="live")
        await runtime.submit(RegisterStream(stream=RegisteredStream("x", main_track="r")), app="live")

        assert await answer_to(client, Publish("x")) == "unauthorized_access"
        assert await answer_to(client, Publish("x", main_track="other")) == "start"


async def test_commands_that_are_sent_at_once_are_decided_one_after_the_other() -> None:
    """Else the second would be decided by what was before the first: the session is in no room yet."""
    rooms = LiveRooms()
    gate = PolicyGate(OpenGate(tags=TAGS), CHECKS, rooms=rooms)
    async with Runtime(gate=gate) as runtime, MemoryClient(runtime) as client:
        gate.look_at(runtime.engine)
        rooms.look_at(runtime.engine)
        await runtime.submit(RegisterStream(stream=RegisteredStream("r", publish_access=(Credential.JWT,))), app="live")

        await client.send(JoinRoom("r", "x"))
        await client.send(Publish("x"))
        await client.expect("joinedTheRoom")
        await client.expect("unauthorized_access")
