"""`signalreel_adapters.cli.logs`: one line a log line, whatever a client put into its fields."""

import json
import subprocess
import sys

import pytest
from websockets.sync.client import connect

from tests.adapters.processes import server_process

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


LIBRARY = """
import logging
from signalreel_adapters.cli.logs import configure_logs
configure_logs({style!r})
try:
    raise LookupError("first\\nsecond")
except LookupError:
    logging.getLogger("uvicorn.error").exception("it went\\nwrong")
logging.getLogger("uvicorn.error").info("not told")
logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
"""


def test_what_libraries_log_is_json_too() -> None:
    """Every line can be parsed, also those that are not ours; a traceback is a field and not lines of its own."""
    program = LIBRARY.replace("{style!r}", "'json'")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    first, second = [json.loads(line) for line in done.stderr.splitlines()]

    assert (first["event"], first["level"], first["logger"]) == ("it went\nwrong", "error", "uvicorn.error")
    assert first["exception"].endswith("LookupError: first\nsecond")
    assert (second["event"], second["level"]) == ("Invalid HTTP request received.", "warning")


def test_what_libraries_log_is_for_people_too() -> None:
    """The same in the form for people, with the traceback below its line."""
    program = LIBRARY.replace("{style!r}", "'console'")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)

    assert "Traceback" in done.stderr
    assert "[warning" in done.stderr.splitlines()[-1]
    assert "not told" not in done.stderr


def test_a_server_whose_log_nobody_reads_goes_on() -> None:
    """A full pipe on stderr stops the lines and nothing else, whatever the clients do."""
    with server_process("--media", "none") as server, connect(server.websocket) as client:
        for number in range(550):  # Lines of a hundred bytes and more each; a pipe holds 64 KiB.
            client.send(f'{{"command":"getStreamInfo","streamId":"{number}{"x" * 100}"}}')
            assert "no_stream_exist" in str(client.recv(timeout=10))

        assert server.end() == 0
