"""`signalreel bench`: how fast this machine does what the engine, the simulation and the media adapter do."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Final, Literal

import cyclopts
import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.progress import Progress

from signalreel.errors import InvalidPredicate, NotFailing
from signalreel_adapters.cli.debug.reading import Switch, open_reel, print_json
from signalreel_adapters.cli.figures import media_lines, plain_lines
from signalreel_adapters.cli.mistakes import MissingExtra, Mistake

__all__ = ("MeasureOptions", "bench", "debug", "engine", "media", "record", "replay", "simulate")

bench: Final = cyclopts.App(
    name="bench",
    help="Measure, and print the figures. Compare two of one run only; machines differ too much.",
)

_VIEWERS_MAX: Final = 5_000
_PAIRS_MAX: Final = 100


@Parameter(name="*")
@dataclass(frozen=True)
class MeasureOptions:
    """With what a benchmark of the engine measures, and how it prints.

    Parameters
    ----------
    reel
        The reel to measure with, in place of the fixed mix of flows.
    json
        Print one JSON object with the figures.
    """

    reel: Path | None = None
    json: Switch = False


_NO_OPTIONS: Final = MeasureOptions()


@bench.command
def engine(*, options: MeasureOptions = _NO_OPTIONS) -> int:
    """Measure records applied and replayed."""
    return _measure(_module("engine").bench_engine, options)


@bench.command
def replay(*, options: MeasureOptions = _NO_OPTIONS) -> int:
    """Measure the replay of a reel, beside other programs that replay what they have written."""
    return _measure(_module("replay").bench_replay, options)


@bench.command
def record(*, options: MeasureOptions = _NO_OPTIONS) -> int:
    """Measure inputs recorded, each durability, beside another program that writes events."""
    return _measure(_module("record").bench_record, options)


@bench.command
def debug(*, condition: Annotated[str, Parameter(name="--if")] = "", options: MeasureOptions = _NO_OPTIONS) -> int:
    """Measure opening, scrubbing, bisecting and shrinking a long reel.

    Parameters
    ----------
    condition
        What goes wrong on the reel that is given: it is bisected and shrunk by this expression. A failure is planted in
        the mix.
    """
    if (options.reel is None) != (condition == ""):
        raise Mistake("--reel and --if go together: on another reel, say what goes wrong there")
    wrong = {"condition": condition} if condition else {}
    try:
        return _measure(partial(_module("debug").bench_debug, **wrong), options)
    except (InvalidPredicate, NotFailing) as error:
        raise Mistake(str(error)) from error


@bench.command
def simulate(*, json: Switch = False) -> int:
    """Measure deployments simulated: inputs, seeds and virtual time for each second of one core.

    Parameters
    ----------
    json
        Print one JSON object with the figures.
    """
    return _show(_module("simulate").bench_simulate, json=json)


@bench.command
def media(
    *,
    peers: str = "janus,pion,aiortc_relay",
    viewers: str = "",
    pairs: int = 0,
    fan_out: Literal["auto", "gso", "raw", "polite"] = "auto",
    transport: Literal["one-port", "port-each"] = "one-port",
    quick: Switch = False,
    json: Switch = False,
) -> int:
    """Measure packets forwarded, beside other servers on this machine. Takes about ten minutes.

    Parameters
    ----------
    peers
        The servers to compare with, of janus, pion and aiortc_relay, or none.
    viewers
        How many viewers, one number for each step: 1,2,100,300,700 when nothing is said.
    pairs
        Windows of each server in each step; 7 when nothing is said.
    fan_out
        How this server sends packets to viewers.
    transport
        One UDP port for all peers of this server, or a port for each.
    quick
        Few viewers, two pairs and short windows: to see that it works.
    json
        Print one JSON object with the figures.
    """
    module = _module("media")
    options: dict[str, Any] = {
        "peers": _names(peers, module.PEERS),
        "viewers": _numbers(viewers),
        "pairs": _pairs(pairs),
        "fan_out": fan_out,
        "transport": transport,
        "quick": quick,
    }
    console = Console(stderr=True)
    try:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
            task = shown.add_task("measuring", total=None)

            def tell(progress: Any) -> None:  # noqa: ANN401 - a struct of a module that need not be installed
                shown.update(task, completed=progress.done, total=progress.total, description=progress.text)
                if not console.is_terminal:
                    _say(progress.text)

            figures = module.bench_media(tell, **options)
    except module.MeasurementFailed as error:
        raise Mistake(f"the measurement did not come to its end: {error}") from error
    if json:
        print_json(figures)
    else:
        for line in media_lines(figures):
            print(line)
    return 0


def _measure(measure: Callable[..., msgspec.Struct], options: MeasureOptions) -> int:
    """Measure the fixed mix or a reel, and print the figures."""
    opened = open_reel(options.reel) if options.reel is not None else None
    return _show(partial(measure, reel=opened), json=options.json)


def _show(measure: Callable[..., msgspec.Struct], *, json: bool) -> int:
    """Measure, and print the figures."""
    console = Console(stderr=True)
    with console.status("measuring") as status:
        figures = measure(status.update if console.is_terminal else _say)
    if json:
        print_json(figures)
    else:
        for line in plain_lines(figures):
            print(line)
    return 0


def _module(what: str) -> ModuleType:
    try:
        return import_module(f"signalreel_adapters.bench.{what}")
    except ImportError as error:
        raise MissingExtra(f"bench {what}", "media") from error


def _names(text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    names = () if text == "none" else tuple(filter(None, text.split(",")))
    strangers = [name for name in names if name not in known]
    if strangers:
        raise Mistake(f"{strangers[0]} is no server to compare with: {', '.join(known)}, or none")
    return names


def _numbers(text: str) -> tuple[int, ...]:
    words = list(filter(None, text.split(",")))
    if not all(word.isascii() and word.isdigit() and 1 <= int(word) <= _VIEWERS_MAX for word in words):
        raise Mistake(f"--viewers takes numbers from 1 to {_VIEWERS_MAX}, with commas between them")
    return tuple(map(int, words))


def _pairs(pairs: int) -> int:
    if not 0 <= pairs <= _PAIRS_MAX:
        raise Mistake(f"--pairs takes a number up to {_PAIRS_MAX}")
    return pairs


def _say(progress: str) -> None:
    print(progress, file=sys.stderr)
