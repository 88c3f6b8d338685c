"""`signalreel_adapters.runtime.log`."""

import structlog
from structlog.testing import capture_logs

from signalreel_adapters.runtime.log import Log


def test_lines_have_their_level_and_fields() -> None:
    """A line is written as structlog would write it."""
    log = Log("test")
    with capture_logs() as logs:
        log.info("one", id="a")
        log.warning("two")
        log.error("three")

    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("one", "info"),
        ("two", "warning"),
        ("three", "error"),
    ]
    assert logs[0]["id"] == "a"


def test_a_line_that_cannot_be_written_is_lost() -> None:
    """Whatever the processors or the output raise, nobody who logs notices."""

    def broken(*_: object) -> dict[str, object]:
        raise BrokenPipeError

    before = structlog.get_config()
    structlog.configure(processors=[broken])
    try:
        for write in (Log("test").info, Log("test").warning, Log("test").error):
            write("lost")
    finally:
        structlog.configure(**before)
