"""The entry: which commands there are, and what a user is told when something is wrong.

Exit codes: 0 done, 1 a recorded call, a flow, a small world or an item of the protocol is not as it should be, 2 the
user can mend it (wrong option, port taken, file that is no reel, missing extra), 130 interrupted. A traceback is a bug.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cyclopts
from rich.console import Console

from signalreel.errors import Divergence, InvalidPredicate, NothingInCommon, ReelDamaged, ReelError
from signalreel.header import ENGINE_VERSION
from signalreel_adapters.cli.bench import bench
from signalreel_adapters.cli.capture import capture
from signalreel_adapters.cli.check import check
from signalreel_adapters.cli.conformance import conformance
from signalreel_adapters.cli.debug.bisect import bisect_reel
from signalreel_adapters.cli.debug.bundle import bundle
from signalreel_adapters.cli.debug.coverage import coverage
from signalreel_adapters.cli.debug.diff import diff
from signalreel_adapters.cli.debug.explain import explain_reel
from signalreel_adapters.cli.debug.export import export
from signalreel_adapters.cli.debug.fork import fork
from signalreel_adapters.cli.debug.join import join_dump
from signalreel_adapters.cli.debug.open import open_pictures
from signalreel_adapters.cli.debug.redact import redact_reel
from signalreel_adapters.cli.debug.reel import reel
from signalreel_adapters.cli.debug.replay import replay
from signalreel_adapters.cli.debug.shrink import shrink
from signalreel_adapters.cli.flow import flow
from signalreel_adapters.cli.mistakes import Mistake
from signalreel_adapters.cli.serve import serve
from signalreel_adapters.cli.simulation.simulate import simulate
from signalreel_adapters.cli.testserver import run_testserver
from signalreel_adapters.reels.layout import DAMAGED

__all__ = ("DIVERGED", "INTERRUPTED", "MISTAKEN", "app", "main")

DIVERGED: Final = 1
MISTAKEN: Final = 2
INTERRUPTED: Final = 130

app: Final = cyclopts.App(
    name="signalreel",
    help="A WebRTC signaling server whose every decision is on a reel that can be replayed.",
    version=f"signalreel {ENGINE_VERSION}",
    version_flags=["--version"],
)
app.command(serve)
app.command(run_testserver, name="testserver")
app.command(replay)
app.command(reel)
app.command(bisect_reel, name="bisect")
app.command(diff)
app.command(open_pictures, name="open")
app.command(explain_reel, name="explain")
app.command(coverage)
app.command(redact_reel, name="redact")
app.command(bundle)
app.command(export)
app.command(join_dump, name="join")
app.command(fork)
app.command(shrink)
app.command(simulate)
app.command(bench)
app.command(check)
app.command(flow)
app.command(capture)
app.command(conformance)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    console = Console(stderr=True)
    try:
        code = app(
            arguments,
            exit_on_error=False,
            print_error=True,
            error_console=console,
            result_action="return_value",
        )
    except cyclopts.CycloptsError:
        return MISTAKEN
    except Divergence as error:
        _tell(f"this reel was recorded by another logic: {error}\n`signalreel replay FILE` shows where.")
        return DIVERGED
    except ReelDamaged as error:
        _tell(f"{error}{_what_to_do(error)}")
        return MISTAKEN
    except (InvalidPredicate, Mistake, NothingInCommon, ReelError) as error:
        _tell(str(error))
        return MISTAKEN
    except BrokenPipeError:
        # The reader of our output has seen enough. Python would complain once more while it flushes.
        sys.stdout = None
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def _what_to_do(error: ReelDamaged) -> str:
    """Say how to go on with a reel that is damaged in the middle; a file that is none has nothing to be had."""
    if Path(error.place).is_absolute() and not error.why.startswith(DAMAGED):
        return ""
    return "\n`signalreel reel verify FILE` names what cannot be had; `signalreel reel mend` keeps what comes before."


def _tell(message: str) -> None:
    print(f"signalreel: {message}", file=sys.stderr)
