"""The list of records: only the lines in sight are read and drawn, however long the reel is."""

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from signalreel_adapters.cli.debug.stepper.walk import Line, Walk, seconds

__all__ = ("RecordList",)


class RecordList(ScrollView, can_focus=True, inherit_bindings=False):
    """Records, one a line, with the one that was gone to marked."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "records--here",
        "records--quiet",
        "records--refused",
        "records--diverged",
        "records--moves",
    }
    DEFAULT_CSS = """
    RecordList { background: $surface; overflow-x: hidden; }
    RecordList > .records--here { background: $primary; color: $text; text-style: bold; }
    RecordList > .records--quiet { color: $text-muted; }
    RecordList > .records--refused { color: $text-warning; }
    RecordList > .records--diverged { color: $text-error; text-style: bold; }
    RecordList > .records--moves { color: $text-success; }
    """

    class Chosen(Message):
        """A record was clicked on."""

        def __init__(self, seq: int) -> None:
            self.seq = seq
            super().__init__()

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._here = walk.first - 1
        self._diverged: frozenset[int] = frozenset()
        super().__init__()

    def on_mount(self) -> None:
        """Say how long the list is."""
        self.virtual_size = Size(0, self._walk.last - self._walk.first + 1)

    def explored(self) -> None:
        """Show what is known now: refusals, divergences, and where the reel really ends."""
        self._diverged = frozenset(self._walk.diverged)
        self.virtual_size = Size(0, self._walk.last - self._walk.first + 1)
        self.refresh()

    def show(self, seq: int) -> None:
        """Mark a record, and bring it into sight with some of what is around it."""
        self._here = seq
        y = max(0, seq - self._walk.first)
        top = int(self.scroll_offset.y)
        height = max(1, self.size.height)
        if not top <= y < top + height:
            self.scroll_to(y=max(0, y - height // 2), animate=False)
        elif y == top or y == top + height - 1:
            self.scroll_to_region(Region(0, y - 1, 1, 3), animate=False, force=True)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Ask to go to a record."""
        self.post_message(self.Chosen(self._walk.first + int(self.scroll_offset.y) + event.y))

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        width = self.size.width
        line = self._walk.line(self._walk.first + int(self.scroll_offset.y) + y)
        if line is None:
            return Strip.blank(width, self.rich_style)
        here = line.seq == self._here
        segments = [Segment(text, style) for text, style in self._parts(line, here=here)]
        return Strip(segments).adjust_cell_length(width, self._style("here") if here else self.rich_style)

    def _parts(self, line: Line, *, here: bool) -> list[tuple[str, Style]]:
        marked = self._style("here")
        quiet, refused, diverged, moves, usual = (
            (marked,) * 5 if here else (*map(self._style, ("quiet", "refused", "diverged", "moves")), self.rich_style)
        )
        parts = [
            (f"{'▶' if here else ' '}{line.seq:>7} ", usual),
            (f"{seconds(line.time):>13} {line.session:<8} ", quiet),
            (f"{line.what}  ", usual),
        ]
        if line.seq in self._diverged:
            parts.append(("DIVERGED  ", diverged))
        if line.seq in self._walk.refused:
            parts.append((f"refused: {self._walk.refused[line.seq]}  ", refused))
        return [*parts, (line.moves, moves)]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"records--{name}")
