"""The stream: one published stream, from the publish that was accepted to its end.

    idle -> preparing      `start` was sent, the publish timer runs
         -> negotiating    the publisher's offer was taken, media makes the answer
         -> connecting     the answer was sent
         -> broadcasting   media flows, `publish_started` was sent, it can be played
         -> restoring      its session closed or its media is lost; the id is kept for its own publisher for a while
         -> finished

The publish timer is set once, at `start`, and no offer restarts it (protocol page: publishTimeoutError).
"""

from typing import Final

from msgspec.structs import replace

from signalreel.commands import (
    EnableTrack,
    GetStreamInfo,
    GetTrackList,
    Publish,
    Stop,
    TakeCandidate,
    TakeConfiguration,
    UpdateStreamMetaData,
)
from signalreel.events import (
    CandidateFound,
    DeadlineReached,
    DescriptionCreated,
    DescriptionFailed,
    MediaConnected,
    MediaLost,
    SessionClosed,
    TracksFound,
)
from signalreel.host import EndStream
from signalreel.identifiers import Kind
from signalreel.machines.checks import (
    access_checks,
    by_another_session,
    by_holder,
    can_be_told,
    is_offer,
    is_taken,
    load_checks,
)
from signalreel.machines.context import US_PER_MS, Context, error_of
from signalreel.machines.notices import IdWanted, LeftRoom, StreamEnded, StreamPaused, StreamPlaced, StreamWentLive
from signalreel.machines.planned import (
    ladder_of,
    room_closed,
    room_unregistered,
    room_wanted,
    stream_closed,
    stream_unregistered,
    streams_max_of,
    until_room_opens,
    until_stream_opens,
)
from signalreel.machines.questions import ANSWERS, answered, hidden, unanswered
from signalreel.machines.shapes import Room, Stream, StreamState
from signalreel.machines.table import SAME, Row, Table, ignore, otherwise, refuse, row, unreachable
from signalreel.machines.texts import told
from signalreel.machines.tracks import names_of, renditions_of, resolved, wanted_of
from signalreel.messages import (
    POLICY_VIOLATION,
    Candidate,
    Description,
    Error,
    Notification,
    Start,
    StreamInformation,
    TrackList,
)
from signalreel.refusals import (
    ALREADY_PUBLISHING,
    HIGH_RESOURCE_USAGE,
    MAIN_TRACK_IS_FULL,
    NO_CODEC_ENABLED,
    NO_PACKET_RECEIVED,
    NO_STREAM_EXIST,
    NOT_ALLOWED_UNREGISTERED_STREAMS,
    NOT_SET_LOCAL_DESCRIPTION,
    NOT_SET_REMOTE_DESCRIPTION,
    PUBLISH_TIMEOUT_ERROR,
    ROOM_NOT_ACTIVE_OR_EXPIRED,
    STREAM_ID_IN_USE,
    STREAM_NOT_ACTIVE_OR_EXPIRED,
    UNAUTHORIZED_ACCESS,
    Refusal,
)
from signalreel.step import PublishTerms, TrackSwitched

__all__ = ("RETURN_MS", "STREAM")


IDLE, PREPARING, NEGOTIATING, CONNECTING, BROADCASTING, RESTORING, FINISHED = StreamState

RETURN_MS: Final = 1_000
"""How long an id is kept for a publisher that lost its media and then says `stop`. The JS SDK says so whenever it
connects anew, and publishes half a second later."""


# ---------------------------------------------------------------- publish


def session_publishes(stream: Stream, publish: Publish, context: Context) -> bool:
    """Whether the session publishes another stream: one a session. One that lost its media is published no longer."""
    own = (context.find(Kind.STREAM, id) for id in context.held(context.session, Kind.STREAM))
    return any(isinstance(other, Stream) and other.state is not RESTORING for other in own)


def identity_differs(stream: Stream, publish: Publish, context: Context) -> bool:
    """Whether someone else asks for an id that is kept for its publisher."""
    grant = context.record.grant
    return grant is None or not grant.identity or grant.identity != stream.identity


def until_freed(stream: Stream, publish: Publish, context: Context) -> int:
    """How many milliseconds the id is kept for its publisher from now on."""
    return -((context.time - stream.wake_at) // US_PER_MS)


def no_codec_enabled(stream: Stream, publish: Publish, context: Context) -> bool:
    """Whether the settings leave nothing to publish with."""
    return not context.settings.codecs


def too_many_streams(stream: Stream, publish: Publish, context: Context) -> bool:
    """Whether the app has as many streams as it may."""
    limit = context.settings.streams_max
    return 0 <= limit <= context.indexes.streams(context.app)


def room_is_full(stream: Stream, publish: Publish, context: Context) -> bool:
    """Whether the room it is to be published in has as many streams as it may, live or about to be."""
    room = room_wanted(stream, publish, context)
    limit = streams_max_of(context, room)
    return bool(room) and room != stream.placed_in and 0 <= limit <= context.indexes.placed_size(context.app, room)


def is_held_as_another(stream: Stream, publish: Publish, context: Context) -> bool:
    """Whether the id is a pair's, or a room's that somebody is in; one that is only watched gives way."""
    room = context.find(Kind.ROOM, stream.id)
    if isinstance(room, Room):
        return bool(room.members) or context.indexes.placed_size(stream.app, stream.id) > 0
    return is_taken(stream.id, (Kind.PAIR,), context)


def room_name_taken(stream: Stream, publish: Publish, context: Context) -> bool:
    """Whether the room it is to be published in is no room: its own id, or a live stream or pair."""
    room = room_wanted(stream, publish, context)
    return bool(room) and (room == publish.stream_id or is_taken(room, (Kind.STREAM, Kind.PAIR), context))


def open_stream(stream: Stream, publish: Publish, context: Context) -> Stream:
    """Accept: say `start`, and give the publisher its time."""
    context.send(context.session, Start(stream.id, publish.subscriber_id))
    if is_taken(stream.id, (Kind.ROOM,), context):
        context.notify(Kind.ROOM, stream.id, IdWanted())
    room = room_wanted(stream, publish, context)
    if room:
        context.notify(Kind.ROOM, room, StreamPlaced(stream.id, context.session))
    grant = context.record.grant
    registered = context.registry.stream(context.app, stream.id)
    return replace(
        stream,
        sessions=(context.session,),
        placed_in=room,
        name=told(publish.stream_name or (registered.name if registered is not None else "")),
        meta_data=told(publish.meta_data or (registered.meta_data if registered is not None else "")),
        subscriber_id=told(publish.subscriber_id),
        role=told(publish.role),
        video=publish.video,
        audio=publish.audio,
        identity=grant.identity if grant is not None else "",
        **context.timer(context.settings.publish_timeout_ms),
    )


def restore_stream(stream: Stream, publish: Publish, context: Context) -> Stream:
    """Accept its own publisher again; viewers are kept.

    What it says now counts, as with every publish. Its room is kept unless it names another one: it moves there.
    """
    moves = room_wanted(stream, publish, context) != stream.placed_in
    if moves and stream.placed_in:
        left = StreamEnded(stream.id, context.session, was_listed=stream.listed_in != "")
        context.notify(Kind.ROOM, stream.placed_in, left)
    opened = open_stream(stream, publish, context)
    return replace(opened, restored=True, listed_in="" if moves else stream.listed_in)


# ---------------------------------------------------------------- media


def take_offer(stream: Stream, offer: TakeConfiguration, context: Context) -> None:
    """Hand the offer to media, with what of it may be accepted."""
    settings, ladder = context.settings, ladder_of(stream, context)
    context.detail = PublishTerms(stream.video, stream.audio, settings.codecs, settings.silence_timeout_ms, ladder)


def send_answer(stream: Stream, event: DescriptionCreated, context: Context) -> None:
    """Pass media's answer on."""
    context.send(stream.sessions[0], Description(stream.id, event.type, event.sdp))


def tell_description_failed(stream: Stream, event: DescriptionFailed, context: Context) -> None:
    """Say which description failed. The publisher may offer again while its timer runs."""
    refusal: Refusal = NOT_SET_REMOTE_DESCRIPTION if event.side == "remote" else NOT_SET_LOCAL_DESCRIPTION
    context.send(stream.sessions[0], stream_error(stream, refusal, event))


def send_candidate(stream: Stream, event: CandidateFound, context: Context) -> None:
    """Pass media's candidate on."""
    context.send(stream.sessions[0], Candidate(stream.id, event.label, event.id, event.candidate))


def go_live(stream: Stream, event: MediaConnected, context: Context) -> Stream:
    """Media flows: say so, and be listed in the room."""
    definition = "session_restored" if stream.restored else "publish_started"
    context.send(stream.sessions[0], stream_notification(stream, definition))
    if stream.placed_in:
        away_since = stream.away_since if stream.listed_in else 0
        context.notify(Kind.ROOM, stream.placed_in, StreamWentLive(stream.id, stream.sessions[0], away_since))
    for playback in context.indexes.waiting(stream.app, stream.id):
        context.notify(Kind.PLAYBACK, playback, StreamWentLive(stream.id))
    return replace(stream, wake_at=0, listed_in=stream.placed_in)


def note_tracks(stream: Stream, event: TracksFound, context: Context) -> Stream:
    """Keep what the stream consists of, for those who ask; what its publisher asked not to send is no part of it."""
    return replace(stream, tracks=wanted_of(event.tracks, video=stream.video, audio=stream.audio))


def switch_for_all(stream: Stream, command: EnableTrack, context: Context) -> None:
    """The publisher switches its stream for every viewer."""
    _, kind = resolved(command.track_id, (stream.id,))
    context.detail = TrackSwitched(stream.id, kind, command.enabled)


def keep_meta_data(stream: Stream, command: UpdateStreamMetaData, context: Context) -> Stream:
    """Keep what the publisher says of its stream now, for those who ask."""
    return replace(stream, meta_data=command.meta_data)


# ---------------------------------------------------------------- questions


def tell_stream_info(stream: Stream, command: GetStreamInfo, context: Context) -> None:
    """Tell the renditions."""
    context.send(context.session, StreamInformation(stream.id, renditions_of(stream)))


def tell_track_list(stream: Stream, command: GetTrackList, context: Context) -> None:
    """Tell the tracks that there are, by the names that offers have for them."""
    context.send(context.session, TrackList(stream.id, names_of(stream)))


# ---------------------------------------------------------------- the end


def is_published_there(stream: Stream, notice: LeftRoom, context: Context) -> bool:
    """Whether the room that its session left is the one this stream is published in."""
    return stream.placed_in == notice.room


def may_be_restored(stream: Stream, event: SessionClosed, context: Context) -> bool:
    """Whether the id is kept for its publisher: only where the gate knows who that is, and nobody sent it away."""
    return context.settings.restore_ms > 0 and stream.identity != "" and event.code != POLICY_VIOLATION


def keep_for_publisher(stream: Stream, event: SessionClosed, context: Context) -> Stream:
    """Let the session go and wait for its publisher, viewers kept."""
    return replace(stream, sessions=(), away_since=context.record.seq, **context.timer(context.settings.restore_ms))


def may_be_published_again(stream: Stream, event: MediaLost, context: Context) -> bool:
    """Whether a stream whose media is lost is kept for its publisher, which is still there and may publish again."""
    return context.settings.restore_ms > 0 and stream.identity != ""


def pause(stream: Stream, event: MediaLost, context: Context) -> Stream:
    """Say that publishing is over, and wait for the publisher to publish again; viewers are kept."""
    tell_silence(stream, event, context)
    context.send(stream.sessions[0], stream_notification(stream, "publish_finished"))
    if stream.placed_in:
        context.notify(Kind.ROOM, stream.placed_in, StreamPaused(stream.id, stream.sessions[0]))
    return replace(stream, away_since=context.record.seq, **context.timer(context.settings.restore_ms))


def says_it_itself(stream: Stream, stop: Stop, context: Context) -> bool:
    """Whether a client says so, and not the host, which lets go of what somebody must no longer hold."""
    return context.record.command is not None


def shorten(stream: Stream, stop: Stop, context: Context) -> Stream:
    """Keep the id only as long as a client needs that stops before it publishes again; it may well mean the end."""
    soon = context.timer(RETURN_MS)
    return replace(stream, **soon) if soon["wake_at"] < stream.wake_at else stream


def is_sent_away(stream: Stream, event: SessionClosed, context: Context) -> bool:
    """Whether the host sent the publisher away, so that it need not be waited for."""
    return event.code == POLICY_VIOLATION


def let_session_go(stream: Stream, event: SessionClosed, context: Context) -> Stream:
    """Let the session go as well; the publisher may come back in another one as long as it might in this one."""
    return replace(stream, sessions=())


def lose(stream: Stream, event: MediaLost, context: Context) -> Stream:
    """End a live stream whose media is lost."""
    tell_silence(stream, event, context)
    return finish(stream, event, context)


def tell_silence(stream: Stream, event: MediaLost, context: Context) -> None:
    """Say that nothing has come for too long, if that is why media is lost."""
    if event.silent:
        context.send(stream.sessions[0], stream_error(stream, NO_PACKET_RECEIVED, event))


def finish(stream: Stream, input: object, context: Context) -> Stream:
    """End a live stream: its publisher is told once, and everyone who plays it."""
    context.send(stream.sessions[0], stream_notification(stream, "publish_finished"))
    return end(stream, input, context)


def give_up(stream: Stream, input: object, context: Context) -> Stream:
    """End a stream that never got as far as media, and say so."""
    context.send(stream.sessions[0], stream_error(stream, PUBLISH_TIMEOUT_ERROR, input))
    return end(stream, input, context)


def end(stream: Stream, input: object, context: Context) -> Stream:
    """End without a word to the publisher: it is gone, or knows."""
    session = stream.sessions[0] if stream.sessions else ""
    ended = StreamEnded(stream.id, session, was_listed=stream.listed_in != "")
    for playback in context.indexes.audience(stream.app, stream.id):
        context.notify(Kind.PLAYBACK, playback, ended)
    if stream.placed_in:
        context.notify(Kind.ROOM, stream.placed_in, ended)
    return replace(stream, sessions=(), wake_at=0, placed_in="", listed_in="")


def stream_error(stream: Stream, refusal: Refusal, input: object) -> Error:
    """An error to the publisher that answers none of its commands."""
    return error_of(refusal, input, stream_id=stream.id, subscriber_id=stream.subscriber_id)


def stream_notification(stream: Stream, definition: str) -> Notification:
    """A notification to the publisher, with the room it publishes in."""
    if stream.placed_in:
        return Notification(
            definition,
            stream_id=stream.id,
            subscriber_id=stream.subscriber_id,
            room_name=stream.placed_in,
            room=stream.placed_in,
        )
    return Notification(definition, stream_id=stream.id, subscriber_id=stream.subscriber_id)


# ---------------------------------------------------------------- the table

STARTING = (PREPARING, NEGOTIATING, CONNECTING)
HELD = (*STARTING, BROADCASTING)
FREE = (IDLE, RESTORING)
ALL = (*FREE, *HELD)

PUBLISH_ROWS: Final[list[Row]] = [
    *load_checks(Publish, ALL),
    *access_checks(Publish, ALL),
    refuse(Publish, HELD, by_another_session, STREAM_ID_IN_USE),
    refuse(Publish, HELD, otherwise, ALREADY_PUBLISHING),
    refuse(Publish, RESTORING, identity_differs, STREAM_ID_IN_USE, until_freed),
    refuse(Publish, IDLE, is_held_as_another, STREAM_ID_IN_USE),
    refuse(Publish, FREE, session_publishes, ALREADY_PUBLISHING),
    refuse(Publish, FREE, stream_unregistered, NOT_ALLOWED_UNREGISTERED_STREAMS),
    refuse(Publish, FREE, room_unregistered, NOT_ALLOWED_UNREGISTERED_STREAMS),
    refuse(Publish, FREE, stream_closed, STREAM_NOT_ACTIVE_OR_EXPIRED, until_stream_opens),
    refuse(Publish, FREE, room_closed, ROOM_NOT_ACTIVE_OR_EXPIRED, until_room_opens),
    refuse(Publish, FREE, no_codec_enabled, NO_CODEC_ENABLED),
    refuse(Publish, FREE, room_name_taken, STREAM_ID_IN_USE),
    refuse(Publish, FREE, room_is_full, MAIN_TRACK_IS_FULL),
    refuse(Publish, IDLE, too_many_streams, HIGH_RESOURCE_USAGE),
    row(Publish, IDLE, otherwise, open_stream, PREPARING),
    row(Publish, RESTORING, otherwise, restore_stream, PREPARING),
]

OF_MEDIA: Final = (DescriptionCreated, DescriptionFailed, CandidateFound, MediaConnected, MediaLost, TracksFound)
"""What media reports of a stream."""

STREAM: Final = Table(
    Kind.STREAM,
    Stream,
    StreamState,
    initial=IDLE,
    finals=(FINISHED,),
    inputs=(
        Publish,
        TakeConfiguration,
        TakeCandidate,
        Stop,
        EnableTrack,
        GetStreamInfo,
        GetTrackList,
        *ANSWERS,
        UpdateStreamMetaData,
        EndStream,
        *OF_MEDIA,
        DeadlineReached,
        SessionClosed,
        LeftRoom,
    ),
    rows=[
        PUBLISH_ROWS,
        row(TakeConfiguration, PREPARING, is_offer, take_offer, NEGOTIATING),
        row(TakeConfiguration, BROADCASTING, is_offer, take_offer, SAME),
        ignore(TakeConfiguration, HELD, because="a publisher offers, and waits for the answer"),
        row(TakeCandidate, HELD, otherwise, None, SAME),
        ignore((TakeConfiguration, TakeCandidate), RESTORING, because="about media that is lost: it is published anew"),
        unreachable(
            (TakeConfiguration, TakeCandidate), IDLE, because="only the session that holds a stream negotiates it"
        ),
        row(DescriptionCreated, NEGOTIATING, otherwise, send_answer, CONNECTING),
        row(DescriptionCreated, BROADCASTING, otherwise, send_answer),
        ignore(DescriptionCreated, (PREPARING, CONNECTING), because="a late answer to an offer that was given up"),
        ignore(DescriptionCreated, RESTORING, because="the publisher is gone"),
        row(DescriptionFailed, NEGOTIATING, otherwise, tell_description_failed, PREPARING),
        row(DescriptionFailed, BROADCASTING, otherwise, tell_description_failed),
        ignore(DescriptionFailed, (PREPARING, CONNECTING), because="about an offer that was given up"),
        ignore(DescriptionFailed, RESTORING, because="the publisher is gone"),
        row(CandidateFound, HELD, otherwise, send_candidate),
        ignore(CandidateFound, RESTORING, because="the publisher is gone"),
        row(MediaConnected, CONNECTING, otherwise, go_live, BROADCASTING),
        ignore(MediaConnected, (PREPARING, NEGOTIATING), because="media of an offer that was given up"),
        ignore(MediaConnected, BROADCASTING, because="known already"),
        ignore(MediaConnected, RESTORING, because="the publisher is gone"),
        row(MediaLost, STARTING, otherwise, give_up, FINISHED),
        row(MediaLost, BROADCASTING, may_be_published_again, pause, RESTORING),
        row(MediaLost, BROADCASTING, otherwise, lose, FINISHED),
        ignore(MediaLost, RESTORING, because="known already"),
        row(TracksFound, HELD, otherwise, note_tracks),
        ignore(TracksFound, RESTORING, because="the publisher is gone"),
        row(EnableTrack, HELD, otherwise, switch_for_all, SAME),
        ignore(EnableTrack, RESTORING, because="nothing of it is forwarded"),
        unreachable(EnableTrack, IDLE, because="only the session that holds a stream switches it for all"),
        *answered((*HELD, RESTORING)),
        *unanswered((IDLE,)),
        hidden(UpdateStreamMetaData, ALL),
        row(UpdateStreamMetaData, HELD, (by_holder, can_be_told), keep_meta_data),
        refuse(UpdateStreamMetaData, HELD, by_another_session, UNAUTHORIZED_ACCESS),
        ignore(UpdateStreamMetaData, HELD, because="a text beyond all measure is told to nobody"),
        refuse(UpdateStreamMetaData, FREE, otherwise, NO_STREAM_EXIST),
        hidden(GetStreamInfo, ALL),
        row(GetStreamInfo, BROADCASTING, otherwise, tell_stream_info),
        refuse(GetStreamInfo, (*FREE, *STARTING), otherwise, NO_STREAM_EXIST),
        *access_checks(GetTrackList, ALL),
        hidden(GetTrackList, ALL),
        row(GetTrackList, BROADCASTING, otherwise, tell_track_list),
        refuse(GetTrackList, (*FREE, *STARTING), otherwise, NO_STREAM_EXIST),
        row(Stop, STARTING, otherwise, end, FINISHED),
        row(Stop, BROADCASTING, otherwise, finish, FINISHED),
        row(Stop, RESTORING, says_it_itself, shorten, SAME),
        row(Stop, RESTORING, otherwise, end, FINISHED),
        unreachable(Stop, IDLE, because="only the session that holds a stream stops it"),
        row(LeftRoom, STARTING, is_published_there, end, FINISHED),
        row(LeftRoom, BROADCASTING, is_published_there, finish, FINISHED),
        row(LeftRoom, RESTORING, is_published_there, end, FINISHED),
        ignore(LeftRoom, (*HELD, RESTORING), because="it is published elsewhere"),
        ignore(LeftRoom, IDLE, because="it has ended in this very step"),
        row(EndStream, STARTING, otherwise, give_up, FINISHED),
        row(EndStream, BROADCASTING, otherwise, finish, FINISHED),
        row(EndStream, RESTORING, otherwise, end, FINISHED),
        refuse(EndStream, IDLE, otherwise, NO_STREAM_EXIST),
        row(DeadlineReached, STARTING, otherwise, give_up, FINISHED),
        row(DeadlineReached, RESTORING, otherwise, end, FINISHED),
        unreachable(DeadlineReached, BROADCASTING, because="a live stream has no timer"),
        row(SessionClosed, STARTING, otherwise, end, FINISHED),
        row(SessionClosed, BROADCASTING, may_be_restored, keep_for_publisher, RESTORING),
        row(SessionClosed, BROADCASTING, otherwise, end, FINISHED),
        row(SessionClosed, RESTORING, is_sent_away, end, FINISHED),
        row(SessionClosed, RESTORING, otherwise, let_session_go),
        unreachable(
            (*OF_MEDIA, DeadlineReached, SessionClosed),
            IDLE,
            because="nothing of an idle stream is stored, so no event can name it",
        ),
    ],
)
