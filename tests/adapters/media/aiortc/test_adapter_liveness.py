"""Who is there and who is not: what is said to have begun has begun, and who vanishes is missed in time.

What a side does with a clock that a test moves is in `test_side`; here it is real peers, over both transports.
"""

import asyncio

import pytest
from msgspec import structs

from signalreel.commands import Publish, TakeConfiguration
from signalreel.events import MediaLost
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from tests.adapters.media.aiortc.pairs import TRANSPORTS
from tests.adapters.media.aiortc.peers import SETTINGS, Call, PlayingPeer, PublishingPeer, closing, eventually

pytestmark = pytest.mark.anyio

NOTICED_WITHIN = 15.0
"""Seconds in which a peer that vanished must be missed."""

both_transports = pytest.mark.parametrize("transport", TRANSPORTS)


def on(transport: str, **changes: object) -> AiortcSettings:
    """Settings of this transport."""
    return structs.replace(SETTINGS, transport=transport, **changes)


def lost(call: Call) -> list[str]:
    """The machines whose media is lost, so far."""
    return [event.machine.id for event in call.of(MediaLost)]


async def playing(call: Call, session: str, player: PlayingPeer) -> None:
    """Play until pictures arrive."""
    call.play(session, "s1", player)
    await eventually(lambda: player.offer and player.arrived("video"), "pictures arrive")


async def _vanish_and_be_missed(transport: str) -> None:
    source, stays, gone = PublishingPeer(), PlayingPeer(), PlayingPeer()
    gone_source = PublishingPeer("s2", seed=2)
    loop = asyncio.get_running_loop()
    async with Call(on(transport)) as call, closing(source, stays, gone, gone_source):
        call.open("a", "b", "c", "d")
        await call.publish("a", "s1", source)
        await call.publish("d", "s2", gone_source)
        await playing(call, "b", stays)
        await playing(call, "c", gone)
        gone.vanish()
        gone_source.vanish()
        at = loop.time()
        await eventually(lambda: len(lost(call)) >= 2, "both are missed", NOTICED_WITHIN)

        assert loop.time() - at < NOTICED_WITHIN
        assert sorted(lost(call)) == ["c/s1", "s2"]
        assert call.media.live == (1, 1)


async def test_who_vanishes_is_missed_within_fifteen_seconds() -> None:
    """In real time, with a server's settings: those whose sockets are gone, and not one that says little."""
    assert on("one-port").silence_timeout == AiortcSettings().silence_timeout
    await asyncio.gather(*map(_vanish_and_be_missed, TRANSPORTS))


@both_transports
async def test_who_says_goodbye_is_gone_at_once(transport: str) -> None:
    """No time-out has to pass: the peer's end of DTLS says it."""
    source, player = PublishingPeer(), PlayingPeer()
    async with Call(on(transport, silence_timeout=60.0)) as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        await player.close()
        await eventually(lambda: lost(call) == ["b/s1"], "the player is gone", 2.0)
        await source.close()
        await eventually(lambda: lost(call) == ["b/s1", "s1"], "the publisher is gone", 2.0)


@both_transports
async def test_playing_has_begun_when_the_player_is_connected(transport: str) -> None:
    """An answer alone begins nothing."""
    source, player = PublishingPeer(), PlayingPeer()
    async with Call(on(transport)) as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        offers = list[str]()
        call.play("b", "s1", player)
        call.listen("b", lambda message: offers.append(message.sdp))
        await eventually(lambda: offers, "it is offered")
        player.connecting = asyncio.ensure_future(asyncio.sleep(0))  # so that it answers without connecting
        answer = await player.answer(offers[0])
        call.say("b", TakeConfiguration(stream_id="s1", type="answer", sdp=answer))
        await asyncio.sleep(0.3)
        assert not call.notified("b", "play_started")

        player.connect(offers[0], we_start=True)
        await eventually(lambda: call.notified("b", "play_started"), "it has begun")


@both_transports
async def test_publishing_has_begun_when_media_flows(transport: str) -> None:
    """A connection alone begins nothing."""
    source = PublishingPeer()
    async with Call(on(transport)) as call, closing(source):
        call.open("a")
        call.listen("a", lambda message: source.connect(message.sdp, we_start=True))
        call.say("a", Publish(stream_id="s1"))
        call.say("a", TakeConfiguration(stream_id="s1", type="offer", sdp=await source.offer()))
        await eventually(lambda: source.transport.egress, "it is connected")
        await asyncio.sleep(0.3)
        assert not call.notified("a", "publish_started")

        source.send_picture()
        await eventually(lambda: call.notified("a", "publish_started"), "it has begun")


@pytest.mark.parametrize("shakes", [False, True], ids=["no check", "no handshake"])
@both_transports
async def test_a_set_up_is_bounded(transport: str, shakes: bool) -> None:
    """Whoever stops half-way, before the checks or after them, is given up."""
    source = PublishingPeer()
    async with Call(on(transport, connect_timeout=0.5)) as call, closing(source):
        call.open("a")
        answers = list[str]()
        call.listen("a", lambda message: answers.append(message.sdp))
        call.publish_offer("a", "s1", await source.offer())
        await eventually(lambda: answers, "it is answered")
        if shakes:
            await source.check(source.remote_of(answers[0]))
        await eventually(lambda: lost(call) == ["s1"], "it is given up", 3.0)

        assert call.of(MediaLost) == [MediaLost(call.of(MediaLost)[0].machine, "the peer did not connect in time")]


@both_transports
async def test_the_end_is_bounded(transport: str) -> None:
    """Nobody hears the goodbyes: the server ends in time all the same."""
    source, player = PublishingPeer(), PlayingPeer()
    settings = on(transport, close_timeout=1.0)
    async with Call(settings) as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        source.vanish()
        player.vanish()
        async with asyncio.timeout(3 * settings.close_timeout):
            await call.media.aclose()
