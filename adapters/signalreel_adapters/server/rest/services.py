"""What the operations work with: the runtime, the keys, and looks at what is live and what is registered."""

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, Protocol

import anyio
from msgspec import Struct, field

from signalreel.engine import Engine
from signalreel.errors import ReelUnavailable
from signalreel.host import HOST_REFUSALS, NOT_REGISTERED, TOO_MANY_REGISTERED, AnyHostCommand
from signalreel.machines.registry import Registry
from signalreel.machines.shapes import Playback, Room, Stream
from signalreel.refusals import DATA_STORE_NOT_AVAILABLE, REFUSALS
from signalreel.step import Step
from signalreel_adapters.access.sealing import Sealing
from signalreel_adapters.access.tags import Tags
from signalreel_adapters.runtime import Runtime, RuntimeStopped
from signalreel_adapters.server.rest.problems import RestProblem, bad_request, conflict, not_found, unavailable

__all__ = ("ACTOR", "Live", "Load", "Services", "draw_id")

ACTOR: Final = "rest"
"""Who ordered it, for whoever reads the reel."""

_MICROSECONDS: Final = 1_000_000
_ID_BYTES: Final = 16


class Load(Protocol):
    """How busy the machine is, for whoever asks between two crossings of a limit."""

    @property
    def is_measuring(self) -> bool:
        """Whether the load is known."""
        ...

    @property
    def cpu_percent(self) -> int:
        """As measured last."""
        ...

    @property
    def free_memory_mb(self) -> int:
        """As measured last."""
        ...


class Services(Struct, frozen=True):
    """What every operation may need. Without `tags` and `sealing` nothing that needs a key can be issued."""

    runtime: Runtime
    tags: Tags | None = None
    sealing: Sealing | None = None
    jwt_keys: Mapping[str, bytes] = {}  #: by app
    totp_secrets: Mapping[str, str] = {}  #: by app: from which those of unregistered subscribers are derived
    load: Load | None = None  #: what measures; without it, what the machines last heard is told
    writing: anyio.Lock = field(default_factory=anyio.Lock)  #: held while something registered is read and replaced

    @property
    def engine(self) -> Engine:
        """The engine, to look at."""
        return self.runtime.engine

    @property
    def registry(self) -> Registry:
        """What is registered, to look at."""
        return self.runtime.engine.registry

    def now_s(self) -> int:
        """The wall clock's time, in seconds since 1970."""
        return self.runtime.clock.wall() // _MICROSECONDS

    def keyed(self) -> Tags:
        """Give the tags. Raises `RestProblem` when the server has no key to make them with."""
        if self.tags is None:
            raise conflict("the server has no key: give it one as access.key in its configuration")
        return self.tags

    def sealed(self) -> Sealing:
        """Give what seals secrets. Raises `RestProblem` when the server has no key."""
        if self.sealing is None:
            raise conflict("the server has no key: give it one as access.key in its configuration")
        return self.sealing

    async def order(self, command: AnyHostCommand, app: str) -> Step:
        """Put an order on the reel. Raises `RestProblem` when it was refused, or could not be recorded."""
        try:
            step = await self.runtime.submit(command, app=app, actor=ACTOR)
        except (ReelUnavailable, RuntimeStopped):
            raise unavailable(DATA_STORE_NOT_AVAILABLE.definition) from None
        except ValueError as error:
            raise bad_request(str(error)) from None
        if step.refused:
            raise _problem_of(step.refused)
        return step

    def live(self, app: str) -> "Live":
        """Look at what is live in an app."""
        return Live(self.engine, app)


class Live:
    """What is live in an app, gathered in one walk over its machines."""

    def __init__(self, engine: Engine, app: str) -> None:
        self.streams: dict[str, Stream] = {}
        self.rooms: dict[str, Room] = {}
        self.playbacks: list[Playback] = []
        self.viewers: Counter[str] = Counter()
        self.placed: dict[str, list[str]] = {}
        for (_, at, id), machine in engine.machines():
            if at != app:
                continue
            match machine:
                case Stream():
                    self.streams[id] = machine
                    if machine.placed_in:
                        self.placed.setdefault(machine.placed_in, []).append(id)
                case Room():
                    self.rooms[id] = machine
                case Playback():
                    self.playbacks.append(machine)
                    self.viewers[machine.watches] += 1
                case _:
                    pass

    def subtracks(self, room: str) -> list[str]:
        """The streams published in a room, live or about to be, sorted."""
        return sorted(self.placed.get(room, ()))

    def watching(self, id: str) -> Iterator[Playback]:
        """Who plays a stream or a whole room, in a fixed order."""
        return iter(sorted((one for one in self.playbacks if one.watches == id), key=lambda one: one.id))


def draw_id() -> str:
    """Draw an id that nobody can guess, for a stream that was given none."""
    return secrets.token_hex(_ID_BYTES)


def _problem_of(definition: str) -> RestProblem:
    """Make the answer to an order that the engine refused: its definition is the message."""
    if definition == NOT_REGISTERED.definition:
        return not_found(definition)
    if definition == TOO_MANY_REGISTERED.definition:
        return unavailable(definition)
    known = definition in REFUSALS or definition in HOST_REFUSALS
    return conflict(definition if known else "refused")
