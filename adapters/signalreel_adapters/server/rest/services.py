"""What the operations work with: the runtime, the keys, and looks at what is live and what is registered."""

import secrets
from collections.abc import Mapping
from typing import Final, Protocol

import anyio
from msgspec import Struct, field

from signalreel.engine import Engine
from signalreel.errors import ReelUnavailable
from signalreel.host import HOST_REFUSALS, NOT_REGISTERED, TOO_MANY_REGISTERED, AnyHostCommand
from signalreel.identifiers import Kind
from signalreel.machines.registry import Registry
from signalreel.machines.shapes import Playback, Room, Stream
from signalreel.refusals import DATA_STORE_NOT_AVAILABLE, REFUSALS
from signalreel.step import Step
from signalreel_adapters.access.sealing import Sealing
from signalreel_adapters.access.tags import Tags
from signalreel_adapters.runtime import Runtime, RuntimeStopped
from signalreel_adapters.server.rest.bitrates import Bitrates
from signalreel_adapters.server.rest.problems import RestProblem, bad_request, conflict, not_found, unavailable

__all__ = ("ACTOR", "Load", "Services", "draw_id")

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
    bitrates: Bitrates | None = None  #: what keeps measurements of players; without it none are told
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

    def stream(self, app: str, id: str) -> Stream | None:
        """A stream that is live, or about to be."""
        found = self.engine.find(Kind.STREAM, id, app=app)
        return found if isinstance(found, Stream) else None

    def room(self, app: str, name: str) -> Room | None:
        """A room that is occupied."""
        found = self.engine.find(Kind.ROOM, name, app=app)
        return found if isinstance(found, Room) else None

    def playback(self, app: str, id: str) -> Playback | None:
        """A playback, by the id that the engine has for it."""
        found = self.engine.find(Kind.PLAYBACK, id, app=app)
        return found if isinstance(found, Playback) else None


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
