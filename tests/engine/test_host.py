"""What the host orders: its words, and the door to the reel."""

import pytest

from signalreel.host import (
    HOST_COMMANDS,
    HOST_REFUSALS,
    BlockSubscriber,
    CloseRoom,
    EndStream,
    IssueToken,
    KickSession,
    RegisterRoom,
    RegisterStream,
    RegisterSubscriber,
    checked,
)
from signalreel.refusals import REFUSALS
from signalreel.registered import IssuedToken, Purpose, RegisteredRoom, RegisteredStream, Subscriber


def test_the_orders_are_these() -> None:
    """The names under which orders stand on a reel are part of every reel ever written."""
    assert list(HOST_COMMANDS) == [
        "endStream",
        "kickSession",
        "closeRoom",
        "registerStream",
        "unregisterStream",
        "registerRoom",
        "unregisterRoom",
        "issueToken",
        "revokeTokens",
        "registerSubscriber",
        "unregisterSubscriber",
        "unregisterPushes",
        "blockSubscriber",
    ]


def test_what_an_order_is_refused_with_is_not_in_the_catalogue_of_clients() -> None:
    """A client never gets a definition that only orders have."""
    assert set(HOST_REFUSALS).isdisjoint(REFUSALS)


@pytest.mark.parametrize(
    "command",
    [
        EndStream(stream_id="s"),
        KickSession(session="a"),
        CloseRoom(room="r"),
        RegisterStream(app="live", stream=RegisteredStream("s", planned_end=2**53)),
        RegisterRoom(app="live", room=RegisteredRoom("r", streams_max=0)),
        IssueToken(app="live", token=IssuedToken("tag", "s", Purpose.PLAY, 5)),
        RegisterSubscriber(app="live", subscriber=Subscriber("s", "ann")),
        BlockSubscriber(app="live", subscriber_id="ann", until=1),
    ],
)
def test_an_order_that_a_reel_can_hold_is_given_back(command: EndStream) -> None:
    """It comes back equal, whatever it is."""
    assert checked(command) == command


@pytest.mark.parametrize(
    "command",
    [
        RegisterStream(app="live", stream=RegisteredStream("s", planned_start=-1)),
        RegisterStream(app="live", stream=RegisteredStream("s", meta_data="m" * 4_097)),
        RegisterStream(app="live", stream=RegisteredStream("s", name="\ud800")),
        BlockSubscriber(app="live", subscriber_id="a" * 256),
        BlockSubscriber(app="live", subscriber_id="a", until=2**70),
    ],
)
def test_an_order_that_no_reel_can_hold_is_told(command: RegisterStream) -> None:
    """A program that gives a field what a record could not be read back with gets a `ValueError` at once."""
    with pytest.raises(ValueError, match="cannot stand on a reel"):
        checked(command)
