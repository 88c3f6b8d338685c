"""`signalreel_adapters.cli.logs`: one line a log line, whatever a client put into its fields."""

import json
import subprocess
import sys

import pytest

HOSTILE = "a\\nb\\x1b[31m\\u2028c"
PROGRAM = f"""
import structlog
from signalreel_adapters.cli.logs import configure_logs
configure_logs({{style!r}})
structlog.stdlib.get_logger("test").info("transition", id="{HOSTILE}", kind="stream")
structlog.stdlib.get_logger("test").debug("not told")
"""


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_client_cannot_forge_a_line(style: str) -> None:
    """Line ends and escape bytes in a field are escaped; a line stays one line."""
    program = PROGRAM.replace("{style!r}", repr(style))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    lines = done.stderr.decode().strip().split("\n")

    assert len(lines) == 1
    assert "\x1b[31m" not in done.stderr.decode()
    if style == "json":
        fields = json.loads(lines[0])
        assert (fields["event"], fields["id"], fields["level"]) == ("transition", "a\nb\x1b[31m\u2028c", "info")
