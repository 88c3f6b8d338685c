"""`signalreel_adapters.testing.failing`; its failing is what `test_loop_failing_reel` is about."""

import pytest

from signalreel.errors import ReelUnavailable
from signalreel.step import Outcome
from signalreel_adapters.testing import FailingReel

pytestmark = pytest.mark.anyio


async def test_a_failed_commit_forgets_records_and_keeps_outcomes() -> None:
    """As the port has it: all or nothing for records, outcomes go along with the next commit."""
    reel = FailingReel()
    reel.append(1, b"one")
    await reel.commit()
    reel.conclude(1, Outcome(b"x", []))
    reel.append(2, b"two")
    reel.fails = True
    with pytest.raises(ReelUnavailable):
        await reel.commit()
    assert reel.last_seq == 1
    reel.fails = False
    await reel.commit()

    assert [(entry.record, entry.outcome) for entry in reel.entries()] == [(b"one", Outcome(b"x", []))]
