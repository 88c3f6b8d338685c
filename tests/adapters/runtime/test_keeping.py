"""`signalreel_adapters.runtime.keeping`."""

import pytest

from signalreel.errors import OutOfOrder
from signalreel.reel import MemoryReel
from signalreel.step import GENESIS, Outcome
from signalreel_adapters.runtime.keeping import Unrecorded, as_durable
from signalreel_adapters.testing import FailingReel

pytestmark = pytest.mark.anyio


async def test_an_unrecorded_reel_counts_and_keeps_nothing() -> None:
    """Without a reel seqs go on, and nothing grows."""
    reel = Unrecorded()
    reel.append(1, b"one")
    reel.append(2, b"two")
    reel.conclude(2, Outcome(GENESIS, []))

    assert (reel.last_seq, list(reel.entries())) == (2, [])
    with pytest.raises(OutOfOrder):
        reel.append(4, b"four")


async def test_a_durable_reel_is_taken_as_it_is() -> None:
    """A reel that can be committed needs nothing around it."""
    reel = FailingReel()

    assert as_durable(reel) is reel


async def test_any_other_reel_gets_a_commit_that_does_nothing() -> None:
    """A reel without `commit` is written through at once."""
    reel = MemoryReel()
    durable = as_durable(reel)
    durable.append(1, b"one")
    durable.conclude(1, Outcome(b"x", []))
    await durable.commit()
    durable.close()

    assert durable.header is reel.header
    assert durable.last_seq == reel.last_seq == 1
    assert list(durable.entries()) == list(reel.entries())
