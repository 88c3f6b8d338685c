"""Exceptions that nobody foresaw are logged, without their text, and counted."""

from structlog.testing import capture_logs

from signalreel_adapters.media.aiortc.failures import Failures


def test_a_failure_is_logged_and_counted() -> None:
    """What was raised and where, and never what it says."""
    failures = Failures()
    counted: list[str] = []
    failures.note("before anybody counts", ValueError("a=ice-pwd:canary"))
    failures.count_with = lambda: counted.append("one")
    with capture_logs() as lines:
        failures.note("media job failed", ValueError("a=ice-pwd:canary"))

    assert counted == ["one"]
    assert [(line["event"], line["error"]) for line in lines] == [("media job failed", "ValueError")]
    assert "canary" not in repr(lines)
