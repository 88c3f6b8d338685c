"""`signalreel reel verify REEL`: whether a reel is as it was written, and whether today's code makes the same of it."""

import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from signalreel.debug import Bisected, Verified, bisect_against, verify
from signalreel.errors import ReelDamaged
from signalreel.replay import Replayed
from signalreel_adapters.cli.debug.findings import lines_of_finding, print_lines
from signalreel_adapters.cli.debug.othercode import OtherCodeProcess
from signalreel_adapters.cli.debug.reading import Switch, open_reel, print_json, with_progress
from signalreel_adapters.reels.damage import damage_of
from signalreel_adapters.reels.walfile import torn_bytes

__all__ = ("verify_reel",)


class _Report(Struct):
    """What `--json` prints."""

    verified: Verified | None
    against: Bisected | None
    ranges: list[str]
    torn_bytes: int


def verify_reel(file: Path, /, *, against: Path | None = None, json: Switch = False) -> int:
    """Check a reel's bytes, replay it with this code, and tell the first record that differs with all there is to it.

    Leaves with 0 when it is whole and agrees, 1 when it is damaged or differs, 2 when the file cannot be used.

    Parameters
    ----------
    file
        The reel; it may be one that a server is writing.
    against
        A folder with another version's source tree, which is run beside this code, so that both sides can be shown
        where a reel keeps only a digest.
    json
        Print one JSON object: `verified` with records, agreed, unconcluded, differing, digest, damage and first (null
        when the file is too damaged to be replayed), `against` with what the other code gives first that is different,
        `ranges` of records that cannot be had as they were written, and `torn_bytes`, those of a crash at the end.
    """
    torn = torn_bytes(file)  # Before it is opened: then SQLite has cut them.
    try:
        reel = open_reel(file)
    except ReelDamaged:
        ranges = _ranges_of([file])
        if not ranges:
            raise
        if json:
            print_json(_Report(None, None, ranges, torn))
        else:
            print_lines(_lines_of_damage(ranges, torn))
        return 1
    count = max(0, reel.last_seq - reel.first_seq + 1)

    def passing(replayed: Iterator[Replayed]) -> Iterator[Replayed]:
        return with_progress(replayed, count, "verifying", shown=json or sys.stderr.isatty())

    verified = verify(reel, passing)
    other: Bisected | None = None
    if against is not None:
        with OtherCodeProcess(against) as code:
            other = bisect_against(reel, code, passing=passing)
    ranges = _ranges_of(reel.segments) if verified.damage else []
    if json:
        print_json(_Report(verified, other, ranges, torn))
    else:
        print_lines(_lines_of(verified, other))
        print_lines(_lines_of_damage(ranges, torn))
    fails = verified.first is not None or verified.damage or (other is not None and other.found is not None)
    return 1 if fails else 0


def _ranges_of(files: list[Path]) -> list[str]:
    """Name what cannot be had as it was written, file by file. Raises `ReelDamaged` when one holds no reel at all."""
    return [f"{file.name}: {found}" for file in files for found in damage_of(file).ranges]


def _lines_of_damage(ranges: list[str], torn: int) -> Iterator[str]:
    yield from ranges
    if ranges:
        yield "`signalreel reel mend` writes what comes before the first of them to a new reel"
    if torn:
        yield f"{torn} bytes at the end belonged to no whole commit, as after a crash, and are cut"


def _lines_of(verified: Verified, other: Bisected | None) -> Iterator[str]:
    yield f"{verified.records} records, digest {verified.digest}"
    yield (
        f"{verified.agreed} outcomes agree, {verified.unconcluded} records had none, "
        f"{verified.differing} differ by themselves"
    )
    if verified.damage:
        yield f"damaged: {verified.damage}; nothing after it was looked at"
    if verified.first is not None:
        yield "the first that differs:"
        yield from lines_of_finding(verified.first)
    elif not verified.damage:
        yield "the reel is as it was written, and today's code makes the same of it"
    if other is not None:
        yield f"against the other code: {other.how}"
        if other.found is not None:
            yield from lines_of_finding(other.found)
