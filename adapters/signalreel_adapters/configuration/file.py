"""The file: its sections, and reading it.

Every section is a Struct, so that what can be configured is written once: a field is a key. Times carry their unit in
the name, as everywhere.
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

import msgspec
from msgspec import Meta, Struct

from signalreel.identifiers import is_valid_name
from signalreel_adapters.configuration.errors import Misconfigured
from signalreel_adapters.configuration.names import check_names, reason_of, unknown
from signalreel_adapters.configuration.secrets import SecretSource
from signalreel_adapters.configuration.settings import settings_of
from signalreel_adapters.reels import Rolling
from signalreel_adapters.runtime import Limits
from signalreel_adapters.runtime.limits import UNLIMITED

__all__ = (
    "EVERY_OTHER_APP",
    "AllOfThese",
    "AppAccess",
    "AppPush",
    "AppSection",
    "Configuration",
    "CredentialKind",
    "Demand",
    "HashSection",
    "IceSection",
    "IceServerSection",
    "JwtSection",
    "KeySection",
    "LoadSection",
    "MediaSection",
    "MediaTurnSection",
    "PushSection",
    "ReelSection",
    "ServerSection",
    "TotpSection",
    "WebhookSection",
    "load",
)

EVERY_OTHER_APP: Final = "*"
"""Stands for the apps that have no section of their own; it is no name that an app can have."""

_FILE_BYTES_MAX: Final = 1_048_576
_Port = Annotated[int, Meta(ge=0, le=65_535)]
_Positive = Annotated[int, Meta(ge=1)]
_Count = Annotated[int, Meta(ge=0)]
_Seconds = Annotated[float, Meta(gt=0, le=3_600)]


class _Section(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every table of the file."""


class ServerSection(_Section, frozen=True):
    """`[server]`: what `signalreel serve` takes as options too. Paths are relative to the file."""

    host: str = "127.0.0.1"
    port: _Port = 5080
    pages: str = ""
    origins: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    media: Literal["aiortc", "fake", "none"] = "aiortc"
    log: Literal["console", "json"] = "console"
    monitor: bool = False


class ReelSection(_Section, frozen=True):
    """`[reel]`: where calls are recorded to, how safely, and for how long. Sizes are bytes."""

    path: str = ""  #: relative to the configuration; empty: `signalreel.reel` in the current folder
    record: bool = True
    durability: Literal["synced", "buffered"] = "synced"
    segment_bytes_max: Annotated[int, Meta(ge=1_048_576)] = Rolling().bytes_max
    segment_age_s_max: Annotated[int, Meta(ge=60)] = Rolling().age_s_max
    roll_when_empty: bool = Rolling().when_empty
    empty_bytes_min: _Count = Rolling().empty_bytes_min
    keep_segments_max: _Count = Rolling().keep_segments_max
    keep_age_s_max: _Count = Rolling().keep_age_s_max
    keep_bytes_max: _Count = Rolling().keep_bytes_max

    def rolling(self) -> Rolling:
        """Give when segments are closed, and which are kept."""
        return Rolling(
            bytes_max=self.segment_bytes_max,
            age_s_max=self.segment_age_s_max,
            when_empty=self.roll_when_empty,
            empty_bytes_min=self.empty_bytes_min,
            keep_segments_max=self.keep_segments_max,
            keep_age_s_max=self.keep_age_s_max,
            keep_bytes_max=self.keep_bytes_max,
        )


class MediaTurnSection(_Section, frozen=True):
    """`[media.turn]`: a relay for the server itself, in `port-each`. Its password is read for every peer."""

    uri: str
    username: str
    credential_file: str  #: relative to the configuration
    only: bool = False


class MediaSection(_Section, frozen=True):
    """`[media]`: how media is forwarded. What is not set is as `AiortcSettings` has it, by the same names.

    Times are seconds, rates bit/s.
    """

    workers: Annotated[int, Meta(ge=0, le=256)] | None = None  #: processes; 0: the engine's own. None: by the machine
    transport: Literal["one-port", "port-each"] = "one-port"
    port: _Port | None = None  #: None: the number of the server's own
    ports: tuple[_Port, _Port] | None = None
    turn: MediaTurnSection | None = None
    hosts: tuple[str, ...] = ()
    advertised: tuple[str, ...] = ()
    allow_loopback: bool | None = None
    allowed_networks: tuple[str, ...] | None = None
    fan_out: Literal["auto", "gso", "raw", "polite"] | None = None
    connect_timeout: _Seconds | None = None
    silence_timeout: _Seconds | None = None
    video_bitrate_max: _Count | None = None
    keyframe_interval: _Seconds | None = None
    bitrate_interval: _Seconds | None = None
    messages_per_second: Annotated[float, Meta(gt=0)] | None = None
    deliveries_per_second: Annotated[float, Meta(gt=0)] | None = None
    buffered_bytes_max: _Positive | None = None
    player_messages: Literal["none", "publisher", "all"] | None = None

    def given(self) -> dict[str, Any]:
        """Give what is set and is a setting of the adapter, by its name there."""
        found = {name: getattr(self, name) for name in self.__struct_fields__ if name != "workers"}
        return {name: value for name, value in found.items() if value is not None}


class KeySection(_Section, frozen=True):
    """`[rest]` and `[access]`: a key. The one is shown by operators, the other makes tags and seals secrets."""

    key: SecretSource | None = None


CredentialKind = Literal["token", "hash", "jwt", "totp", "webhook"]
"""What a client can show. Webhooks take whatever it is."""


class AllOfThese(_Section, frozen=True):
    """Every one of these must allow."""

    all_of: Annotated[tuple[CredentialKind, ...], Meta(min_length=1)]


Demand = str | tuple[str, ...] | AllOfThese
"""What an app takes: `open`, `closed`, one kind, any one of several, or all of several."""


class JwtSection(_Section, frozen=True):
    """`[apps.NAME.access.jwt]`: see `JwtGate`."""

    secret: SecretSource
    issuer: str = ""
    audience: str = ""
    leeway_s: int = 60
    allow_without_expiry: bool = False
    single_use: bool = False


class HashSection(_Section, frozen=True):
    """`[apps.NAME.access.hash]`: see `HashGate`."""

    secret: SecretSource


class TotpSection(_Section, frozen=True):
    """`[apps.NAME.access.totp]`: with a secret, subscribers need not be registered: theirs are derived from it."""

    secret: SecretSource | None = None


class WebhookSection(_Section, frozen=True):
    """`[apps.NAME.access.webhook]`: see `WebhookGate`."""

    url: str
    play_url: str = ""
    allow_private: bool = False


class AppAccess(_Section, frozen=True):
    """`[apps.NAME.access]`: what publishing and playing take. Both are said, because neither is harmless."""

    publish: Demand
    play: Demand
    jwt: JwtSection | None = None
    hash: HashSection | None = None
    totp: TotpSection | None = None
    webhook: WebhookSection | None = None


class AppPush(_Section, frozen=True):
    """`[apps.NAME.push]`: the key of the web tokens that push commands show."""

    key: SecretSource


class AppSection(_Section, frozen=True):
    """`[apps.NAME]`."""

    access: AppAccess
    push: AppPush | None = None


class LoadSection(_Section, frozen=True):
    """`[load]`: how the machine's load is measured."""

    measure: bool = True
    sample_ms: _Positive = 1_000
    samples: _Positive = 5


class IceServerSection(_Section, frozen=True):
    """`[[ice.servers]]`: a server told to clients that ask, with a secret to make credentials from, or fixed ones."""

    uri: str
    secret: SecretSource | None = None
    lifetime_s: _Positive = 300
    username: str = ""
    credential: SecretSource | None = None


class IceSection(_Section, frozen=True):
    """`[ice]`: whom clients may ask for a path."""

    servers: tuple[IceServerSection, ...] = ()


class PushSection(_Section, frozen=True):
    """`[push]`: where push notifications are handed to, and what signs them."""

    url: str
    key: SecretSource | None = None
    allow_private: bool = False


class Configuration(_Section, frozen=True):
    """The whole file. `settings` are by field and already checked; only those that the file sets."""

    server: ServerSection = ServerSection()
    reel: ReelSection = ReelSection()
    media: MediaSection = MediaSection()
    settings: dict[str, Any] = {}
    limits: dict[str, int] = {}
    rest: KeySection = KeySection()
    access: KeySection = KeySection()
    apps: dict[str, AppSection] = {}
    load: LoadSection = LoadSection()
    ice: IceSection = IceSection()
    push: PushSection | None = None

    def runtime_limits(self) -> Limits:
        """Give the limits of the shell."""
        return Limits(**self.limits)


def load(path: Path) -> Configuration:
    """Read a configuration. Raises `Misconfigured`, which names the file."""
    try:
        with path.open("rb") as file:
            text = file.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise Misconfigured(f"cannot read {path}: {error.strerror or error}") from None
    if len(text) > _FILE_BYTES_MAX:
        raise Misconfigured(f"{path} has more than {_FILE_BYTES_MAX} bytes: that is no configuration")
    try:
        return _read(text.decode())
    except UnicodeDecodeError:
        raise Misconfigured(f"{path} is no text (UTF-8)") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Misconfigured(f"{path} is no TOML: {_without_quotes(str(error))}") from None
    except Misconfigured as error:
        raise Misconfigured(f"{path}: {error}") from None


def _read(text: str) -> Configuration:
    table = tomllib.loads(text)
    check_names(table, Configuration)
    place = ""
    try:
        # One by one first: an error in a table of names does not tell which of them it stands under.
        apps = table.get("apps")
        for name, section in cast(dict[str, object], apps).items() if isinstance(apps, dict) else ():
            place = f"apps.{name}"
            msgspec.convert(section, AppSection)
        place = ""
        configuration = msgspec.convert(table, Configuration)
    except msgspec.ValidationError as error:
        raise Misconfigured(reason_of(error, place)) from None
    for name in configuration.apps:
        if name != EVERY_OTHER_APP and not is_valid_name(name):
            raise Misconfigured("an app's name holds a character that is not allowed, or is too long")
    _check_limits(configuration.limits)
    return msgspec.structs.replace(configuration, settings=settings_of(configuration.settings))


def _check_limits(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        if name not in Limits.__struct_fields__:
            raise unknown("limits", name, Limits.__struct_fields__)
        may_be_none = name.endswith("_per_s_max")
        if value < 1 and not (may_be_none and value == UNLIMITED):
            raise Misconfigured(f"limits.{name} is at least 1" + (", or -1 for no limit" if may_be_none else ""))


def _without_quotes(message: str) -> str:
    """Leave out what a message of the parser quotes: a line that is no TOML may hold anything."""
    return re.sub(r"'[^']{2,}'|\"[^\"]{2,}\"", "...", message)
