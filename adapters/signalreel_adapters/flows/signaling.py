"""What of a flow a server with real media can show, where nothing is sent: its messages up to where media must flow.

Nobody sends pictures or sound in a flow. Until a server waits for them, it says the same as with media: it accepts a
stream, answers the offer, takes candidates. Pure: a `Flow` in, a shorter one out.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import structs

from signalreel_adapters.flows.patterns import Anything, ObjectOf, Pattern, Text
from signalreel_adapters.flows.script import Allow, AnyOrder, Connect, Flow, Hear, Silence, Step

__all__ = ("needs_flowing_media", "without_media")

_TOLD_OF_MEDIA: Final = frozenset(
    {
        "publish_started",
        "play_started",
        "session_restored",
        "streaming_started",
        "bitrateMeasurement",
        "resolutionChangeInfo",
    }
)
"""Notifications that come when media flows, and never before."""

_OF_ITSELF: Final = (
    ObjectOf((("command", Text("takeCandidate")), ("candidate", Anything())), is_open=True),
    ObjectOf((("command", Text("takeConfiguration")), ("type", Text("offer"))), is_open=True),
)
"""What real media says when it likes: its candidates, and offers to whoever plays a room in which nothing is live."""


def needs_flowing_media(pattern: Pattern) -> bool:
    """Whether such a message comes only where media flows: an offer of the server's says that it has some to send."""
    if not isinstance(pattern, ObjectOf):
        return False
    fields = {name: field.text for name, field in pattern.fields if isinstance(field, Text)}
    if fields.get("command") == "takeConfiguration":
        return fields.get("type") == "offer" and fields.get("sdp") != "{offer}"
    return fields.get("definition") in _TOLD_OF_MEDIA


def without_media(flow: Flow) -> tuple[Flow, int] | None:
    """Give the part of a flow that comes before media must flow, and the line at which it does.

    None where nothing is heard before, so that nothing would be shown. A server with real media may tell candidates and
    offers of its own at any time, which this part allows. A flow of which no line needs media is whole; its line is 0.
    """
    steps: list[Step] = []
    line = 0
    for step in flow.steps:
        hears = step.hears if isinstance(step, AnyOrder) else (step,) if isinstance(step, Hear) else ()
        waiting = [hear for hear in hears if needs_flowing_media(hear.pattern)]
        if not waiting:
            steps.extend(_with_allowance(step))
            continue
        line = waiting[0].line
        heard = tuple(hear for hear in hears if hear not in waiting)
        if heard:
            steps.append(AnyOrder(line=step.line, source=step.source, hears=heard))
        break
    if not any(isinstance(step, Hear | AnyOrder | Silence) for step in steps):
        return None
    return structs.replace(flow, steps=tuple(steps)), line


def _with_allowance(step: Step) -> Iterator[Step]:
    yield step
    if isinstance(step, Connect):
        for pattern in _OF_ITSELF:
            yield Allow(line=step.line, source=step.source, client=step.client, pattern=pattern)
