"""The official JavaScript SDK, unedited, in a conference: one connection for each stream, and one for all."""

import json
import time
from collections.abc import Collection
from typing import Final, cast

import pytest

from tests.e2e.browser import (
    BROWSER_TEST_SECONDS_MAX,
    CALLBACK_SECONDS_MAX,
    Figures,
    Guests,
    SdkPage,
    see_moving_picture,
)
from tests.e2e.server import Server, check_that_it_replays
from tests.e2e.wire import Message
from tests.evidence import EvidenceNotes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

RECORDS_MIN: Final = 60  # what the calls of this file put on the reel, less what depends on timing

ASK_SECONDS: Final = 0.2


class LegacyMember:
    """A page in a room, with what the SDK's conference sample does around the SDK."""

    def __init__(self, guests: Guests, room: str, stream_id: str) -> None:
        self.sdk: SdkPage = guests.open_sdk()
        self.room = room
        self.sdk.call("joinRoom", room, stream_id, "legacy")
        joined = self.sdk.until("joinedTheRoom")
        self.stream_id: str = joined["streamId"]
        self.found: list[str] = joined["streams"]
        self.sdk.call("publish", self.stream_id)
        self.sdk.until("publish_started")

    def play_all(self, expected: Collection[str]) -> None:
        """Ask who is there until all are who should be, then play each of them that is not played yet."""
        deadline = time.monotonic() + CALLBACK_SECONDS_MAX
        streams = self.ask()
        while set(streams) != set(expected) and time.monotonic() < deadline:
            self.sdk.page.wait_for_timeout(ASK_SECONDS * 1_000)
            streams = self.ask()
        assert sorted(streams) == sorted(expected)
        for stream_id in streams:
            self.sdk.call("play", stream_id, "", self.room)
            assert self.sdk.until("play_started")["streamId"] == stream_id

    def ask(self) -> list[str]:
        """Ask once which streams of the room are live."""
        self.sdk.call("getRoomInfo", self.room, self.stream_id)
        streams: list[str] = self.sdk.until("roomInformation")["streams"]
        return streams


def test_three_members_see_the_two_others_each(guests: Guests, evidence: EvidenceNotes) -> None:
    """Six streams are decoded on three pages; one member leaves, is told so, and is in the room no longer."""
    names = ("anna", "bert", "cleo")
    anna, bert, cleo = members = [LegacyMember(guests, "room1", name) for name in names]
    assert [member.stream_id for member in members] == list(names)
    assert (anna.found, bert.found) == ([], ["anna"])
    assert sorted(cleo.found) == ["anna", "bert"]

    for member in members:
        member.play_all(set(names) - {member.stream_id})
    figures = [
        see_moving_picture(member.sdk.page, f"#player-{other}")
        for member in members
        for other in set(names) - {member.stream_id}
    ]
    play_started = cleo.sdk.wire.until_heard("play_started", streamId="anna")
    evidence.tick("CNF-7", transport="browser", captured=play_started, media={"streams": len(figures)} | figures[0])

    cleo.sdk.call("leaveFromRoom", "room1")
    assert cleo.sdk.until("leavedFromRoom")["ATTR_ROOM_NAME"] == "room1"
    for member in (anna, bert):
        assert member.sdk.until("play_finished")["streamId"] == "cleo"
    assert (anna.ask(), bert.ask()) == (["bert"], ["anna"])


def test_a_member_without_a_name_is_given_one(guests: Guests) -> None:
    """Without a stream id the server makes one up, and the member alone in a room gets an empty list."""
    member = LegacyMember(guests, "room2", "")

    assert member.stream_id
    assert member.found == []
    assert member.ask() == []


def test_one_connection_carries_the_room(guests: Guests) -> None:
    """Members that play the room by its name get every stream of it, also those that come and go later."""
    anna, bert = members = [guests.open_sdk(isPlayMode=False) for _ in range(2)]
    for member, name in zip(members, ("anna", "bert"), strict=True):
        member.call("joinRoom", "room3", name, "multitrack")
        assert member.until("joinedTheRoom")["streamId"] == name
        member.call("publish", name, "", "", "", "", "room3")
        member.call("play", "room3", "", "room3")
        member.until("play_started")

    see_moving_picture(anna.page, "#player-bert")
    see_moving_picture(bert.page, "#player-anna")
    bert.call("leaveFromRoom", "room3")
    bert.until("leavedFromRoom")
    late = guests.open_sdk()
    late.call("joinRoom", "room3", "cleo", "multitrack")
    late.until("joinedTheRoom")
    late.call("publish", "cleo", "", "", "", "", "room3")

    see_moving_picture(anna.page, "#player-cleo")


class Member:
    """A page in a room of the newer kind: it publishes as a part of the room, and plays the room, and that is all."""

    def __init__(self, guests: Guests, room: str, name: str) -> None:
        self.sdk: SdkPage = guests.open_sdk()
        self.page = self.sdk.page
        self.room = room
        self.name = name

    def publish(self) -> None:
        """Publish as a part of the room."""
        self.sdk.call("publish", self.name, "", "", "", self.name, self.room, f'{{"name": "{self.name}"}}')

    def play(self) -> None:
        """Play whatever there is in the room, also if it is nothing yet."""
        self.sdk.call("play", self.room, "", self.room)

    def sees(self, *others: str) -> Figures:
        """See these, and be offered nobody else: not oneself either."""
        expected = {f"ARDAMS{kind}{other}" for kind in "av" for other in others}
        self.sdk.wire.until(
            lambda: set(self._offer()["idMapping"].values()) == expected,
            lambda: f"{self.name} is offered {self._offer()['idMapping']}, not {sorted(expected)}",
        )
        return [see_moving_picture(self.page, f"#player-{other}") for other in others][-1]

    def ask_about(self, stream_id: str) -> Message:
        """Ask about the room or a stream of it, and read the answer as pages do: as text that is JSON."""
        self.sdk.call("getBroadcastObject", stream_id)
        answer = self.sdk.until("broadcastObject")
        assert answer["streamId"] == stream_id
        return cast(Message, json.loads(answer["broadcast"]))

    def _offer(self) -> Message:
        return self.sdk.wire.until_heard("takeConfiguration", type="offer", streamId=self.room)


def test_a_room_of_the_newer_kind(guests: Guests, evidence: EvidenceNotes) -> None:
    """Members publish and play at once, in either order, come and go; everyone decodes everyone but themselves."""
    anna, bert, cleo, dora = (Member(guests, "room4", name) for name in ("anna4", "bert4", "cleo4", "dora4"))
    anna.play()
    anna.publish()
    for member in (bert, cleo):
        member.publish()
        member.play()
    for member in (anna, bert, cleo):
        member.sdk.until("play_started")
        member.sdk.until("publish_started")
    anna.sees("bert4", "cleo4")
    bert.sees("anna4", "cleo4")
    figures = cleo.sees("anna4", "bert4")
    offer = cleo.sdk.wire.until_heard("takeConfiguration", type="offer", streamId="room4")
    said = cleo.sdk.wire.last_said("play")
    evidence.tick("REAL-7", transport="browser", captured=offer, said=said, media={"pages": 3} | figures)

    room = cleo.ask_about("room4")
    assert sorted(room["subTrackStreamIds"]) == ["anna4", "bert4", "cleo4"]
    assert [cleo.ask_about(id)["metaData"] for id in ("anna4", "bert4")] == ['{"name": "anna4"}', '{"name": "bert4"}']

    bert.sdk.close()
    anna.sees("cleo4")
    cleo.sees("anna4")
    cleo.sdk.call("stop", "cleo4")
    cleo.sdk.until("publish_finished")
    cleo.sees("anna4")
    dora.play()
    dora.publish()
    anna.sees("dora4")
    cleo.sees("anna4", "dora4")
    dora.sees("anna4")
    cleo.publish()

    anna.sees("cleo4", "dora4")
    dora.sees("anna4", "cleo4")


def test_the_reel_of_these_calls_replays(server: Server) -> None:
    """What the server recorded gives the same transitions, messages and digests again, under any hash seed."""
    server.stop()

    check_that_it_replays(server.reel, records_min=RECORDS_MIN)
