"""What a check of an invariant sees: the engine after a step, the step, and what stood before it where it changed."""

from collections.abc import Mapping
from typing import Final, cast

from msgspec import Struct

from signalreel.engine import Engine
from signalreel.identifiers import Kind
from signalreel.machines.base import AnyMachine, Key
from signalreel.machines.shapes import Playback, Stream
from signalreel.statehash import Place
from signalreel.step import Step
from signalreel.verify.catalogue import INVARIANTS, Violation

__all__ = ("Looking",)

_NOTHING: Final[Mapping[Place, Struct | None]] = {}
_SESSION_SHOWN: Final = 8
"""Characters of a session's id that tell two apart."""


class Looking:
    """One look at an engine. `wrong` notes what does not hold."""

    def __init__(self, engine: Engine, before: Mapping[Place, Struct | None] = _NOTHING) -> None:
        self.engine: Final = engine
        self.violations: list[Violation] = []
        self.before = before

    def wrong(self, invariant: str, subject: Key | str, told: str) -> None:
        """Note that an invariant does not hold."""
        named = subject if isinstance(subject, str) else f"{subject[0]} {subject[1]}/{_shortened(subject)}"
        self.violations.append(Violation(INVARIANTS[invariant].name, self.engine.seq, named, told))

    def was(self, key: Key) -> AnyMachine | None:
        """What stood here before the step."""
        machine = self.before[key] if key in self.before else self.engine.find(key[0], key[2], app=key[1])
        return cast("AnyMachine | None", machine)

    def stream(self, app: str, id: str) -> Stream | None:
        """A stream that lives."""
        machine = self.engine.find(Kind.STREAM, id, app=app)
        return machine if isinstance(machine, Stream) else None

    def playback(self, app: str, id: str) -> Playback | None:
        """A playback that lives."""
        machine = self.engine.find(Kind.PLAYBACK, id, app=app)
        return machine if isinstance(machine, Playback) else None

    def concerns(self, step: Step, app: str, session: str) -> bool:
        """Whether the session holds a machine whose row fired in the step, now or before it."""
        held = self.engine.indexes.held(session)
        for id, fired in step.fired:
            key = cast(Key, (fired.kind, app, id))
            if key in held:
                return True
            was = cast("AnyMachine | None", self.before.get(key))
            if was is not None and session in was.sessions:
                return True
        return False


def _shortened(key: Key) -> str:
    """Shorten the session in a playback's id, as everywhere that people read."""
    session, slash, rest = key[2].partition("/")
    return f"{session[:_SESSION_SHOWN]}/{rest}" if slash else key[2]
