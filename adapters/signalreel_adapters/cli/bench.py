"""`signalreel bench`: how fast this machine does what the engine and the media adapter do."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter
from rich.console import Console

from signalreel_adapters.cli.mistakes import MissingExtra

__all__ = ("bench",)


def bench(what: Literal["engine", "media"], /, *, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Measure, and print the figures. Compare two of one run only; machines differ too much.

    Parameters
    ----------
    what
        engine: records applied and replayed. media: packets forwarded.
    json
        Print one JSON object with the figures.
    """
    try:
        module = import_module(f"signalreel_adapters.bench.{what}")
    except ImportError as error:
        raise MissingExtra(f"bench {what}", "media") from error
    measure: Callable[[Callable[[str], None]], msgspec.Struct] = getattr(module, f"bench_{what}")
    console = Console(stderr=True)
    with console.status("measuring") as status:
        figures = measure(status.update if console.is_terminal else _say)
    if json:
        print(msgspec.json.encode(figures).decode())
    else:
        for name, value in msgspec.structs.asdict(figures).items():
            print(f"{name:<34} {value}")
    return 0


def _say(progress: str) -> None:
    print(progress, file=sys.stderr)
