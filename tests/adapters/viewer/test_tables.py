"""`signalreel_adapters.viewer.tables`."""

from html.parser import HTMLParser

from signalreel.commands import Publish
from signalreel.debug.coverage import Tally, coverage_of
from signalreel.engine import TABLES
from signalreel_adapters.viewer.tables import coverage_page
from tests.engine.world import World


class Cells(HTMLParser):
    """Gathers the classes of a page's cells, and the elements that could ask for something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sorts: list[str] = []
        self.asking: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note a cell's class, and whatever refers to another file."""
        given = dict(attributes)
        if tag == "td" and "title" in given:
            self.sorts.append(given.get("class") or "")
        if tag == "script" or any((given.get(name) or "data:")[:5] != "data:" for name in ("src", "href")):
            self.asking.append(tag)


def test_every_cell_is_on_the_page_in_its_colour() -> None:
    """Seen in production, only tried, never seen, or not to be reached; each cell once."""
    world = World()
    world.open("alice")
    tally = Tally()
    tally.add("production", world.reel())
    world.say("alice", Publish("cam"))
    tally.add("tests", world.reel())
    only_tried = Cells(coverage_page(coverage_of(tally)))
    tally.add("production", world.reel())
    seen = Cells(coverage_page(coverage_of(tally)))
    cells = sum(len(by_state) for table in TABLES.values() for by_state in table.cells.values())

    assert len(seen.sorts) == cells
    assert (only_tried.sorts.count("tried"), only_tried.sorts.count("production")) == (1, 0)
    assert (seen.sorts.count("tried"), seen.sorts.count("production")) == (0, 1)
    assert seen.sorts.count("never") + seen.sorts.count("cannot") == cells - 1
    assert seen.sorts.count("cannot") > 0


def test_the_page_asks_for_nothing() -> None:
    """No script, no other file, and a policy that would allow neither."""
    page = coverage_page(coverage_of(Tally()))

    assert Cells(page).asking == []
    assert "default-src 'none'" in page
