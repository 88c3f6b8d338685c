"""How the server logs: a line each on stderr, for people or as JSON, without ever waiting for whoever reads it.

Fields carry what clients chose, the text of a line never does: the renderers escape fields, so that no client can forge
a line (only the JSON one is safe against every control character; use it where lines are parsed).

Lines are written by a thread of their own, from a bounded queue: a pager, or a log shipper that is stuck, would
otherwise stop the server with the first full pipe. What does not fit is lost, and a line says how much was.
"""

import atexit
import logging
import os
import sys
from collections.abc import Callable
from typing import Literal

import msgspec
import structlog

from signalreel_adapters.cli.lines import LineWriter

__all__ = ("LogFormat", "configure_logs")

LogFormat = Literal["console", "json"]
_Render = Callable[[structlog.typing.EventDict], bytes]


def configure_logs(style: LogFormat) -> None:
    """Set up structlog, and let the libraries below say only what is wrong."""
    console = structlog.dev.ConsoleRenderer(colors=sys.stderr is not None and sys.stderr.isatty(), pad_event_to=12)
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)

    def as_line(_logger: object, method: str, fields: structlog.typing.EventDict) -> bytes:
        fields = stamp(_logger, method, {**fields, "level": method})
        if style == "json":
            return msgspec.json.encode(fields, enc_hook=str)
        return str(console(_logger, method, fields)).encode(errors="backslashreplace")

    def lost(count: int) -> bytes:
        return as_line(None, "warning", {"event": "log lines lost", "lines": count}) + b"\n"

    # A process may be started without a stderr; its number then belongs to some other file.
    file = os.open(os.devnull, os.O_WRONLY) if sys.stderr is None else sys.stderr.fileno()
    writer = LineWriter(file, lost)
    # What still waits at the end is written, unless nobody reads it.
    atexit.register(writer.close)
    structlog.configure(
        processors=[as_line],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: _Lines(writer),
        cache_logger_on_first_use=True,
    )
    handler = _Handler(writer, lambda fields: as_line(None, str(fields.pop("level")), fields))
    # uvicorn's own lines tell paths with their query, and a query may hold a token.
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


class _Lines:
    """What structlog writes to: every method takes a whole line."""

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer

    def msg(self, line: bytes) -> None:
        self._writer.write(line + b"\n")

    log = debug = info = warning = error = critical = msg


class _Handler(logging.Handler):
    """Gives what libraries log the same form as our own lines; a traceback is a field of it."""

    def __init__(self, writer: LineWriter, render: _Render) -> None:
        super().__init__()
        self._writer = writer
        self._render = render

    def emit(self, record: logging.LogRecord) -> None:
        """Queue one line."""
        try:
            fields = {"event": record.getMessage(), "level": record.levelname.lower(), "logger": record.name}
            if record.exc_info:
                fields["exception"] = logging.Formatter().formatException(record.exc_info)
            self._writer.write(self._render(fields) + b"\n")
        except Exception:  # noqa: BLE001 - a line that cannot be made is lost, and nothing else is
            self._writer.lose()
