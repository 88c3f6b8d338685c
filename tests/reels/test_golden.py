"""The reels of every version replay to what they gave when they were recorded (Contract 9)."""

import json
import shutil
from pathlib import Path
from typing import Any, Final

import pytest

from signalreel.events import DeadlineReached
from signalreel.header import ENGINE_VERSION, Header
from signalreel.identifiers import Kind
from signalreel.record import decode_record
from signalreel.reel import MemoryReel
from signalreel.replay import Cursor
from signalreel_adapters import SqliteReel
from tests.reels.make import FOLDER, GOLDEN, SETTINGS, record, summary_of

GIVEN: Final[dict[str, dict[str, Any]]] = json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.fixture(params=sorted(GIVEN))
def reel(request: pytest.FixtureRequest, tmp_path: Path) -> SqliteReel:
    """A copy of a golden reel, because SQLite puts files beside the one it reads."""
    return SqliteReel.read(shutil.copy(FOLDER / f"{request.param}.reel", tmp_path))


def test_every_reel_has_its_figures() -> None:
    """There is a reel for each version that has figures and for the version in hand, and no other."""
    assert {path.stem for path in FOLDER.glob("*.reel")} == set(GIVEN)
    assert ENGINE_VERSION in GIVEN


def test_it_replays_to_what_it_gave(reel: SqliteReel) -> None:
    """No outcome is missing or different, and the figures and the final digest are those written down."""
    replayed = list(Cursor(reel))

    assert [one.step.record.seq for one in replayed if one.recorded is None] == []
    assert [one.divergence for one in replayed if one.divergence is not None] == []
    assert summary_of(reel) == GIVEN[reel.path.stem]


def test_it_can_be_gone_back_on(reel: SqliteReel) -> None:
    """Back from the end to the middle gives the state that going there from the start gives."""
    middle = reel.last_seq // 2
    there, back = Cursor(reel), Cursor(reel)
    there.seek(middle)
    back.seek(reel.last_seq)
    back.seek(middle)

    assert back.engine.snapshot() == there.engine.snapshot()


def test_it_covers_what_a_reel_keeps(reel: SqliteReel) -> None:
    """Every kind of machine moves, timers run out, commands are refused, the host orders, and states are digested."""
    steps = [replayed.step for replayed in Cursor(reel)]
    records = [decode_record(entry.record) for entry in reel.entries()]

    assert {move.machine.kind for step in steps for move in step.transitions} == set(Kind)
    assert "restoring" in {move.target for step in steps for move in step.transitions}
    assert len({step.refused for step in steps}) > 10
    assert any(isinstance(one.event, DeadlineReached) for one in records)
    assert any(one.host is not None for one in records)
    assert any(one.grant is not None and one.grant.once for one in records)
    assert any(entry.outcome is not None and entry.outcome.state_digest for entry in reel.entries())


@pytest.mark.anyio
async def test_this_version_records_the_same() -> None:
    """The recipe gives the reel of the version in hand again. If not: mend it, or `python -m tests.reels.make`."""
    again = MemoryReel(Header(SETTINGS))
    await record(again)

    assert summary_of(again) == GIVEN[ENGINE_VERSION]
