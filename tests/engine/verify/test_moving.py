"""`signalreel.verify.moving`."""

from collections.abc import Callable

import pytest

from signalreel.verify import Violation
from tests.engine.verify.broken import BROKEN_STEPS


@pytest.mark.parametrize(("name", "broken"), BROKEN_STEPS)
def test_a_broken_step_is_seen(name: str, broken: Callable[[], list[Violation]]) -> None:
    """A monitor names the invariant, the machine and what is wrong."""
    assert name in {violation.invariant for violation in broken()}
