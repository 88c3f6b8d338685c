"""The table of faults: their names, what each takes, what it does, and which part of a client it is for.

The refusals are those of the engine's catalogue. What is here says only when each comes, where that is not at once.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from signalreel.refusals import (
    NO_PACKET_RECEIVED,
    NOT_SET_LOCAL_DESCRIPTION,
    NOT_SET_REMOTE_DESCRIPTION,
    PUBLISH_TIMEOUT_ERROR,
    REFUSALS,
    Refusal,
)

__all__ = ("FAULTS", "PREFIX", "Fault", "Moment", "Value")

PREFIX: Final = "mock:"
"""How an id begins that asks for faults."""


class Value(StrEnum):
    """What stands behind the `=` of a fault."""

    NOTHING = "nothing"
    DURATION = "a duration: 250ms, 8s, 2m"
    CODE = "a close code: 1000 to 4999"
    COUNT = "a count, from 1"
    TEXT = "any text"


class Moment(StrEnum):
    """When a refusal comes."""

    COMMAND = "instead of an answer to each command that names the id"
    DESCRIPTION = "instead of an answer to the client's description"
    NEVER_CONNECTED = "when the server's time is over: descriptions and candidates of the client do not arrive"
    STARTED = "once it has started, which then ends"


class Fault(Struct, frozen=True):
    """One line of the table."""

    name: str
    does: str  #: what the server does, as a sentence's end
    tests: str  #: what of a client it is for
    value: Value = Value.NOTHING
    default: str = ""  #: the value when none is given; without one it has to be given
    refusal: Refusal | None = None
    moment: Moment = Moment.COMMAND  #: of a refusal


_LATER: Final = {
    NOT_SET_LOCAL_DESCRIPTION.definition: Moment.DESCRIPTION,
    NOT_SET_REMOTE_DESCRIPTION.definition: Moment.DESCRIPTION,
    PUBLISH_TIMEOUT_ERROR.definition: Moment.NEVER_CONNECTED,
    NO_PACKET_RECEIVED.definition: Moment.STARTED,
}


def _refusing(refusal: Refusal) -> Fault:
    moment = _LATER.get(refusal.definition, Moment.COMMAND)
    return Fault(refusal.definition, f"the error comes {moment.value}", refusal.advice, refusal=refusal, moment=moment)


_OTHERS: Final = (
    Fault("no_answer", "no command that names the id is answered", "a time limit of the client's own"),
    Fault("no_pong", "pings are not answered any more", "noticing that the connection is dead"),
    Fault(
        "slow_answer",
        "every message about the id comes so much later",
        "what people see while they wait",
        Value.DURATION,
    ),
    Fault("no_description", "the server's offer or answer never comes", "a call that stays half set up"),
    Fault("no_candidates", "the server's candidates never come", "connecting by what the description itself holds"),
    Fault("duplicate", "every message about the id comes twice", "taking nothing for new that is known"),
    Fault(
        "garbage",
        "once it has started: text that is no JSON, an unknown command, an unknown notification, and one about a "
        "stream that nobody asked for",
        "ignoring what is not understood",
    ),
    Fault(
        "low_bitrate",
        "once it has started: every three seconds a `bitrateMeasurement` of a line that carries a tenth of the picture",
        "telling people that their network is too weak",
    ),
    Fault(
        "finish_after",
        "so long after it has started, the server ends it",
        "an end that nobody asked for",
        Value.DURATION,
    ),
    Fault(
        "close",
        "the connection is closed at the first command that names the id",
        "connecting again, and telling the codes apart",
        Value.CODE,
        default="1011",
    ),
    Fault(
        "close_after_start",
        "so long after it has started, the connection is closed, with 1011 or the code of `close`",
        "coming back to a call that was running",
        Value.DURATION,
        default="0s",
    ),
    Fault(
        "half_open",
        "so long after it has started, nothing arrives any more in either direction; the connection stays",
        "noticing that the connection is dead",
        Value.DURATION,
        default="0s",
    ),
    Fault(
        "server_will_stop",
        "once it has started: `server_will_stop`, and so much later the connection is closed with 1012",
        "moving to another server in good order",
        Value.DURATION,
        default="3s",
    ),
    Fault(
        "times",
        "all this happens to the first so many attempts; later ones go well, over any connection",
        "trying again until it works",
        Value.COUNT,
    ),
    Fault("name", "nothing: it tells two ids with the same faults apart", "several streams at once", Value.TEXT),
)

FAULTS: Final[dict[str, Fault]] = {
    fault.name: fault for fault in (*(_refusing(refusal) for refusal in REFUSALS.values()), *_OTHERS)
}
"""Every fault by its name: the refusals in the order of the catalogue, then what else a server does to a client."""
