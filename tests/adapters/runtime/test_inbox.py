"""`signalreel_adapters.runtime.inbox`."""

import anyio
import pytest

from signalreel.errors import ReelUnavailable
from signalreel_adapters.runtime.inbox import Inbox, Pending, Ticket

pytestmark = pytest.mark.anyio


async def test_inputs_leave_in_the_order_they_came() -> None:
    """First in, first out, up to the number asked for."""
    inbox = Inbox()
    first, second, third = (Pending(name) for name in "abc")
    for pending in (first, second, third):
        inbox.put(pending)

    assert inbox.take(2) == [first, second]
    assert inbox.take(2) == [third]
    assert inbox.take(2) == []


async def test_what_is_put_back_comes_first() -> None:
    """Inputs that could not be recorded keep their place before those that came later."""
    inbox = Inbox()
    first, second, third = (Pending(name) for name in "abc")
    inbox.put(third)
    inbox.put_back([first, second])

    assert inbox.take(3) == [first, second, third]


async def test_what_is_held_stands_before_what_is_new() -> None:
    """And behind what was put back; taking what is new leaves it alone."""
    inbox = Inbox()
    first, second, third, fourth = (Pending(name) for name in "abcd")
    inbox.put(second)
    for pending in inbox.take_new():
        inbox.hold(pending)
    inbox.put(third)
    inbox.put_back([first])

    assert inbox.take_new() == [third]
    inbox.put(fourth)
    assert len(inbox) == 3
    assert inbox.take(2) == [first, second]
    assert inbox.take(2) == [fourth]


async def test_a_ring_wakes_once() -> None:
    """A wait ends at the ring before it or after it, and the next one waits anew."""
    inbox = Inbox()
    inbox.ring()
    await inbox.wait()
    with anyio.move_on_after(0) as scope:
        await inbox.wait()

    assert scope.cancelled_caught


async def test_a_broken_ticket_tells_why() -> None:
    """Whoever waits for a step gets the error that prevented it."""
    ticket = Ticket()
    ticket.fail(ReelUnavailable("full"))

    with pytest.raises(ReelUnavailable, match="full"):
        await ticket.step()
