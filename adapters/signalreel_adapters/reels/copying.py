"""Copying reels: any reel into a file, and a file with all its segments elsewhere, also while it is written."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, suppress
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from signalreel.errors import ReelError, ReelUnavailable
from signalreel.notes import Note, encode_note
from signalreel.reel import Entry, Reel, chain_before, chain_record
from signalreel_adapters.reels.disk import DISK
from signalreel_adapters.reels.layout import reason_of
from signalreel_adapters.reels.names import closed_segments, next_name
from signalreel_adapters.reels.opening import make_next, open_for_writing
from signalreel_adapters.reels.reading import Seam, open_for_reading, read_ends
from signalreel_adapters.reels.segments import remove_next
from signalreel_adapters.reels.writing import Batch, encode_outcomes, write_batch

__all__ = ("BACKUP_ATTEMPTS_MAX", "backup_reel", "write_reel")

BACKUP_ATTEMPTS_MAX: Final = 100
"""How often a backup is begun anew because a segment was closed meanwhile."""

_BATCH: Final = 512
"""Records, or notes, in a transaction."""

_Item = TypeVar("_Item")


def write_reel(path: str | os.PathLike[str], reel: Reel) -> Path:
    """Write a reel of whatever kind to a file of its own, whole or not at all; give the file's path.

    The seqs stay what they are, the chain is made anew. Raises `ReelUnavailable` when there is such a file already, or
    none can be written, and whatever reading the reel raises.
    """

    def fill(next: Path) -> None:
        with closing(open_for_writing(next)) as connection:
            chain = chain_before(reel.header, reel.seam)
            for entries in _portions(reel.entries(reel.first_seq)):
                chain = _write_entries(connection, chain, entries)
            for notes in _portions(reel.notes(reel.first_seq)):
                write_batch(connection, [], Batch([], [], list(_encoded(notes))))
            connection.execute("PRAGMA journal_mode = DELETE")

    target = Path(os.path.realpath(path))
    seam = Seam(1, reel.first_seq - 1, reel.seam) if reel.seam is not None else None
    _make(target, lambda: make_next(target, reel.header, seam, DISK), fill)
    return target


def _write_entries(connection: sqlite3.Connection, chain: bytes, entries: list[Entry]) -> bytes:
    rows: list[tuple[int, bytes, bytes]] = []
    for entry in entries:
        chain = chain_record(chain, entry.record)
        rows.append((entry.seq, entry.record, chain))
    outcomes = {entry.seq: entry.outcome for entry in entries if entry.outcome is not None}
    write_batch(connection, rows, Batch([], encode_outcomes(outcomes), []))
    return chain


def _encoded(notes: Iterable[Note]) -> Iterator[tuple[int, bytes]]:
    """Encode notes; one that is none is left out, as it is when it is written first."""
    for note in notes:
        with suppress(ValueError, TypeError, OverflowError, RecursionError):
            yield note.seq, encode_note(note)


def _portions(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    rest = iter(items)
    while portion := list(islice(rest, _BATCH)):
        yield portion


def backup_reel(path: str | os.PathLike[str], to: str | os.PathLike[str]) -> list[Path]:
    """Copy a reel with all its closed segments, also while it is written; give the files, the written one last.

    Everything committed when it began is in the copy, but for segments that are not kept any longer meanwhile. What was
    copied is removed again when it fails. Raises `ReelUnavailable` when there is such a file already, or
    none can be written; `ReelDamaged` when the file is no reel.
    """
    source, target = Path(os.path.realpath(path)), Path(os.path.realpath(to))
    if target.exists():
        raise ReelUnavailable(f"{target} exists already")
    copied: dict[str, Path] = {}
    with ExitStack() as undo:
        undo.callback(_remove_all, copied)
        for _ in range(BACKUP_ATTEMPTS_MAX):
            closed = closed_segments(source)
            if _copy_closed(source, target, closed, copied):
                copied[source.name] = _copy(source, target)
                if closed_segments(source) == closed:
                    undo.pop_all()
                    return list(copied.values())
                copied.pop(source.name).unlink()
    raise ReelUnavailable(f"{source} is rolled faster than it can be copied")


def _remove_all(files: dict[str, Path]) -> None:
    for file in files.values():
        DISK.remove(file)


def _copy_closed(source: Path, target: Path, closed: list[tuple[int, Path]], copied: dict[str, Path]) -> bool:
    """Copy the closed segments that are not copied yet; give whether each was still there."""
    for _, file in closed:
        if file.name in copied:
            continue
        name = f"{target.stem}{file.name.removeprefix(source.stem).removesuffix(source.suffix)}{target.suffix}"
        try:
            copied[file.name] = _copy(file, target.with_name(name))
        except ReelUnavailable:
            if file.exists():
                raise
            return False  # It is not kept any longer.
    return True


def _copy(source: Path, target: Path) -> Path:
    """Copy one file as it is at one moment; those who write it are not kept from it."""

    def fill(next: Path) -> None:
        with closing(open_for_reading(source)) as connection, closing(sqlite3.connect(next)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        read_ends(next)

    next = next_name(target)

    def make() -> None:
        remove_next(target, DISK)
        DISK.make(next)

    _make(target, make, fill)
    return target


def _make(target: Path, make: Callable[[], None], fill: Callable[[Path], None]) -> None:
    """Make a file under another name, and give it its own when it is whole."""
    if target.exists():
        raise ReelUnavailable(f"{target} exists already")
    try:
        make()
        try:
            fill(next_name(target))
            DISK.rename(next_name(target), target)
            DISK.sync_folder(target.parent)
        except BaseException:
            remove_next(target, DISK)
            raise
    except ReelError:
        raise
    except (OSError, sqlite3.Error) as error:
        told = error.strerror if isinstance(error, OSError) else reason_of(error)
        raise ReelUnavailable(f"{target} cannot be written: {told}") from error
