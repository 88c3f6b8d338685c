"""What a viewer is told of a reel before its first record: the header's facts, the tables, and their pictures."""

from typing import Final

from msgspec import Struct

from signalreel.debug.diagram import machine_svg
from signalreel.debug.rows import ROWS, CatalogueRow
from signalreel.debug.scan import WINDOW_MAX
from signalreel.engine import TABLES
from signalreel.reel import Reel

__all__ = ("CHUNK_RECORDS", "PART_RECORDS", "About", "KindOfMachine", "about_of")

CHUNK_RECORDS: Final = 200
"""Records told in full that travel together; the page's `source.js` counts with the same number."""

PART_RECORDS: Final = 2_000
"""Records whose columns travel together: some tens of milliseconds of replay."""

assert CHUNK_RECORDS <= WINDOW_MAX  # noqa: S101 -- one window is asked for each chunk


class KindOfMachine(Struct, frozen=True, rename="camel"):
    """A kind of machine: its states in their order, and its picture."""

    states: tuple[str, ...]
    finals: tuple[str, ...]
    svg: str


class About(Struct, frozen=True, rename="camel"):
    """What a reel is."""

    name: str
    first: int  #: seq of its first record
    records: int
    started_at: int  #: microseconds since 1970
    engine_version: str
    redacted: bool
    rows: tuple[CatalogueRow, ...]
    kinds: dict[str, KindOfMachine]


def about_of(reel: Reel, name: str, *, redacted: bool = False) -> About:
    """Say what a reel is, under the name that it is shown by."""
    first = reel.first_seq
    return About(
        name,
        first,
        max(0, reel.last_seq - first + 1),
        reel.header.started_at,
        reel.header.engine_version,
        redacted,
        ROWS,
        {
            str(kind): KindOfMachine(
                tuple(map(str, table.states)),
                tuple(sorted(map(str, table.finals))),
                machine_svg(kind),
            )
            for kind, table in TABLES.items()
        },
    )
