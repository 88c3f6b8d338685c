"""`/transitions`: the server's machines as they move, for the page and for whoever watches.

Server-Sent Events, one JSON object each. First a line for each machine that lives (source and target are its state,
no input), then a line for each transition and each refusal. A listener that is too slow misses the oldest ones, and
is told by an event named `gap`.

Only for the server's operators: whoever shows their key or, where there is none, clients on the same machine (see
`operators`).
Never anything of a description, a candidate, a token or an address: ids, states and the names of inputs only.
"""

import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final

import anyio
import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from signalreel.identifiers import is_valid_name
from signalreel.record import input_name
from signalreel.step import Step
from signalreel_adapters.runtime import Runtime, Subscription
from signalreel_adapters.server.operators import Operators

__all__ = ("KEEP_ALIVE_S", "LISTENERS_MAX", "lines_of", "transitions_of")

KEEP_ALIVE_S: Final = 15
"""Seconds of silence until a comment is sent, so that a listener that vanished is noticed."""

LISTENERS_MAX: Final = 32
"""Listeners at a time; each gets every line. One more is answered 503."""

_UNAVAILABLE: Final = 503

_encode: Final = msgspec.json.encode


def transitions_of(runtime: Runtime, operators: Operators) -> Callable[[Request], Awaitable[Response]]:
    """Make the endpoint for a runtime."""
    # Held weakly, like the runtime does: a listener that leaves without a word is forgotten with its subscription.
    listeners: weakref.WeakSet[Subscription] = weakref.WeakSet()

    async def transitions(request: Request) -> Response:
        """Answer one listener, for as long as it listens."""
        objection = operators.objection(request)
        if objection is not None:
            return objection.response()
        if len(listeners) >= LISTENERS_MAX:
            return PlainTextResponse("There are too many listeners.\n", _UNAVAILABLE)
        subscription = runtime.steps()
        listeners.add(subscription)
        alive = list(_living(runtime))
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return StreamingResponse(_events(alive, subscription), headers=headers, media_type="text/event-stream")

    return transitions


def _living(runtime: Runtime) -> Iterator[dict[str, Any]]:
    engine = runtime.engine
    for (kind, app, id), machine in engine.machines():
        yield {
            "seq": machine.born,
            "time": engine.time,
            "kind": kind,
            "app": app,
            "id": id,
            "source": machine.state,
            "target": machine.state,
            "input": "",
            "session": "",
        }


async def _events(alive: list[dict[str, Any]], subscription: Subscription) -> AsyncIterator[bytes]:
    """Spell lines as events until the runtime ends."""
    with subscription:
        yield b": transitions of the machines, and refusals\n\n" + b"".join(map(_event, alive))
        missed = 0
        while True:
            step: Step | None = None
            with anyio.move_on_after(KEEP_ALIVE_S):
                step = await anext(subscription, None)
                if step is None:
                    return
            if step is None:
                yield b": still here\n\n"
                continue
            if subscription.missed > missed:
                yield b"event: gap\n" + _event({"missed": subscription.missed - missed})
                missed = subscription.missed
            lines = b"".join(map(_event, lines_of(step)))
            if lines:
                yield lines


def _event(line: dict[str, Any]) -> bytes:
    return b"data: " + _encode(line) + b"\n\n"


def lines_of(step: Step) -> Iterator[dict[str, Any]]:
    """What a step is told as: a line for each transition, and one for a refusal."""
    record = step.record
    name = input_name(record)
    for transition in step.transitions:
        machine = transition.machine
        yield {
            "seq": record.seq,
            "time": record.time,
            "kind": machine.kind,
            "app": machine.app,
            "id": machine.id,
            "source": transition.source,
            "target": transition.target,
            "input": name,
            "session": record.session,
        }
    if step.refused:
        line = {"seq": record.seq, "session": record.session, "input": name, "refused": step.refused}
        named = getattr(record.input, "stream_id", "") or getattr(record.input, "room", "")
        # A name that is none can be as long as a message, and says nothing.
        yield {**line, "id": named} if is_valid_name(named) else line
