"""`signalreel_adapters.flows.recording`: what was said becomes a flow that holds again."""

import json

import pytest

from signalreel.commands import COMMANDS, AnyCommand
from signalreel.decoding import SECRETS
from signalreel_adapters.flows import memory_stage, parse_flow, perform
from signalreel_adapters.flows.recording import Exchange, write_flow

pytestmark = pytest.mark.anyio


def sent(client: str, **message: object) -> Exchange:
    """Say something, as a client."""
    return Exchange(client, "send", json.dumps(message))


def received(client: str, **message: object) -> Exchange:
    """Hear something."""
    return Exchange(client, "receive", json.dumps(message))


def lines(*exchanges: Exchange) -> list[str]:
    """The lines of the flow below its header."""
    return write_flow(exchanges, title="test", app="live").split("\n\n", 1)[1].splitlines()


def test_descriptions_become_names_or_gaps() -> None:
    """One that a client sent is named, also where it is relayed; the server's own is a gap and needs media."""
    relayed = [
        sent("a", command="takeConfiguration", streamId="s", type="offer", sdp="v=0 1"),
        received("b", command="takeConfiguration", streamId="s", type="offer", sdp="v=0 1"),
    ]
    answered = received(
        "a", command="takeConfiguration", streamId="s", type="answer", sdp="v=0 2", idMapping={"0": "x"}
    )

    assert lines(*relayed) == [
        'a > {"command": "takeConfiguration", "streamId": "s", "type": "offer", "sdp": "{offer}"}',
        'b < {"command": "takeConfiguration", "streamId": "s", "type": "offer", "sdp": "{offer}", ...}',
    ]
    assert lines(answered) == [
        'a < {"command": "takeConfiguration", "streamId": "s", "type": "answer", "sdp": *, "idMapping": *, ...}'
    ]
    assert "media: fake" not in write_flow(relayed, title="test", app="live")
    assert "media: fake" in write_flow([answered], title="test", app="live")


def test_candidates_are_named_or_allowed() -> None:
    """A relayed one is expected; the server's own may come at any time, and are allowed once."""
    one = {"command": "takeCandidate", "streamId": "s", "label": 0, "id": "0"}

    assert lines(
        sent("a", **one, candidate="candidate:1"),
        received("b", **one, candidate="candidate:1"),
        received("b", **one, candidate="candidate:2"),
        received("b", **one, candidate="candidate:3"),
        received("b", **one, candidate=""),
    ) == [
        'a > {"command": "takeCandidate", "streamId": "s", "label": 0, "id": "0", "candidate": "{candidate}"}',
        'b < {"command": "takeCandidate", "streamId": "s", "label": 0, "id": "0", "candidate": "{candidate}", ...}',
        'b <? {"command": "takeCandidate", "streamId": "s", ...}',
        'b < {"command": "takeCandidate", "streamId": "s", "label": 0, "id": "0", "candidate": "", ...}',
    ]


def test_an_id_that_the_server_drew_becomes_a_name() -> None:
    """Wherever it comes again; one that the client chose stays."""
    assert lines(
        sent("a", command="joinRoom", room="r"),
        received("a", command="notification", definition="joinedTheRoom", streamId="ab12cd", streams=[]),
        sent("a", command="publish", streamId="ab12cd"),
        sent("b", command="joinRoom", room="r", streamId="mine"),
        received("b", command="notification", definition="joinedTheRoom", streamId="mine", streams=["ab12cd"]),
        received("b", command="trackList", streamId="r", trackList=["ARDAMSvab12cd"]),
    ) == [
        'a > {"command": "joinRoom", "room": "r"}',
        'a < {"command": "notification", "definition": "joinedTheRoom", "streamId": "{id1}", "streams": [], ...}',
        'a > {"command": "publish", "streamId": "{id1}"}',
        'b > {"command": "joinRoom", "room": "r", "streamId": "mine"}',
        'b < {"command": "notification", "definition": "joinedTheRoom", "streamId": "mine", "streams": ["{id1}"], ...}',
        'b < {"command": "trackList", "streamId": "r", "trackList": ["ARDAMSv{id1}"], ...}',
    ]


def test_secrets_are_emptied_and_pings_left_out() -> None:
    """Neither tokens nor codes come into a file that is passed around; raw texts are kept, bitrates allowed."""
    bitrate = received("a", command="notification", definition="bitrateMeasurement", streamId="s", targetBitrate=1)

    assert lines(
        Exchange("a", "send", "undefined"),
        Exchange("a", "receive", "not JSON"),
        sent("a", command="ping"),
        received("a", command="pong"),
        sent("a", command="play", streamId="s", token="secret", subscriberCode="123456", enabled=None),
        bitrate,
        bitrate,
    ) == [
        'a > "undefined"',
        'a > {"command": "play", "streamId": "s", "token": "", "subscriberCode": "", "enabled": null}',
        'a <? {"command": "notification", "definition": "bitrateMeasurement", "streamId": "s", ...}',
    ]


@pytest.mark.parametrize("kind", COMMANDS.values(), ids=lambda kind: kind.__name__)
def test_no_secret_of_any_command_is_written(kind: type[AnyCommand]) -> None:
    """What the engine takes off a command does not come into a flow either, and the flow can be read."""
    said = {"command": kind.__struct_config__.tag, "streamId": "s", **dict.fromkeys(SECRETS, "CANARY")}
    text = write_flow([sent("a", **said), Exchange("a", "leave")], title="test", app="live")

    assert "CANARY" not in text
    assert parse_flow(text, file="a.flow", app="a").app == "live"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ('{"command": "play", "subscriberCode": 123456}', '{"command": "play", "subscriberCode": ""}'),
        ('{"command": "play", "token": {"CANARY": 1}}', '{"command": "play", "token": {}}'),
        ('{"command": "play", "token": ["CANARY"]}', '{"command": "play", "token": []}'),
        ('{"command": "play", "token": null}', '{"command": "play", "token": null}'),
        ('{"command": "own", "data": [{"token": "CANARY"}]}', '{"command": "own", "data": [{"token": ""}]}'),
        ('[{"command": "play", "token": "CANARY"}]', '"(a text that named a secret)"'),
        ('{"command": "play", "token": "CANARY', '"(a text that named a secret)"'),
    ],
)
def test_a_secret_is_found_wherever_it_stands(said: str, written: str) -> None:
    """Whatever it is written as, for servers tolerate much, and in what is no message."""
    assert lines(Exchange("a", "send", said)) == [f"a > {written}"]


def test_a_secret_that_is_told_again_is_a_gap() -> None:
    """A server may hand back what it was told, and tells the credentials of a relay."""
    assert lines(
        sent("a", command="play", streamId="s", token="CANARY"),
        received("a", command="x", token="CANARY", echo="of CANARY", list=[{"subscriberCode": 1}]),
        received("a", command="iceServerConfig", turnServerUsername="1:a", turnServerCredential="CANARY2"),
        Exchange("a", "send", "CANARY"),
    ) == [
        'a > {"command": "play", "streamId": "s", "token": ""}',
        'a < {"command": "x", "token": *, "echo": *, "list": [{"subscriberCode": *}], ...}',
        'a < {"command": "iceServerConfig", "turnServerUsername": *, "turnServerCredential": *, ...}',
        'a > "(a text that named a secret)"',
    ]


def test_the_wording_of_a_server_is_a_gap() -> None:
    """Another one refuses in words of its own and asks to wait as long as it likes; what it refuses as must hold."""
    assert lines(
        received("a", command="error", definition="no_stream_exist", information="There is none.", retryAfterMs=3000)
    ) == ['a < {"command": "error", "definition": "no_stream_exist", "information": *, "retryAfterMs": *, ...}']


def test_who_connects_to_another_app_says_so() -> None:
    """With its first line, once; whoever is in the app of the header, or nobody knows where, says nothing of it."""
    ping = '{"command": "undefined"}'
    assert lines(
        Exchange("a", "send", ping, "live"),
        Exchange("b", "send", ping, "other"),
        Exchange("c", "send", ping),
        Exchange("b", "leave", "", "other"),
        Exchange("d", "leave", "", "third"),
    ) == [
        f"a > {ping}",
        "b connects to other",
        f"b > {ping}",
        f"c > {ping}",
        "b leaves",
        "d connects to third",
        "d leaves",
    ]


def test_what_looks_like_a_name_is_kept_from_being_one() -> None:
    """Braces around a plain word, as somebody's stream may be called."""
    assert lines(sent("a", command="publish", streamName="{me}"), received("a", command="x", streamName="{me}")) == [
        'a > {"command": "publish", "streamName": "{ me}"}',
        'a < {"command": "x", "streamName": *, ...}',
    ]


async def test_a_recorded_call_holds_again() -> None:
    """What the server says to the flow's clients is what it said to the recorded ones."""
    exchanges = [
        sent("a", command="joinRoom", room="r", token="secret"),
        received("a", command="notification", definition="joinedTheRoom", streamId="drawn-by-another", streams=[]),
        sent("a", command="publish", streamId="drawn-by-another"),
        received("a", command="start", streamId="drawn-by-another"),
        sent("a", command="takeConfiguration", streamId="drawn-by-another", type="offer", sdp="v=0 1"),
        received("a", command="takeConfiguration", streamId="drawn-by-another", type="answer", sdp="v=0 2"),
        received("a", command="notification", definition="publish_started", streamId="drawn-by-another"),
    ]
    text = write_flow(exchanges, title="two\nlines", app="live")
    flow = parse_flow(text, file="a.flow", app="a")
    async with memory_stage(flow) as stage:
        await perform(flow, stage)

    assert (flow.title, flow.app, flow.media) == ("two lines", "live", "fake")
