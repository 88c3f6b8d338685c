"""What the commands that read reels have in common: opening one, showing how far it is, printing one object."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.progress import Progress

from signalreel_adapters.cli.mistakes import Mistake
from signalreel_adapters.reels.names import written_name
from signalreel_adapters.reels.whole import WholeReel

__all__ = ("Switch", "open_reel", "print_json", "reels_in", "with_progress")

Switch = Annotated[bool, Parameter(negative=())]
"""A switch that has no opposite."""

_Item = TypeVar("_Item")


def open_reel(file: Path) -> WholeReel:
    """Open a reel for reading, from the first of its segments that is there. A server may be writing it.

    Raises `ReelError` when it cannot be used.
    """
    return WholeReel.read(file)


def reels_in(paths: Iterable[Path]) -> list[Path]:
    """Give the reels among files and folders. What is a closed segment of a reel beside it is read with that one."""
    reels: list[Path] = []
    for path in paths:
        if not path.is_dir():
            reels.append(path)
            continue
        found = sorted(path.glob("*.reel"))
        if not found:
            raise Mistake(f"there is no reel in {path}")
        reels += [reel for reel in found if written_name(reel) not in found]
    return reels


def with_progress(items: Iterable[_Item], total: int, what: str, *, shown: bool = True) -> Iterator[_Item]:
    """Show how far it is, on stderr, when a person looks there and nothing else is written there."""
    console = Console(stderr=True)
    if not (shown and console.is_terminal):
        yield from items
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        for item in items:
            yield item
            progress.advance(task)


def print_json(value: msgspec.Struct) -> None:
    """Print one JSON object on one line."""
    print(msgspec.json.encode(value).decode())
