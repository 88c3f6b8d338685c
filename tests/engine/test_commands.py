"""The commands that there are, and what the runtime must draw for them."""

import json

from signalreel.commands import (
    COMMANDS,
    STREAMLESS,
    Join,
    ids_wanted,
)
from tests.engine.test_decoding import OF_THE_PAGE


def test_the_commands_and_those_without_a_stream_are_these() -> None:
    """The names on the wire, complete; those that need no stream id are the page's and the push commands."""
    assert set(COMMANDS) == {json.loads(text)["command"] for text, _ in OF_THE_PAGE}
    assert set(COMMANDS) >= STREAMLESS


def test_an_id_is_wanted_for_whoever_joins_a_room_without_one() -> None:
    """Contract 10: the runtime draws one id for `joinRoom` without a stream id (iOS sends an empty one), else none."""
    wanted = {text: ids_wanted(command) for text, command in OF_THE_PAGE if ids_wanted(command)}

    assert wanted == {
        '{"command":"joinRoom","room":"room1","streamId":"","mode":"multitrack","metadata":"{}","mainTrack":"room1"}': 1
    }


def test_an_id_is_wanted_for_whoever_joins_as_one_of_many() -> None:
    """Contract 10: with `multiPeer` the call goes on under an id that the runtime draws."""
    assert ids_wanted(Join("s", multi_peer=True)) == 1
    assert ids_wanted(Join("s")) == 0
