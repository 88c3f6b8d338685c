"""`signalreel_adapters.access.blocks`: who is kept out, and who is put out."""

import gc
from typing import Any

import pytest

from signalreel.commands import AnyCommand, JoinRoom, Play, Publish, Stop
from signalreel.refusals import UNAUTHORIZED_ACCESS, USER_BLOCKED
from signalreel.registered import BlockKind, Purpose
from signalreel_adapters import FakeMedia, MemoryClient, Runtime, SessionInfo, Verdict
from signalreel_adapters.access.blocks import (
    BLOCK_S_MAX,
    SESSION_USES_MAX,
    BlockGate,
    Blocks,
    TooManyBlocks,
    TooManyUses,
    end_sessions,
)
from signalreel_adapters.access.chain import ClosedGate, OpenGate
from signalreel_adapters.access.rights import NoRooms, Wish
from signalreel_adapters.access.times import SECOND
from signalreel_adapters.testing import ManualClock
from tests.adapters.access.scenes import TAGS, FixedRooms, Says, answer_to, session_of
from tests.adapters.calls import publish

pytestmark = pytest.mark.anyio

BOTH, PUBLISH, PLAY = BlockKind.PUBLISH_PLAY, BlockKind.PUBLISH, BlockKind.PLAY


class Scene:
    """Blocks behind an open gate."""

    def __init__(self, **options: int) -> None:
        self.clock = ManualClock()
        self.blocks = Blocks(tags=TAGS, clock=self.clock, **options)
        self.gate = BlockGate(OpenGate(tags=TAGS), self.blocks, rooms=FixedRooms({"r": ("a",)}))

    def block(self, kind: BlockKind = BOTH, name: str = "ann", **options: Any) -> tuple[SessionInfo, ...]:
        """Block somebody for a minute."""
        return self.blocks.block("live", name, kind, **{"seconds": 60, **options})

    async def answer(self, command: AnyCommand, session: SessionInfo | None = None) -> str:
        """What the command is refused with; empty when it is not."""
        grant = (await self.gate.decide(command, session or session_of())).grant
        return "" if grant.allowed else grant.refusal


@pytest.mark.parametrize(
    ("kind", "publishes", "plays"), [(BOTH, False, False), (PUBLISH, False, True), (PLAY, True, False)]
)
async def test_a_block_is_for_its_kind(kind: BlockKind, publishes: bool, plays: bool) -> None:
    """Of publishing, of playing, or of both; others go on."""
    scene = Scene()
    scene.block(kind)
    answers = [
        await scene.answer(Publish(stream_id="a", subscriber_id="ann")),
        await scene.answer(Play(stream_id="a", subscriber_id="ann")),
    ]

    assert answers == ["" if may else USER_BLOCKED.definition for may in (publishes, plays)]
    assert await scene.answer(Publish(stream_id="a", subscriber_id="bob")) == ""


async def test_a_block_ends_in_time_or_when_lifted() -> None:
    """To the microsecond; lifting what is not there is harmless."""
    scene = Scene()
    command = Play(stream_id="a", subscriber_id="ann")
    scene.block()
    await scene.clock.advance(60 * SECOND - 1)
    late = await scene.answer(command)
    await scene.clock.advance(1)

    assert (late, await scene.answer(command)) == (USER_BLOCKED.definition, "")
    scene.block()
    scene.blocks.lift("live", "ann", BOTH)
    scene.blocks.lift("live", "ann", BOTH)
    assert await scene.answer(command) == ""


async def test_a_block_is_for_its_stream_and_app() -> None:
    """Of one stream or room, and then of everything in that room; other apps are not concerned."""
    scene = Scene()
    scene.block(stream_id="r")
    blocked: list[AnyCommand] = [
        Play(stream_id="a", subscriber_id="ann"),
        Publish(stream_id="c", main_track="r", subscriber_id="ann"),
    ]

    assert [await scene.answer(command) for command in blocked] == [USER_BLOCKED.definition] * 2
    assert await scene.answer(Play(stream_id="b", subscriber_id="ann")) == ""
    assert await scene.answer(blocked[0], session_of("other")) == ""


async def test_leaving_out_the_name_does_not_help() -> None:
    """Neither whoever a gate has verified nor whom the host vouches for gets around a block by another name."""
    scene = Scene()
    scene.block()
    verified = BlockGate(Says(Verdict.allow(TAGS.subscriber("ann"))), scene.blocks)

    assert await scene.answer(JoinRoom(room="q"), session_of(identity="ann")) == USER_BLOCKED.definition
    verdict = await verified.decide(Publish(stream_id="a", subscriber_id="bob"), session_of())
    assert verdict.grant.refusal == USER_BLOCKED.definition
    assert not verdict.grant.allowed


async def test_access_comes_first() -> None:
    """Whoever has no access is not told about blocks."""
    scene = Scene()
    scene.block()
    gate = BlockGate(ClosedGate(), scene.blocks)
    verdict = await gate.decide(Publish(stream_id="a", subscriber_id="ann"), session_of())

    assert verdict.grant.refusal == UNAUTHORIZED_ACCESS.definition


async def test_a_new_block_names_the_sessions_to_end() -> None:
    """Those that were allowed what it forbids, to the blocked one, in this app; each once."""
    scene = Scene()
    sessions = {name: session_of(id=name) for name in ("plays", "publishes", "other name", "nothing")}
    elsewhere = session_of("other", id="elsewhere")
    await scene.answer(Play(stream_id="a", subscriber_id="ann"), sessions["plays"])
    await scene.answer(Play(stream_id="b", subscriber_id="ann"), sessions["plays"])
    await scene.answer(Publish(stream_id="c", subscriber_id="ann"), sessions["publishes"])
    await scene.answer(Play(stream_id="a", subscriber_id="bob"), sessions["other name"])
    await scene.answer(Play(stream_id="a", subscriber_id="ann"), elsewhere)
    await scene.answer(Play(stream_id="a"), sessions["nothing"])

    assert scene.block(PLAY) == (sessions["plays"],)
    assert scene.block(PLAY, stream_id="r") == (sessions["plays"],)
    assert scene.block(PLAY, stream_id="c") == ()
    assert scene.block(BOTH) == (sessions["plays"], sessions["publishes"])


async def test_sessions_that_have_gone_are_forgotten() -> None:
    """What a session was allowed is remembered as long as it lives, and no longer."""
    scene = Scene()
    session = session_of(id="gone")
    await scene.answer(Play(stream_id="a", subscriber_id="ann"), session)
    assert scene.block() == (session,)
    del session
    gc.collect()

    assert scene.block() == ()


async def test_ending_a_session_that_has_gone_is_harmless() -> None:
    """It may have left a moment before."""
    async with Runtime() as runtime:
        await end_sessions(runtime, [session_of(id="gone")])

        assert await MemoryClient(runtime).flush() == []


async def test_a_block_ends_a_live_session() -> None:
    """The blocked publisher's transport is closed at once, and coming back is refused."""
    blocks = Blocks(tags=TAGS)
    async with Runtime(gate=BlockGate(OpenGate(tags=TAGS), blocks), media=FakeMedia()) as runtime:
        ann, bob = MemoryClient(runtime, identity="ann"), MemoryClient(runtime, identity="bob")
        await publish(ann, "a")
        await publish(bob, "b")
        await end_sessions(runtime, blocks.block("live", "ann", BOTH, seconds=60), actor="operator")

        assert (await ann.closed()).code == 1008
        assert await answer_to(MemoryClient(runtime, identity="ann"), Publish(stream_id="c")) == "user_blocked"
        assert await bob.flush() == []


async def test_what_is_none_of_a_gates_is_passed_on() -> None:
    """The gate behind decides alone."""
    gate = BlockGate(OpenGate(tags=TAGS), Blocks(tags=TAGS))

    assert (await gate.decide(Stop(stream_id="a"), session_of())).grant.allowed


@pytest.mark.parametrize("seconds", [0, -1, BLOCK_S_MAX + 1])
def test_a_block_has_a_length(seconds: int) -> None:
    """From a second to ten years."""
    with pytest.raises(ValueError, match="lasts"):
        Scene().block(seconds=seconds)


async def test_blocks_are_bounded() -> None:
    """The most there may be; those that have run out make room."""
    scene = Scene(blocks_max=2)
    scene.block()
    with pytest.raises(TooManyBlocks):
        scene.block(name="bob")
    await scene.clock.advance(60 * SECOND)
    scene.block(name="bob")

    assert await scene.answer(Play(stream_id="a", subscriber_id="bob")) == USER_BLOCKED.definition


def test_what_a_session_may_is_bounded() -> None:
    """A session that is allowed ever new things is refused in the end, rather than forgotten by a later block."""
    scene, session = Scene(), session_of()

    def admit(number: int) -> bool:
        wish = Wish(Purpose.PLAY, str(number), subscriber_id="ann")
        return scene.blocks.admit(wish, session, "", NoRooms())

    assert all(admit(number) for number in range(SESSION_USES_MAX))
    assert admit(0)
    with pytest.raises(TooManyUses):
        admit(SESSION_USES_MAX)
