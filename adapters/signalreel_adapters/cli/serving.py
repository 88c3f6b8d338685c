"""What `signalreel serve` does once it knows what to do: a configuration and what was given beside it, put to work."""

import gc
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import anyio
from msgspec import Struct, structs

from signalreel.settings import Settings
from signalreel_adapters.cli.mistakes import Mistake
from signalreel_adapters.configuration import Configuration, Misconfigured, load
from signalreel_adapters.configuration.file import MediaSection, ServerSection
from signalreel_adapters.configuration.gates import Access
from signalreel_adapters.configuration.secrets import Secrets
from signalreel_adapters.ports import Media
from signalreel_adapters.reels.sqlite import SqliteReel
from signalreel_adapters.resources import ResourceMonitor
from signalreel_adapters.runtime import Runtime
from signalreel_adapters.server.rest import Bitrates
from signalreel_adapters.server.run import listening, url_of

__all__ = ("Greet", "Plan", "make_plan", "run")

Greet = Callable[[str, ServerSection, str], None]
"""Says that the server is there: where, how it serves, and how operators are let in."""


class Plan(Struct, frozen=True):
    """What to serve, and who may do what there."""

    configuration: Configuration
    server: ServerSection  #: with what was given beside the file; paths as they are opened
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


def make_plan(config: Path | None, given: Mapping[str, Any], given_media: Mapping[str, Any] = {}) -> Plan:
    """Read the configuration and everything that it names; what is given goes before it. Raises `Mistake`."""
    folder = config.parent if config is not None else Path()
    try:
        configuration = load(config) if config is not None else Configuration()
        written = configuration.server
        server = structs.replace(
            written,
            **{name: str(folder / path) for name, path in (("reel", written.reel), ("pages", written.pages)) if path},
        )
        server = structs.replace(
            server, **{name: str(value) if isinstance(value, Path) else value for name, value in given.items()}
        )
        secrets = Secrets(folder, os.environ)
        access = Access(configuration, secrets, is_recorded=bool(server.reel))
    except Misconfigured as error:
        raise Mistake(str(error)) from error
    if server.pages and not Path(server.pages).is_dir():
        raise Mistake(f"server.pages: {server.pages} is no folder")
    media = structs.replace(configuration.media, **given_media)
    if media.turn is not None:
        turn = structs.replace(media.turn, credential_file=str(folder / media.turn.credential_file))
        media = structs.replace(media, turn=turn)
    return Plan(configuration, server, media, access, tuple(secrets.guessable))


async def run(
    plan: Plan,
    bound: socket.socket,
    reel: SqliteReel | None,
    settings: Settings | None,
    media: Media | None,
    *,
    measures_load: bool,
    greet: Greet,
) -> None:
    """Serve until a signal ends it."""
    server, access, load_section = plan.server, plan.access, plan.configuration.load
    runtime = Runtime(
        reel,
        settings=settings,
        gate=access.gate,
        media=media,
        limits=plan.configuration.runtime_limits(),
        ice=access.ice,
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
        greet(url_of(bound), server, "with the key" if access.operators.have_a_key else "on this machine")
        await anyio.sleep_forever()
