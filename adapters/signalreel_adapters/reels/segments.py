"""Segments: the files that one reel is kept in, one after the other.

Beside `calls.reel`, which is written, stand those that are closed: `calls.000001.reel`, `calls.000002.reel` and so on.
A new one is made whole under the name `calls.reel-next`; then the written one gets its closed name, and the new one its
place. Each of these is made to last before the next is done, so after a crash one look at the names tells how far it
had come, and `heal` takes it to the end.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from signalreel.errors import ReelError
from signalreel_adapters.reels.disk import COMPANIONS, Disk
from signalreel_adapters.reels.names import closed_segments, next_name
from signalreel_adapters.reels.reading import read_ends

__all__ = ("Rolling", "heal", "remove_next", "retain")

_JOURNAL: Final = "-journal"
"""What SQLite puts beside a file while it is made."""


class Rolling(Struct, frozen=True):
    """When a segment is closed and a new one begun, and which closed ones are kept. Sizes in bytes."""

    bytes_max: int = 268_435_456  #: from this size on, whatever is going on
    age_s_max: int = 86_400  #: from this time on since its first record
    when_empty: bool = True  #: also when nothing is live, which is where two calls part by themselves
    empty_bytes_min: int = 16_777_216  #: but then not below this size: nobody wants a file for each call
    keep_segments_max: int = 0  #: closed segments that are kept; 0 for any number
    keep_age_s_max: int = 0  #: how long after it was closed a segment is kept; 0 for ever
    keep_bytes_max: int = 4_294_967_296  #: of all closed segments together; 0 for any number


def heal(path: Path, disk: Disk) -> None:
    """Take a roll that was cut short to its end, or to its beginning when the new segment is not there yet."""
    next = next_name(path)
    if path.exists() or not next.exists():
        remove_next(path, disk)
        return
    try:
        read_ends(next)
    except ReelError:
        remove_next(path, disk)
        closed = closed_segments(path)
        if closed:
            disk.rename(closed[-1][1], path)
    else:
        disk.rename(next, path)
    disk.sync_folder(path.parent)


def remove_next(path: Path, disk: Disk) -> None:
    """Remove what is left of a segment that was to be the next."""
    next = next_name(path)
    for suffix in (*COMPANIONS, _JOURNAL, ""):
        disk.remove(next.with_name(next.name + suffix))


def retain(path: Path, rolling: Rolling, now_s: float, disk: Disk) -> Iterator[Path]:
    """Remove the oldest closed segments until as many are left as are to be kept; give each once it is removed."""
    kept = [(file, file.stat()) for _, file in closed_segments(path)]
    size = sum(found.st_size for _, found in kept)
    is_changed = False
    for number, (file, found) in enumerate(kept):
        if not (
            (rolling.keep_segments_max and len(kept) - number > rolling.keep_segments_max)
            or (rolling.keep_age_s_max and now_s - found.st_mtime > rolling.keep_age_s_max)
            or (rolling.keep_bytes_max and size > rolling.keep_bytes_max)
        ):
            break
        disk.remove(file)
        is_changed = True
        size -= found.st_size
        yield file
    if is_changed:
        disk.sync_folder(path.parent)
