"""Media for `signalreel serve`: from what was written to an adapter, and the mistakes on the way.

Whatever loads aiortc is imported only when real media is asked for.
"""

import errno
import ipaddress
import socket
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter
from cyclopts.validators import Number
from msgspec import structs

from signalreel_adapters.cli.mistakes import MissingExtra, Mistake
from signalreel_adapters.configuration.file import MediaSection, ServerSection
from signalreel_adapters.ports import Media

if TYPE_CHECKING:
    from signalreel_adapters.media.aiortc import AiortcSettings

__all__ = ("MediaOptions", "Port", "check_addresses", "make_media", "media_mistakes", "where_media_is")

_PORT_MAX: Final = 65_535
_WORKERS_MAX: Final = 256
_WORKER: Final = "signalreel_adapters.cli.worker"


Port = Annotated[int, Parameter(validator=Number(gte=0, lte=_PORT_MAX))]


@Parameter(name="*")
@dataclass(frozen=True)
class MediaOptions:
    """How real media is forwarded. Not given: as the configuration has it, or the default.

    Parameters
    ----------
    media_workers
        Processes that media runs in, by default one for each processor but one; 0 for the server's own.
    media_transport
        one-port (the default) takes all media on one UDP port, or one for each worker; port-each opens ports for each
        peer, and can use TURN.
    media_host
        IP addresses that media is taken on, instead of the one listened on or, with 0.0.0.0, all of this machine.
    media_advertise
        IP addresses told to clients instead of those, where the server is behind a NAT.
    media_port
        UDP port of one-port, and of the first worker, by default of the same number as --port; 0 for any free one.
    """

    media_workers: Annotated[int, Parameter(validator=Number(gte=0, lte=_WORKERS_MAX))] | None = None
    media_transport: Literal["one-port", "port-each"] | None = None
    media_host: Annotated[tuple[str, ...], Parameter(negative=())] = ()
    media_advertise: Annotated[tuple[str, ...], Parameter(negative=())] = ()
    media_port: Port | None = None

    def given(self) -> dict[str, object]:
        """Give what was given, by its name in the configuration. Raises `Mistake` for what is no address."""
        check_addresses(self.media_host, "--media-host")
        check_addresses(self.media_advertise, "--media-advertise")
        found: dict[str, object] = {
            "workers": self.media_workers,
            "transport": self.media_transport,
            "hosts": self.media_host or None,
            "advertised": self.media_advertise or None,
            "port": self.media_port,
        }
        return {name: value for name, value in found.items() if value is not None}


def check_addresses(addresses: Sequence[str], place: str) -> None:
    """Refuse a host's name: candidates name addresses. Raises `Mistake`."""
    for address in addresses:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise Mistake(f"{place} {address} is no IP address") from None


def make_media(server: ServerSection, section: MediaSection, bound: socket.socket) -> Media | None:
    """Make the adapter for a server that listens on this socket. Raises `Mistake`."""
    if server.media == "none":
        return None
    if server.media == "fake":
        from signalreel_adapters.media.fake import FakeMedia  # noqa: PLC0415 - loaded only when asked for

        return FakeMedia()
    try:
        from signalreel_adapters.media.aiortc import AiortcMedia  # noqa: PLC0415 - it is large
        from signalreel_adapters.media.workers import WorkersMedia, default_count  # noqa: PLC0415 - likewise
    except ImportError as error:
        raise MissingExtra("--media aiortc", "media") from error
    workers = section.workers if section.workers is not None else default_count()
    settings = _settings(section, bound)
    if settings.transport == "one-port" and settings.port:
        _check_ports(settings, range(settings.port, settings.port + max(workers, 1)))
    if not workers:
        return AiortcMedia(settings)
    return WorkersMedia(settings, workers, program=(_WORKER, server.log))


def _settings(section: MediaSection, bound: socket.socket) -> "AiortcSettings":
    from signalreel_adapters.media.aiortc import AiortcSettings  # noqa: PLC0415 - it is large
    from signalreel_adapters.media.aiortc.settings import TurnServer  # noqa: PLC0415 - likewise

    host, number = bound.getsockname()[:2]
    given = section.given()
    # One number to open in a firewall, for TCP and UDP, where nobody wants another one.
    given.setdefault("port", int(number) if section.transport == "one-port" else 0)
    if section.turn is not None and section.transport == "one-port":
        raise Mistake('media.turn is for transport = "port-each"; a server that can open one port needs no relay')
    try:
        if section.turn is not None:
            given["turn"] = turn = TurnServer(**structs.asdict(section.turn))
            turn.credential()
        settings = AiortcSettings(**given)
    except OSError as error:
        raise Mistake(f"media.turn.credential_file: {error.strerror or error}") from error
    except ValueError as error:
        raise Mistake(f"media: {error}") from error
    return settings if section.hosts else AiortcSettings.for_bind(str(host), settings)


def _check_ports(settings: "AiortcSettings", ports: range) -> None:
    """See that these UDP ports are free, before anything is started that would find out otherwise."""
    from signalreel_adapters.media.aiortc.addresses import machine_hosts  # noqa: PLC0415 - it is large

    if ports[-1] > _PORT_MAX:
        raise Mistake(f"media needs the UDP ports {ports[0]} to {ports[-1]}, and there are only {_PORT_MAX}")
    for port in ports:
        for host in settings.hosts or machine_hosts():
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind((host, port))
                except OSError as error:
                    if error.errno == errno.EADDRINUSE:
                        raise Mistake(
                            f"UDP port {port} is taken by another program; choose another for media with --media-port "
                            "(0 takes any free one)"
                        ) from error


@contextmanager
def media_mistakes() -> Generator[None]:
    """Say in a sentence why media cannot begin, instead of where in the program that was found out."""
    try:
        yield
    except _unable() as error:
        raise Mistake(f"media cannot begin: {getattr(error, 'reason', '')}") from error


def _unable() -> tuple[type[Exception], ...]:
    """Give what media raises when it cannot begin; nothing while it is not loaded."""
    if "signalreel_adapters.media.workers" not in sys.modules:
        return ()
    from signalreel_adapters.media.aiortc.errors import MediaError  # noqa: PLC0415 - it is loaded
    from signalreel_adapters.media.workers.keeping import WorkerUnable  # noqa: PLC0415 - it is loaded

    return MediaError, WorkerUnable


def where_media_is(media: Media | None) -> str:
    """Say which UDP ports clients must reach, and how many processes media has. Empty for other kinds of media."""
    ports: tuple[int, ...] = getattr(media, "ports", ())
    workers: int = getattr(media, "count", 0)
    found = ""
    if ports:
        found = f" on UDP port{'s' if len(ports) > 1 else ''} {', '.join(map(str, ports))}"
    return found + (f" in {workers} worker{'s' if workers > 1 else ''}" if workers else "")
