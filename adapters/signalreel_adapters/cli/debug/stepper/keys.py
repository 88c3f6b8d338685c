"""The keys of the stepper, and the screen that lists them."""

from typing import ClassVar, Final

from rich.table import Table
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

__all__ = ("BINDINGS", "SHORT", "TOLD", "Keys")

SHORT: Final = (
    ("←→", "step"),
    ("g", "go to"),
    ("/", "search"),
    ("n", "next"),
    ("b", "break"),
    ("c", "run"),
    ("1-4", "pane"),
    ("?", "keys"),
    ("q", "quit"),
)
"""What stands at the foot of the screen; it fits 80 columns."""

TOLD: Final = (
    ("← →  k j", "the record before, the next one"),
    ("↑ ↓", "likewise; in a pane they scroll"),
    ("PgUp PgDn", "a page of records"),
    ("Home End", "the first record, the last one"),
    ("g", "go to a record or a time: 812, +50, -50, 12.5s, 1:30"),
    ("/", "search for a name, an input, a state, a refusal"),
    ("n N", "the next record that has it, the one before"),
    ("b", "break on a condition: say which"),
    ("c C", "run to the next record at which it holds, or back"),
    ("e E", "the next refusal, the one before"),
    ("d D", "the next divergence, the one before"),
    ("1 2 3 4", "what the record did, what it changed, the state, notes"),
    ("Tab", "between the records and the pane"),
    ("Enter", "in the state: open, close"),
    ("Esc", "end a search, a run, or these keys"),
    ("q", "quit"),
)
"""What the screen of keys says; it fits 80 columns and 24 lines."""

_ACTIONS: Final = {
    "left,k": "step(-1)",
    "right,j": "step(1)",
    "up": "step(-1)",
    "down": "step(1)",
    "pageup": "page(-1)",
    "pagedown": "page(1)",
    "home": "jump('start')",
    "end": "jump('end')",
    "g,colon": "ask('goto')",
    "slash": "ask('search')",
    "n": "search_on(True)",
    "N": "search_on(False)",
    "b": "ask('break')",
    "c": "run_on(True)",
    "C": "run_on(False)",
    "e": "refusal(1)",
    "E": "refusal(-1)",
    "d": "divergence(1)",
    "D": "divergence(-1)",
    "1": "pane('step')",
    "2": "pane('changed')",
    "3": "pane('state')",
    "4": "pane('notes')",
    "tab": "other_side",
    "escape": "stop",
    "question_mark": "help",
    "q": "quit",
}
_EVERYWHERE: Final = frozenset({"left,k", "right,j", "tab"})
"""Keys that mean the same wherever the focus is, but where something is typed."""

BINDINGS: Final[list[BindingType]] = [
    Binding(key, action, show=False, priority=key in _EVERYWHERE) for key, action in _ACTIONS.items()
]


class Keys(ModalScreen[None]):
    """All keys, until one is pressed."""

    CSS = """
    Keys { align: center middle; }
    Keys > Static { width: auto; height: auto; max-height: 100%; padding: 0 2; border: round $primary;
                    background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter", "dismiss", show=False)]

    def compose(self) -> ComposeResult:
        """List them, one a line."""
        table = Table.grid(padding=(0, 2))
        for key, told in TOLD:
            table.add_row(key, told)
        yield Static(table)
