"""Segments: a reel from some record on, with the state before it at its seam, as a server leaves it that rolls one."""

from msgspec.structs import replace

from signalreel.header import Parent
from signalreel.reel import MemoryReel, Reel
from signalreel.replay import Cursor
from signalreel.snapshot import encode_snapshot

__all__ = ("segment_of",)


def segment_of(whole: Reel, after: int, records: int | None = None) -> MemoryReel:
    """Give the segment of a reel that begins after a record, with so many records or all that follow."""
    state = Cursor(whole).at(after).snapshot()
    before = next(iter(whole.entries(after)))
    parent = Parent(whole.header.id or "the segment before", after, before.chain, state.digest)
    header = replace(whole.header, id="a segment", parent=parent)
    reel = MemoryReel(header, seam=encode_snapshot(state), first_seq=after + 1)
    for entry in whole.entries(after + 1):
        if records is not None and entry.seq > after + records:
            break
        reel.append(entry.seq, entry.record)
        if entry.outcome is not None:
            reel.conclude(entry.seq, entry.outcome)
    return reel
