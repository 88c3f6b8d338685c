"""`signalreel serve`: the ready server."""

import errno
import ipaddress
import re
import sys
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import anyio
import msgspec
from cyclopts import Parameter

from signalreel.settings import Settings
from signalreel_adapters.cli.logs import LogFormat, configure_logs
from signalreel_adapters.cli.media import (
    MediaOptions,
    Port,
    check_addresses,
    make_media,
    media_mistakes,
    where_media_is,
)
from signalreel_adapters.cli.mistakes import MissingExtra, Mistake
from signalreel_adapters.ports import Media
from signalreel_adapters.reels.sqlite import Durability

if TYPE_CHECKING:
    from signalreel_adapters.cli.serving import Plan

__all__ = ("DEFAULT_PORT", "MediaChoice", "SettingsOptions", "serve", "serve_until_signalled")

DEFAULT_PORT: Final = 5080
"""The port that clients of the protocol know."""

_ORIGIN: Final = re.compile(r"https?://[a-z0-9._\-\[\]:]+")
"""What browsers name, near enough (RFC 6454, section 6.2): scheme, host, and the port where it is not the usual one."""

MediaChoice = Literal["aiortc", "fake", "none"]
_STUN_ADDRESS: Final = re.compile(r"stuns?:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?")
"""How RFC 7064 spells one, section 3.1. Clients leave out whatever begins otherwise, without a word."""


@Parameter(name="*")
@dataclass(frozen=True)
class SettingsOptions:
    """What the machines obey. Not given: as the reel has it, or the default.

    Parameters
    ----------
    publish_timeout_ms
        From `start` until media must flow.
    play_timeout_ms
        From `play` until the player must be connected.
    viewers_max
        Viewers of one stream; -1 for no limit.
    streams_max
        Live streams in one app; -1 for no limit.
    room_streams_max
        Streams in one room; -1 for no limit.
    stun_server
        Told to clients that ask for ICE servers, as stun:host:port.
    """

    publish_timeout_ms: int | None = None
    play_timeout_ms: int | None = None
    viewers_max: int | None = None
    streams_max: int | None = None
    room_streams_max: int | None = None
    stun_server: str | None = None


_NO_OPTIONS: Final = SettingsOptions()
_NO_MEDIA_OPTIONS: Final = MediaOptions()


def serve(
    *,
    config: Path | None = None,
    host: str | None = None,
    port: Port | None = None,
    reel: Path | None = None,
    record: bool | None = None,
    durability: Durability | None = None,
    pages: Path | None = None,
    origin: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    media: MediaChoice | None = None,
    measure_load: bool | None = None,
    log: LogFormat | None = None,
    monitor: bool | None = None,
    media_options: MediaOptions = _NO_MEDIA_OPTIONS,
    options: SettingsOptions = _NO_OPTIONS,
) -> int:
    """Run the server until Ctrl-C.

    Parameters
    ----------
    config
        TOML file with all of this and more: access, keys, limits. What is given here goes before what stands there.
    host
        Address to listen on, 127.0.0.1 by default; 0.0.0.0 for every one. Browsers give a camera only to pages on
        localhost or over https.
    port
        Port to listen on, 5080 by default; 0 for any free one.
    reel
        File to record to, signalreel.reel by default. It is made when it does not exist, and gone on with when it does.
    record
        Record calls (the default); --no-record keeps nothing.
    durability
        synced (the default) answers clients when it is on the disk; buffered at once, and a crash of the machine may
        lose the last 256 records.
    pages
        Folder of your own pages, served at /{app}/ under every app name.
    origin
        Whose pages may connect, as https://example.org; may be given more than once. Without it any page may.
    media
        aiortc (the default) forwards real media; fake connects everything at once and carries nothing; none relays peer
        to peer only.
    measure_load
        Refuse newcomers while the machine is busier, or shorter of memory, than the settings allow (the default).
    log
        Lines for people (console, the default), or json.
    monitor
        Hold each step against the invariants, and log and count what is broken; off by default.
    """
    given = {
        "host": host,
        "port": port,
        "pages": pages,
        "origins": origin or None,
        "media": media,
        "log": log,
        "monitor": monitor,
    }
    given_reel = {"path": reel, "record": record if reel is None else True, "durability": durability}
    if reel is not None and record is False:
        raise Mistake("--reel says where to record to, and --no-record not to; leave one of them out")
    _check_origins(origin, "--origin")
    if pages is not None and not pages.is_dir():
        raise Mistake(f"--pages {pages} is no folder")
    wished = {name: value for name, value in asdict(options).items() if value is not None}
    return serve_until_signalled(config, _set(given), media_options.given(), _set(given_reel), wished, measure_load)


def _set(options: dict[str, Any]) -> dict[str, Any]:
    """Leave out what was not given."""
    return {name: value for name, value in options.items() if value is not None}


def serve_until_signalled(
    config: Path | None,
    given: dict[str, Any],
    given_media: dict[str, Any],
    given_reel: dict[str, Any],
    wished: dict[str, Any],
    measure_load: bool | None,
    **how: Any,
) -> int:
    """Do what the command line says, and for the rest what the file says; `how` goes to `cli.serving.run`."""
    try:
        from signalreel_adapters.cli.serving import make_plan, open_reel, reel_mistakes, run  # noqa: PLC0415 - loaded only when it is to run
        from signalreel_adapters.server import listen  # noqa: PLC0415 - likewise
    except ImportError as error:
        raise MissingExtra("the server", "server") from error
    plan = make_plan(config, given, given_media, given_reel)
    server = plan.server
    _check_origins(server.origins, "server.origins")
    check_addresses(plan.media.hosts, "media.hosts")
    check_addresses(plan.media.advertised, "media.advertised")
    _check_proxies(server.proxies)
    settings = _settings({**plan.configuration.settings, **wished})
    try:
        bound = listen(server.host, server.port)
    except OSError as error:
        raise Mistake(_why_not(server.host, server.port, error)) from error
    with bound:
        plan.check_bound(bound)
        media = make_media(server, plan.media, bound)
        reel = open_reel(plan.reel, settings)
        configure_logs(server.log)
        measures = plan.configuration.load.measure if measure_load is None else measure_load
        how = {"greet": partial(_greet, media), **how}
        work = partial(run, plan, bound, reel, settings, media, measures_load=measures, **how)
        with media_mistakes(), reel_mistakes(plan.reel):
            anyio.run(work, backend="asyncio", backend_options={"use_uvloop": _has_uvloop()})
    return 0


def _settings(wished: dict[str, Any]) -> Settings | None:
    """Give the settings that were asked for; None when none were, so that a reel keeps its own."""
    if not wished:
        return None
    names = dict(zip(Settings.__struct_fields__, Settings.__struct_encode_fields__, strict=True))
    for name, value in wished.items():
        try:
            msgspec.convert({names[name]: value}, Settings)
        except msgspec.ValidationError as error:
            reason = str(error).partition(" - at ")[0].replace("Expected", "expected")
            raise Mistake(f"--{name.replace('_', '-')} {value} is out of range: {reason}") from error
    stun_server = str(wished.get("stun_server", ""))
    if stun_server and not _STUN_ADDRESS.fullmatch(stun_server):
        raise Mistake(f"--stun-server {stun_server} is not spelled as stun:host:port")
    return msgspec.convert({names[name]: value for name, value in wished.items()}, Settings)


def _check_origins(origins: tuple[str, ...], place: str) -> None:
    """Refuse an origin that no browser names: it would keep out the very pages that it is to let in."""
    for origin in origins:
        if _ORIGIN.fullmatch(origin) is None:
            raise Mistake(
                f"{place} {origin} is no origin; it looks like https://example.org, in small letters, no path"
            )


def _check_proxies(proxies: tuple[str, ...]) -> None:
    """Refuse what is neither an address nor a network: nothing would come from it, or everything."""
    for proxy in proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            raise Mistake(f"server.proxies {proxy} is no IP address and no network") from None


def _has_uvloop() -> bool:
    return find_spec("uvloop") is not None


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken by another program; choose another with --port (0 takes any free one)"
    if error.errno == errno.EACCES:
        return f"port {port} is not for ordinary users; choose one above 1023 with --port"
    return f"cannot listen on {host} port {port}: {error.strerror or error}"


def _greet(media: Media | None, url: str, plan: "Plan", operators: str) -> None:
    """Say where the page is; on stdout, flushed, so that a program that started the server can wait for the line."""
    kept = f"recorded to {plan.reel.path}" if plan.reel.record else "not recorded"
    print(f"Signalreel is at {url}", flush=True)
    print(
        f"media: {plan.server.media}{where_media_is(media)}; calls are {kept}; operators: {operators}; Ctrl-C stops",
        file=sys.stderr,
        flush=True,
    )
