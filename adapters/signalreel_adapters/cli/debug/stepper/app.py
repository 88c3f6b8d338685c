"""The stepper itself: what is on the screen, and which key does what.

The reel is explored first, in pieces between which keys are heard. What takes long after that (a search, a run to a
condition) goes on in pieces as well, says how far it is, and Escape ends it.
"""

import asyncio
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import ClassVar, Final

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Container, VerticalScroll
from textual.widgets import Input, Static, TabbedContent, TabPane

from signalreel.debug.predicates import Predicate, compile_predicate
from signalreel.debug.telling import printable
from signalreel.errors import SignalreelError
from signalreel_adapters.cli.debug.stepper.keys import BINDINGS, SHORT, Keys
from signalreel_adapters.cli.debug.stepper.panes import changes_told, notes_told, step_told
from signalreel_adapters.cli.debug.stepper.places import place_in
from signalreel_adapters.cli.debug.stepper.records import RecordList
from signalreel_adapters.cli.debug.stepper.state import StateTree
from signalreel_adapters.cli.debug.stepper.walk import Seen, Walk, seconds
from signalreel_adapters.cli.mistakes import Mistake

__all__ = ("PIECE_S", "Stepper")

_WIDE: Final = 120
"""Columns from which the panes stand beside the records."""

PIECE_S: Final = 0.02
"""Seconds of work between two looks at the keyboard."""

_PLACEHOLDERS: Final = {
    "goto": "a record (812, +50, -50, start, end) or a time (12.5s, 1:30)",
    "search": "text in an input, a name, a state or a refusal",
    "break": 'a condition, like: refused or moved("stream", "s1", "broadcasting")',
}


class Stepper(App[int]):
    """Walks along one reel."""

    TITLE = "signalreel replay"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012 - as its base declares it
        (0, "-narrow"),
        (_WIDE, "-wide"),
    ]
    CSS = """
    #where { height: auto; max-height: 3; }
    #keys { height: 1; }
    #where, #keys { background: $panel; color: $text; padding: 0 1; }
    #body { height: 1fr; }
    RecordList { height: 2fr; }
    TabbedContent { height: 3fr; }
    TabPane { padding: 0 1; }
    VerticalScroll { scrollbar-size-vertical: 1; }
    #ask { display: none; }
    #ask.asking { display: block; }
    .-wide #body { layout: horizontal; }
    .-wide RecordList { width: 1fr; height: 100%; }
    .-wide TabbedContent { width: 1fr; height: 100%; border-left: solid $primary; }
    """
    BINDINGS: ClassVar[list[BindingType]] = BINDINGS

    def __init__(self, walk: Walk, name: str) -> None:
        self._walk = walk
        self._file = name
        self._asking = ""
        self._condition: tuple[str, Predicate] | None = None
        self._typed: dict[str, str] = {}
        self._told = ""
        self._seen: Seen | None = None
        self._is_busy = False
        super().__init__()

    def compose(self) -> ComposeResult:
        """Put everything in its place."""
        yield Static(id="where", markup=False)
        with Container(id="body"):
            yield RecordList(self._walk)
            with TabbedContent(id="panes"):
                for pane in ("Step", "Changed"):
                    with TabPane(pane, id=pane.lower()), VerticalScroll():
                        yield Static(id=f"{pane.lower()}-told", markup=False)
                with TabPane("State", id="state"):
                    yield StateTree()
                with TabPane("Notes", id="notes"), VerticalScroll():
                    yield Static(id="notes-told", markup=False)
        yield Input(id="ask", compact=True)
        yield Static(_short_keys(), id="keys", markup=False)

    def on_mount(self) -> None:
        """Read the reel once, then begin with its first record."""
        self._records.focus()
        self._explore()

    @property
    def _records(self) -> RecordList:
        return self.query_one(RecordList)

    # ---- what takes a while

    @work(exclusive=True)
    async def _explore(self) -> None:
        self._is_busy = True
        while self._walk.explore(PIECE_S):
            self._say(f"reading {self._walk.explored} of {self._walk.last}")
            await asyncio.sleep(0)
        self._is_busy = False
        self._records.explored()
        self._say(f"damaged after this: {self._walk.damage}" if self._walk.damage else _found(self._walk))
        self._go(self._walk.first)

    @work(exclusive=True)
    async def _look(self, looking: Iterator[tuple[int, bool]], what: str) -> None:
        """Go to the first record that is the one looked for; stay where we are when there is none."""
        start = self._walk.position
        self._is_busy = True
        found: int | None = None
        try:
            until = time.monotonic() + PIECE_S
            for seq, is_it in looking:
                if is_it:
                    found = seq
                    break
                if time.monotonic() >= until:
                    self._say(f"{what}: at {seq}; Esc ends it")
                    await asyncio.sleep(0)
                    until = time.monotonic() + PIECE_S
            self._say(f"{what}: found" if found is not None else f"{what}: nothing found")
        except asyncio.CancelledError:
            self._say(f"{what}: ended")
            raise
        except SignalreelError as error:
            self._say(str(error))
        finally:
            self._is_busy = False
            self._go(found if found is not None else start)

    # ---- where one is

    def _go(self, seq: int) -> None:
        """Go to a record and show it."""
        if not self._walk.is_explored or self._is_busy:
            return
        try:
            self._seen = self._walk.go(seq)
        except SignalreelError as error:  # The reel is another one now, or cannot be read any more.
            self._say(str(error))
            return
        self._records.show(self._walk.position)
        self._show_place()
        self._show_pane()

    def _show_place(self) -> None:
        walk = self._walk
        parts = [self._file, f"{walk.position}/{walk.last}", f"{seconds(walk.time_of(walk.position))} s"]
        if self._condition is not None:
            parts.append(f"break: {self._condition[0]}")
        self.query_one("#where", Static).update("  ".join([*parts, self._told]))

    def _say(self, told: str) -> None:
        self._told = printable(told)
        self._show_place()

    def _show_pane(self) -> None:
        """Fill the pane in sight; the others when they come into it."""
        pane = self.query_one(TabbedContent).active
        if pane == "state":
            changes = self._seen.changes if self._seen is not None else ()
            self.query_one(StateTree).show(self._walk.state(), (change.path for change in changes))
            return
        told = {"step": step_told, "changed": changes_told, "notes": notes_told}[pane](self._seen)
        self.query_one(f"#{pane}-told", Static).update(told)
        self.query_one(f"#{pane} VerticalScroll", VerticalScroll).scroll_home(animate=False)

    def on_tabbed_content_tab_activated(self, _: TabbedContent.TabActivated) -> None:
        """Fill a pane that was clicked on."""
        if self._walk.is_explored and not self._is_busy:
            self._show_pane()

    def on_record_list_chosen(self, chosen: RecordList.Chosen) -> None:
        """Go to the record that was clicked on."""
        self._go(chosen.seq)

    # ---- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the keys to what is being typed."""
        return not (self._asking and action in ("step", "other_side"))

    def action_step(self, distance: int) -> None:
        """Go some records on, or back."""
        self._go(self._walk.position + distance)

    def action_page(self, direction: int) -> None:
        """Go a page of the list on, or back."""
        self._go(self._walk.position + direction * max(1, self._records.size.height - 1))

    def action_jump(self, place: str) -> None:
        """Go to a place that was named."""
        try:
            self._go(place_in(self._walk, place))
        except Mistake as error:
            self._say(str(error))

    def action_refusal(self, direction: int) -> None:
        """Go to the next refusal, or the one before."""
        self._go_among(list(self._walk.refused), direction, "refusal")

    def action_divergence(self, direction: int) -> None:
        """Go to the next divergence, or the one before."""
        self._go_among(self._walk.diverged, direction, "divergence")

    def _go_among(self, seqs: list[int], direction: int, what: str) -> None:
        here = self._walk.position
        after = bisect_right(seqs, here) if direction > 0 else bisect_left(seqs, here) - 1
        if 0 <= after < len(seqs):
            self._say(f"{what} {after + 1} of {len(seqs)}")
            self._go(seqs[after])
        else:
            self._say(f"no {what} {'after' if direction > 0 else 'before'} this")

    def action_search_on(self, forward: bool) -> None:
        """Go on with the search."""
        wanted = self._typed.get("search", "")
        if wanted and not self._is_busy and self._walk.is_explored:
            self._look(self._walk.searching(wanted, self._walk.position, forward=forward), f"search for {wanted}")

    def action_run_on(self, forward: bool) -> None:
        """Run to the next record at which the condition holds."""
        if self._condition is None:
            self.action_ask("break")
        elif not self._is_busy and self._walk.is_explored:
            self._look(self._walk.running(self._condition[1], self._walk.position, forward=forward), "run")

    def action_pane(self, pane: str) -> None:
        """Bring a pane into sight."""
        self.query_one(TabbedContent).active = pane
        if pane != "state" and self.focused is self.query_one(StateTree):
            self._records.focus()

    def action_other_side(self) -> None:
        """Change between the records and the pane."""
        pane = self.query_one(TabbedContent)
        if self.focused is not self._records:
            self._records.focus()
        elif pane.active == "state":
            self.query_one(StateTree).focus()
        else:
            self.query_one(f"#{pane.active} VerticalScroll", VerticalScroll).focus()

    def action_stop(self) -> None:
        """End what is asked or looked for."""
        if self._asking:
            self._close_question()
        elif self._is_busy and self._walk.is_explored:
            self.workers.cancel_all()

    def action_help(self) -> None:
        """Show all keys."""
        self.push_screen(Keys())

    # ---- questions

    def action_ask(self, what: str) -> None:
        """Let something be typed."""
        if self._is_busy:
            return
        self._asking = what
        ask = self.query_one("#ask", Input)
        ask.placeholder = _PLACEHOLDERS[what]
        ask.value = "" if what == "goto" else self._typed.get(what, "")
        ask.add_class("asking")
        ask.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do what was asked for."""
        what, text = self._asking, event.value.strip()
        self._close_question()
        self._typed[what] = text
        if what == "goto" and text:
            self.action_jump(text)
        elif what == "search" and text:
            self.action_search_on(forward=True)
        elif what == "break":
            self._break_on(text)

    def _break_on(self, text: str) -> None:
        """Take a condition, or none any more; a mistake in it is told, and where it is."""
        if not text:
            self._condition = None
            self._say("no break")
            return
        try:
            self._condition = (text, compile_predicate(text))
        except SignalreelError as error:
            self._say(str(error))
        else:
            self.action_run_on(forward=True)

    def _close_question(self) -> None:
        self._asking = ""
        self.query_one("#ask", Input).remove_class("asking")
        self._records.focus()


def _found(walk: Walk) -> str:
    counts = ((len(walk.refused), "refused"), (len(walk.diverged), "DIVERGED"))
    return ", ".join(f"{count} {what}" for count, what in counts if count)


def _short_keys() -> Text:
    text = Text(no_wrap=True)
    for key, told in SHORT:
        text.append(key, "bold").append(f" {told}  ", "dim")
    return text
