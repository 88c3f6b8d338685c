"""What waits for its turn on the reel, in the order in which it will stand there.

One inbox for the whole runtime: the order in which inputs enter it is the order of the reel. It is bounded from
outside: a session is not read while `Limits.session_inputs_max` of its inputs wait, and the adapters' reports are
bounded by what is live.
"""

from collections import deque

import anyio

from signalreel.commands import AnyCommand
from signalreel.errors import SignalreelError
from signalreel.events import AnyEvent
from signalreel.host import AnyHostCommand
from signalreel.record import Grant
from signalreel.step import Step

__all__ = ("Inbox", "Pending", "RuntimeStopped", "Ticket")


class RuntimeStopped(SignalreelError):
    """The runtime is stopping, has stopped, or was not entered yet."""

    def __init__(self) -> None:
        super().__init__("the runtime is not running; enter it with `async with` and use it inside")


class Ticket:
    """A promise of the step that an input will cause."""

    __slots__ = ("_done", "_error", "_step")

    def __init__(self) -> None:
        self._done = anyio.Event()
        self._step: Step | None = None
        self._error: SignalreelError | None = None

    def keep(self, step: Step) -> None:
        """Fulfil the promise."""
        self._step = step
        self._done.set()

    def fail(self, error: SignalreelError) -> None:
        """Break the promise, with the reason."""
        self._error = error
        self._done.set()

    @property
    def is_settled(self) -> bool:
        """Whether the promise was kept or broken."""
        return self._done.is_set()

    async def step(self) -> Step:
        """Wait for the step. Raises what the promise was broken with."""
        await self._done.wait()
        if self._step is None:
            raise self._error or SignalreelError("the promised step was never made")
        return self._step


class Pending:
    """One input before it has a seq and a time. Exactly one of `command`, `event` and `host` is set."""

    __slots__ = ("command", "event", "grant", "host", "session", "ticket")

    def __init__(
        self,
        session: str = "",
        *,
        command: AnyCommand | None = None,
        event: AnyEvent | None = None,
        host: AnyHostCommand | None = None,
        grant: Grant | None = None,
        ticket: Ticket | None = None,
    ) -> None:
        self.session = session
        self.command = command
        self.event = event
        self.host = host
        self.grant = grant
        self.ticket = ticket


class Inbox:
    """First in, first out, with a bell. What could not be recorded yet stands before what is new."""

    def __init__(self) -> None:
        self._held: deque[Pending] = deque()
        self._waiting: deque[Pending] = deque()
        self._bell = anyio.Event()

    def __len__(self) -> int:
        return len(self._held) + len(self._waiting)

    def put(self, pending: Pending) -> None:
        """Add an input at the end and ring."""
        self._waiting.append(pending)
        self._bell.set()

    def put_back(self, pendings: list[Pending]) -> None:
        """Put inputs that could not be recorded back to the front, in their order, without ringing."""
        self._held.extendleft(reversed(pendings))

    def hold(self, pending: Pending) -> None:
        """Add an input that was new, behind those that were put back."""
        self._held.append(pending)

    def take(self, most: int) -> list[Pending]:
        """Take up to so many inputs from the front."""
        held, waiting = self._held, self._waiting
        taken = [held.popleft() for _ in range(min(most, len(held)))]
        taken += [waiting.popleft() for _ in range(min(most - len(taken), len(waiting)))]
        return taken

    def take_new(self) -> list[Pending]:
        """Take everything that was not put back or held."""
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    def ring(self) -> None:
        """Wake the loop without an input: a deadline has come, or the runtime is to stop."""
        self._bell.set()

    @property
    def has_rung(self) -> bool:
        """Whether the next wait would end at once."""
        return self._bell.is_set()

    async def wait(self) -> None:
        """Wait until somebody has rung since the last wait."""
        await self._bell.wait()
        self._bell = anyio.Event()
