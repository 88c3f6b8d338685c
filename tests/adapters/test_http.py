"""`signalreel_adapters.http`: asking over a real socket, and whom not to ask."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from signalreel_adapters.http import HttpPost, HttpTimes, Unreachable, is_public

pytestmark = pytest.mark.anyio

IMPATIENT = HttpTimes(connect_ms=2_000, read_ms=100)


class Server:
    """Answers every connection with the same bytes and keeps what it was sent; nothing to say is silence."""

    def __init__(self, answer: bytes, body_bytes: int) -> None:
        self.heard: list[bytes] = []
        self._answer = answer
        self._body_bytes = body_bytes

    async def serve(self, stream: SocketStream) -> None:
        """Hear one question out and answer it, piece by piece."""
        heard = b""
        async with stream:
            try:
                while not heard.partition(b"\r\n\r\n")[2][self._body_bytes - 1 :]:
                    heard += await stream.receive()
                self.heard.append(heard)
                for piece in (self._answer[:7], self._answer[7:]):
                    await stream.send(piece)
                if not self._answer:
                    await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return


@asynccontextmanager
async def answering(answer: bytes, *, body_bytes: int = 2) -> AsyncIterator[tuple[Server, str]]:
    """A server on this machine, and its address."""
    server = Server(answer, body_bytes)
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, server.serve)
        port = listener.extra_attributes[SocketAttribute.local_port]()
        yield server, f"http://127.0.0.1:{port}/ask?app=live"
        tasks.cancel_scope.cancel()


async def test_the_question_is_one_whole_post() -> None:
    """Path, host, type and length stand in it, then the body; the answer is a status."""
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnever read") as (server, url):
        status = await HttpPost(url, allow_private=True)(url, b"{}")
    head, _, body = server.heard[0].decode().partition("\r\n\r\n")

    assert (status, body) == (200, "{}")
    assert head.split("\r\n") == [
        "POST /ask?app=live HTTP/1.1",
        f"Host: {url.split('/')[2]}",
        "Content-Type: application/json",
        "Content-Length: 2",
        "Accept: */*",
        "Connection: close",
    ]


async def test_header_fields_of_the_callers_own() -> None:
    """They stand behind the usual ones, as they were given."""
    async with answering(b"HTTP/1.1 204 No Content\r\n\r\n") as (server, url):
        status = await HttpPost(url, allow_private=True)(url, b"{}", headers=(("Signature", "t=1,v1=x"),))

    assert status == 204
    assert server.heard[0].endswith(b"Connection: close\r\nSignature: t=1,v1=x\r\n\r\n{}")


async def test_a_redirect_is_not_followed() -> None:
    """Its status is the answer, and nothing else is asked."""
    async with answering(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n") as (server, url):
        assert await HttpPost(url, allow_private=True)(url, b"{}") == 302

    assert len(server.heard) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 abc\r\n",
        b"HTTP/1.1 20\r\n",
        b"HTTP/2 200\r\n",
        b"x" * 20_000,
        b"HTTP/1.1 200",
    ],
    ids=["another protocol", "no number", "a short number", "another version", "no end of line", "an early end"],
)
async def test_what_is_no_answer_is_none(answer: bytes) -> None:
    """Whatever is sent back, the only failure is `Unreachable`."""
    async with answering(answer) as (_, url):
        with pytest.raises(Unreachable):
            await HttpPost(url, allow_private=True)(url, b"{}")


async def test_silence_ends() -> None:
    """A hook that does not answer is given up."""
    async with answering(b"") as (_, url):
        with pytest.raises(Unreachable, match="in time"):
            await HttpPost(url, allow_private=True, times=IMPATIENT)(url, b"{}")


async def test_nobody_there_is_no_answer() -> None:
    """A closed port is told like every other failure, without the address."""
    async with answering(b"") as (_, url):
        pass
    with pytest.raises(Unreachable) as caught:
        await HttpPost(url, allow_private=True)(url, b"{}")

    assert "127.0.0.1" not in str(caught.value)


async def test_encryption_is_not_optional() -> None:
    """A server that speaks in the clear is no answer to https, and nothing of the question reaches it."""
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n", body_bytes=0) as (server, url):
        secure = url.replace("http:", "https:")
        with pytest.raises(Unreachable):
            await HttpPost(secure, allow_private=True, times=HttpTimes(connect_ms=500))(secure, b"canary")

    assert b"canary" not in b"".join(server.heard)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "169.254.169.254", "[::ffff:10.0.0.1]"])
async def test_private_addresses_are_not_called(host: str) -> None:
    """Unless they are allowed by configuration; nothing is sent there."""
    url = f"http://{host}:9/"
    with pytest.raises(Unreachable, match="public"):
        await HttpPost(url)(url, b"{}")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("::ffff:93.184.216.34", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%lo", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("no address", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    """IPv4 in the clothes of IPv6 is what it leads to."""
    assert is_public(address) is public


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hook.example/",
        "file:///etc/passwd",
        "hook.example",
        "http://",
        "http://canary:word@hook.example/",
        "http://hook.example/a b",
        "http://hook.example/é",
        "",
    ],
)
def test_an_address_that_is_none_is_told_at_once(url: str) -> None:
    """When the gate is made, and without showing what may hold a password."""
    with pytest.raises(ValueError, match="webhook") as caught:
        HttpPost(url)

    assert "canary" not in str(caught.value)


async def test_only_the_configured_addresses_are_asked() -> None:
    """Another one is a mistake of the caller."""
    with pytest.raises(KeyError):
        await HttpPost("http://hook.example/")("http://other.example/", b"")
