"""The settings that decide what a record causes."""

import msgspec
import pytest

from signalreel.settings import DEFAULT_CODECS, PAGE_NAMES, Settings


def test_the_defaults_are_those_of_the_protocol_page() -> None:
    """5 000 ms to publish (publishTimeoutError), 85 % CPU and 10 MB free (highResourceUsage); no restore window."""
    assert Settings() == Settings(
        publish_timeout_ms=5_000,
        play_timeout_ms=10_000,
        restore_ms=0,
        cpu_percent_max=85,
        free_memory_mb_min=10,
        viewers_max=-1,
        streams_max=-1,
        room_streams_max=-1,
        video_tracks_max=-1,
        offers_owed_max=4,
        codecs=DEFAULT_CODECS,
        stun_server="",
    )


def test_settings_stand_on_a_reel_by_what_differs_from_the_defaults() -> None:
    """Only what was changed is written, so a reel's header shows at a glance what was."""
    changed = Settings(restore_ms=3_000, codecs=("VP8",))

    encoded = msgspec.json.encode(changed)

    assert encoded == b'{"restoreMs":3000,"codecs":["VP8"]}'
    assert msgspec.json.decode(encoded, type=Settings) == changed


@pytest.mark.parametrize(
    "text",
    [
        b'{"publishTimeoutMs":0}',
        b'{"playTimeoutMs":-1}',
        b'{"restoreMs":-1}',
        b'{"cpuPercentMax":0}',
        b'{"cpuPercentMax":101}',
        b'{"freeMemoryMbMin":-1}',
        b'{"viewersMax":-2}',
        b'{"offersOwedMax":0}',
        b'{"publishTimeout":5000}',
        b'{"publishTimeoutMs":"5000"}',
    ],
)
def test_a_setting_out_of_bounds_or_misspelt_is_told(text: bytes) -> None:
    """A configuration that means nothing is an error at once, not a surprise in a call."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Settings)


def test_the_names_of_the_page_lead_to_settings() -> None:
    """Every name under which the page knows a setting belongs to one that exists."""
    assert set(PAGE_NAMES) == {
        "settings.webrtc.client.start.timeoutMs",
        "server.cpu_limit",
        "server.min_free_ram",
    }
    assert set(PAGE_NAMES.values()) <= set(Settings.__struct_fields__)
