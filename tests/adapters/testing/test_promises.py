"""`signalreel_adapters.testing.promises`."""

import pytest

from signalreel_adapters.testing.promises import hold


def test_a_broken_promise_is_said_in_its_own_words() -> None:
    """A kept one is not mentioned."""
    hold(True, "it is kept")

    with pytest.raises(AssertionError, match=r"^broken promise: nothing is lost$"):
        hold(False, "nothing is lost")
