"""The state as a tree that is opened where somebody looks: kinds, what lives of each, and its fields."""

from collections.abc import Iterable
from typing import Any, ClassVar, Final, cast

from msgspec import Struct
from rich.text import Text
from textual.binding import BindingType
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from signalreel.debug.state import plain
from signalreel.debug.telling import short_id
from signalreel_adapters.cli.debug.stepper.panes import value_told

__all__ = ("ENTRIES_SHOWN_MAX", "StateTree")

ENTRIES_SHOWN_MAX: Final = 200
"""Entries of one branch that are listed; what the record changed stands first."""

_Path = tuple[str, ...]
_State = dict[str, dict[str, Struct]]


class StateTree(Tree[_Path]):
    """The state after the record one has gone to. What it changed is marked; what was open stays open."""

    BINDINGS: ClassVar[list[BindingType]] = [binding for binding in Tree.BINDINGS if "shift" not in str(binding)]
    DEFAULT_CSS = """
    StateTree { background: $surface; padding: 0; }
    """

    def __init__(self) -> None:
        super().__init__("state", data=())
        self.show_root = False
        self.guide_depth = 2
        self._state: _State = {}
        self._touched: frozenset[_Path] = frozenset()
        self._open: set[_Path] = set()
        self._is_filling = False

    def show(self, state: _State, touched: Iterable[_Path]) -> None:
        """Show another state; `touched` are the places (kind and name) that the record changed."""
        self._state = state
        self._touched = frozenset(path[:2] for path in touched)
        line = self.cursor_line
        self._is_filling = True
        self.clear()
        for kind, entries in sorted(state.items()):
            changed = any(path[0] == kind for path in self._touched)
            self._add(self.root, (kind,), _label(kind, f"{len(entries)}", changed=changed))
        self._is_filling = False
        self.cursor_line = max(0, line)

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[_Path]) -> None:
        """List what is in a branch the first time that it is opened."""
        node = event.node
        if node.data and node.data not in self._open:
            self._open.add(node.data)
            self._fill(node)

    def on_tree_node_collapsed(self, event: Tree.NodeCollapsed[_Path]) -> None:
        """Remember that it is closed."""
        if event.node.data and not self._is_filling:
            self._open.discard(event.node.data)
            event.node.remove_children()

    def _add(self, parent: TreeNode[_Path], path: _Path, label: Text) -> None:
        node = parent.add(label, data=path, expand=path in self._open)
        if path in self._open:
            self._fill(node)

    def _fill(self, node: TreeNode[_Path]) -> None:
        match cast(_Path, node.data):
            case (kind,):
                self._fill_kind(node, kind, self._state.get(kind, {}))
            case (kind, name, *fields):
                branch = _branch(plain(self._state.get(kind, {}).get(name)))
                for field in fields:
                    branch = _branch(branch.get(field))
                self._fill_fields(node, branch)
            case _:
                return

    def _fill_kind(self, node: TreeNode[_Path], kind: str, entries: dict[str, Struct]) -> None:
        names = sorted(entries, key=lambda name: ((kind, name) not in self._touched, name))
        for name in names[:ENTRIES_SHOWN_MAX]:
            told = str(getattr(entries[name], "state", ""))
            self._add(node, (kind, name), _label(short_id(name) or kind, told, changed=(kind, name) in self._touched))
        if len(names) > ENTRIES_SHOWN_MAX:
            node.add_leaf(_label(f"and {len(names) - ENTRIES_SHOWN_MAX} more", "", changed=False))

    def _fill_fields(self, node: TreeNode[_Path], fields: dict[str, Any]) -> None:
        path = cast(_Path, node.data)
        for name, value in list(fields.items())[:ENTRIES_SHOWN_MAX]:
            branch = _branch(value)
            if branch:
                self._add(node, (*path, name), _label(short_id(name), f"{len(branch)}", changed=False))
            else:
                node.add_leaf(_label(short_id(name), value_told(value), changed=False))


def _branch(value: object) -> dict[str, Any]:
    """Give what is under a name; nothing when it is a leaf."""
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _label(name: str, told: str, *, changed: bool) -> Text:
    text = Text(f"{'● ' if changed else ''}{name}", "bold yellow" if changed else "")
    return text.append(f"  {told}", "dim") if told else text
