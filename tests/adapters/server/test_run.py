"""`signalreel_adapters.server.run`: listening, and ending in good order. Each server is a process of its own."""

import signal
import socket
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from signalreel.events import RunStarted, SessionClosed, ShutdownAnnounced
from signalreel.record import decode_record
from signalreel.replay import Cursor
from signalreel_adapters import SqliteReel
from signalreel_adapters.server.run import DRAIN_S_MAX, listen, url_of
from tests.adapters.processes import server_process


def publish(client: ClientConnection, stream_id: str) -> None:
    """Publish until it is live; fake media connects at once."""
    client.send(f'{{"command":"publish","streamId":"{stream_id}"}}')
    assert '"start"' in str(client.recv())
    client.send(f'{{"command":"takeConfiguration","streamId":"{stream_id}","type":"offer","sdp":"v=0"}}')
    assert '"takeConfiguration"' in str(client.recv())
    assert '"publish_started"' in str(client.recv())


def ended(client: ClientConnection) -> int:
    """Read on to the close; give its code."""
    try:
        while True:
            client.recv(timeout=DRAIN_S_MAX)
    except ConnectionClosed as end:
        return end.rcvd.code if end.rcvd is not None else 1006


class TestListening:
    """Sockets and addresses."""

    def test_a_taken_port_is_an_os_error(self) -> None:
        """Two servers cannot have one port; the system's own error comes out."""
        with listen("127.0.0.1", 0) as bound, pytest.raises(OSError, match="in use"):
            listen("127.0.0.1", bound.getsockname()[1])

    @pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])
    def test_the_page_has_an_address_to_type(self, host: str) -> None:
        """Whatever it listens on, the address told is one that a browser on this machine takes."""
        with listen(host, 0) as bound:
            port = bound.getsockname()[1]

            assert url_of(bound) in {f"http://localhost:{port}/", f"http://[::1]:{port}/"}

    def test_a_name_that_is_none(self) -> None:
        """A host that cannot be resolved is an error of the system, too."""
        with pytest.raises(OSError, match=r".+"):
            listen("nowhere.invalid", 0)


class TestEnding:
    """What the first signal does, and the second."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_sessions_are_told_then_closed(self, tmp_path: Path, number: signal.Signals) -> None:
        """Everyone gets `server_will_stop`, then 1012; the process leaves with 0 and its reel is whole."""
        path = tmp_path / "calls.reel"
        with server_process("--media", "fake", "--reel", str(path)) as server:
            with connect(server.websocket) as first, connect(server.websocket) as second:
                publish(first, "s")
                server.process.send_signal(number)
                told = [str(client.recv()) for client in (first, second)]
                codes = [ended(client) for client in (first, second)]
            code = server.wait()
        left = list(tmp_path.iterdir())
        replayed = list(Cursor(SqliteReel.read(path)))
        events = [one.step.record.event for one in replayed]

        assert (code, codes, left) == (0, [1012, 1012], [path])
        assert all("server_will_stop" in said for said in told)
        assert events.count(ShutdownAnnounced()) == 2
        assert sum(isinstance(event, SessionClosed) for event in events) == 2
        assert all(one.recorded is not None and one.divergence is None for one in replayed)

    def test_an_idle_server_leaves_at_once(self) -> None:
        """Nobody is waited for who is not there, and nobody who only listens."""
        with server_process("--media", "none") as server, socket.create_connection(server.address) as listener:
            listener.sendall(b"GET /transitions HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"200 OK" in listener.recv(4_096)

            assert server.end() == 0

    def test_a_second_signal_is_obeyed_at_once(self, tmp_path: Path) -> None:
        """Sessions are not waited for any more; the reel is closed all the same."""
        path = tmp_path / "calls.reel"
        with server_process("--media", "fake", "--reel", str(path)) as server, connect(server.websocket) as client:
            publish(client, "s")
            server.process.send_signal(signal.SIGTERM)
            assert "server_will_stop" in str(client.recv())
            code = server.end()

        assert code in {0, 130}
        assert "Traceback" not in server.stderr
        SqliteReel(path).close()

    def test_a_killed_server_leaves_a_reel_to_go_on_with(self, tmp_path: Path) -> None:
        """After `kill -9` the next run begins by ending what was live, and its ids are free (Contract 14)."""
        path = tmp_path / "calls.reel"
        with server_process("--media", "fake", "--reel", str(path)) as server, connect(server.websocket) as client:
            publish(client, "s")
            server.end(signal.SIGKILL)
        with server_process("--media", "fake", "--reel", str(path)) as server:
            with connect(server.websocket) as client:
                publish(client, "s")
            assert server.end() == 0
        reel = SqliteReel.read(path)
        inputs = [decode_record(entry.record).event for entry in reel.entries()]

        assert inputs.count(RunStarted()) == 1
        assert [one.divergence for one in Cursor(reel)] == [None] * reel.last_seq
