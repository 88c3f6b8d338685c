"""`signalreel testserver`: a server that does wrong what a client asks it to, by the ids that it names."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from signalreel_adapters.cli.logs import LogFormat
from signalreel_adapters.cli.media import MediaOptions, Port
from signalreel_adapters.cli.serve import DEFAULT_PORT, MediaChoice, serve_until_signalled
from signalreel_adapters.testserver import FAULTS, PREFIX, MockingRuntime

if TYPE_CHECKING:
    from signalreel_adapters.cli.serving import Plan

__all__ = ("PATIENCE_MS", "run_testserver")

PATIENCE_MS: Final = 20_000
"""How long a publisher has until its media must flow: longer than that of the server, for slow answers."""

_NO_MEDIA_OPTIONS: Final = MediaOptions()


def run_testserver(
    *,
    host: str | None = None,
    port: Port = DEFAULT_PORT,
    media: MediaChoice | None = None,
    pages: Path | None = None,
    config: Path | None = None,
    list_faults: Annotated[bool, Parameter(name="--list", negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
    log: LogFormat | None = None,
    media_options: MediaOptions = _NO_MEDIA_OPTIONS,
) -> int:
    """Run a server for tests of clients: the stream id says what goes wrong, as mock:streamIdInUse.

    Parameters
    ----------
    host
        Address to listen on, 127.0.0.1 by default.
    port
        Port to listen on; 0 for any free one.
    media
        aiortc (the default) forwards real media; fake connects everything at once and carries nothing; none relays peer
        to peer only.
    pages
        Folder of your own pages, served at /{app}/ under every app name.
    config
        TOML file, as that of `signalreel serve`: for access control and limits.
    list_faults
        Print the faults there are, and serve nothing.
    json
        With --list: one object.
    log
        Lines for people (console, the default), or json.
    media_options
    """
    if list_faults:
        return _list(is_json=json)
    given = {"host": host, "port": port, "media": media, "pages": pages, "log": log}
    return serve_until_signalled(
        config,
        {name: value for name, value in given.items() if value is not None},
        media_options.given(),
        {"record": False},
        {"publish_timeout_ms": PATIENCE_MS},
        False,  # A busy machine must not refuse what the test did not ask to be refused.
        greet=_greet,
        make_runtime=MockingRuntime,
    )


def _list(*, is_json: bool) -> int:
    """Print the table."""
    if is_json:
        rows = [
            {"fault": one.name, "takes": one.value.value, "default": one.default, "does": one.does, "tests": one.tests}
            for one in FAULTS.values()
        ]
        print(msgspec.json.encode({"prefix": PREFIX, "faults": rows}).decode())
        return 0
    table = Table("fault", "takes", "what happens", box=None, pad_edge=False)
    for one in FAULTS.values():
        takes = one.value.value if one.value.value != "nothing" else ""
        table.add_row(one.name, f"{takes} ({one.default})" if one.default else takes, one.does)
    Console().print(table)
    print(f"\nAn id is {PREFIX} and faults with | between them: {PREFIX}highResourceUsage|times=2")
    return 0


def _greet(url: str, plan: "Plan", operators: str) -> None:
    """Say where it is; on stdout, flushed, so that a program that started it can wait for the line."""
    del operators
    print(f"Signalreel's test server is at {url}", flush=True)
    print(
        f"media: {plan.server.media}; ids that begin with {PREFIX} choose what goes wrong, "
        "`signalreel testserver --list` says what there is; nothing is recorded; Ctrl-C stops",
        file=sys.stderr,
        flush=True,
    )
