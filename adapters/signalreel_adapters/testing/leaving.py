"""Reels of tests as files: read into memory to begin with, and left behind when a test fails."""

import os
import tempfile
from pathlib import Path
from typing import Final

from signalreel.errors import ReelError
from signalreel.reel import MemoryReel
from signalreel_adapters.reels.copying import write_reel
from signalreel_adapters.reels.whole import WholeReel

__all__ = ("leave_reel", "load_reel")

_SUFFIX: Final = ".reel"


def load_reel(path: str | os.PathLike[str]) -> MemoryReel:
    """Read a reel, with all its segments, into memory, where a test may go on with it. Raises as `SqliteReel.read`."""
    kept = WholeReel(path)
    loaded = MemoryReel(kept.header, seam=kept.seam, first_seq=kept.first_seq)
    for entry in kept.entries(kept.first_seq):
        loaded.append(entry.seq, entry.record)
        if entry.outcome is not None:
            loaded.conclude(entry.seq, entry.outcome)
    for note in kept.notes(kept.first_seq):
        loaded.note(note)
    return loaded


def leave_reel(reel: MemoryReel, name: str, folder: Path | None = None) -> str:
    """Write a reel under this name, over the one of the last time; say in words where it is and what to do with it.

    Without a folder it is among the temporary files of the system. That it cannot be written is said, and no error: a
    test that fails has enough of its own to tell.
    """
    count = reel.last_seq - reel.first_seq + 1
    if count == 0:
        return "nothing was recorded"
    target = (folder if folder is not None else Path(tempfile.mkdtemp(prefix="signalreel-"))) / f"{name}{_SUFFIX}"
    target.unlink(missing_ok=True)
    try:
        write_reel(target, reel)
    except ReelError as error:
        return f"it could not be written: {error}"
    records = "1 record" if count == 1 else f"{count} records"
    return f"{target} ({records})\nlook at it: signalreel open {target}\nask it why: signalreel explain {target}"
