"""`signalreel.verify.standing`."""

from collections.abc import Callable

import pytest

from signalreel.verify import Violation
from tests.engine.verify.broken import BROKEN_STATES


@pytest.mark.parametrize(("name", "broken"), BROKEN_STATES)
def test_a_broken_state_is_seen(name: str, broken: Callable[[], list[Violation]]) -> None:
    """A look at the whole state names the invariant, the machine and what is wrong."""
    assert name in {violation.invariant for violation in broken()}
