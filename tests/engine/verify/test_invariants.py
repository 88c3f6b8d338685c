"""`signalreel.verify.invariants`: they hold whatever happens. That each can fail is shown of what checks them."""

import shutil
from pathlib import Path

import pytest

from signalreel.engine import Engine
from signalreel.reel import Reel
from signalreel.replay import Cursor
from signalreel.settings import Settings
from signalreel.verify import Monitor, Violation, violations_of
from signalreel_adapters import SqliteReel
from signalreel_adapters.flows import memory_stage, perform
from tests.adapters.flows.staging import SPECIFIED, read
from tests.engine.scenes import SETTINGS
from tests.engine.test_engine_random import INITIAL, run
from tests.engine.tour import tour
from tests.engine.verify.broken import live
from tests.engine.world import World
from tests.reels.make import FOLDER

SEEDS = 12
"""Random runs that are monitored, of 600 happenings each."""

CHECKED_WHOLE_EVERY = 32
"""Records between two checks of the whole state."""


def found_in(settings: Settings, world: World) -> list[Violation]:
    """Apply a world's records again, and look at each step and, now and then, at everything."""
    engine = Engine(settings)
    monitor = Monitor(engine)
    found: list[Violation] = []
    for record in world.records:
        found += monitor.observe(engine, engine.apply(record))
        if record.seq % CHECKED_WHOLE_EVERY == 0:
            found += violations_of(engine)
    return found


def found_on(reel: Reel) -> list[Violation]:
    """Look at each step of a reel."""
    cursor = Cursor(reel)
    monitor = Monitor(cursor.engine)
    return [found for replayed in cursor for found in monitor.observe(cursor.engine, replayed.step)]


def test_they_hold_in_the_tour() -> None:
    """In every situation that the tables know, since the tour fires every row."""
    assert found_in(SETTINGS, tour()) == []


@pytest.mark.parametrize("seed", range(SEEDS))
def test_they_hold_whatever_happens(seed: int) -> None:
    """Under any sequence of anything."""
    assert found_in(INITIAL, run(seed)) == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.reel")), ids=lambda path: path.stem)
def test_they_hold_on_the_golden_reels(path: Path, tmp_path: Path) -> None:
    """Of every version."""
    assert found_on(SqliteReel.read(shutil.copy(path, tmp_path))) == []


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("path", SPECIFIED, ids=lambda path: path.stem)
async def test_they_hold_in_every_flow(path: Path) -> None:
    """Of the specifications, performed in memory."""
    flow = read(path)
    async with memory_stage(flow) as stage:
        await perform(flow, stage)
        reel = stage.host.runtime.reel
    assert reel.last_seq > 0
    assert found_on(reel) == []


def test_a_monitor_goes_on_where_a_cursor_went() -> None:
    """After going back it knows what follows from the state: what happens again is as right as it was."""
    cursor = Cursor(live().reel())
    monitor = Monitor(cursor.engine)
    for position in (0, 3, 6, 8, 9):
        cursor.seek(position)
        monitor.restored()
        assert [found for replayed in cursor for found in monitor.observe(cursor.engine, replayed.step)] == []
