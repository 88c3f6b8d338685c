"""`signalreel_adapters.cli.debug.stepper.records`."""

from pathlib import Path

import pytest

from signalreel_adapters.cli.debug.stepper.app import Stepper
from signalreel_adapters.cli.debug.stepper.records import RecordList
from signalreel_adapters.cli.debug.stepper.walk import Walk
from tests.adapters.cli.debug.stepper.golden import golden_reel

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Textual is asyncio's."""
    return "asyncio"


async def test_the_lines_in_sight_are_drawn(tmp_path: Path) -> None:
    """The one that was gone to is among them and marked, wherever it is; a refusal stands in its line."""
    walk = Walk(golden_reel(tmp_path))
    async with Stepper(walk, "golden.reel").run_test(size=(80, 24)) as pilot:
        await pilot.app.workers.wait_for_complete()
        await pilot.press("end")
        await pilot.pause()
        records = pilot.app.query_one(RecordList)
        lines = [records.render_line(y).text for y in range(records.size.height)]
        await pilot.press("home", "e")
        await pilot.pause()
        refused = [records.render_line(y).text for y in range(records.size.height)]

    assert [line.split()[1] for line in lines if line.startswith("▶")] == ["158"]
    assert sum(line.startswith("▶") and "refused: " in line for line in refused) == 1
    assert len({len(line) for line in lines}) == 1
