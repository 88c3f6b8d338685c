"""Source trees of another code, made from this one."""

import shutil
from pathlib import Path

from tests.repository import ROOT

__all__ = ("changed_tree", "tree")

STALE = (
    "context.session != pair.offerer and pair.owed == 1",
    "context.session != pair.offerer",
)
"""What the first bug of the zoo would be in the source: which offer is answered is not asked."""


def tree(folder: Path) -> Path:
    """Copy the engine."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "engine", folder / "code" / "engine", ignore=ignored)
    return folder / "code"


def changed_tree(folder: Path) -> Path:
    """Copy it with the mistake in it."""
    copy = tree(folder)
    file = copy / "engine" / "signalreel" / "machines" / "pair.py"
    text = file.read_text()
    assert STALE[0] in text
    file.write_text(text.replace(*STALE))
    return copy
