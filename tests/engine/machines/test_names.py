"""The names in a command are looked at before any machine is."""

import pytest

from signalreel.commands import (
    AssignVideoTrack,
    Command,
    GetIceServerConfig,
    GetRoomInfo,
    JoinRoom,
    LeaveFromRoom,
    Play,
    Publish,
)
from signalreel.machines.names import refusal_of_names
from signalreel.refusals import INVALID_STREAM_NAME, NO_STREAM_NAME_SPECIFIED, Refusal


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (Publish("s1"), None),
        (Publish(""), NO_STREAM_NAME_SPECIFIED),
        (Publish("a/b"), INVALID_STREAM_NAME),
        (Publish("s1", main_track="a b"), INVALID_STREAM_NAME),
        (Play("s1", room=".."), INVALID_STREAM_NAME),
        (JoinRoom("r", ""), None),
        (JoinRoom("", "a\n"), INVALID_STREAM_NAME),
        (LeaveFromRoom(""), None),
        (AssignVideoTrack("r", "ARDAMSvs1"), None),
        (AssignVideoTrack("r", ""), None),
        (AssignVideoTrack("r", "x" * 300), INVALID_STREAM_NAME),
        (AssignVideoTrack("", "s1"), NO_STREAM_NAME_SPECIFIED),
        (GetRoomInfo("r"), None),
        (GetIceServerConfig(), None),
    ],
)
def test_a_name_is_there_where_it_must_be_and_valid(command: Command, refusal: Refusal | None) -> None:
    """Whatever names a stream or room obeys the rule; commands of rooms and of the server need no stream."""
    assert refusal_of_names(command) is refusal
