"""`signalreel_adapters.flows.har`: the archive of Chrome's network panel."""

import json
from typing import Any

import pytest

from signalreel_adapters.flows import parse_flow
from signalreel_adapters.flows.har import HarError, flow_from_har
from signalreel_adapters.flows.script import Connect

PLAIN = {"request": {"url": "https://example.org/page.html"}, "time": 3}


def socket(url: str, *frames: dict[str, Any]) -> dict[str, Any]:
    """One WebSocket of an archive, with more around it than is read."""
    return {"request": {"url": url, "method": "GET"}, "_resourceType": "websocket", "_webSocketMessages": list(frames)}


def frame(kind: str, time: float, data: str, opcode: int = 1) -> dict[str, Any]:
    """One frame of a WebSocket."""
    return {"type": kind, "time": time, "opcode": opcode, "data": data}


def archive(*entries: dict[str, Any]) -> bytes:
    """A whole archive."""
    return json.dumps({"log": {"version": "1.2", "entries": list(entries)}}).encode()


def test_each_socket_is_a_client_and_time_gives_the_order() -> None:
    """Entries stand by their beginning; the messages of several go into each other by their times."""
    url = "wss://example.org:5443/Conference/websocket?target=origin"
    text = flow_from_har(
        archive(
            PLAIN,
            socket(
                url,
                frame("send", 1.0, '{"command":"join","streamId":"s"}'),
                frame("receive", 4.0, '{"command":"start"}'),
            ),
            socket("wss://example.org/none"),
            socket(url, frame("send", 2.5, '{"command":"join","streamId":"s"}'), frame("send", 3.0, "AAEC", opcode=2)),
        ),
        title="two peers",
    )

    assert text == (
        "flow: two peers\n"
        "app: Conference\n"
        "\n"
        'client1 > {"command": "join", "streamId": "s"}\n'
        'client2 > {"command": "join", "streamId": "s"}\n'
        'client1 < {"command": "start", ...}\n'
    )
    assert parse_flow(text, file="a.flow", app="a").app == "Conference"


def test_each_socket_is_in_the_app_of_its_own_address() -> None:
    """Two apps of a server know nothing of each other, so a flow that puts their clients into one does not hold."""
    publish = '{"command":"publish","streamId":"s"}'
    text = flow_from_har(
        archive(
            socket("wss://example.org/one/websocket", frame("send", 1, publish)),
            socket("wss://example.org/two/websocket", frame("send", 2, publish)),
        ),
        title="x",
    )
    steps = parse_flow(text, file="a.flow", app="a").steps

    assert [step.app for step in steps if isinstance(step, Connect)] == ["one", "two"]


def test_an_address_without_an_app_means_live() -> None:
    """A server behind a proxy may have any path."""
    assert "app: live\n" in flow_from_har(archive(socket("wss://example.org/", frame("send", 1, "x"))), title="x")


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"log": {"entries": [{"request": {}}]}}'])
def test_what_is_no_archive_is_told(data: bytes) -> None:
    """A wrong file is the user's mistake."""
    with pytest.raises(HarError, match="no HTTP archive"):
        flow_from_har(data, title="x")


def test_an_archive_without_messages_says_how_to_make_one() -> None:
    """Chrome leaves them out of archives that are saved without content."""
    with pytest.raises(HarError, match="Save all as HAR with content"):
        flow_from_har(archive(PLAIN, socket("wss://example.org/live/websocket")), title="x")
