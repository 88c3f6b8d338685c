"""`signalreel_adapters.configuration.file`: reading a configuration, and saying what is wrong with one."""

import re
from pathlib import Path

import pytest
from msgspec import inspect
from msgspec.structs import fields

from signalreel_adapters.configuration import Configuration, Misconfigured, load
from signalreel_adapters.configuration.file import (
    AllOfThese,
    AppAccess,
    AppSection,
    IceSection,
    IceServerSection,
    JwtSection,
    KeySection,
    LoadSection,
    MediaSection,
    PushSection,
    ReelSection,
    ServerSection,
)
from signalreel_adapters.configuration.secrets import SecretSource
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.runtime import Limits
from tests.repository import ROOT, text_files

WHOLE = """
[server]
host = "0.0.0.0"
port = 5081
origins = ["https://example.org"]

[reel]
path = "calls.reel"
durability = "buffered"
segment_bytes_max = 10000000
keep_segments_max = 30

[settings]
viewers_max = 100
settings.webrtc.client.start.timeoutMs = 9000
"server.cpu_limit" = 75

[limits]
messages_per_s_max = -1
connections_max = 500

[rest]
key.file = "operator.key"

[access]
key.env = "TAGS_KEY"

[apps.live.access]
publish = ["token", "jwt"]
play = { all_of = ["totp", "webhook"] }
jwt.secret.file = "jwt.key"

[apps."*".access]
publish = "closed"
play = "open"

[media]
workers = 3
port = 5082
advertised = ["203.0.113.7"]
video_bitrate_max = 4000000

[load]
sample_ms = 500

[[ice.servers]]
uri = "turn:turn.example.org:3478"
secret.file = "turn.key"

[push]
url = "https://push.example.org/"
"""


def read(tmp_path: Path, text: str | bytes) -> Configuration:
    """Write a configuration and load it."""
    path = tmp_path / "signalreel.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path)


def test_every_section_is_read(tmp_path: Path) -> None:
    """A whole configuration, compared whole."""
    assert read(tmp_path, WHOLE) == Configuration(
        server=ServerSection(host="0.0.0.0", port=5081, origins=("https://example.org",)),
        reel=ReelSection(path="calls.reel", durability="buffered", segment_bytes_max=10_000_000, keep_segments_max=30),
        media=MediaSection(workers=3, port=5_082, advertised=("203.0.113.7",), video_bitrate_max=4_000_000),
        settings={"viewers_max": 100, "publish_timeout_ms": 9_000, "cpu_percent_max": 75},
        limits={"messages_per_s_max": -1, "connections_max": 500},
        rest=KeySection(key=SecretSource(file="operator.key")),
        access=KeySection(key=SecretSource(env="TAGS_KEY")),
        apps={
            "live": AppSection(
                access=AppAccess(
                    publish=("token", "jwt"),
                    play=AllOfThese(all_of=("totp", "webhook")),
                    jwt=JwtSection(secret=SecretSource(file="jwt.key")),
                )
            ),
            "*": AppSection(access=AppAccess(publish="closed", play="open")),
        },
        load=LoadSection(sample_ms=500),
        ice=IceSection((IceServerSection(uri="turn:turn.example.org:3478", secret=SecretSource(file="turn.key")),)),
        push=PushSection(url="https://push.example.org/"),
    )


def test_an_empty_file_is_a_configuration(tmp_path: Path) -> None:
    """Everything has a default."""
    assert read(tmp_path, "") == Configuration()


def test_media_is_set_by_the_names_of_its_adapter() -> None:
    """Every key but the number of workers is a setting of the adapter, and only what is set is handed on."""
    keys = {field.name for field in fields(MediaSection) if field.name != "workers"}
    settings = {field.name for field in fields(AiortcSettings)}
    every = MediaSection(
        port=1, ports=(1, 2), allow_loopback=True, allowed_networks=(), fan_out="raw", connect_timeout=1.0
    )

    assert keys <= settings
    assert MediaSection().given() == {"transport": "one-port", "hosts": (), "advertised": ()}
    assert AiortcSettings(**every.given()).ports == (1, 2)


def test_limits_are_those_of_the_runtime(tmp_path: Path) -> None:
    """What the file does not set keeps its default."""
    configuration = read(tmp_path, "[limits]\nconnections_max = 5\n")

    assert configuration.runtime_limits() == Limits(connections_max=5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[servr]", "there is no servr; did you mean server?"),
        ("[server]\nhots = 1", "there is no server.hots; did you mean server.host?"),
        ("[server]\nzzzzzz = 1", "there is no server.zzzzzz"),
        ("[settings]\nviewer_max = 1", "there is no settings.viewer_max; did you mean settings.viewers_max?"),
        ("[settings]\nserver.cpu_limits = 1", "did you mean settings.server.cpu_limit?"),
        ("[limits]\nmesages_per_s_max = 1", "did you mean limits.messages_per_s_max?"),
        ("[apps.live.acess]", "there is no apps.live.acess; did you mean apps.live.access?"),
        ('[apps.live.access]\nplay="open"\npublsh="open"', "did you mean apps.live.access.publish?"),
        ('[apps.live.access]\nplay="open"', "apps.live.access: object missing required field `publish`"),
        ('[apps.live.access]\nplay="open"\npublish=1', "apps.live.access.publish: expected"),
        ('[apps."a/b".access]\nplay="open"\npublish="open"', "an app's name holds a character that is not allowed"),
        ("[server]\nport = 70000", "server.port: expected `int` <= 65535"),
        ('[server]\nmedia = "gstreamer"', "server.media: invalid enum value 'gstreamer'"),
        ("[server]\norigins = [1]", "server.origins[0]: expected `str`, got `int`"),
        ("apps = 1", "apps: expected `object`, got `int`"),
        ("apps.live = 1", "apps.live: expected `object`, got `int`"),
        ("server = 1", "server: expected `object`, got `int`"),
        ('[settings]\nviewers_max = "many"', "settings.viewers_max: expected `int`, got `str`"),
        ("[settings]\nserver.cpu_limit = 101", "settings.server.cpu_limit: expected `int` <= 100"),
        ("[settings]\ncpu_percent_max = 5\nserver.cpu_limit = 5", "sets cpu_percent_max, which is set already"),
        ("[limits]\nconnections_max = 0", "limits.connections_max is at least 1"),
        ("[limits]\nbytes_per_s_max = -2", "limits.bytes_per_s_max is at least 1, or -1 for no limit"),
        ("[rest]\nkey.fil = 'x'", "there is no rest.key.fil; did you mean rest.key.file?"),
        ("[media]\nworkers = -1", "media.workers: expected `int` >= 0"),
        ("[media]\nports = [5]", "media.ports: expected `array` of length 2"),
        ("[media]\nsilence_timeout = 0", "media.silence_timeout: expected `float` > 0"),
        ('[media]\ntransport = "tcp"', "media.transport: invalid enum value 'tcp'"),
        ("[load]\nsample_ms = 0", "load.sample_ms: expected `int` >= 1"),
        ("[server\nhost", "is no TOML"),
        (b"\xff\xfe", "is no text"),
        ("x = " + "[" * 5_000, "is no TOML"),
        (b"#" * 1_048_577, "that is no configuration"),
    ],
)
def test_what_is_not_understood_is_a_mistake(tmp_path: Path, text: str | bytes, said: str) -> None:
    """It says the file, the place, and the nearest name that there is."""
    with pytest.raises(Misconfigured) as caught:
        read(tmp_path, text)

    assert said in str(caught.value)
    assert "signalreel.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[rest]\nkey = "canary"', 'write rest.key.file = "..." or rest.key.env'),
        (
            '[apps.live.access]\npublish="jwt"\nplay="jwt"\njwt.secret = "canary"',
            "write apps.live.access.jwt.secret.file",
        ),
        ('[[ice.servers]]\nuri="turn:x"\ncredential = "canary"', "write ice.servers[0].credential.file"),
        ('[rest]\nkey.file = "canary', "is no TOML"),
    ],
)
def test_no_secret_stands_in_the_file_nor_in_the_complaint(tmp_path: Path, text: str, said: str) -> None:
    """One that does is a mistake, which says where to put it instead and does not quote it."""
    with pytest.raises(Misconfigured) as caught:
        read(tmp_path, text)

    assert said in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The system's reason comes out."""
    with pytest.raises(Misconfigured, match=r"cannot read .*none\.toml: No such file"):
        load(tmp_path / "none.toml")


def keys_of(kind: inspect.Type) -> set[str]:
    """Every key of a section and of those in it; a secret's own two are explained once."""
    match kind:
        case inspect.StructType(cls=cls) if cls is SecretSource:
            return set()
        case inspect.StructType(fields=fields):
            return {field.encode_name for field in fields}.union(*(keys_of(field.type) for field in fields))
        case inspect.UnionType(types=types):
            return set().union(*(keys_of(one) for one in types))
        case inspect.DictType(value_type=value_type):
            return keys_of(value_type)
        case _:
            return set()


def test_the_reference_has_every_key() -> None:
    """A key that is not listed could not be found."""
    page = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    missing = {key for key in keys_of(inspect.type_info(Configuration)) if not re.search(rf"\b{key}\b", page)}

    assert missing == set()


@pytest.mark.parametrize("page", [path for path in text_files() if path.suffix == ".md"], ids=lambda path: path.stem)
def test_the_documents_examples_are_configurations(tmp_path: Path, page: Path) -> None:
    """Every example in TOML can be read."""
    for block in re.findall(r"^```toml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        assert read(tmp_path, block) != Configuration()
