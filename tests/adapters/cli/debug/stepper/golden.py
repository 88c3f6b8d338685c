"""The reel that the stepper's tests walk along: a copy of the golden one, which no test may write to."""

import shutil
from pathlib import Path

from signalreel_adapters import SqliteReel
from signalreel_adapters.cli.debug.stepper.walk import Walk
from tests.repository import ROOT

__all__ = ("explored", "golden_reel")


def golden_reel(folder: Path) -> SqliteReel:
    """Give a copy of the golden reel, opened for reading."""
    copy = folder / "golden.reel"
    shutil.copyfile(ROOT / "tests" / "reels" / "0.1.0.reel", copy)
    return SqliteReel.read(copy)


def explored(folder: Path) -> Walk:
    """Give a walk along it that knows every place."""
    walk = Walk(golden_reel(folder))
    while walk.explore(1.0):
        pass
    return walk
