"""`signalreel_adapters.cli.media`: from options to an adapter, and what is said when it cannot be."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from signalreel_adapters import FakeMedia
from signalreel_adapters.cli.media import check_addresses, make_media, media_mistakes, where_media_is
from signalreel_adapters.cli.mistakes import Mistake
from signalreel_adapters.configuration.file import MediaSection, MediaTurnSection, ServerSection
from signalreel_adapters.media.aiortc import AiortcMedia, AiortcSettings
from signalreel_adapters.media.aiortc.errors import DescriptionImpossible
from signalreel_adapters.media.aiortc.settings import TurnServer
from signalreel_adapters.media.workers import WorkersMedia
from signalreel_adapters.media.workers.keeping import WorkerUnable
from signalreel_adapters.ports import Media
from signalreel_adapters.server import listen
from tests.adapters.processes import server_process

SERVER = ServerSection()


@pytest.fixture
def bound() -> Iterator[socket.socket]:
    """What the server listens on."""
    with listen("127.0.0.1", 0) as found:
        yield found


def settings_of(media: Media | None) -> AiortcSettings:
    """The settings of a real adapter."""
    assert isinstance(media, AiortcMedia | WorkersMedia)
    return media.settings


def test_media_may_be_none_or_fake(bound: socket.socket) -> None:
    """Then nothing is opened, whatever else is said of media."""
    assert make_media(ServerSection(media="none"), MediaSection(port=1), bound) is None
    assert isinstance(make_media(ServerSection(media="fake"), MediaSection(port=1), bound), FakeMedia)


def test_media_shares_the_servers_number(bound: socket.socket) -> None:
    """One number for TCP and UDP, unless there is another one, or every peer has its own port."""
    port = bound.getsockname()[1]

    def settings(section: MediaSection) -> AiortcSettings:
        return settings_of(make_media(SERVER, section, bound))

    def here(chosen: AiortcSettings) -> AiortcSettings:
        return AiortcSettings.for_bind("127.0.0.1", chosen)

    assert settings(MediaSection(workers=0)) == here(AiortcSettings(transport="one-port", port=port))
    assert settings(MediaSection(workers=0, port=0)).port == 0
    assert settings(MediaSection(workers=0, transport="port-each")) == here(AiortcSettings())
    assert settings(MediaSection(workers=0, port=0, hosts=("127.0.0.2",))).hosts == ("127.0.0.2",)


def test_the_server_may_be_reached_by_a_relay(bound: socket.socket, tmp_path: Path) -> None:
    """Where every peer has ports of its own; a password that cannot be read is a mistake, and so is one port."""
    turn = MediaTurnSection("turn:192.0.2.1:3478", "server", str(tmp_path / "turn.key"))
    section = MediaSection(workers=0, transport="port-each", turn=turn)
    with pytest.raises(Mistake, match="credential_file: No such file"):
        make_media(SERVER, section, bound)
    (tmp_path / "turn.key").write_text("canary\n")

    assert settings_of(make_media(SERVER, section, bound)).turn == TurnServer(
        uri="turn:192.0.2.1:3478", username="server", credential_file=turn.credential_file
    )
    with pytest.raises(Mistake, match="one port needs no relay"):
        make_media(SERVER, structs.replace(section, transport="one-port"), bound)
    with pytest.raises(Mistake, match="turn:host:port"):
        make_media(SERVER, structs.replace(section, turn=structs.replace(turn, uri="nowhere")), bound)


def test_workers_are_as_many_as_wished(bound: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is the server's own process; without a wish the machine decides."""
    monkeypatch.setattr("signalreel_adapters.media.workers.default_count", lambda: 5)

    def media(workers: int | None) -> Media | None:
        return make_media(SERVER, MediaSection(workers=workers, port=0), bound)

    assert isinstance(media(0), AiortcMedia)
    for wished, count in ((2, 2), (None, 5)):
        made = media(wished)
        assert isinstance(made, WorkersMedia)
        assert made.count == count


def test_a_taken_port_is_a_mistake(bound: socket.socket) -> None:
    """Any of those that the workers would need, before one of them is started; so are ports that do not exist."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        for first, workers in ((port, 0), (port - 1, 2)):
            with pytest.raises(Mistake, match=f"UDP port {port} is taken by another program; .*--media-port"):
                make_media(SERVER, MediaSection(workers=workers, port=first), bound)
    with pytest.raises(Mistake, match="the UDP ports 65535 to 65536"):
        make_media(SERVER, MediaSection(workers=2, port=65_535), bound)
    with pytest.raises(Mistake, match="9 to 8 is no range of ports"):
        make_media(SERVER, MediaSection(workers=0, ports=(9, 8)), bound)


@pytest.mark.parametrize("error", [WorkerUnable("the sky fell"), DescriptionImpossible("the sky fell")])
def test_media_that_cannot_begin_is_a_mistake(error: Exception) -> None:
    """It is said in a sentence; anything else that is raised stays what it is."""
    with pytest.raises(Mistake, match="media cannot begin: the sky fell"), media_mistakes():
        raise error
    with pytest.raises(ZeroDivisionError), media_mistakes():
        raise ZeroDivisionError


def test_without_media_nothing_is_made_of_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The classes of its errors are not loaded for it."""
    monkeypatch.setattr("signalreel_adapters.cli.media.sys.modules", {})
    with pytest.raises(ZeroDivisionError), media_mistakes():
        raise ZeroDivisionError


def test_a_name_is_no_address() -> None:
    """Addresses of both kinds are."""
    check_addresses(("192.0.2.1", "2001:db8::1"), "--media-host")
    with pytest.raises(Mistake, match="--media-host example"):
        check_addresses(("192.0.2.1", "example.org"), "--media-host")


def test_the_greeting_says_which_ports_to_open() -> None:
    """With real processes: the ports that they took, and how many they are."""
    with server_process("--media-workers", "2") as server:
        server.end()
    assert re.search(r"media: aiortc on UDP ports \d+, \d+ in 2 workers; ", server.stderr)

    with server_process("--media-workers", "0", "--media-transport", "port-each") as server:
        server.end()
    assert "media: aiortc; " in server.stderr


def test_other_media_has_no_ports() -> None:
    """Nothing is said of it."""
    assert where_media_is(None) == where_media_is(FakeMedia()) == ""
