"""`signalreel_adapters.configuration.apps`."""

from signalreel_adapters.configuration.apps import OfApps


def test_a_named_app_has_its_own_or_nothing() -> None:
    """What is for all others is not for it."""
    keys = OfApps({"live": 1, "*": 2}, {"live", "bare", "*"})

    assert [keys.get(app) for app in ("live", "bare", "other", "*")] == [1, None, 2, 2]


def test_without_a_section_for_the_others_they_have_nothing() -> None:
    """As they are closed then."""
    keys = OfApps({"live": 1}, {"live"})

    assert keys.get("other") is None
    assert dict(keys) == {"live": 1}
