"""`signalreel reel backup` and `signalreel reel mend`: copies of a reel, of a whole one and of a damaged one."""

from pathlib import Path

import msgspec

from signalreel_adapters.cli.debug.reading import Switch, print_json
from signalreel_adapters.reels.copying import backup_reel
from signalreel_adapters.reels.damage import mend_reel

__all__ = ("Backup", "Mended", "backup", "mend")


class Backup(msgspec.Struct):
    """What `signalreel reel backup --json` prints."""

    files: list[str]  #: the oldest segment first, the one that is written last


class Mended(msgspec.Struct):
    """What `signalreel reel mend --json` prints."""

    records: int  #: of the old reel that can be read
    ranges: list[tuple[int, int, str]]  #: of those that cannot, with why; -1: to the end
    torn_bytes: int


def backup(file: Path, to: Path, /, *, json: Switch = False) -> int:
    """Copy a reel with its closed segments, also while a server writes it.

    Parameters
    ----------
    file
        The reel.
    to
        The copy. There must be no such file yet; closed segments get its name with their numbers.
    json
        Print one JSON object with the key files.
    """
    files = backup_reel(file, to)
    if json:
        print_json(Backup([str(copied) for copied in files]))
    else:
        for copied in files:
            print(copied)
    return 0


def mend(file: Path, to: Path, /, *, json: Switch = False) -> int:
    """Write what comes before the first damage of a reel to a new one. The damaged one stays as it is.

    Leaves with 1 when something had to be left out.

    Parameters
    ----------
    file
        The damaged reel: one file, the one that is written or a closed segment.
    to
        The new one. There must be no such file yet.
    json
        Print one JSON object with the keys records, ranges and torn_bytes.
    """
    damage = mend_reel(file, to)
    if json:
        ranges = [(found.first, found.last, found.why) for found in damage.ranges]
        print_json(Mended(damage.records, ranges, damage.torn_bytes))
    else:
        if damage.torn_bytes:
            print(f"{damage.torn_bytes} bytes at the end were torn off by a crash and are cut")
        for found in damage.ranges:
            print(found)
        if damage.outcomes_lost:
            print(f"the outcomes of {damage.outcomes_lost} records cannot be read; a replay gives them again")
        kept = f"what comes before record {damage.ranges[0].first}" if damage.ranges else "everything"
        print(f"{to}: {kept}")
    return 1 if damage.ranges else 0
