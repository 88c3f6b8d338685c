"""`signalreel_adapters.cli.debug.stepper.app`, by Textual's own harness: keys in, what stands on the screen out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from signalreel_adapters.cli.debug.stepper.app import Stepper
from signalreel_adapters.cli.debug.stepper.keys import SHORT, Keys
from signalreel_adapters.cli.debug.stepper.records import RecordList
from signalreel_adapters.cli.debug.stepper.state import StateTree
from signalreel_adapters.cli.debug.stepper.walk import Walk
from tests.adapters.cli.debug.stepper.golden import golden_reel

pytestmark = pytest.mark.anyio

SMALL = (80, 24)
WIDE = (160, 50)


@pytest.fixture
def anyio_backend() -> str:
    """Textual is asyncio's."""
    return "asyncio"


@asynccontextmanager
async def stepping(folder: Path, size: tuple[int, int] = SMALL) -> AsyncIterator[Pilot[int]]:
    """Open the stepper on the golden reel and wait until it is read."""
    stepper = Stepper(Walk(golden_reel(folder)), "golden.reel")
    async with stepper.run_test(size=size) as pilot:
        await settled(pilot)
        yield pilot


async def settled(pilot: Pilot[int]) -> None:
    """Wait until nothing goes on any more."""
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def answer(pilot: Pilot[int], key: str, text: str) -> None:
    """Press the key of a question, and answer it."""
    await pilot.press(key)
    pilot.app.query_one("#ask", Input).value = text
    await pilot.press("enter")
    await settled(pilot)


def shown(pilot: Pilot[int], id: str) -> str:
    """What a line or a pane says."""
    return str(pilot.app.query_one(f"#{id}", Static).content)


def place(pilot: Pilot[int]) -> int:
    """The record one has gone to, as the first line says it."""
    return int(shown(pilot, "where").split()[1].partition("/")[0])


async def test_steps_forward_and_back(tmp_path: Path) -> None:
    """One record at a time, a page, and both ends; what is told goes along."""
    async with stepping(tmp_path) as pilot:
        assert place(pilot) == 1
        await pilot.press("right", "j", "down")
        assert place(pilot) == 4
        await pilot.press("left", "k", "up", "up", "up")
        assert (place(pilot), "Before the first record" in shown(pilot, "step-told")) == (0, True)
        await pilot.press("end")
        assert place(pilot) == 158
        await pilot.press("home", "pagedown")
        assert place(pilot) == pilot.app.query_one(RecordList).size.height


async def test_goes_to_a_record_or_a_time(tmp_path: Path) -> None:
    """What is no place is told, and one stays."""
    async with stepping(tmp_path) as pilot:
        await answer(pilot, "g", "60")
        assert place(pilot) == 60
        await answer(pilot, "colon", "+5")
        assert place(pilot) == 65
        await answer(pilot, "g", "somewhere")
        assert (place(pilot), "say a record" in shown(pilot, "where")) == (65, True)


async def test_keys_belong_to_what_is_typed(tmp_path: Path) -> None:
    """While something is typed nothing moves, and Escape ends it."""
    async with stepping(tmp_path) as pilot:
        await pilot.press("slash", "c", "left", "q", "j", "right", "n")
        assert (pilot.app.query_one("#ask", Input).value, place(pilot)) == ("qjcn", 1)
        await pilot.press("escape", "right")
        assert place(pilot) == 2


async def test_searches_and_goes_on(tmp_path: Path) -> None:
    """The next one, the one before, and that there is no other."""
    async with stepping(tmp_path) as pilot:
        await answer(pilot, "slash", "refused_or_not")
        assert (place(pilot), "nothing found" in shown(pilot, "where")) == (1, True)
        await answer(pilot, "slash", "SessionClosed")
        first = place(pilot)
        await pilot.press("n")
        await settled(pilot)
        again = place(pilot)
        await pilot.press("N")
        await settled(pilot)
        assert (again > first, place(pilot)) == (True, first)


async def test_breaks_on_a_condition(tmp_path: Path) -> None:
    """It runs on to the next record and back to the last one; a mistake in it is told."""
    async with stepping(tmp_path) as pilot:
        await answer(pilot, "b", 'moved("stream", "cam", "broadcasting")')
        first = place(pilot)
        assert "→ broadcasting" in shown(pilot, "step-told")
        await answer(pilot, "b", "refused")
        await pilot.press("C", "C")
        await settled(pilot)
        assert place(pilot) <= first
        await answer(pilot, "b", "refused and and")
        assert "expression" in shown(pilot, "where")


async def test_goes_from_refusal_to_refusal(tmp_path: Path) -> None:
    """And says that there is no divergence."""
    async with stepping(tmp_path) as pilot:
        await pilot.press("e")
        first = place(pilot)
        await pilot.press("e", "E")
        assert (first, place(pilot)) == (6, 6)
        await pilot.press("d")
        assert "no divergence after this" in shown(pilot, "where")


async def test_panes_show_changes_state_and_notes(tmp_path: Path) -> None:
    """Each is filled when it comes into sight, and goes along; the state's branches open and stay open."""
    async with stepping(tmp_path) as pilot:
        await answer(pilot, "g", "7")
        await pilot.press("2")
        await pilot.pause()
        assert "preparing" in shown(pilot, "changed-told")
        await pilot.press("4")
        await pilot.pause()
        assert shown(pilot, "notes-told")
        await pilot.press("3")
        await pilot.pause()
        tree = pilot.app.query_one(StateTree)
        next(node for node in tree.root.children if node.data == ("stream",)).expand()
        await pilot.pause()
        await pilot.press("right")
        stream = next(node for node in tree.root.children if node.data == ("stream",))
        assert (stream.is_expanded, [node.data for node in stream.children]) == (True, [("stream", "live/cam")])


async def test_a_click_goes_there(tmp_path: Path) -> None:
    """On a line of the list."""
    async with stepping(tmp_path) as pilot:
        await pilot.click(RecordList, offset=(10, 3))
        assert place(pilot) == 4


async def test_the_keys_are_shown(tmp_path: Path) -> None:
    """The short ones always; all of them when asked for."""
    async with stepping(tmp_path) as pilot:
        assert all(key in shown(pilot, "keys") for key, _ in SHORT)
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, Keys)
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, Keys)


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_everything_has_its_place(tmp_path: Path, size: tuple[int, int]) -> None:
    """The panes stand below the records on a small screen, and beside them on a wide one; both have room."""
    async with stepping(tmp_path, size) as pilot:
        records, panes = pilot.app.query_one(RecordList).region, pilot.app.query_one("#panes").region

        assert (panes.x > records.x) == (size == WIDE)
        assert (panes.y > records.y) == (size == SMALL)
        assert min(records.height, panes.height) >= 7
