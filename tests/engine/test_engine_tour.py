"""The engine over the tour: every row fires, and the same reel is the same state wherever and however it is applied."""

import os
import subprocess
import sys
from typing import Any, Final

import pytest

from signalreel.engine import TABLES, Engine
from signalreel.machines.indexes import Indexes
from signalreel.record import decode_record, encode_record
from signalreel.step import Fired
from tests.engine.scenes import SETTINGS
from tests.engine.tour import tour
from tests.repository import PACKAGES, ROOT

FEW: Final = 6
"""Records applied after each snapshot, which is enough for whatever was restored wrongly to show."""


def rows() -> dict[Fired, bool]:
    """Every row of every cell, and whether it is written down as one that cannot fire."""
    return {
        fired: fired.what.startswith("unreachable: ")
        for table in TABLES.values()
        for cells in table.cells.values()
        for cell in cells.values()
        for _, _, _, fired in cell
    }


def test_every_row_fires_but_those_that_cannot() -> None:
    """Contract 5: what is written as unreachable never fires, and everything else does: no row is dead."""
    fired = {row for step in tour().steps for _, row in step.fired}

    assert [row for row, unreachable in rows().items() if not unreachable and row not in fired] == []
    assert [row for row, unreachable in rows().items() if unreachable and row in fired] == []


def test_every_refused_step_answers_its_session() -> None:
    """A refusal is an error message to whoever asked, with the definition that the step names; nothing moves then."""
    for step in tour().steps:
        if step.refused and step.record.session:
            definitions = [getattr(message, "definition", "") for to, message in step.messages]
            assert definitions == [step.refused]
            assert {to for to, _ in step.messages} == {step.record.session}
            assert step.transitions == []


def test_the_same_reel_gives_the_same_steps_from_its_bytes() -> None:
    """Contract 8: records that went through the codec lead to the same transitions, messages and digests."""
    world = tour()
    engine = Engine(SETTINGS)

    assert [engine.apply(decode_record(encode_record(record))) for record in world.records] == world.steps


def test_an_engine_can_be_restored_at_every_seq() -> None:
    """Contract 8: after a restore, everything derived is as it was, and the next records give the same steps."""
    world = tour()
    engine = Engine(SETTINGS)
    for past in world.past:
        restored = Engine(state_digest_every=64)
        restored.restore(engine.snapshot())
        assert derived(restored) == derived(engine)
        for later in world.past[past.record.seq - 1 : past.record.seq - 1 + FEW]:
            assert restored.apply(later.record) == later.step
        engine.apply(past.record)


def derived(engine: Engine) -> dict[str, Any]:
    """Everything an engine keeps besides its machines; the order in which a session came to hold them is none of it."""
    indexes: Indexes = engine._context.indexes
    kept = {name: value for name, value in vars(indexes).items() if name != "_timers"}
    kept["_held"] = {session: sorted(keys) for session, keys in indexes._held.items()}
    kept["deadline"] = engine.deadline()
    kept["state digest"] = engine._state_digest()
    return kept


PROGRAM: Final = """
from signalreel.engine import Engine
from tests.engine.tour import tour
steps = tour().steps
assert hash("a reel") != 0
print(len(steps), steps[-1].digest.hex(), [step.state_digest.hex() for step in steps if step.state_digest][-1])
"""


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_the_digests_do_not_depend_on_the_process(seed: str) -> None:
    """Contract 8: another process under another hash seed comes to the same digests, of steps and of the state."""
    steps = tour().steps
    last = [step.state_digest.hex() for step in steps if step.state_digest][-1]
    path = os.pathsep.join([str(ROOT), *(str(folder.parent) for folder in PACKAGES.values())])

    printed = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": path},
    ).stdout

    assert printed.split() == [str(len(steps)), steps[-1].digest.hex(), last]


def test_nothing_is_left_at_the_end() -> None:
    """Contract 14: with all sessions closed and all deadlines reached, no machine, timer or index entry is left."""
    engine = Engine(SETTINGS)
    for record in tour().records:
        engine.apply(record)

    assert list(engine.machines()) == []
    assert engine.sessions() == ()
    assert {name: value for name, value in vars(engine._context.indexes).items() if value} == {}
