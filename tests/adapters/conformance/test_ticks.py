"""`signalreel_adapters.conformance.ticks`: nothing counts that was not captured, and nothing is kept that is secret."""

from typing import Any

import pytest

from signalreel_adapters.conformance import NoEvidence, tick_of
from signalreel_adapters.conformance.ticks import scrubbed

PONG = {"command": "pong"}
STARTED = {"command": "notification", "definition": "publish_started", "streamId": "s"}


def test_a_tick_holds_what_was_said_and_heard() -> None:
    """With the test and the transport."""
    tick = tick_of("MSC-1", transport="memory", test="test_it", said={"command": "ping"}, captured=PONG)

    assert (tick.item, tick.transport, tick.test, tick.said, tick.captured, tick.media) == (
        "MSC-1",
        "memory",
        "test_it",
        {"command": "ping"},
        PONG,
        None,
    )


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"item": "MSC-99"}, "no such item"),
        ({"captured": {}}, "no message of the protocol"),
        ({"said": {"streamId": "s"}}, "no message of the protocol"),
        ({"item": "PUB-9"}, "a figure of media is missing"),
        ({"item": "PUB-9", "media": {"frames_decoded": 0}}, "a figure of media is missing"),
        ({"item": "PUB-9", "media": {"height": 360}}, "a figure of media is missing"),
        ({"item": "PUB-9", "media": {"frames_decoded": 7}, "transport": "memory"}, "no media flows in memory"),
        ({"captured": {"command": "pong", "odd": {1, 2}}}, "nothing that JSON has"),
    ],
)
def test_what_shows_nothing_is_no_evidence(parts: dict[str, Any], why: str) -> None:
    """An unknown item, something that is no message, media without figures of it."""
    tick: dict[str, Any] = {"item": "MSC-1", "transport": "browser", "test": "test_it", "captured": PONG} | parts

    with pytest.raises(NoEvidence, match=why):
        tick_of(tick.pop("item"), **tick)


def test_media_is_shown_by_figures() -> None:
    """Decoded frames, packets, or messages of a data channel, beside others."""
    media = {"frames_decoded": 31.0, "height": 360.0}

    assert tick_of("PUB-9", transport="browser", test="t", captured=STARTED, media=media).media == media


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ({"command": "takeConfiguration", "sdp": "v=0"}, {"command": "takeConfiguration", "sdp": "*"}),
        ({"candidate": "candidate:1 1 udp", "label": 0}, {"candidate": "*", "label": 0}),
        ({"candidate": "", "id": None}, {"candidate": "", "id": None}),
        ({"token": "secret", "subscriberCode": "123456"}, {"token": "*", "subscriberCode": "*"}),
        (
            {"turnServerUsername": "u", "turnServerCredential": "c"},
            dict.fromkeys(("turnServerUsername", "turnServerCredential"), "*"),
        ),
        ({"streamId": "abcdefghijklmnopqrstuv27"}, {"streamId": "*"}),
        ({"idMapping": {"0": "ARDAMSvabcdefghijklmnopqrstuv27"}}, {"idMapping": {"0": "ARDAMSv*"}}),
        (
            {"targetBitrate": 7, "streamHeight": 360, "enabled": True},
            {"targetBitrate": "*", "streamHeight": 360, "enabled": True},
        ),
        ({"streams": ["a", "abcdefghijklmnopqrstuv27"]}, {"streams": ["a", "*"]}),
        ({"broadcast": '{"date": 1700000000000, "name": "x"}'}, {"broadcast": '{"date": "*", "name": "x"}'}),
        ({"data": "{no json"}, {"data": "{no json"}),
    ],
)
def test_what_differs_or_is_secret_is_not_kept(message: dict[str, Any], kept: dict[str, Any]) -> None:
    """Descriptions, candidates, tokens, drawn ids and measured numbers become `*`; the rest stays."""
    assert scrubbed(message) == kept
