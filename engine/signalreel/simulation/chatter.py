"""What people say besides coming and going: questions, switches, and from a hostile client anything at all."""

from collections.abc import Callable
from random import Random
from typing import Final

from signalreel.commands import (
    AnyCommand,
    AssignVideoTrack,
    EnableTrack,
    ForceStreamQuality,
    GetBroadcastObject,
    GetDebugInfo,
    GetIceServerConfig,
    GetRoomInfo,
    GetStreamInfo,
    GetSubscriberCount,
    GetSubscribers,
    GetSubtracks,
    GetSubtracksCount,
    GetTrackList,
    GetVideoTrackAssignments,
    Join,
    JoinRoom,
    Leave,
    LeaveFromRoom,
    PeerMessage,
    Play,
    Publish,
    SetMaxVideoTrackCount,
    Stop,
    TakeCandidate,
    TakeConfiguration,
    ToggleAudio,
    ToggleVideo,
    UpdateStreamMetaData,
    UpdateVideoTrackAssignments,
)
from signalreel.simulation.texts import CANDIDATE, offer_of

__all__ = ("anything", "chat")

_Maker = Callable[[str, str, Random], AnyCommand]

_HEIGHTS: Final = (0, 240, 360, 1_080)
_HALF: Final = 0.5
_DEEDS_SHARE: Final = 0.7

_TALK: Final[tuple[_Maker, ...]] = (
    lambda id, other, random: ToggleVideo(id, other, random.random() < _HALF),
    lambda id, other, random: ToggleAudio(id, other, random.random() < _HALF),
    lambda id, other, random: EnableTrack(id, f"ARDAMSv{other}", random.random() < _HALF),
    lambda id, other, random: ForceStreamQuality(id, random.choice(_HEIGHTS)),
    lambda id, other, random: GetStreamInfo(id),
    lambda id, other, random: GetTrackList(id),
    lambda id, other, random: GetRoomInfo(id, other),
    lambda id, other, random: GetBroadcastObject(id),
    lambda id, other, random: GetSubtracks(id),
    lambda id, other, random: GetSubtracksCount(id),
    lambda id, other, random: GetSubscriberCount(id),
    lambda id, other, random: GetSubscribers(id),
    lambda id, other, random: GetDebugInfo(id),
    lambda id, other, random: GetIceServerConfig(),
    lambda id, other, random: GetVideoTrackAssignments(id),
    lambda id, other, random: AssignVideoTrack(id, other, random.random() < _HALF),
    lambda id, other, random: UpdateVideoTrackAssignments(id, 0, random.randrange(4)),
    lambda id, other, random: SetMaxVideoTrackCount(id, random.randrange(-1, 4)),
    lambda id, other, random: UpdateStreamMetaData(id, "{}"),
    lambda id, other, random: PeerMessage(id, "hello", {"to": other}),
)
"""What changes nothing of who publishes, plays or is there."""

_DEEDS: Final[tuple[_Maker, ...]] = (
    lambda id, other, random: Publish(id, main_track=other if random.random() < _HALF else ""),
    lambda id, other, random: Play(id, room=id if random.random() < _HALF else ""),
    lambda id, other, random: TakeConfiguration(id, "offer", offer_of(random.randrange(9))),
    lambda id, other, random: TakeConfiguration(id, "answer", offer_of(random.randrange(9))),
    lambda id, other, random: TakeCandidate(id, 0, "0", CANDIDATE),
    lambda id, other, random: Stop(id),
    lambda id, other, random: Join(id, random.random() < _HALF, random.choice(("both", "play"))),
    lambda id, other, random: Leave(id),
    lambda id, other, random: JoinRoom(id, other if random.random() < _HALF else ""),
    lambda id, other, random: LeaveFromRoom(id),
)

_NAMES_OF_NOBODY: Final = ("", "no/name", "nobody")


def chat(ids: list[str], random: Random) -> AnyCommand:
    """Give something harmless to say about one of these ids."""
    return random.choice(_TALK)(random.choice(ids), random.choice(ids), random)


def anything(ids: list[str], random: Random) -> AnyCommand:
    """Give anything to say, about one of these ids or about none."""
    names = [*ids, *ids, *_NAMES_OF_NOBODY]
    makers = _DEEDS if random.random() < _DEEDS_SHARE else _TALK
    return random.choice(makers)(random.choice(names), random.choice(names), random)
