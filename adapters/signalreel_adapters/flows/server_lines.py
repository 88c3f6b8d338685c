"""The lines of a flow that begin with `server`, as far as they are not messages: each form once, with its step."""

import re
from collections.abc import Callable
from typing import Final

from signalreel_adapters.access import Purpose
from signalreel_adapters.flows.script import (
    Disk,
    FindCandidate,
    Issue,
    Lose,
    Measure,
    PassTime,
    Resize,
    ServerStep,
    StopServer,
)

__all__ = ("FORMS", "server_step")

_Make = Callable[[re.Match[str], int, str], ServerStep]

_STEPS: Final[dict[str, tuple[str, _Make]]] = {
    "stops": (r"stops", lambda _, line, source: StopServer(line=line, source=source)),
    "loses its disk": (r"loses its disk", lambda _, line, source: Disk(line=line, source=source, works=False)),
    "finds its disk": (r"finds its disk", lambda _, line, source: Disk(line=line, source=source, works=True)),
    "loses stream ID": (
        r"loses stream (\S+)",
        lambda found, line, source: Lose(line=line, source=source, stream_id=found[1]),
    ),
    "loses stream ID in silence": (
        r"loses stream (\S+) in silence",
        lambda found, line, source: Lose(line=line, source=source, stream_id=found[1], silent=True),
    ),
    "measures ID TARGET VIDEO AUDIO": (
        r"measures (\S+) (\d{1,12}) (\d{1,12}) (\d{1,12})",
        lambda found, line, source: Measure(
            line=line,
            source=source,
            stream_id=found[1],
            target=int(found[2]),
            video=int(found[3]),
            audio=int(found[4]),
        ),
    ),
    "sends ID in height N": (
        r"sends (\S+) in height (\d{1,5})",
        lambda found, line, source: Resize(line=line, source=source, stream_id=found[1], height=int(found[2])),
    ),
    "finds a candidate for ID": (
        r"finds a candidate for (\S+)",
        lambda found, line, source: FindCandidate(line=line, source=source, stream_id=found[1]),
    ),
    "lets N ms pass": (
        r"lets (\d{1,9}) ms pass",
        lambda found, line, source: PassTime(line=line, source=source, milliseconds=int(found[1])),
    ),
    "issues {NAME} to publish ID": (
        r"issues \{([a-z][a-z0-9_]*)\} to (publish|play) (\S+)(?: as (\S+))?",
        lambda found, line, source: Issue(
            line=line,
            source=source,
            name=found[1],
            purpose=Purpose(found[2]),
            stream_id=found[3],
            subscriber_id=found[4] or "",
        ),
    ),
    "issues {NAME} to push as USER": (
        r"issues \{([a-z][a-z0-9_]*)\} to push as (\S+)",
        lambda found, line, source: Issue(
            line=line, source=source, name=found[1], purpose=None, subscriber_id=found[2]
        ),
    ),
}

FORMS: Final = tuple(_STEPS)
"""How such lines are written, for whoever wrote another one."""


def server_step(text: str, *, line: int, source: str) -> ServerStep | None:
    """Read what stands behind `server`; None when it is none of the forms."""
    for pattern, make in _STEPS.values():
        found = re.fullmatch(pattern, text)
        if found is not None:
            return make(found, line, source)
    return None
