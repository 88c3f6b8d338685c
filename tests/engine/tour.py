"""A tour of the four tables: every state of every machine, and in each of them everything that may come.

The tour is one long record of a world in which machines are brought to a state one after another, and one probe is put
to each. Together the probes fire every row that can fire, which `test_engine_tour` holds it to. It is what the tests
about replay, snapshots and the library's own dispatch run on.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Final

from msgspec.structs import replace

from signalreel.commands import (
    AnyCommand,
    AssignVideoTrack,
    EnableTrack,
    ForceStreamQuality,
    GetBroadcastObject,
    GetDebugInfo,
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
from signalreel.events import (
    DescriptionCreated,
    MediaConnected,
    MediaLost,
    SessionClosed,
    Track,
    TracksFound,
)
from signalreel.host import (
    BlockSubscriber,
    CloseRoom,
    EndStream,
    RegisterRoom,
    RegisterStream,
    UnregisterStream,
)
from signalreel.identifiers import Kind
from signalreel.machines.pair import CALLS_MAX
from signalreel.machines.texts import TOLD_LENGTH_MAX
from signalreel.messages import POLICY_VIOLATION
from signalreel.registered import BlockKind, RegisteredRoom, RegisteredStream
from signalreel.settings import Settings
from tests.engine.scenes import (
    BLOCKED,
    DENIED,
    GRANTED,
    SETTINGS,
    Probe,
    Role,
    Scene,
    asks,
    host_orders,
    in_turn,
    under,
    wake,
    while_overloaded,
    while_suspended,
    with_media,
)
from tests.engine.world import World

__all__ = ("tour",)

# ---------------------------------------------------------------- streams


def stream_prepared(scene: Scene) -> None:
    """A stream whose publisher was told to start."""
    scene.world.say(scene.who, Publish(scene.id, main_track=scene.room), grant=GRANTED)


def stream_negotiating(scene: Scene) -> None:
    """A stream whose publisher has offered."""
    stream_prepared(scene)
    scene.world.say(scene.who, TakeConfiguration(scene.id, "offer", "sdp"))


def stream_connecting(scene: Scene) -> None:
    """A stream whose publisher got its answer."""
    stream_negotiating(scene)
    scene.world.report(DescriptionCreated(scene.world.stream(scene.id), "answer", "sdp"))


def stream_live(scene: Scene) -> None:
    """A stream whose media flows."""
    stream_connecting(scene)
    scene.world.report(MediaConnected(scene.world.stream(scene.id)))


def stream_kept(scene: Scene) -> None:
    """A stream that waits for its publisher, and a session that may be its publisher."""
    stream_live(scene)
    scene.world.close(scene.who)
    scene.world.open(scene.who)


def nothing(scene: Scene) -> None:
    """Nothing but the two sessions."""


STREAM_STAGES: Final = (nothing, stream_prepared, stream_negotiating, stream_connecting, stream_live, stream_kept)


def publish(scene: Scene) -> None:
    """The publisher publishes, or comes back."""
    scene.world.say(scene.who, Publish(scene.id), grant=GRANTED)


def publish_elsewhere_first(scene: Scene) -> None:
    """A session that publishes one stream asks for another."""
    scene.world.say(scene.other, Publish("elsewhere"), grant=GRANTED)
    scene.world.say(scene.other, Publish(scene.id), grant=GRANTED)


def take_the_room_as_a_pair(scene: Scene) -> None:
    """The room of a stream that is kept has become a pair when its publisher comes back."""
    scene.world.say(scene.other, Join(scene.room))
    publish(scene)


FULL_SESSIONS: Final = Settings(restore_ms=3_000, session_machines_max=0)

HIDING: Final = Settings(restore_ms=3_000, offers_owed_max=2, hide_streams=True)
QUESTIONS: Final[tuple[Callable[[str], AnyCommand], ...]] = (
    GetBroadcastObject,
    GetSubtracks,
    GetSubtracksCount,
    GetSubscriberCount,
    GetSubscribers,
    GetDebugInfo,
    GetStreamInfo,
    GetTrackList,
    lambda id: UpdateStreamMetaData(id, "{}"),
)


def asks_everything(scene: Scene, *, id: str, role: Role = "other") -> None:
    """Put every question about an id."""
    for question in QUESTIONS:
        scene.world.say(scene.session(role), question(id))


def asks_about_the_stream(scene: Scene) -> None:
    """Somebody who takes no part in the stream asks, and its publisher."""
    asks_everything(scene, id=scene.id)
    asks_everything(scene, id=scene.id, role="who")


def asks_about_the_room(scene: Scene) -> None:
    """Somebody who takes no part in the room asks, and a member."""
    asks_everything(scene, id=scene.room, role="third")
    scene.world.say(scene.session("third"), GetRoomInfo(scene.room, "any"))
    asks_everything(scene, id=scene.room, role="who")


def tells_too_much(scene: Scene) -> None:
    """Meta data that nobody would be told."""
    for id in (scene.id, scene.room):
        scene.world.say(scene.who, UpdateStreamMetaData(id, "x" * (TOLD_LENGTH_MAX + 1)))


FAR_AHEAD: Final = 1_000_000
"""A planned start, in seconds: the tour does not take so long."""


def registered(settings: Settings, ask: Probe) -> Probe:
    """Put a probe where only what is registered may be used."""
    return under(replace(settings, restore_ms=3_000, offers_owed_max=2), ask)


def plan_stream(scene: Scene) -> None:
    """The scene's id is registered as a stream that begins much later."""
    scene.world.order(RegisterStream(app="live", stream=RegisteredStream(scene.id, planned_start=FAR_AHEAD)))


def plan_room(scene: Scene) -> None:
    """The scene's room is registered for much later."""
    scene.world.order(RegisterRoom(app="live", room=RegisteredRoom(scene.room, planned_start=FAR_AHEAD)))


def publish_in_the_room(scene: Scene) -> None:
    """The publisher publishes in the scene's room, or comes back to it."""
    scene.world.say(scene.who, Publish(scene.id, main_track=scene.room), grant=GRANTED)


STREAM_PROBES: Final[tuple[Probe, ...]] = (
    asks_about_the_stream,
    under(HIDING, asks_about_the_stream),
    tells_too_much,
    registered(Settings(registered_streams_only=True), publish),
    registered(Settings(registered_rooms_only=True), publish_in_the_room),
    in_turn(plan_stream, publish),
    in_turn(plan_room, publish_in_the_room),
    while_suspended(publish),
    while_overloaded(publish),
    asks("who", lambda s: Publish(s.id), DENIED),
    asks("who", lambda s: Publish(s.id), BLOCKED),
    asks("other", lambda s: Publish(s.id)),
    publish,
    publish_elsewhere_first,
    take_the_room_as_a_pair,
    under(Settings(restore_ms=3_000, codecs=()), publish),
    under(Settings(restore_ms=3_000, streams_max=0), publish),
    asks("who", lambda s: TakeConfiguration(s.id, "offer", "sdp")),
    asks("who", lambda s: TakeConfiguration(s.id, "neither", "sdp")),
    asks("who", lambda s: TakeCandidate(s.id, 0, "0", "candidate")),
    asks("who", lambda s: Stop(s.id)),
    asks("who", lambda s: EnableTrack(s.id, s.id, enabled=False)),
    asks("other", lambda s: GetTrackList(s.id), DENIED),
    asks("other", lambda s: GetTrackList(s.id), BLOCKED),
    asks("who", lambda s: LeaveFromRoom(s.room)),
    host_orders(lambda s: EndStream(stream_id=s.id)),
    host_orders(lambda s: EndStream(app="live", stream_id=s.id)),
    wake,
    *(with_media(number, Kind.STREAM, lambda scene: scene.id) for number in range(10)),
)


def joins_two_rooms(scene: Scene) -> None:
    """A publisher leaves a room that its stream is not in."""
    scene.world.say(scene.who, JoinRoom("another-room", scene.id))
    scene.world.say(scene.who, LeaveFromRoom("another-room"))


def publish_into_a_pair(scene: Scene) -> None:
    """An id or a room that is a pair is neither stream nor room."""
    scene.world.say(scene.other, Join(scene.room))
    scene.world.say(scene.who, Publish(scene.room))
    scene.world.say(scene.who, Publish(scene.id, main_track=scene.room))


def publish_into_a_full_room(scene: Scene) -> None:
    """A room that has as many live streams as it may takes no other."""
    stream_live(scene)
    scene.world.set(Settings(room_streams_max=1))
    scene.world.say(scene.other, Publish("another", main_track=scene.room))
    scene.world.set(SETTINGS)


def close_without_identity(scene: Scene) -> None:
    """Whoever publishes without an identity has no restore window."""
    scene.world.publish(scene.who, scene.id)
    scene.world.close(scene.who)


def lose_media_without_joining(scene: Scene) -> None:
    """Publishers of a room who never joined it lose their media, the last one's closing the room."""
    stream_live(scene)
    scene.world.say(scene.other, Publish(f"another-of-{scene.id}", main_track=scene.room), grant=GRANTED)
    scene.world.go_live(scene.other, f"another-of-{scene.id}")
    scene.world.report(MediaLost(scene.world.stream(f"another-of-{scene.id}")))
    scene.world.report(MediaLost(scene.world.stream(scene.id)))


def lose_media_as_a_member(scene: Scene) -> None:
    """A member loses its media, and stays a member."""
    scene.world.say(scene.who, JoinRoom(scene.room, scene.id))
    stream_live(scene)
    scene.world.report(MediaLost(scene.world.stream(scene.id)))
    publish(scene)


def lose_media_and_go_on(scene: Scene, *, go_on: Probe) -> None:
    """A publisher whose media is lost does something else than publish again."""
    stream_live(scene)
    scene.world.report(MediaLost(scene.world.stream(scene.id)))
    go_on(scene)


def be_sent_away(scene: Scene) -> None:
    """The host sends the publisher away."""
    scene.world.apply(SessionClosed(code=POLICY_VIOLATION), session=scene.who)


def be_blocked(scene: Scene) -> None:
    """The host blocks the publisher."""
    block = BlockSubscriber(
        app="live", subscriber_id="ann", identity=GRANTED.identity, kind=BlockKind.PUBLISH, until=FAR_AHEAD
    )
    scene.world.order(block)
    scene.world.order(replace(block, until=0))


AFTER_A_LOSS: Final[tuple[Probe, ...]] = (
    nothing,
    be_sent_away,
    be_blocked,
    joins_two_rooms,
    asks("who", lambda s: Stop(s.id)),
    asks("who", lambda s: LeaveFromRoom(s.room)),
    asks("who", lambda s: TakeConfiguration(s.id, "offer", "sdp")),
    asks("who", lambda s: TakeCandidate(s.id)),
    asks("who", lambda s: EnableTrack(s.id, s.id)),
    asks("who", lambda s: Publish(s.id, main_track="another-room"), GRANTED),
    under(
        Settings(restore_ms=3_000, room_streams_max=0),
        asks("who", lambda s: Publish(s.id, main_track="another-room"), GRANTED),
    ),
)


def lose_media_without_identity(scene: Scene) -> None:
    """The stream of whoever has no identity ends with its media."""
    scene.world.report(MediaLost(scene.world.publish(scene.who, scene.id), silent=True))


def ask_about_sound_alone(scene: Scene) -> None:
    """A stream without a picture has one rendition without a size."""
    stream = scene.world.publish(scene.who, scene.id)
    scene.world.report(TracksFound(stream, (Track("a", "audio", "opus", bitrate=64_000),)))
    scene.world.say(scene.other, GetStreamInfo(scene.id))


# ---------------------------------------------------------------- playbacks


def playback_prepared(scene: Scene) -> None:
    """A whole room is to be played, and two streams of it are live."""
    stream_live(scene)
    scene.world.open(scene.third)
    scene.world.publish(scene.third, f"third-of-{scene.id}", room=scene.room)
    scene.world.say(scene.other, Play(scene.room, room=scene.room))


def playback_offered(scene: Scene) -> None:
    """The server has offered."""
    playback_prepared(scene)
    playback = scene.world.playback(scene.other, scene.room)
    scene.world.report(DescriptionCreated(playback, "offer", "sdp", {"0": "track"}))


def playback_connecting(scene: Scene) -> None:
    """The player has answered."""
    playback_offered(scene)
    scene.world.say(scene.other, TakeConfiguration(scene.room, "answer", "sdp"))


def playback_playing(scene: Scene) -> None:
    """The player is connected."""
    playback_connecting(scene)
    scene.world.report(MediaConnected(scene.world.playback(scene.other, scene.room)))


def playback_updating(scene: Scene) -> None:
    """A stream of the room has ended, and media makes a new offer."""
    playback_playing(scene)
    scene.world.say(scene.third, Stop(f"third-of-{scene.id}"))


def playback_reoffered(scene: Scene) -> None:
    """The new offer was sent."""
    playback_updating(scene)
    playback = scene.world.playback(scene.other, scene.room)
    scene.world.report(DescriptionCreated(playback, "offer", "sdp", {"0": "track"}))


def playback_waiting(scene: Scene) -> None:
    """A stream is waited for that is registered, for a while."""
    end = (scene.world.now + 10_000_000) // 1_000_000
    stream = RegisteredStream(scene.room, planned_end=end, waits=True)
    scene.world.order(RegisterStream(app="live", stream=stream))
    scene.world.say(scene.other, Play(scene.room, room="another-room"))


PLAYBACK_STAGES: Final = (
    nothing,
    playback_waiting,
    playback_prepared,
    playback_offered,
    playback_connecting,
    playback_playing,
    playback_updating,
    playback_reoffered,
)


def play(scene: Scene) -> None:
    """The player asks to play the room, again if it does already."""
    scene.world.say(scene.other, Play(scene.room, room=scene.room))


def change_the_room(scene: Scene) -> None:
    """A stream of the room ends, whatever the player is about."""
    if scene.world.state(Kind.STREAM, scene.id):
        scene.world.say(scene.who, Stop(scene.id))


def change_the_room_and_go_on(scene: Scene) -> None:
    """A stream of the room ends while something is negotiated; the negotiation then goes on."""
    change_the_room(scene)
    scene.world.say(scene.other, TakeConfiguration(scene.room, "answer", "sdp"))
    if scene.world.state(Kind.PLAYBACK, f"{scene.other}/{scene.room}"):
        scene.world.report(MediaConnected(scene.world.playback(scene.other, scene.room)))


def leave_another_room(scene: Scene) -> None:
    """The player leaves a room other than the one it plays."""
    scene.world.say(scene.other, JoinRoom("another-room"))
    scene.world.say(scene.other, LeaveFromRoom("another-room"))


def let_it_begin(scene: Scene) -> None:
    """What the player may be waiting for is published."""
    if not scene.world.state(Kind.ROOM, scene.room):
        scene.world.publish(scene.session("third"), scene.room)


def leave_the_played_room(scene: Scene) -> None:
    """The player, a member of the room that it plays, leaves it."""
    scene.world.say(scene.other, JoinRoom(scene.room))
    scene.world.say(scene.other, LeaveFromRoom(scene.room))


def assign_places(scene: Scene) -> None:
    """The player says everything that can be said of its places."""
    for command in (
        SetMaxVideoTrackCount(scene.room, 1),
        AssignVideoTrack(scene.room, scene.id),
        UpdateVideoTrackAssignments(scene.room, 0, 1),
        GetVideoTrackAssignments(scene.room),
    ):
        scene.world.say(scene.other, command)


def move_the_plan(scene: Scene) -> None:
    """What the player may be waiting for is registered with another plan."""
    end = (scene.world.now + 20_000_000) // 1_000_000
    moved = RegisteredStream(scene.room, planned_end=end, waits=True)
    scene.world.order(RegisterStream(app="live", stream=moved))


PLAYBACK_PROBES: Final[tuple[Probe, ...]] = (
    assign_places,
    while_suspended(play),
    while_overloaded(play),
    asks("other", lambda s: Play(s.room), DENIED),
    asks("other", lambda s: Play(s.room), BLOCKED),
    under(Settings(viewers_max=0), play),
    under(FULL_SESSIONS, play),
    play,
    asks("other", lambda s: TakeConfiguration(s.room, "answer", "sdp")),
    asks("other", lambda s: TakeConfiguration(s.room, "offer", "sdp")),
    asks("other", lambda s: TakeCandidate(s.room, 0, "0", "candidate")),
    asks("other", lambda s: Stop(s.room)),
    asks("other", lambda s: ToggleVideo(s.room, s.id, enabled=False)),
    asks("other", lambda s: ToggleAudio(s.room, s.id, enabled=False)),
    asks("other", lambda s: EnableTrack(s.room, s.id, enabled=False)),
    asks("other", lambda s: ForceStreamQuality(s.room, 360)),
    host_orders(lambda s: CloseRoom(app="live", room=s.room)),
    host_orders(lambda s: UnregisterStream(app="live", stream_id=s.room)),
    move_the_plan,
    let_it_begin,
    change_the_room,
    change_the_room_and_go_on,
    leave_another_room,
    leave_the_played_room,
    wake,
    *(with_media(number, Kind.PLAYBACK, lambda scene: f"{scene.other}/{scene.room}") for number in range(10)),
)


def single_stream_at(scene: Scene, *, answers: int, connected: bool) -> None:
    """A playback of one stream at a stage, so that the stream's end can be tried in all of them."""
    stream_live(scene)
    scene.world.say(scene.other, Play(scene.id))
    playback = scene.world.playback(scene.other, scene.id)
    if answers:
        scene.world.report(DescriptionCreated(playback, "offer", "sdp"))
    if answers > 1:
        scene.world.say(scene.other, TakeConfiguration(scene.id, "answer", "sdp"))
    if connected:
        scene.world.report(MediaConnected(playback))
    scene.world.say(scene.other, SetMaxVideoTrackCount(scene.id, 1))
    scene.world.say(scene.other, AssignVideoTrack(scene.id, scene.id))
    scene.world.say(scene.other, UpdateVideoTrackAssignments(scene.id, 0, 1))
    scene.world.say(scene.other, GetVideoTrackAssignments(scene.id))
    scene.world.say(scene.who, Stop(scene.id))


def play_nothing(scene: Scene) -> None:
    """There is nothing under this id, and the player does not say that it means a room."""
    scene.world.say(scene.other, Play(scene.id))


# ---------------------------------------------------------------- pairs


def pair_waiting(scene: Scene) -> None:
    """One peer waits."""
    scene.world.say(scene.who, Join(scene.id))


def pair_paired(scene: Scene) -> None:
    """Two peers have joined."""
    pair_waiting(scene)
    scene.world.say(scene.other, Join(scene.id))


def pair_offered(scene: Scene) -> None:
    """The second peer's offer is out."""
    pair_paired(scene)
    scene.world.say(scene.other, TakeConfiguration(scene.id, "offer", "sdp"))


def pair_connected(scene: Scene) -> None:
    """The first peer has answered."""
    pair_offered(scene)
    scene.world.say(scene.who, TakeConfiguration(scene.id, "answer", "sdp"))


def pair_expected(scene: Scene) -> None:
    """Two peers were sent to an id that is drawn; the scene goes on under it."""
    scene.world.say(scene.session("third"), Join(scene.id))
    step = scene.world.say(scene.other, Join(scene.id, multi_peer=True))
    scene.id = step.record.ids[0]


PAIR_STAGES: Final = (nothing, pair_expected, pair_waiting, pair_paired, pair_offered, pair_connected)


def offer_thrice(scene: Scene) -> None:
    """One peer offers more often than the other may owe, and the other answers late."""
    for _ in range(3):
        scene.world.say(scene.other, TakeConfiguration(scene.id, "offer", "sdp"))
    for _ in range(3):
        scene.world.say(scene.who, TakeConfiguration(scene.id, "answer", "sdp"))


def offer_across(scene: Scene) -> None:
    """Both offer, one after the other, and one more time the other way round."""
    for session in (scene.who, scene.other, scene.who):
        scene.world.say(session, TakeConfiguration(scene.id, "offer", "sdp"))


def call_too_often(scene: Scene) -> None:
    """One calls twice, and more do than may."""
    callers = [f"caller-{number}-of-{scene.id}" for number in range(CALLS_MAX)]
    scene.world.open(*callers)
    for session in (scene.other, scene.other, *callers):
        scene.world.say(session, Join(scene.id, multi_peer=True))
    for session in callers:
        scene.world.close(session)


PAIR_PROBES: Final[tuple[Probe, ...]] = (
    wake,
    asks("other", lambda s: Join(s.id, multi_peer=True)),
    call_too_often,
    asks("who", lambda s: PeerMessage(s.id, "zoom", {"to": 2})),
    asks("third", lambda s: PeerMessage(s.id, "zoom", {"to": 2})),
    asks("third", lambda s: GetDebugInfo(s.id)),
    under(HIDING, asks("third", lambda s: GetDebugInfo(s.id))),
    asks("who", lambda s: Join(s.id)),
    asks("who", lambda s: Join(s.id), DENIED),
    asks("who", lambda s: Join(s.id), BLOCKED),
    asks("third", lambda s: Join(s.id)),
    under(FULL_SESSIONS, asks("third", lambda s: Join(s.id))),
    asks("third", lambda s: TakeConfiguration(s.id, "offer", "sdp")),
    asks("third", lambda s: TakeCandidate(s.id)),
    asks("third", lambda s: Leave(s.id)),
    asks("who", lambda s: TakeConfiguration(s.id, "offer", "sdp")),
    asks("who", lambda s: TakeConfiguration(s.id, "answer", "sdp")),
    asks("other", lambda s: TakeConfiguration(s.id, "answer", "sdp")),
    asks("who", lambda s: TakeCandidate(s.id)),
    asks("who", lambda s: Leave(s.id)),
    asks("other", lambda s: Leave(s.id)),
    offer_thrice,
    offer_across,
)


def call_and_pair_up(scene: Scene, *, descriptions: tuple[str, ...]) -> None:
    """A call is settled while the one that was called is in a call of its own."""
    pair_waiting(scene)
    step = scene.world.say(scene.other, Join(scene.id, multi_peer=True))
    scene.world.say(scene.session("third"), Join(scene.id))
    for session, description in zip((scene.who, scene.third), descriptions, strict=False):
        scene.world.say(session, TakeConfiguration(scene.id, description, "sdp"))
    scene.world.say(scene.other, Join(step.record.ids[0]))


def join_a_live_stream(scene: Scene) -> None:
    """An id that is a stream is no pair, and no room either."""
    stream_live(scene)
    scene.world.say(scene.other, Join(scene.id))
    scene.world.say(scene.other, JoinRoom(scene.id))


# ---------------------------------------------------------------- rooms


def room_joined(scene: Scene) -> None:
    """A room with one member, who publishes in it."""
    scene.world.say(scene.who, JoinRoom(scene.room, scene.id))
    scene.world.publish(scene.who, scene.id)


def room_of_two(scene: Scene) -> None:
    """A room with two members."""
    room_joined(scene)
    scene.world.say(scene.other, JoinRoom(scene.room))


def room_watched(scene: Scene) -> None:
    """A room that someone only plays."""
    scene.world.say(scene.other, Play(scene.room, room=scene.room))


def publish_as_a_third(scene: Scene) -> None:
    """Someone who is neither of the two publishes in the room, up to where it is live."""
    scene.world.publish(scene.session("third"), f"third-of-{scene.id}", room=scene.room)


ROOM_STAGES: Final = (nothing, room_joined, room_of_two, room_watched)

ROOM_PROBES: Final[tuple[Probe, ...]] = (
    asks_about_the_room,
    under(HIDING, asks_about_the_room),
    tells_too_much,
    registered(Settings(registered_rooms_only=True), asks("third", lambda s: JoinRoom(s.room))),
    in_turn(plan_room, asks("third", lambda s: JoinRoom(s.room))),
    asks("who", lambda s: JoinRoom(s.room)),
    asks("who", lambda s: JoinRoom("")),
    under(FULL_SESSIONS, asks("third", lambda s: JoinRoom(s.room))),
    asks("who", lambda s: JoinRoom(s.room), DENIED),
    asks("who", lambda s: JoinRoom(s.room), BLOCKED),
    asks("who", lambda s: GetRoomInfo(s.room, s.id)),
    asks("who", lambda s: GetRoomInfo("", s.id)),
    asks("other", lambda s: GetTrackList(s.room)),
    asks("other", lambda s: GetTrackList(s.room), DENIED),
    asks("other", lambda s: GetTrackList(s.room), BLOCKED),
    asks("who", lambda s: LeaveFromRoom(s.room)),
    asks("who", lambda s: LeaveFromRoom("")),
    asks("third", lambda s: LeaveFromRoom(s.room)),
    asks("who", lambda s: Stop(s.id)),
    host_orders(lambda s: CloseRoom(app="live", room=s.room)),
    asks("other", lambda s: Publish(f"another-of-{s.id}", main_track=s.room)),
    asks("other", lambda s: Play(s.room)),
    publish_as_a_third,
)


def two_play_and_one_goes(scene: Scene) -> None:
    """A room that two sessions play stays open when one of them stops."""
    room_watched(scene)
    scene.world.say(scene.who, Play(scene.room))
    scene.world.say(scene.who, Stop(scene.room))
    scene.world.say(scene.other, Stop(scene.room))


def publishers_go(scene: Scene) -> None:
    """Publishers who never joined leave their seats with their streams, the last one's closing the room."""
    scene.world.publish(scene.who, scene.id, room=scene.room)
    scene.world.publish(scene.other, f"another-of-{scene.id}", room=scene.room)
    scene.world.say(scene.other, Stop(f"another-of-{scene.id}"))
    scene.world.say(scene.who, Stop(scene.id))


def stop_what_is_not_in_the_room(scene: Scene) -> None:
    """A member that publishes outside of the room stops that stream."""
    scene.world.say(scene.who, JoinRoom(scene.room))
    scene.world.publish(scene.who, scene.id)
    scene.world.say(scene.who, Stop(scene.id))


def leave_two_rooms_at_once(scene: Scene) -> None:
    """A member of two rooms names neither of them, as one page does, and leaves both."""
    scene.world.say(scene.who, JoinRoom(scene.room, scene.id))
    scene.world.say(scene.who, JoinRoom("another-room", scene.id))
    scene.world.publish(scene.who, scene.id)
    scene.world.say(scene.who, LeaveFromRoom("roomNameBox.value"))


def play_a_room_without_one_stream(scene: Scene) -> None:
    """A stream comes live that a player of its room has asked to leave out."""
    scene.world.play(scene.other, scene.room, room=scene.room, tracks=(f"!{scene.id}",))
    stream_live(scene)


def stop_while_playing_the_room(scene: Scene) -> None:
    """A member that plays its room whole stops its own stream, and so leaves; another member stays."""
    room_of_two(scene)
    scene.world.play(scene.who, scene.room)
    scene.world.say(scene.who, Stop(scene.id))


def close_a_room_with_players(scene: Scene) -> None:
    """The host closes a room in which one member plays another's stream, and one the whole room."""
    room_of_two(scene)
    scene.world.play(scene.other, scene.id, room=scene.room)
    scene.world.play(scene.who, scene.room)
    scene.world.order(CloseRoom(app="live", room=scene.room))


def close_a_room_with_a_kept_stream(scene: Scene) -> None:
    """The host closes a room while a stream of it waits for its publisher."""
    stream_kept(scene)
    scene.world.say(scene.other, JoinRoom(scene.room))
    scene.world.order(CloseRoom(app="live", room=scene.room))


def publish_as_a_room_that_is_only_watched(scene: Scene) -> None:
    """Somebody plays a room in which nobody is, and another publishes a stream under its id."""
    scene.world.play(scene.other, scene.id, room=scene.id)
    scene.world.publish(scene.who, scene.id)


def play_what_is_registered(scene: Scene) -> None:
    """A registered stream is played before its time, and in it without being live."""
    plan_stream(scene)
    for question in (GetBroadcastObject, GetSubscribers, GetSubscriberCount):
        scene.world.say(scene.other, question(scene.id))
    scene.world.say(scene.other, Play(scene.id))
    scene.world.order(RegisterStream(app="live", stream=RegisteredStream(scene.id)))
    scene.world.say(scene.other, Play(scene.id))


def play_a_room_before_its_time(scene: Scene) -> None:
    """A registered room is played before it opens."""
    plan_room(scene)
    scene.world.say(scene.other, Play(scene.room, room=scene.room))


def play_without_a_ladder(scene: Scene) -> None:
    """A stream is to be played in several renditions, and there are no settings for them."""
    stream_live(scene)
    scene.world.order(RegisterStream(app="live", stream=RegisteredStream(scene.id, adaptive=True)))
    scene.world.say(scene.other, Play(scene.id))


LONE_SCENES: Final[tuple[Probe, ...]] = (
    play_what_is_registered,
    play_a_room_before_its_time,
    play_without_a_ladder,
    lose_media_without_joining,
    lose_media_as_a_member,
    *(partial(lose_media_and_go_on, go_on=go_on) for go_on in AFTER_A_LOSS),
    lose_media_without_identity,
    publish_into_a_pair,
    publish_into_a_full_room,
    close_without_identity,
    ask_about_sound_alone,
    play_nothing,
    *(partial(call_and_pair_up, descriptions=("offer", "answer")[:number]) for number in range(3)),
    join_a_live_stream,
    two_play_and_one_goes,
    publishers_go,
    stop_what_is_not_in_the_room,
    leave_two_rooms_at_once,
    play_a_room_without_one_stream,
    stop_while_playing_the_room,
    close_a_room_with_players,
    close_a_room_with_a_kept_stream,
    publish_as_a_room_that_is_only_watched,
    *(partial(single_stream_at, answers=answers, connected=False) for answers in range(3)),
    partial(single_stream_at, answers=2, connected=True),
    *(in_turn(stage, joins_two_rooms) for stage in STREAM_STAGES[1:5]),
)


@cache
def tour() -> World:
    """Take the tour."""
    world = World(SETTINGS, state_digest_every=64)
    number = 0
    for stages, probes in (
        (STREAM_STAGES, STREAM_PROBES),
        (PLAYBACK_STAGES, PLAYBACK_PROBES),
        (PAIR_STAGES, PAIR_PROBES),
        (ROOM_STAGES, ROOM_PROBES),
        ((nothing,), LONE_SCENES),
    ):
        for stage in stages:
            for probe in probes:
                number += 1
                scene = Scene(world, number)
                stage(scene)
                probe(scene)
                scene.leave()
    return world
