"""The contract of a transport, as a suite that every transport passes.

    async def test_my_transport() -> None:
        await check_transport(make_pair)

`make_pair` gives an asynchronous context manager of a `TransportPair`: a fresh transport and a client at its other end.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

import anyio
from msgspec import Struct

from signalreel_adapters.ports import Transport, TransportClosed
from signalreel_adapters.testing.promises import hold

__all__ = ("ClientEnd", "MakePair", "TransportPair", "check_transport")

_MESSAGES: Final = 50
_LARGE: Final = 80_000  # Just below what a client may send, and more than one packet.
_FLOOD_MAX: Final = 2_000
_NORMAL: Final = 1000
_GOING_AWAY: Final = 1001
_STILL_S: Final = 0.2
_PATIENCE_S: Final = 5


class ClientEnd(Protocol):
    """What the suite does as the client."""

    async def send(self, text: str) -> None:
        """Send one message."""
        ...

    async def receive(self) -> bytes | str:
        """Wait for one message. Raises `TransportClosed` with the code that the server closed with."""
        ...

    async def close(self, code: int) -> None:
        """Close in good order."""
        ...


class TransportPair(Struct, frozen=True):
    """Both ends of one connection."""

    transport: Transport
    client: ClientEnd


MakePair = Callable[[], AbstractAsyncContextManager[TransportPair]]


async def check_transport(make_pair: MakePair) -> None:
    """Hold a transport against every promise of `ports.Transport`. Raises `AssertionError` at the first it breaks."""
    for promise in (
        _keeps_order,
        _carries_large_messages,
        _tells_the_clients_close,
        _delivers_before_it_closes,
        _closes_once,
        _refuses_to_send_after_the_end,
        _holds_the_sender_back,
    ):
        async with make_pair() as pair:
            with anyio.fail_after(_PATIENCE_S):
                await promise(pair)


async def _keeps_order(pair: TransportPair) -> None:
    texts = [str(number) for number in range(_MESSAGES)]
    for text in texts:
        await pair.client.send(text)
        await pair.transport.send(text.encode())
    inward = [_text(await pair.transport.receive()) for _ in texts]
    outward = [_text(await pair.client.receive()) for _ in texts]
    hold(inward == texts, "messages of the client arrive in order and none is lost")
    hold(outward == texts, "messages of the server arrive in order and none is lost")


async def _carries_large_messages(pair: TransportPair) -> None:
    text = "é" * (_LARGE // 2)
    await pair.client.send(text)
    await pair.transport.send(text.encode())
    hold(_text(await pair.transport.receive()) == text, "a large message of the client arrives whole")
    hold(_text(await pair.client.receive()) == text, "a large message of the server arrives whole")


async def _tells_the_clients_close(pair: TransportPair) -> None:
    await pair.client.send("last")
    await pair.client.close(_GOING_AWAY)
    hold(_text(await pair.transport.receive()) == "last", "what was sent before closing is received")
    for _ in range(2):
        end = await _end_of(pair.transport.receive)
        hold(end.code == _GOING_AWAY, f"the client's close code is told, each time it is asked for; it was {end.code}")


async def _delivers_before_it_closes(pair: TransportPair) -> None:
    await pair.transport.send(b"last")
    await pair.transport.close(1012, "going away")
    hold(_text(await pair.client.receive()) == "last", "what was sent before closing is delivered")
    end = await _end_of(pair.client.receive)
    hold((end.code, end.reason) == (1012, "going away"), "the client learns the code and the reason")


async def _closes_once(pair: TransportPair) -> None:
    await pair.transport.close(_NORMAL, "")
    await pair.transport.close(1011, "again")
    end = await _end_of(pair.transport.receive)
    hold(end.code == _NORMAL, "closing twice is harmless, and the first close counts")


async def _refuses_to_send_after_the_end(pair: TransportPair) -> None:
    await pair.transport.close(_NORMAL, "")

    async def send() -> None:
        await pair.transport.send(b"too late")

    await _end_of(send)


async def _holds_the_sender_back(pair: TransportPair) -> None:
    data = b"x" * _LARGE
    for _ in range(_FLOOD_MAX):
        with anyio.move_on_after(_STILL_S) as scope:
            await pair.transport.send(data)
        if scope.cancelled_caught:
            return
    raise AssertionError("a client that does not read holds the sender back")


async def _end_of(wait: Callable[[], Awaitable[object]]) -> TransportClosed:
    try:
        await wait()
    except TransportClosed as end:
        return end
    raise AssertionError("nothing can be received or sent after the end")


def _text(data: bytes | str) -> str:
    return data if isinstance(data, str) else data.decode()
