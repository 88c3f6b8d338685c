"""How the server logs: a line each on stderr, for people or as JSON.

Fields carry what clients chose, the text of a line never does: the renderers escape fields, so that no client can forge
a line (only the JSON one is safe against every control character; use it where lines are parsed).
"""

import logging
import sys
from typing import Literal

import msgspec
import structlog

__all__ = ("LogFormat", "configure_logs")

LogFormat = Literal["console", "json"]


def configure_logs(style: LogFormat) -> None:
    """Set up structlog, and let the libraries below say only what is wrong."""
    # uvicorn's own lines tell paths with their query, and a query may hold a token.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if style == "json":
        structlog.configure(
            processors=[*shared, structlog.processors.EventRenamer("event"), _as_json],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
            cache_logger_on_first_use=True,
        )
    else:
        structlog.configure(
            processors=[*shared, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=12)],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
            cache_logger_on_first_use=True,
        )


def _as_json(_logger: object, _method: str, fields: structlog.typing.EventDict) -> bytes:
    return msgspec.json.encode(fields, enc_hook=str)
