"""Through a real TURN server: offered as a candidate, guarded like any other way, and media flows."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from signalreel_adapters.media.aiortc.errors import DescriptionImpossible
from signalreel_adapters.media.aiortc.full import AioicePeer
from signalreel_adapters.media.aiortc.settings import AiortcSettings, TurnServer
from tests.adapters.media.aiortc.attackers import HANDSHAKES
from tests.adapters.media.aiortc.fakes import rtp
from tests.adapters.media.aiortc.pairs import CERTIFICATE, Pair
from tests.adapters.media.aiortc.peers import (
    SETTINGS,
    Call,
    PlayingPeer,
    PublishingPeer,
    closing,
    eventually,
    free_port,
)
from tests.adapters.turn import turn_server

pytestmark = pytest.mark.anyio

USER, PASSWORD = "signalreel", "the-password-of-the-relay"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AiortcSettings]:
    """Settings with a relay that works, and nothing but it."""
    folder = tmp_path_factory.mktemp("turn")
    (folder / "credential").write_text(f"{PASSWORD}\n")
    with turn_server(folder, "--lt-cred-mech", f"--user={USER}:{PASSWORD}") as port:
        yield structs.replace(SETTINGS, turn=relay(folder / "credential", port))


def relay(credential: Path, port: int, *, only: bool = True) -> TurnServer:
    """A relay on this machine."""
    return TurnServer(uri=f"turn:127.0.0.1:{port}", username=USER, credential_file=str(credential), only=only)


def kinds(lines: tuple[str, ...]) -> list[str]:
    """The kinds of candidates that a description has."""
    return [line.partition(" typ ")[2].split()[0] for line in lines]


async def test_media_flows_through_a_relay(settings: AiortcSettings) -> None:
    """The server sends and hears through nothing else, the polite way: there is no socket of its own to send with."""
    pair = Pair(settings=settings)
    ours, _ = await pair.gather()
    assert kinds(ours.candidates) == ["relay"]
    await pair.connect()
    for number in range(50):
        pair.server.send_rtp(rtp(number, payload=b"down"))
        pair.client.send_rtp(rtp(number, payload=b"up"))
        await asyncio.sleep(0.001)
    await eventually(lambda: len(pair.at_client) == len(pair.at_server) == 50, "everything arrives")

    assert pair.server.egress is None
    assert pair.full._pair.local_candidate.type == "relay"
    await pair.close()


async def test_a_whole_call_through_a_relay(settings: AiortcSettings) -> None:
    """Publish and play, over the engine and the adapter."""
    source, player = PublishingPeer(), PlayingPeer()
    async with Call(settings) as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        call.play("b", "s1", player)
        await eventually(lambda: player.offer and len(player.arrived("video")) > 20, "pictures arrive")

        assert " typ relay" in player.offer
        assert " typ host" not in player.offer
        await eventually(lambda: player.messages or player.channel, "the data channel is open")
        assert call.failures == 0


@pytest.mark.threat("T14")
async def test_strangers_are_not_heard_through_a_relay_either(settings: AiortcSettings) -> None:
    """The relay lets in whoever is at an address that we have sent to: the filter asks for the port as well."""
    pair = Pair(settings=settings)
    await pair.gather()
    await pair.connect()
    dropped = pair.full._filter.dropped
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        for data in HANDSHAKES * 5:
            stranger.sendto(data, pair.address)
        await eventually(lambda: pair.full._filter.dropped >= dropped + 5, "they have come as far as the filter")
        assert stranger.getsockname() not in pair.full._filter.verified
    pair.client.send_rtp(rtp(1))
    await eventually(lambda: pair.at_server == [rtp(1)], "the call goes on")
    await pair.close()


async def test_a_relay_is_offered_beside_the_own_addresses(settings: AiortcSettings) -> None:
    """Other addresses that are advertised stand for our own sockets, not for the relay's."""
    assert settings.turn is not None
    port = free_port()
    both = structs.replace(
        settings, turn=structs.replace(settings.turn, only=False), ports=(port, port), advertised=("192.0.2.1",)
    )
    peer = AioicePeer(both, CERTIFICATE, controlling=False)
    lines = (await peer.gather()).candidates

    assert kinds(lines) == ["host", "relay"]
    assert [line.split()[4] for line in lines] == ["192.0.2.1", "127.0.0.1"]
    await peer.close()


async def test_a_relay_that_does_not_take_us_leaves_the_own_addresses(
    settings: AiortcSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said in the log, without a secret; with nothing else to offer there is no description."""
    assert settings.turn is not None
    (tmp_path / "credential").write_text("not-the-password")
    wrong = structs.replace(settings.turn, credential_file=str(tmp_path / "credential"))
    alone = AioicePeer(structs.replace(settings, turn=wrong), CERTIFICATE, controlling=False)
    with pytest.raises(DescriptionImpossible):
        await alone.gather()
    await alone.close()
    beside = AioicePeer(
        structs.replace(settings, turn=structs.replace(wrong, only=False)), CERTIFICATE, controlling=False
    )

    assert kinds((await beside.gather()).candidates) == ["host"]
    assert "the TURN server relays nothing" in caplog.text
    assert "not-the-password" not in caplog.text
    await beside.close()


async def test_a_credential_that_cannot_be_read_is_said(settings: AiortcSettings, tmp_path: Path) -> None:
    """As what keeps a description from being made, without the file's name."""
    assert settings.turn is not None
    missing = structs.replace(settings.turn, credential_file=str(tmp_path / "missing"))
    with pytest.raises(DescriptionImpossible, match="cannot be read"):
        AioicePeer(structs.replace(settings, turn=missing), CERTIFICATE, controlling=False)
