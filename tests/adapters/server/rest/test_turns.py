"""`signalreel_adapters.server.rest.turns`: going through many."""

import anyio
import pytest
from anyio.lowlevel import checkpoint

from signalreel_adapters.server.rest.turns import AT_ONCE, SORTED_AT_ONCE, in_order, in_turns

pytestmark = pytest.mark.anyio


async def test_others_have_their_turns_meanwhile() -> None:
    """Not only when all is over; and every thing is given in its order."""
    things = range(1, 4 * AT_ONCE + 1)
    turns = [0]

    async def others() -> None:
        while turns[-1] < things[-1]:
            turns.append(last)
            await checkpoint()

    async with anyio.create_task_group() as tasks:
        last = 0
        tasks.start_soon(others)
        async for thing in in_turns(things):
            assert thing == last + 1
            last = thing

    assert len(turns) > 2, "the others had a turn at the beginning and at the end only"


@pytest.mark.parametrize("count", [0, 1, SORTED_AT_ONCE, 3 * SORTED_AT_ONCE + 1])
async def test_many_are_put_in_order(count: int) -> None:
    """However many, and whatever their order was; as few of them as are wanted."""
    things = [thing * 7_919 % max(count, 1) for thing in range(count)]

    assert await in_order(things, count) == sorted(things)
    assert await in_order(things, 5) == sorted(things)[:5]
