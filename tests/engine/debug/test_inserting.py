"""What is to be put into a reel, as lines and as JSON; and what is said of what cannot be read."""

import pytest

from signalreel.commands import JoinRoom, Publish, Stop
from signalreel.debug.inserting import INSERTED_LENGTH_MAX, INSERTED_MAX, read_inserted
from signalreel.errors import InvalidInsert
from signalreel.events import SessionOpened
from signalreel.host import CloseRoom
from signalreel.record import Grant, Record

LINES = """
# what if somebody else had come
13s    new   SessionOpened  app=live
12.5   a1b2  publish  streamId=s1 video=false   # without a picture
14     -     closeRoom app=live room=r1
"""


def test_lines_are_read() -> None:
    """In the order of their times; a session is found by its beginning, one that is new stays as it is."""
    assert read_inserted(LINES, ["a1b2c3d4", "ffff"]) == [
        Record(-2, 12_500_000, "a1b2c3d4", command=Publish("s1", video=False)),
        Record(-1, 13_000_000, "new", event=SessionOpened("live")),
        Record(-3, 14_000_000, "", host=CloseRoom(app="live", room="r1")),
    ]


def test_json_is_read() -> None:
    """The same with everything that a record can have."""
    text = """[{"time": 1, "session": "a", "command": {"command": "stop", "streamId": "s"}, "grant": [true, "tag"]}]"""
    assert read_inserted(text) == [
        Record(-1, 1_000_000, "a", command=Stop("s"), grant=Grant(allowed=True, identity="tag"))
    ]


def test_ids_are_drawn_where_an_input_needs_them() -> None:
    """They are the same each time: nothing here is random."""
    assert read_inserted("1 a joinRoom room=r1") == [
        Record(-1, 1_000_000, "a", command=JoinRoom("r1"), ids=("inserted-1-0",))
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 a", "line 1: a line is `TIME SESSION INPUT"),
        ("\n1 a sing", "line 2: there is no input 'sing'"),
        ("soon a stop", "line 1: could not convert"),
        ("nan a stop", "line 1: nan is no time"),
        ("-1 a stop", "is no time"),
        ("1 a stop streamId", "'streamId' is not `field=value`"),
        ("1 a stop streamId=5", "line 1: Expected `str`"),
        ("1 a1 stop", "line 1: 2 sessions begin with 'a1'"),
        ("[", "the file: it is no JSON list"),
        ('[{"time": 1}]', "entry 1: give exactly one of command, event and host"),
        ('[{"time": 1, "songs": 1}]', "entry 1: Object contains unknown field"),
        ("[" * 100_000, "the file: it is no JSON list"),
        ("1 a stop\n" * (INSERTED_MAX + 1), "at most"),
        (" " * (INSERTED_LENGTH_MAX + 1), "longer than"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, said: str) -> None:
    """With the line or entry, and what is wrong there."""
    with pytest.raises(InvalidInsert, match="(?s).*" + said.replace("[", r"\[")):
        read_inserted(text, ["a1b2", "a1c3"])
