"""Clients that come and go leave nothing behind. Ten thousand of them are `make leaks`; here are enough of each way."""

import pytest
from msgspec import structs

from tests.adapters.media.aiortc.comings import MEMORY_GROWTH_MAX, Comings, Held, grown

pytestmark = pytest.mark.anyio

EACH_WAY = 40
"""Two of each way to come and go, over each transport."""


@pytest.mark.timeout(120)
async def test_nothing_stays_of_those_who_came_and_went() -> None:
    """Calls that were held, that were left without a word, and that were never set up: no object of them stays."""
    async with Comings() as comings:
        first = await comings.come_and_go(EACH_WAY)
        last = await comings.come_and_go(3 * EACH_WAY)

    assert grown(first, last) == []
    assert set(comings.done.values()) == {16}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("files", 9, "files: 9, at first 8"),
        ("tasks", 3, "tasks: 3, at first 2"),
        ("threads", 2, "threads: 2, at first 1"),
        ("watched", {"Out": 1}, "Out: 1, at first 0"),
        ("objects", 9_000, "objects: 9000, at first 5000"),
        ("memory", 2 * MEMORY_GROWTH_MAX, "memory: 32 MiB, at first 0 MiB"),
    ],
)
def test_growth_is_said(field: str, value: object, said: str) -> None:
    """Of everything that is counted; so that nothing growing means something."""
    first = Held(memory=0, files=8, tasks=2, threads=1, objects=5_000, watched={})

    assert grown(first, first) == []
    assert grown(first, structs.replace(first, **{field: value})) == [said]
