"""`signalreel serve`: the ready server."""

import errno
import gc
import ipaddress
import re
import sys
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final, Literal

import anyio
import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from signalreel.settings import Settings
from signalreel_adapters.cli.logs import LogFormat, configure_logs
from signalreel_adapters.cli.mistakes import MissingExtra, Mistake
from signalreel_adapters.ports import Media
from signalreel_adapters.reels.sqlite import SqliteReel
from signalreel_adapters.resources import ResourceMonitor
from signalreel_adapters.runtime import Runtime

__all__ = ("DEFAULT_PORT", "MediaChoice", "Port", "SettingsOptions", "serve")

DEFAULT_PORT: Final = 5080
"""The port that clients of the protocol know."""

_ORIGIN: Final = re.compile(r"https?://[a-z0-9._\-\[\]:]+")
"""What browsers name, near enough (RFC 6454, section 6.2): scheme, host, and the port where it is not the usual one."""

MediaChoice = Literal["aiortc", "fake", "none"]
_STUN_ADDRESS: Final = re.compile(r"stuns?:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?")
"""How RFC 7064 spells one, section 3.1. Clients leave out whatever begins otherwise, without a word."""

Port = Annotated[int, Parameter(validator=Number(gte=0, lte=65_535))]


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


def serve(
    *,
    host: str = "127.0.0.1",
    port: Port = DEFAULT_PORT,
    reel: Path | None = None,
    pages: Path | None = None,
    origin: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    media: MediaChoice = "aiortc",
    media_host: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    media_port: Port = 0,
    measure_load: bool = True,
    log: LogFormat = "console",
    options: SettingsOptions = _NO_OPTIONS,
) -> int:
    """Run the server until Ctrl-C.

    Parameters
    ----------
    host
        Address to listen on; 0.0.0.0 for every one. Browsers give a camera only to pages on localhost or over https.
    port
        Port to listen on; 0 for any free one.
    reel
        File to record to. It is made when it does not exist, and gone on with when it does. Without it nothing is kept.
    pages
        Folder of your own pages, served at /{app}/ under every app name.
    origin
        Whose pages may connect, as https://example.org; may be given more than once. Without it any page may.
    media
        aiortc forwards real media; fake connects everything at once and carries nothing; none relays peer to peer only.
    media_host
        IP addresses offered to clients for media, instead of the one listened on or, with 0.0.0.0, all of this machine.
    media_port
        One UDP port for all media; 0 for one each.
    measure_load
        Refuse newcomers while the machine is busier, or shorter of memory, than the settings allow.
    log
        Lines for people, or JSON.
    """
    settings = _settings({name: value for name, value in asdict(options).items() if value is not None})
    for one in origin:
        _check_origin(one)
    for address in media_host:
        _check_address(address)
    _check_pages(pages)
    try:
        from signalreel_adapters.server import listen, run  # noqa: PLC0415 - loaded only when it is to run
    except ImportError as error:
        raise MissingExtra("the server", "server") from error
    try:
        bound = listen(host, port)
    except OSError as error:
        raise Mistake(_why_not(host, port, error)) from error
    with bound:
        adapter = _media(media, str(bound.getsockname()[0]), media_host, media_port)
        kept = SqliteReel(reel, settings=settings) if reel is not None else None

        async def work() -> None:
            runtime = Runtime(kept, settings=settings, media=adapter)
            served = run.listening(runtime, bound, pages=pages, origins=origin or None)
            monitor = ResourceMonitor(runtime) if measure_load else nullcontext()
            async with served, runtime, monitor:
                # What exists now lives as long as the server: the collector need not look at it again.
                gc.freeze()
                _greet(run.url_of(bound), reel, media)
                await anyio.sleep_forever()

        configure_logs(log)
        anyio.run(work, backend="asyncio", backend_options={"use_uvloop": _has_uvloop()})
    return 0


def _settings(wished: dict[str, int | str]) -> Settings | None:
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


def _check_pages(pages: Path | None) -> None:
    if pages is not None and not pages.is_dir():
        raise Mistake(f"--pages {pages} is no folder")


def _check_address(address: str) -> None:
    """See that media can be offered at an address: candidates name addresses, and a host's name is none."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise Mistake(f"--media-host {address} is no IP address") from None


def _media(choice: MediaChoice, bound: str, hosts: tuple[str, ...], port: int) -> Media | None:
    if choice == "none":
        return None
    if choice == "fake":
        from signalreel_adapters.media.fake import FakeMedia  # noqa: PLC0415 - loaded only when asked for

        return FakeMedia()
    try:
        from signalreel_adapters.media.aiortc import AiortcMedia, AiortcSettings  # noqa: PLC0415 - it is large
    except ImportError as error:
        raise MissingExtra("--media aiortc", "media") from error
    settings = AiortcSettings(hosts=hosts, port=port)
    return AiortcMedia(settings if hosts else AiortcSettings.for_bind(bound, settings))


def _check_origin(origin: str) -> None:
    """Refuse what no browser would ever name: it would keep out the very pages that it is to let in."""
    if _ORIGIN.fullmatch(origin) is None:
        raise Mistake(f"--origin {origin} is no origin; it looks like https://example.org, in small letters, no path")


def _has_uvloop() -> bool:
    return find_spec("uvloop") is not None


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken by another program; choose another with --port (0 takes any free one)"
    if error.errno == errno.EACCES:
        return f"port {port} is not for ordinary users; choose one above 1023 with --port"
    return f"cannot listen on {host} port {port}: {error.strerror or error}"


def _greet(url: str, reel: Path | None, media: str) -> None:
    """Say where the page is; on stdout, flushed, so that a program that started the server can wait for the line."""
    kept = f"recorded to {reel}" if reel is not None else "not recorded (--reel FILE keeps a reel)"
    print(f"Signalreel is at {url}", flush=True)
    print(f"media: {media}; calls are {kept}; Ctrl-C stops", file=sys.stderr, flush=True)
