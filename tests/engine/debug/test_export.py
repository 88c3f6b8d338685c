"""`signalreel.debug.export`."""

import json
from xml.etree import ElementTree as ET

import pytest

from signalreel.commands import Join, Play, TakeCandidate
from signalreel.debug.export import (
    ARROWS_MAX,
    LANES_MAX,
    TooMuch,
    json_lines,
    mermaid_sequence,
    mermaid_states,
    svg_sequence,
    svg_states,
)
from signalreel.identifiers import Kind
from signalreel.notes import Closed, Note
from signalreel.replay import Cursor
from tests.engine.tour import tour
from tests.engine.world import World

HOSTILE = "</svg><script>alert(1)</script>; end #quot; %% \n  participant evil"


def call() -> World:
    """A stream with a viewer, and somebody with a hostile name who is refused."""
    world = World()
    world.open("alice", "bob")
    world.publish("alice", "cam")
    world.play("bob", "cam")
    world.say("bob", Play(HOSTILE))
    world.say("alice", TakeCandidate("cam", 0, "0", "candidate:1 1 udp 7 203.0.113.7 5000 typ host"))
    return world


def test_each_record_is_a_line_with_all_that_it_caused() -> None:
    """The header first; transitions, messages, refusal, rules and notes stand beside the input as it was."""
    reel = call().reel()
    reel.note(Note(2, 5, "bob", Closed(1000)))
    header, *lines = [json.loads(line) for line in json_lines(reel)]
    refused = next(line for line in lines if "refused" in line)

    assert (header["firstSeq"], header["lastSeq"], len(lines)) == (1, reel.last_seq, reel.last_seq)
    assert [line["seq"] for line in lines] == list(range(1, reel.last_seq + 1))
    assert lines[1]["notes"] == [{"session": "bob", "time": 5, "note": {"note": "closed", "code": 1000}}]
    assert (refused["refused"], refused["of"]["streamId"]) == ("invalidStreamName", HOSTILE)
    assert [move["target"] for line in lines for move in line.get("transitions", ())][-1] == "broadcasting"
    assert b"203.0.113.7" in b"".join(json_lines(reel))


def test_the_whole_tour_is_lines_of_json() -> None:
    """Whatever an input, a message or a state can be, it is written; one line each."""
    assert sum(1 for line in json_lines(tour().reel()) if b"\n" not in line) == len(tour().records) + 1


def test_a_sequence_as_mermaid() -> None:
    """Sessions and the server, in order; no text of a client means anything in it, and no address is there."""
    text = mermaid_sequence(call().reel())
    lines = text.splitlines()

    assert lines[:4] == [
        "sequenceDiagram",
        "    participant s1 as alice",
        "    participant s2 as bob",
        "    participant server",
    ]
    assert "    s1->>server: publish cam" in lines
    assert "    Note over server: stream cam idle to preparing" in lines
    assert "    server->>s1: notification publish_started" in lines
    assert sum("participant" in line.split(":")[0] for line in lines) == 3
    assert [character for character in ";#<>%" if character in text.replace("->>", "")] == []
    assert "203.0.113.7" not in text


def test_a_sequence_as_svg() -> None:
    """It is well-formed, has a lane for each and an arrow for what was said, and no markup of a client's."""
    text = svg_sequence(call().reel())
    root = ET.fromstring(text)  # noqa: S314 - our own
    names = [element.tag.rpartition("}")[2] for element in root.iter()]

    assert names[0] == "svg"
    assert "script" not in names
    assert [name for name in ("alice", "server", "bob") if f">{name}</text>" not in text] == []
    assert "203.0.113.7" not in text
    assert text.index(">alice<") < text.index(">server<")


def test_the_states_of_a_machine_with_counts() -> None:
    """How often each way was gone, as Mermaid and on the picture of the whole machine."""
    reel = call().reel()

    assert "    idle --> preparing: Publish x1" in mermaid_states(reel, Kind.STREAM).splitlines()
    assert mermaid_states(reel, Kind.ROOM) == "stateDiagram-v2\n"
    assert ET.fromstring(svg_states(reel, Kind.STREAM)).tag.endswith("svg")  # noqa: S314 - our own


def test_a_picture_that_nobody_could_read_is_refused() -> None:
    """Too many sessions, or too many arrows: an excerpt has fewer."""
    crowd = World()
    for number in range(LANES_MAX + 1):
        crowd.open(f"session-{number}")
    with pytest.raises(TooMuch, match="sessions"):
        svg_sequence(crowd.reel())
    long = World()
    long.open("alice")
    for _ in range(ARROWS_MAX // 2 + 1):
        long.say("alice", Join("call"))
    with pytest.raises(TooMuch, match="arrows"):
        mermaid_sequence(long.reel())
    assert len(list(Cursor(long.reel()))) < ARROWS_MAX
