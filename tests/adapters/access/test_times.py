"""`signalreel_adapters.access.times`."""

import math

from signalreel_adapters.access.times import FAR_S, MARGIN_S, SECOND, kept_until, seconds


def test_a_used_token_is_remembered_beyond_its_expiry() -> None:
    """By the margin, so that two sessions which show it at its very end do not both get in."""
    assert kept_until(100 * SECOND) == (100 + MARGIN_S) * SECOND


def test_no_expiry_is_too_far() -> None:
    """What is beyond any date stays an integer that a record can hold."""
    assert kept_until(math.inf) == (FAR_S + MARGIN_S) * SECOND < 2**63


def test_seconds_are_those_of_tokens() -> None:
    """Clocks count microseconds, tokens seconds."""
    assert seconds(1_500_000) == 1.5
