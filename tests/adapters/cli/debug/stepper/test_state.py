"""`signalreel_adapters.cli.debug.stepper.state`."""

import pytest
from msgspec import Struct
from textual.app import App, ComposeResult

from signalreel.identifiers import App as AppName
from signalreel.identifiers import SessionId
from signalreel.machines.context import Session
from signalreel_adapters.cli.debug.stepper.state import ENTRIES_SHOWN_MAX, StateTree

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Textual is asyncio's."""
    return "asyncio"


class OneTree(App[None]):
    """A tree and nothing else."""

    def compose(self) -> ComposeResult:
        """Put it there."""
        yield StateTree()


async def test_a_large_branch_is_listed_in_part_and_what_changed_first() -> None:
    """However much lives, a few lines are made; the rest is counted. Fields are under each."""
    names = [f"s{number:04}" for number in range(1_000)]
    sessions: dict[str, Struct] = {name: Session(SessionId(name), AppName("live"), "") for name in names}
    async with OneTree().run_test() as pilot:
        tree = pilot.app.query_one(StateTree)
        tree.show({"session": sessions}, [("session", "s0999", "identity")])
        tree.root.children[0].expand()
        await pilot.pause()
        listed = [str(node.label) for node in tree.root.children[0].children]
        tree.root.children[0].children[0].expand()
        await pilot.pause()
        fields = [str(node.label) for node in tree.root.children[0].children[0].children]

    assert str(tree.root.children[0].label) == "● session  1000"
    assert (len(listed), listed[0], listed[1]) == (ENTRIES_SHOWN_MAX + 1, "● s0999", "s0000")
    assert listed[-1] == f"and {1_000 - ENTRIES_SHOWN_MAX} more"
    assert "app  live" in fields
