"""What `signalreel serve` does once it knows what to do: a configuration and what was given beside it, put to work."""

import gc
import os
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import AsyncExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio
from msgspec import Struct, structs

from signalreel.errors import ReelDamaged, ReelError
from signalreel.settings import Settings
from signalreel_adapters.cli.mistakes import Mistake
from signalreel_adapters.configuration import Configuration, Misconfigured, load
from signalreel_adapters.configuration.file import MediaSection, ReelSection, ServerSection
from signalreel_adapters.configuration.gates import Access
from signalreel_adapters.configuration.secrets import Secrets
from signalreel_adapters.ports import Media
from signalreel_adapters.reels.sqlite import SqliteReel
from signalreel_adapters.resources import ResourceMonitor
from signalreel_adapters.runtime import Runtime
from signalreel_adapters.server.rest import Bitrates
from signalreel_adapters.server.run import listening, url_of

__all__ = ("DEFAULT_REEL", "Greet", "Plan", "make_plan", "open_reel", "reel_mistakes", "run")

DEFAULT_REEL: Final = "signalreel.reel"
"""Where calls are recorded to when nothing is said: in the current folder."""

Greet = Callable[[str, "Plan", str], None]
"""Says that the server is there: where, how it serves, and how operators are let in."""

_Section = TypeVar("_Section", ServerSection, ReelSection)


class Plan(Struct, frozen=True):
    """What to serve, and who may do what there."""

    configuration: Configuration
    server: ServerSection  #: with what was given beside the file; paths as they are opened
    reel: ReelSection  #: likewise
    media: MediaSection  #: likewise
    access: Access
    guessable: tuple[str, ...]  #: where the configuration names secrets that nobody drew

    def check_bound(self, bound: socket.socket) -> None:
        """Refuse to be reached from elsewhere with secrets that somebody could guess. Raises `Mistake`."""
        address = str(bound.getsockname()[0]).partition("%")[0]
        if self.guessable and not ip_address(address).is_loopback:
            raise Mistake(
                f"{self.guessable[0]} could be guessed, and {address} is not only for this machine; draw a secret: "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )


def make_plan(
    config: Path | None,
    given: Mapping[str, Any],
    given_media: Mapping[str, Any] = {},
    given_reel: Mapping[str, Any] = {},
) -> Plan:
    """Read the configuration and everything that it names; what is given goes before it. Raises `Mistake`."""
    folder = config.parent if config is not None else Path()
    try:
        configuration = load(config) if config is not None else Configuration()
        written = configuration.server
        server = structs.replace(written, pages=str(folder / written.pages) if written.pages else "")
        server = _with(server, given)
        reel = configuration.reel
        reel = structs.replace(reel, path=str(folder / reel.path) if reel.path else DEFAULT_REEL)
        reel = _with(reel, given_reel)
        secrets = Secrets(folder, os.environ)
        access = Access(configuration, secrets, is_recorded=reel.record)
    except Misconfigured as error:
        raise Mistake(str(error)) from error
    if server.pages and not Path(server.pages).is_dir():
        raise Mistake(f"server.pages: {server.pages} is no folder")
    media = structs.replace(configuration.media, **given_media)
    if media.turn is not None:
        turn = structs.replace(media.turn, credential_file=str(folder / media.turn.credential_file))
        media = structs.replace(media, turn=turn)
    return Plan(configuration, server, reel, media, access, tuple(secrets.guessable))


def _with(section: _Section, given: Mapping[str, Any]) -> _Section:
    """Put what was given beside the file before what stands in it."""
    return structs.replace(
        section, **{name: str(value) if isinstance(value, Path) else value for name, value in given.items()}
    )


def open_reel(section: ReelSection, settings: Settings | None) -> SqliteReel | None:
    """Open the reel to record to; None when nothing is recorded. Raises `Mistake` when that cannot be done.

    A damaged reel is not gone on with, and not touched: whoever keeps it decides what becomes of it.
    """
    if not section.record:
        return None
    try:
        with reel_mistakes(section):
            return SqliteReel(
                Path(section.path), settings=settings, durability=section.durability, rolling=section.rolling()
            )
    except ReelError as error:
        raise Mistake(f"{error}\nRecord elsewhere with --reel OTHER.reel, or nothing with --no-record") from error


@contextmanager
def reel_mistakes(section: ReelSection) -> Generator[None]:
    """Say what to do with a reel that turns out to be damaged."""
    try:
        yield
    except ReelDamaged as error:
        raise Mistake(_what_to_do(section.path, error)) from error


def _what_to_do(path: str, error: ReelDamaged) -> str:
    """Say what is wrong with a reel that cannot be gone on with, and what becomes of it."""
    return (
        f"{error}\n"
        f"Nothing was changed. Keep {path}: `signalreel reel verify {path}` says what of it can be read, and "
        f"`signalreel reel mend {path} NEW.reel` writes that to a new file.\n"
        "To serve now, record elsewhere: --reel OTHER.reel"
    )


async def run(
    plan: Plan,
    bound: socket.socket,
    reel: SqliteReel | None,
    settings: Settings | None,
    media: Media | None,
    *,
    measures_load: bool,
    greet: Greet,
    make_runtime: type[Runtime] = Runtime,
) -> None:
    """Serve until a signal ends it."""
    server, access, load_section = plan.server, plan.access, plan.configuration.load
    runtime = make_runtime(
        reel,
        settings=settings,
        gate=access.gate,
        media=media,
        limits=plan.configuration.runtime_limits(),
        ice=access.ice,
        monitored=server.monitor,
    )
    monitor = ResourceMonitor(runtime, sample_ms=load_section.sample_ms, samples=load_section.samples)
    bitrates = Bitrates(runtime)
    served = listening(
        runtime,
        bound,
        pages=Path(server.pages) if server.pages else None,
        origins=server.origins or None,
        operators=access.operators,
        proxies=server.proxies,
        rest=access.services(runtime, load=monitor if measures_load else None, bitrates=bitrates),
    )
    async with served, runtime, AsyncExitStack() as beside:
        # Nothing runs between the two, so no command is decided by a gate that cannot look anything up.
        access.look_at(runtime.engine)
        await beside.enter_async_context(bitrates)
        if measures_load:
            await beside.enter_async_context(monitor)
        push = access.push(runtime)
        if push is not None:
            await beside.enter_async_context(push)
        # What exists now lives as long as the server: the collector need not look at it again.
        gc.freeze()
        greet(url_of(bound), plan, "with the key" if access.operators.have_a_key else "on this machine")
        await anyio.sleep_forever()
