"""Performing a flow: its steps one after the other, on whichever stage, until one is not as the flow says.

It runs on asyncio and trio, and waits only for messages: `patience_s` is how long for each.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, cast

import anyio
import msgspec
from msgspec import Struct

from signalreel.errors import SignalreelError
from signalreel_adapters.flows.given import GIVEN
from signalreel_adapters.flows.matcher import Mismatch, fill, match
from signalreel_adapters.flows.patterns import Pattern, Text
from signalreel_adapters.flows.script import (
    Allow,
    AnyOrder,
    Connect,
    Flow,
    Hear,
    IsClosed,
    Leave,
    Say,
    ServerStep,
    Silence,
    Step,
)
from signalreel_adapters.flows.stages import Decoded, FlowClient, Stage, Unable
from signalreel_adapters.ports import TransportClosed

__all__ = ("PATIENCE_S", "TRANSCRIPT_LINES_MAX", "FlowFailed", "Performed", "Proof", "perform")

PATIENCE_S: Final = 5.0
"""How long an expected message may take, in seconds."""

TRANSCRIPT_LINES_MAX: Final = 40
"""How much of what happened before a failure is told: its last lines."""

_TOLD_MAX: Final = 60


class FlowFailed(SignalreelError):
    """Something else happened than the flow says. `found` is what came, `transcript` what had happened before."""

    def __init__(self, file: str, step: Step, found: str, why: str, transcript: Sequence[str]) -> None:
        self.file = file
        self.line = step.line
        self.expected = step.source
        self.found = found
        self.why = why
        self.transcript = tuple(transcript)
        super().__init__(self._told())

    def _told(self) -> str:
        lines = [f"{self.file}:{self.line}: {self.why}", f"  expected  {self.expected}", f"  found     {self.found}"]
        if self.transcript:
            left_out = len(self.transcript) - TRANSCRIPT_LINES_MAX
            lines.append("  so far" + (f" (the last {TRANSCRIPT_LINES_MAX} lines)" if left_out > 0 else ""))
            lines += [f"    {line}" for line in self.transcript[-TRANSCRIPT_LINES_MAX:]]
        return "\n".join(lines)


class Proof(Struct, frozen=True):
    """That a line showed an item: the message that was heard there, and the one that was said before it, if one was.

    Where nothing was to be heard, `captured` is what the client had said.
    """

    item: str
    line: int
    captured: Decoded
    said: Decoded | None = None
    unanswered: bool = False


class Performed(Struct, frozen=True):
    """A flow that held: what happened, and what it showed."""

    transcript: tuple[str, ...]
    proofs: tuple[Proof, ...] = ()


async def perform(flow: Flow, stage: Stage, *, patience_s: float = PATIENCE_S) -> Performed:
    """Perform a flow and tell of it. Every client that it connected is closed in the end.

    Raises `FlowFailed` at the first step that does not hold, or when something comes to a client that no line expects.
    """
    performance = _Performance(flow, stage, patience_s)
    try:
        for step in flow.steps:
            await performance.step(step)
        await performance.end()
    finally:
        with anyio.move_on_after(patience_s, shield=True):
            await performance.close()
    return Performed(tuple(performance.transcript), tuple(performance.proofs))


class _Performance:
    """What is known while a flow goes on."""

    def __init__(self, flow: Flow, stage: Stage, patience_s: float) -> None:
        self.transcript: list[str] = []
        self.proofs: list[Proof] = []
        self._flow = flow
        self._stage = stage
        self._patience_s = patience_s
        self._clients: dict[str, FlowClient] = {}
        self._allowed: defaultdict[str, list[Pattern]] = defaultdict(list)
        self._known = dict(GIVEN)
        self._cause: Decoded | None = None
        self._said: dict[str, Decoded] = {}

    async def step(self, step: Step) -> None:
        try:
            await self._perform(step)
        except TransportClosed as end:
            found = f"the connection has ended with {end.code}" + (f": {end.reason}" if end.reason else "")
            raise self._failed(step, found, "the connection is gone") from end

    async def _perform(self, step: Step) -> None:
        match step:
            case Connect():
                self._clients[step.client] = await self._stage.connect(step.app)
                self.transcript.append(f"{step.client} connects to {step.app}")
            case Say():
                await self._say(step)
            case Hear():
                await self._hear((step,))
            case AnyOrder():
                for client in dict.fromkeys(hear.client for hear in step.hears):
                    await self._hear([hear for hear in step.hears if hear.client == client])
            case Allow():
                self._allowed[step.client].append(step.pattern)
            case Silence():
                await self._stage.settle()
                await self._nothing_more(step.client, step)
                self._prove(step, self._said.get(step.client), None)
            case Leave():
                self._cause = None
                await self._clients.pop(step.client).close()
                self.transcript.append(f"{step.client} leaves")
            case IsClosed():
                await self._is_closed(step)
            case _:
                await self._act(cast(ServerStep, step))

    async def end(self) -> None:
        """Let come what nobody expects; then nothing may have come."""
        await self._stage.settle()
        last = self._flow.steps[-1]
        for client in self._clients:
            try:
                await self._nothing_more(client, Silence(line=last.line, source=f"{client} < nothing", client=client))
            except TransportClosed:
                continue  # The server has closed it, which a flow may leave unsaid at its end.

    async def close(self) -> None:
        while self._clients:
            await self._clients.popitem()[1].close()

    # ---- one step each

    async def _say(self, step: Say) -> None:
        said = None if isinstance(step.pattern, Text) else cast(Decoded, fill(step.pattern, self._known))
        message = step.pattern.text if isinstance(step.pattern, Text) else said
        self.transcript.append(f"{step.client} > {_told(message)}")
        self._cause = said
        if said is not None:
            self._said[step.client] = said
        await self._clients[step.client].send(message)

    async def _hear(self, hears: Sequence[Hear]) -> None:
        """Wait for these messages of one client, in whichever order when there are several."""
        waiting = list(hears)
        while waiting:
            message = await self._next(waiting[0].client, waiting[0])
            mismatches: list[tuple[Mismatch, Hear]] = []
            for hear in waiting:
                try:
                    self._known |= match(hear.pattern, message, self._known)
                except Mismatch as mismatch:
                    mismatches.append((mismatch, hear))
                else:
                    waiting.remove(hear)
                    self._prove(hear, message, self._cause)
                    break
            else:
                if not self._is_allowed(waiting[0].client, message):
                    self.transcript.pop()
                    # Of several, the one that came closest explains best: its difference lies deepest.
                    closest, missed = max(mismatches, key=lambda one: len(one[0].where))
                    raise self._failed(missed, _told(message), str(closest))

    async def _next(self, client: str, step: Step) -> Decoded:
        message = None
        with anyio.move_on_after(self._patience_s):
            message = await self._clients[client].receive()
        if message is None:
            raise self._failed(step, "nothing", f"nothing came to {client} within {self._patience_s:g} s")
        self.transcript.append(f"{client} < {_told(message)}")
        return message

    async def _nothing_more(self, client: str, step: Step) -> None:
        while True:
            message = None
            with anyio.move_on_after(0):
                message = await self._clients[client].receive()
            if message is None:
                return
            if not self._is_allowed(client, message):
                raise self._failed(step, _told(message), f"this came to {client}, and no line expects it")
            self.transcript.append(f"{client} < {_told(message)}")

    async def _is_closed(self, step: IsClosed) -> None:
        try:
            while self._is_allowed(step.client, message := await self._next(step.client, step)):
                continue
        except TransportClosed as end:
            self.transcript.append(f"{step.client} is closed {end.code}")
            if step.code not in {None, end.code}:
                raise self._failed(step, f"{end.code}", f"the server closed {step.client} with another code") from end
            await self._clients.pop(step.client).close()
        else:
            self.transcript.pop()
            raise self._failed(step, _told(message), f"this came to {step.client}, and no line expects it")

    async def _act(self, step: ServerStep) -> None:
        if self._stage.host is None:
            raise self._failed(step, "nothing", "only the server itself can do this, and this is somebody else's")
        self._cause = None
        self.transcript.append(step.source)
        try:
            self._known |= await self._stage.host.perform(step, self._flow.app)
        except Unable as unable:
            raise self._failed(step, "nothing", str(unable)) from unable

    # ---- helpers

    def _prove(self, step: Step, captured: Decoded | None, said: Decoded | None) -> None:
        for item in step.proves:
            if captured is None:
                raise self._failed(step, "nothing", f"nothing was said before that could show {item}")
            self.proofs.append(Proof(item, step.line, captured, said, isinstance(step, Silence)))

    def _is_allowed(self, client: str, message: Decoded) -> bool:
        return any(_matches(pattern, message, self._known) for pattern in self._allowed[client])

    def _failed(self, step: Step, found: str, why: str) -> FlowFailed:
        return FlowFailed(self._flow.file, step, found, why, self.transcript)


def _matches(pattern: Pattern, message: Decoded, known: dict[str, str]) -> bool:
    try:
        match(pattern, message, known)
    except Mismatch:
        return False
    return True


def _told(value: object) -> str:
    """Tell a message in one line; descriptions and other long texts are cut."""
    return msgspec.json.encode(_cut(value)).decode()


def _cut(value: object) -> object:
    match value:
        case str() if len(value) > _TOLD_MAX:
            return f"{value[:_TOLD_MAX]}… ({len(value)} characters)"
        case dict():
            return {name: _cut(field) for name, field in cast(dict[str, object], value).items()}
        case list():
            return [_cut(item) for item in cast(list[object], value)]
        case _:
            return value
