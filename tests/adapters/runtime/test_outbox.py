"""`signalreel_adapters.runtime.outbox`: Contract 15 for sessions."""

from collections.abc import Callable

import anyio
import pytest

from signalreel_adapters.ports import Peer, TransportClosed
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.limits import Limits
from signalreel_adapters.runtime.outbox import Outbox

pytestmark = pytest.mark.anyio


class Recording:
    """A transport that writes down what it is told; it can be made to never take anything."""

    peer = Peer("memory")

    def __init__(self, *, stuck: bool = False, on_send: Callable[[], None] | None = None) -> None:
        self.said: list[bytes | tuple[int, str]] = []
        self._stuck = stuck
        self._on_send = on_send

    async def receive(self) -> bytes | str:
        """Never receive anything."""
        await anyio.sleep_forever()
        return b""

    async def send(self, data: bytes) -> None:
        """Take a message, or never."""
        if self._stuck:
            await anyio.sleep_forever()
        self.said.append(data)
        if self._on_send is not None:
            self._on_send()

    async def close(self, code: int, reason: str) -> None:
        """Take the end."""
        self.said.append((code, reason))


async def carry(outbox: Outbox, transport: Recording) -> TransportClosed:
    """Run the outbox until it ends, and say how."""
    try:
        await outbox.carry_to(transport)
    except TransportClosed as end:
        return end
    raise AssertionError("the outbox never returns")


async def test_messages_go_out_in_order_and_then_the_close() -> None:
    """Closing flushes: what was sent before goes out first, what comes after is dropped."""
    outbox = Outbox(Limits(), Counters())
    outbox.send(b"one")
    outbox.send(b"two")
    outbox.close(1012, "stop")
    outbox.send(b"three")
    outbox.close(1000, "the second close does not count")
    transport = Recording()
    end = await carry(outbox, transport)

    assert transport.said == [b"one", b"two", (1012, "stop")]
    assert (end.code, end.reason) == (1012, "stop")


async def test_what_comes_while_it_sends_goes_too() -> None:
    """The outbox wakes for messages that come later."""
    outbox = Outbox(Limits(), Counters())

    def more() -> None:
        if len(transport.said) < 3:
            outbox.send(b"more")
        else:
            outbox.close(1000, "")

    transport = Recording(on_send=more)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(carry, outbox, transport)
        await anyio.wait_all_tasks_blocked()
        outbox.send(b"first")

    assert transport.said == [b"first", b"more", b"more", (1000, "")]


@pytest.mark.parametrize("limits", [Limits(outbox_messages_max=3), Limits(outbox_bytes_max=3)], ids=["count", "bytes"])
async def test_a_session_that_does_not_read_is_ended(limits: Limits) -> None:
    """Too many messages or bytes waiting: the send under way is given up and the session closed with 1013."""
    counters = Counters()
    outbox = Outbox(limits, counters)
    transport = Recording(stuck=True)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(carry, outbox, transport)
        await anyio.wait_all_tasks_blocked()
        for _ in range(4):
            outbox.send(b"12")

    assert transport.said == [(1013, "too slow")]
    assert counters.slow_sessions == 1


async def test_a_message_larger_than_the_bound_is_no_slowness() -> None:
    """The list of a large room goes out, and what follows it too: the bound is on what is left unread behind it."""
    counters = Counters()
    outbox = Outbox(Limits(outbox_bytes_max=3), counters)
    outbox.send(b"x" * 100)
    outbox.send(b"y" * 100)
    outbox.close(1000, "")
    transport = Recording()
    await carry(outbox, transport)

    assert transport.said == [b"x" * 100, b"y" * 100, (1000, "")]
    assert counters.slow_sessions == 0


async def test_a_message_that_is_never_taken_ends_the_session() -> None:
    """A send that takes longer than the limit is given up, however little waits."""
    counters = Counters()
    outbox = Outbox(Limits(send_ms_max=1), counters)
    outbox.send(b"one")
    transport = Recording(stuck=True)
    end = await carry(outbox, transport)

    assert (end.code, transport.said, counters.slow_sessions) == (1013, [(1013, "too slow")], 1)
