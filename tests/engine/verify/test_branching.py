"""`signalreel.verify.branching`: the engine itself, but for digests, and every step of it can be taken back."""

from typing import Any

from signalreel.engine import Engine
from signalreel.machines.registry import Registered
from signalreel.settings import Settings
from signalreel.verify.branching import Branching, Saved
from tests.engine.scenes import SETTINGS
from tests.engine.tour import tour


def everything_of(engine: Engine) -> dict[str, Any]:
    """The whole state in no order, and everything that is derived from it but for timers that are no longer set."""
    snapshot = engine.snapshot()
    indexes = dict(vars(engine.indexes))
    indexes.pop("_timers")
    registered = {name: sorted(getattr(snapshot.registered, name)) for name in Registered.__struct_fields__}
    return {
        "seq and time": (engine.seq, engine.time, engine.deadline()),
        "machines": dict(engine.machines()),
        "sessions": {session.id: session for session in engine.sessions()},
        "indexes": indexes,
        "used": set(snapshot.used),
        "standings": dict(snapshot.standings),
        "registered": {name: [place for place, *_ in found] for name, found in registered.items()},
        "server": (snapshot.settings, snapshot.environment),
    }


def test_every_step_is_that_of_the_engine_and_can_be_taken_back() -> None:
    """In the tour, which fires every row of every table: what it caused, what it left, and nothing of it afterwards."""
    engine, branching = Engine(SETTINGS), Branching(SETTINGS)
    for record in tour().records:
        before = everything_of(branching)
        step, tried = engine.apply(record), branching.attempt(record)
        assert (tried.transitions, tried.messages, tried.deadline) == (step.transitions, step.messages, step.deadline)
        assert (tried.fired, tried.refused, tried.digest) == (step.fired, step.refused, b"")
        assert everything_of(branching) == everything_of(engine)

        branching.undo()
        assert everything_of(branching) == before

        branching.attempt(record)
        branching.keep()
        assert everything_of(branching) == everything_of(engine)


def test_a_saved_state_stays_what_it_was() -> None:
    """Whatever is attempted from it, or from states that share some of it."""
    branching = Branching(SETTINGS)
    records = tour().records
    saved: list[tuple[Saved, dict[str, Any]]] = []
    for record in records:
        saved.append((branching.save(), everything_of(branching)))
        branching.attempt(record)
        branching.keep()
    for state, expected in saved:
        branching.resume(state)
        assert everything_of(branching) == expected


def test_what_stood_before_is_known() -> None:
    """At each place that the attempt has changed; an attempt that changes nothing says so."""
    branching = Branching(Settings())
    opening, joining = next(
        (one, other)
        for one, other in zip(tour().records, tour().records[1:], strict=False)
        if one.seq == 1 and other.seq == 2
    )
    branching.attempt(opening)
    assert branching.has_changed
    assert list(branching.before) == [("session", opening.session)]
    branching.undo()
    branching.attempt(joining)
    branching.undo()
    assert branching.open == {}
