"""The playback: one session playing one stream, or a whole room.

    idle -> waiting      the stream is registered, and not live yet; once it is, the rest follows
         -> preparing    media makes the server's offer
         -> offered      the offer was sent
         -> connecting   the player's answer was taken
         -> playing      `play_started` was sent
         -> updating     what the room shows has changed; media makes a new offer on the same connection
         -> reoffered    the new offer was sent; its answer leads back to playing
         -> finished

A room is played over one connection: the server offers again, whole, whenever what is live in the room changes. While
one negotiation is under way further changes wait; `roster_moved` looks at them when it is done. A player who does not
answer in time is told `play_finished`, because it would never be shown what comes and goes later.
"""

from typing import Final

from msgspec.structs import replace

from signalreel.commands import (
    EnableTrack,
    ForceStreamQuality,
    GetVideoTrackAssignments,
    Play,
    Stop,
    TakeCandidate,
    TakeConfiguration,
    ToggleAudio,
    ToggleVideo,
)
from signalreel.events import (
    BitrateMeasured,
    CandidateFound,
    DeadlineReached,
    DescriptionCreated,
    DescriptionFailed,
    MediaConnected,
    MediaLost,
    ResolutionChanged,
    SessionClosed,
)
from signalreel.identifiers import Kind
from signalreel.machines.blocking import without_blocked
from signalreel.machines.checks import access_checks, holds_too_many, is_answer, is_taken, load_checks
from signalreel.machines.context import Context, error_of
from signalreel.machines.notices import (
    LeftRoom,
    PlanChanged,
    PlayerCame,
    PlayerWent,
    RosterChanged,
    StreamEnded,
    StreamWentLive,
)
from signalreel.machines.places import ASSIGNING, ASSIGNMENT_ROWS, publish_assignments
from signalreel.machines.planned import (
    as_asked,
    is_registered_room,
    must_wait,
    no_renditions,
    not_live,
    registered_wake,
    room_closed,
    stream_closed,
    until_room_opens,
    until_stream_opens,
    viewers_max_of,
    waits_in_vain,
)
from signalreel.machines.shapes import Playback, PlaybackState, is_live
from signalreel.machines.table import SAME, Table, ignore, otherwise, refuse, row, unreachable
from signalreel.machines.tracks import EXCLUDED, left_out, resolved
from signalreel.messages import Candidate, Description, Error, Notification
from signalreel.refusals import (
    ALREADY_PLAYING,
    HIGH_RESOURCE_USAGE,
    NO_ENCODER_SETTINGS,
    NO_STREAM_EXIST,
    NOT_SET_LOCAL_DESCRIPTION,
    NOT_SET_REMOTE_DESCRIPTION,
    ROOM_NOT_ACTIVE_OR_EXPIRED,
    STREAM_NOT_ACTIVE_OR_EXPIRED,
    VIEWER_LIMIT_REACHED,
    Refusal,
)
from signalreel.step import HeightForced, Roster, Source, TrackSwitched

__all__ = ("PLAYBACK",)


IDLE, WAITING, PREPARING, OFFERED, CONNECTING, PLAYING, UPDATING, REOFFERED, FINISHED = PlaybackState


# ---------------------------------------------------------------- play


def nothing_to_play(playback: Playback, play: Play, context: Context) -> bool:
    """Whether the id is neither a stream, live or registered, nor a room.

    A room may be played before anything is in it, and even before it exists when the player says that it means a room;
    new conference pages publish and play at once, in either order.
    """
    if is_live(context.find(Kind.STREAM, play.stream_id)):
        return False
    if context.find(Kind.ROOM, play.stream_id) is not None:
        return False
    if play.room != play.stream_id:
        return context.registry.stream(context.app, play.stream_id) is None
    if context.settings.registered_rooms_only and not is_registered_room(context, play.room):
        return True
    return is_taken(play.stream_id, (Kind.STREAM, Kind.PAIR), context)


def viewer_limit_reached(playback: Playback, play: Play, context: Context) -> bool:
    """Whether the stream has as many viewers as it may; counted while they wait or connect, too."""
    app, id = context.app, play.stream_id
    return (
        0
        <= viewers_max_of(context, id)
        <= context.indexes.audience_size(app, id) + context.indexes.waiting_size(app, id)
    )


def wait(playback: Playback, play: Play, context: Context) -> Playback:
    """Accept: say that the stream starts soon, and have the player wait for it, until its plan ends at most."""
    context.send(context.session, Notification("streaming_starts_soon", stream_id=play.stream_id))
    return replace(
        playback,
        sessions=(context.session,),
        waits_for=play.stream_id,
        room=play.room,
        **as_asked(play),
        **registered_wake(play.stream_id, context),
    )


def begin(playback: Playback, notice: StreamWentLive, context: Context) -> Playback:
    """The stream is live: say so, and have media make an offer of it."""
    context.send(playback.sessions[0], Notification("streaming_started", stream_id=notice.stream_id))
    timer = context.timer(context.settings.play_timeout_ms)
    begun = replace(playback, watches=notice.stream_id, waits_for="", **timer)
    return show(begun, wanted_sources(begun, context), context)


def open_playback(playback: Playback, play: Play, context: Context) -> Playback:
    """Accept: have media make an offer of what is to be shown, and give the player its time."""
    whole_room = not is_live(context.find(Kind.STREAM, play.stream_id))
    if whole_room:
        context.notify(Kind.ROOM, play.stream_id, PlayerCame())
    opened = replace(
        playback,
        sessions=(context.session,),
        watches=play.stream_id,
        whole_room=whole_room,
        room=play.stream_id if whole_room else play.room,
        **as_asked(play),
        **context.timer(context.settings.play_timeout_ms),
    )
    return show(opened, wanted_sources(opened, context), context)


def wanted_sources(playback: Playback, context: Context) -> tuple[Source, ...]:
    """Say what this playback is to show now: the stream, or what is live in the room, is wanted and not its own.

    Newer pages name neither their own stream nor the others, so what counts is which session publishes it.
    """
    if not playback.whole_room:
        stream = context.find(Kind.STREAM, playback.watches)
        return (Source(playback.watches, stream.born if stream is not None else 0),)
    own = {*context.held(playback.sessions[0], Kind.STREAM), playback.publishes}
    listed = frozenset(playback.track_list)
    # A list that leaves something out means the rest, whoever else it names: a page of the old SDK names those it has
    # found and leaves itself out, once, and shows whoever comes later.
    takes_all = not listed or any(entry.startswith(EXCLUDED) for entry in listed)
    wanted = tuple(
        Source(id, born)
        for id, born in context.indexes.roster(playback.app, playback.watches)
        if id not in own and EXCLUDED + id not in listed and (id in listed or takes_all)
    )
    return without_blocked(playback, wanted, context)


def show(playback: Playback, sources: tuple[Source, ...], context: Context) -> Playback:
    """Have media offer these sources."""
    context.detail = Roster(sources, playback.switched_off)
    return replace(playback, sources=sources)


# ---------------------------------------------------------------- negotiation


def send_offer(playback: Playback, event: DescriptionCreated, context: Context) -> None:
    """Pass media's offer on, with the names of its tracks."""
    offer = Description(playback.watches, event.type, event.sdp, id_mapping=event.id_mapping)
    context.send(playback.sessions[0], offer)


def fail(playback: Playback, event: DescriptionFailed, context: Context) -> Playback:
    """Say which description failed, and end."""
    refusal: Refusal = NOT_SET_REMOTE_DESCRIPTION if event.side == "remote" else NOT_SET_LOCAL_DESCRIPTION
    context.send(playback.sessions[0], playback_error(playback, refusal, event))
    return finish(playback, event, context)


def send_candidate(playback: Playback, event: CandidateFound, context: Context) -> None:
    """Pass media's candidate on."""
    context.send(playback.sessions[0], Candidate(playback.watches, event.label, event.id, event.candidate))


def roster_moved(playback: Playback, input: object, context: Context) -> bool:
    """Whether what is to be shown is no longer what was offered."""
    return playback.whole_room and wanted_sources(playback, context) != playback.sources


def start(playback: Playback, event: MediaConnected, context: Context) -> Playback:
    """The player is connected."""
    context.send(playback.sessions[0], Notification("play_started", stream_id=playback.watches, subscriber_id=""))
    context.detail = publish_assignments(playback, context)
    kind = "" if playback.whole_room else left_out(playback.track_list, playback.watches)
    if kind:
        context.detail = TrackSwitched(playback.watches, kind, enabled=False)
    return replace(playback, wake_at=0)


def start_and_update(playback: Playback, event: MediaConnected, context: Context) -> Playback:
    """The player is connected, and the room has changed meanwhile; places are assigned when it is up to date."""
    context.send(playback.sessions[0], Notification("play_started", stream_id=playback.watches, subscriber_id=""))
    return update(playback, event, context)


def settle(playback: Playback, answer: TakeConfiguration, context: Context) -> Playback:
    """The player shows what there is now, so places are assigned anew."""
    context.detail = publish_assignments(playback, context)
    return replace(playback, wake_at=0)


def tell_change(playback: Playback, notice: RosterChanged, context: Context) -> None:
    """Tell the player which stream came or went, unless it is its own."""
    id = notice.added or notice.removed
    if id and notice.session != playback.sessions[0]:
        definition = "subtrackAdded" if notice.added else "subtrackRemoved"
        context.send(playback.sessions[0], Notification(definition, stream_id=playback.watches, track_id=id))


def tell_and_update(playback: Playback, notice: RosterChanged, context: Context) -> Playback:
    """Tell the player, and have media offer what is to be shown now."""
    tell_change(playback, notice, context)
    return update(playback, notice, context)


def update(playback: Playback, input: object, context: Context) -> Playback:
    """Have media offer what is to be shown now, and give the player its time to answer."""
    shown = show(playback, wanted_sources(playback, context), context)
    return replace(shown, **context.timer(context.settings.play_timeout_ms))


# ---------------------------------------------------------------- while it plays


def track_of(playback: Playback, command: ToggleVideo | ToggleAudio | EnableTrack) -> tuple[str, str]:
    """Say which stream is meant, and which of its tracks."""
    name = command.track_id or command.stream_id
    return resolved(name, [source.stream_id for source in playback.sources])


def switch_video(playback: Playback, command: ToggleVideo, context: Context) -> None:
    """Stop or resume a track's picture for this player."""
    context.detail = TrackSwitched(track_of(playback, command)[0], "video", command.enabled)


def switch_audio(playback: Playback, command: ToggleAudio, context: Context) -> None:
    """Stop or resume a track's sound for this player."""
    context.detail = TrackSwitched(track_of(playback, command)[0], "audio", command.enabled)


def switch_track(playback: Playback, command: EnableTrack, context: Context) -> None:
    """Stop or resume a whole track for this player."""
    stream_id, kind = track_of(playback, command)
    context.detail = TrackSwitched(stream_id, kind, command.enabled)


def force_height(playback: Playback, command: ForceStreamQuality, context: Context) -> None:
    """Pin a rendition, or hand the choice back."""
    context.detail = HeightForced(command.stream_height)


def tell_bitrate(playback: Playback, event: BitrateMeasured, context: Context) -> None:
    """Tell the player what it can take and what it gets (bit/s)."""
    measured = Notification(
        "bitrateMeasurement",
        stream_id=playback.watches,
        target_bitrate=event.target,
        video_bitrate=event.video,
        audio_bitrate=event.audio,
    )
    context.send(playback.sessions[0], measured)


def tell_resolution(playback: Playback, event: ResolutionChanged, context: Context) -> None:
    """Tell the player that its picture has another height."""
    changed = Notification("resolutionChangeInfo", stream_id=playback.watches, stream_height=event.height)
    context.send(playback.sessions[0], changed)


# ---------------------------------------------------------------- the end


def is_played_there(playback: Playback, notice: LeftRoom, context: Context) -> bool:
    """Whether the room that its session left is the one this is played in."""
    return playback.room == notice.room


def finish(playback: Playback, input: object, context: Context) -> Playback:
    """Tell the player that it is over."""
    id = playback.watches or playback.waits_for
    context.send(playback.sessions[0], Notification("play_finished", stream_id=id, subscriber_id=""))
    return end(playback, input, context)


def playback_error(playback: Playback, refusal: Refusal, input: object) -> Error:
    """An error to the player that answers none of its commands."""
    id = playback.watches or playback.waits_for
    return error_of(refusal, input, stream_id=id, subscriber_id=playback.subscriber_id)


def end(playback: Playback, input: object, context: Context) -> Playback:
    """End without a word: the player is gone."""
    if playback.whole_room:
        context.notify(Kind.ROOM, playback.watches, PlayerWent())
    return replace(playback, sessions=(), wake_at=0, watches="", waits_for="")


def wait_on(playback: Playback, input: object, context: Context) -> Playback:
    """Wait until the plan ends that there is now."""
    return replace(playback, **registered_wake(playback.waits_for, context))


def tell_closed(playback: Playback, event: DeadlineReached, context: Context) -> Playback:
    """The plan of what is waited for has ended: say so."""
    closed = playback_error(playback, STREAM_NOT_ACTIVE_OR_EXPIRED, event)
    context.send(playback.sessions[0], closed)
    return finish(playback, event, context)


# ---------------------------------------------------------------- the table

CONNECTED = (PLAYING, UPDATING, REOFFERED)
STARTING = (PREPARING, OFFERED, CONNECTING)
ACTIVE = (*STARTING, *CONNECTED)
HELD = (WAITING, *ACTIVE)
ALL = (IDLE, *HELD)

OF_PLAYER: Final = (TakeConfiguration, TakeCandidate, ToggleVideo, ToggleAudio, EnableTrack, ForceStreamQuality)
"""What a player says of what it plays, whatever that is."""

OF_MEDIA: Final = (
    DescriptionCreated,
    DescriptionFailed,
    CandidateFound,
    MediaConnected,
    MediaLost,
    BitrateMeasured,
    ResolutionChanged,
)
"""What media reports of a playback."""

PLAYBACK: Final = Table(
    Kind.PLAYBACK,
    Playback,
    PlaybackState,
    initial=IDLE,
    finals=(FINISHED,),
    inputs=(
        Play,
        *OF_PLAYER,
        Stop,
        *OF_MEDIA,
        GetVideoTrackAssignments,
        *ASSIGNING,
        DeadlineReached,
        SessionClosed,
        StreamEnded,
        StreamWentLive,
        PlanChanged,
        RosterChanged,
        LeftRoom,
    ),
    rows=[
        *load_checks(Play, ALL),
        *access_checks(Play, ALL),
        refuse(Play, HELD, otherwise, ALREADY_PLAYING),
        refuse(Play, IDLE, nothing_to_play, NO_STREAM_EXIST),
        refuse(Play, IDLE, stream_closed, STREAM_NOT_ACTIVE_OR_EXPIRED, until_stream_opens),
        refuse(Play, IDLE, room_closed, ROOM_NOT_ACTIVE_OR_EXPIRED, until_room_opens),
        refuse(Play, IDLE, not_live, NO_STREAM_EXIST),
        refuse(Play, IDLE, viewer_limit_reached, VIEWER_LIMIT_REACHED),
        refuse(Play, IDLE, no_renditions, NO_ENCODER_SETTINGS),
        refuse(Play, IDLE, holds_too_many, HIGH_RESOURCE_USAGE),
        row(Play, IDLE, must_wait, wait, WAITING),
        row(Play, IDLE, otherwise, open_playback, PREPARING),
        row(DescriptionCreated, PREPARING, otherwise, send_offer, OFFERED),
        row(DescriptionCreated, UPDATING, otherwise, send_offer, REOFFERED),
        ignore(DescriptionCreated, (OFFERED, CONNECTING, PLAYING, REOFFERED), because="nobody asked for this offer"),
        row(DescriptionFailed, ACTIVE, otherwise, fail, FINISHED),
        row(TakeConfiguration, OFFERED, is_answer, None, CONNECTING),
        row(TakeConfiguration, REOFFERED, (is_answer, roster_moved), update, UPDATING),
        row(TakeConfiguration, REOFFERED, is_answer, settle, PLAYING),
        ignore(TakeConfiguration, ACTIVE, because="a player answers, once for each offer"),
        row(TakeCandidate, ACTIVE, otherwise, None, SAME),
        row(CandidateFound, ACTIVE, otherwise, send_candidate),
        row(MediaConnected, CONNECTING, roster_moved, start_and_update, UPDATING),
        row(MediaConnected, CONNECTING, otherwise, start, PLAYING),
        ignore(MediaConnected, (PREPARING, OFFERED), because="nothing was negotiated yet"),
        ignore(MediaConnected, CONNECTED, because="known already"),
        row(ToggleVideo, ACTIVE, otherwise, switch_video, SAME),
        row(ToggleAudio, ACTIVE, otherwise, switch_audio, SAME),
        row(EnableTrack, ACTIVE, otherwise, switch_track, SAME),
        row(ForceStreamQuality, ACTIVE, otherwise, force_height, SAME),
        row(BitrateMeasured, CONNECTED, otherwise, tell_bitrate),
        ignore(BitrateMeasured, STARTING, because="nothing is played yet"),
        row(ResolutionChanged, CONNECTED, otherwise, tell_resolution),
        ignore(ResolutionChanged, STARTING, because="nothing is played yet"),
        ASSIGNMENT_ROWS,
        row(RosterChanged, PLAYING, roster_moved, tell_and_update, UPDATING),
        row(RosterChanged, ACTIVE, otherwise, tell_change),
        row(StreamWentLive, WAITING, otherwise, begin, PREPARING),
        unreachable(StreamWentLive, ACTIVE, because="only those that wait for a stream are told"),
        row(Stop, HELD, otherwise, finish, FINISHED),
        row(StreamEnded, (*STARTING, PLAYING), otherwise, finish, FINISHED),
        unreachable(
            StreamEnded, (UPDATING, REOFFERED), because="only a whole room is updated, and it has no end itself"
        ),
        row(LeftRoom, HELD, is_played_there, finish, FINISHED),
        ignore(LeftRoom, HELD, because="it is played elsewhere"),
        row(MediaLost, ACTIVE, otherwise, finish, FINISHED),
        row(DeadlineReached, (*STARTING, UPDATING, REOFFERED), otherwise, finish, FINISHED),
        unreachable(DeadlineReached, PLAYING, because="a playback that plays has no timer"),
        row(DeadlineReached, WAITING, otherwise, tell_closed, FINISHED),
        row(PlanChanged, WAITING, waits_in_vain, finish, FINISHED),
        row(PlanChanged, WAITING, otherwise, wait_on),
        unreachable(PlanChanged, (IDLE, *ACTIVE), because="only those that wait for a stream are told"),
        row(SessionClosed, HELD, otherwise, end, FINISHED),
        ignore((*OF_PLAYER, GetVideoTrackAssignments, *ASSIGNING), WAITING, because="nothing is played yet"),
        ignore(OF_MEDIA, WAITING, because="media has not been asked for anything yet"),
        unreachable((StreamEnded, RosterChanged), WAITING, because="only those that show a stream or room are told"),
        unreachable(StreamWentLive, IDLE, because="only those that wait for a stream are told"),
        ignore((StreamEnded, RosterChanged, LeftRoom), IDLE, because="it has ended in this very step"),
        unreachable(
            (*OF_PLAYER, Stop, *OF_MEDIA, DeadlineReached, SessionClosed),
            IDLE,
            because="nothing of an idle playback is stored, so nothing can be meant for it",
        ),
    ],
)
