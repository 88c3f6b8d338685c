"""The invariants held against an engine: after each step at the cost of what it changed, or of everything at once.

    monitor = Monitor(engine)
    for record in records:
        for violation in monitor.observe(engine, engine.apply(record)):
            print(violation)

A monitor watches the engine and keeps by itself what the steps have shown, so a machine that forgets something is
noticed. After a restore it knows what follows from the state, as if it had been made there.
"""

from collections.abc import Mapping
from typing import Final, cast

from msgspec import Struct

from signalreel.engine import Engine
from signalreel.identifiers import Kind
from signalreel.machines.base import AnyMachine, Key
from signalreel.statehash import Place
from signalreel.step import Step
from signalreel.verify.catalogue import Violation
from signalreel.verify.looking import Looking
from signalreel.verify.moving import Memory
from signalreel.verify.standing import check_deadline, check_gone, check_machine, check_session_gone

__all__ = ("Monitor", "violations_in", "violations_of")

_KINDS: Final = frozenset(Kind)


class Monitor:
    """Somebody who watches an engine, and says after each step which invariants it breaks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.restored()
        engine.watch(self)

    def restored(self) -> None:
        """Begin anew with the state as it is, as the engine's observer."""
        self._machines: dict[Key, AnyMachine] = dict(self._engine.machines())
        self._memory = Memory(self._engine)
        self._before: dict[Place, Struct | None] = {}

    def changed(self, place: Place, value: Struct | None) -> None:
        """Hear of a change, likewise."""
        if place not in self._before:
            self._before[place] = self._machines.get(cast(Key, place))

    def observe(self, engine: Engine, step: Step) -> list[Violation]:
        """Check the step that the engine has just applied."""
        before, self._before = self._before, {}
        machines = self._machines
        for place in before:
            if place[0] in _KINDS:
                key = cast(Key, place)
                now = engine.find(key[0], key[2], app=key[1])
                if now is None:
                    machines.pop(key, None)
                else:
                    machines[key] = now
        return violations_in(engine, self._memory, before, step)


def violations_in(engine: Engine, memory: Memory, before: Mapping[Place, Struct | None], step: Step) -> list[Violation]:
    """Check a step that was just applied; `before` has what stood at the places that it changed."""
    look = Looking(engine, before)
    for place, was in before.items():
        if place[0] in _KINDS:
            key = cast(Key, place)
            memory.follow(key, cast("AnyMachine | None", was), engine.find(key[0], key[2], app=key[1]))
    memory.check(look, step)
    for place, was in before.items():
        if place[0] in _KINDS:
            key = cast(Key, place)
            now = engine.find(key[0], key[2], app=key[1])
            if now is not None:
                check_machine(look, key, now)
            if was is not None:
                check_gone(look, key, cast("AnyMachine", was))
        elif place[0] == "session" and engine.session(place[1]) is None:
            check_session_gone(look, place[1])
    check_deadline(look, step.deadline)
    return look.violations


def violations_of(engine: Engine) -> list[Violation]:
    """Check a whole state, whatever led to it; what depends on steps cannot be seen in it."""
    look = Looking(engine)
    for key, machine in engine.machines():
        check_machine(look, key, machine)
    check_deadline(look, engine.deadline())
    return look.violations
