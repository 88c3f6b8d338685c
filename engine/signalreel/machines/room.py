"""The room: who is in a conference, and which of their streams can be played.

    empty -> open      someone joined it, publishes in it or plays it
          -> closed    nobody is left

Members join with `joinRoom` (each stream is then played on its own), or simply publish with the room as their main
track (and play the room whole): both kinds meet in one room. What is live is not kept here; it follows from the
streams.

Members are not told when a stream comes or goes, unless the setting `room_events` says so: clients ask with
`getRoomInfo`, as the page has it. Whoever plays the whole room is told, and gets a new offer.
"""

from typing import Final

from msgspec.structs import replace

from signalreel.commands import (
    GetRoomInfo,
    GetTrackList,
    JoinRoom,
    LeaveFromRoom,
    Stop,
    UpdateStreamMetaData,
)
from signalreel.events import SessionClosed
from signalreel.host import CloseRoom
from signalreel.identifiers import Kind
from signalreel.machines.checks import (
    access_checks,
    by_another_session,
    by_holder,
    can_be_told,
    holds_too_many,
    lives_as,
)
from signalreel.machines.context import Context
from signalreel.machines.notices import (
    IdWanted,
    LeftRoom,
    PlayerCame,
    PlayerWent,
    RosterChanged,
    StreamEnded,
    StreamPaused,
    StreamPlaced,
    StreamWentLive,
)
from signalreel.machines.planned import room_closed, room_unregistered, until_room_opens
from signalreel.machines.questions import ANSWERS, answered, hidden
from signalreel.machines.shapes import Member, Room, RoomState, Stream, is_live
from signalreel.machines.table import SAME, Table, ignore, otherwise, refuse, row, unreachable
from signalreel.machines.texts import listed
from signalreel.messages import Notification, RoomInformation, RoomStream, TrackList
from signalreel.refusals import (
    HIGH_RESOURCE_USAGE,
    NO_ACTIVE_STREAMS_IN_ROOM,
    NO_ROOM_SPECIFIED,
    NOT_ALLOWED_UNREGISTERED_STREAMS,
    ROOM_NOT_ACTIVE_OR_EXPIRED,
    STREAM_ID_IN_USE,
    UNAUTHORIZED_ACCESS,
)

__all__ = ("ROOM",)


EMPTY, OPEN, CLOSED = RoomState


# ---------------------------------------------------------------- what is live in it


def visible_streams(room: Room, asked_as: str, context: Context) -> tuple[RoomStream, ...]:
    """The live streams of the room but the asker's own."""
    own = {asked_as, room.stream_of(context.session), *context.held(context.session, Kind.STREAM)}
    found: list[RoomStream] = []
    for id, _ in context.indexes.roster(room.app, room.id):
        stream = context.find(Kind.STREAM, id)
        if id not in own and isinstance(stream, Stream) and is_live(stream):
            found.append(RoomStream(id, stream.name, stream.meta_data))
    return tuple(found)


def list_of(streams: tuple[RoomStream, ...]) -> tuple[RoomStream, ...]:
    """The same with what their publishers say of them, as far as a member can be told it of all of them."""
    return listed(streams, lambda stream: stream, lambda stream: RoomStream(stream.stream_id, "", ""))


def ids_of(streams: tuple[RoomStream, ...]) -> tuple[str, ...]:
    """Just the ids, as the older clients read them."""
    return tuple(stream.stream_id for stream in streams)


def show_change(room: Room, change: RosterChanged, context: Context, *, since: int = 0) -> None:
    """Have everyone who plays the whole room look at what is live in it now; tell the members, where that is wished.

    The stream is named to those who came after the record `since`: to the others it was there all the while.
    """
    unnamed = RosterChanged(session=change.session)
    for id in context.indexes.audience(room.app, room.id):
        playback = context.find(Kind.PLAYBACK, id)
        has_news = playback is not None and playback.born > since
        context.notify(Kind.PLAYBACK, id, change if has_news else unnamed)
    id = change.added or change.removed
    if context.settings.room_events and id:
        definition = "streamJoined" if change.added else "streamLeaved"
        told = Notification(definition, stream_id=id, room_name=room.id, room=room.id)
        for member in room.members:
            if member.session != change.session and member.since > since:
                context.send(member.session, told)


def show_coming(room: Room, notice: StreamWentLive, context: Context) -> None:
    """A stream can be played now; one that came back is news only to those who came while it was away."""
    change = RosterChanged(added=notice.stream_id, session=notice.session)
    show_change(room, change, context, since=notice.away_since)


def show_going(room: Room, notice: StreamEnded, context: Context) -> None:
    """A stream is over; one that never was live is missed by nobody."""
    if notice.was_listed:
        show_change(room, RosterChanged(removed=notice.stream_id, session=notice.session), context)


# ---------------------------------------------------------------- coming


def room_missing(room: Room, input: object, context: Context) -> bool:
    """Whether the command named no room."""
    return not room.id


def enter(room: Room, join: JoinRoom, context: Context) -> Room:
    """Seat the session under the stream id it wants, or under a fresh one."""
    stream_id = join.stream_id or context.fresh_id()
    seat = Member(context.record.seq, context.session, stream_id, joined=True)
    tell_joined(room, stream_id, context)
    return room.with_seat(seat)


def enter_again(room: Room, join: JoinRoom, context: Context) -> Room:
    """Welcome a session that is in already, under the stream id it has; from now on it is a member that joined."""
    tell_joined(room, room.stream_of(context.session), context)
    return room.with_seat_joined(context.session)


def tell_joined(room: Room, stream_id: str, context: Context) -> None:
    """Tell a member its stream id and what it can play."""
    streams = visible_streams(room, stream_id, context)
    joined = Notification(
        "joinedTheRoom",
        stream_id=stream_id,
        streams=ids_of(streams),
        stream_list=list_of(streams),
        room_name=room.id,
        room=room.id,
        max_track_count=context.settings.video_tracks_max,
    )
    context.send(context.session, joined)


def seat_publisher(room: Room, notice: StreamPlaced, context: Context) -> Room | None:
    """Seat whoever publishes in the room without having joined it."""
    if notice.session in room.sessions:
        return None
    return room.with_seat(Member(context.record.seq, notice.session, notice.stream_id, joined=False))


# ---------------------------------------------------------------- asking


def nobody_is_member(room: Room, input: object, context: Context) -> bool:
    """Whether the room is only being watched."""
    return not room.members


def tell_room(room: Room, command: GetRoomInfo, context: Context) -> None:
    """Tell what can be played; an empty array when alone."""
    streams = visible_streams(room, command.stream_id, context)
    context.send(context.session, RoomInformation(room.id, ids_of(streams), list_of(streams), room.id))


def tell_track_list(room: Room, command: GetTrackList, context: Context) -> None:
    """Tell the tracks of the room: its live streams but the asker's own."""
    context.send(context.session, TrackList(room.id, ids_of(visible_streams(room, "", context))))


def publishes_nothing_here(room: Room, command: UpdateStreamMetaData, context: Context) -> bool:
    """Whether none of the session's streams is in the room; having joined it is not enough, a viewer can do that."""
    own = (context.find(Kind.STREAM, id) for id in context.held(context.session, Kind.STREAM))
    return not any(stream is not None and stream.placed_in == room.id for stream in own)


def keep_meta_data(room: Room, command: UpdateStreamMetaData, context: Context) -> Room:
    """Keep what a publisher says of the room, for those who ask."""
    return replace(room, meta_data=command.meta_data)


# ---------------------------------------------------------------- going


def is_last(room: Room, input: object, context: Context) -> bool:
    """Whether nobody is left once the record's session has gone."""
    others = len(room.members) - (context.session in room.sessions)
    return others == 0 and not plays_elsewhere(room, context)


def plays_elsewhere(room: Room, context: Context) -> bool:
    """Whether anyone but the record's session plays the whole room."""
    own = (Kind.PLAYBACK, room.app, f"{context.session}/{room.id}") in context.indexes.held(context.session)
    return context.indexes.audience_size(room.app, room.id) > own


def stops_as_member(room: Room, stop: Stop, context: Context) -> bool:
    """Whether a member that joined stops its own stream: that leaves the room too (protocol page: leavedFromRoom)."""
    seat = room.seat_of(context.session)
    return seat is not None and seat.joined and seat.stream_id == stop.stream_id


def stops_as_publisher(room: Room, stop: Stop, context: Context) -> bool:
    """Whether whoever only publishes in the room stops that: its seat goes with the stream, what it plays goes on."""
    seat = room.seat_of(context.session)
    return seat is not None and not seat.joined and seat.stream_id == stop.stream_id


def stops_as_last(room: Room, stop: Stop, context: Context) -> bool:
    """Whether that member is the last."""
    return stops_as_member(room, stop, context) and is_last(room, stop, context)


def exit_room(room: Room, input: LeaveFromRoom | Stop, context: Context) -> Room:
    """Let the session go, and end what it publishes and plays in the room: not every client does so itself."""
    tell_left(room, input, context)
    end_everything_of(room, context.session, context)
    return let_go(room, context.session)


def tell_left(room: Room, input: object, context: Context) -> None:
    """Say that the session is not in the room; also to one that never was, since that changes nothing."""
    context.send(context.session, left_notification(room))


def leave_as_player(room: Room, command: LeaveFromRoom, context: Context) -> None:
    """Someone without a seat leaves: what it plays in the room ends, whether there is a room or not."""
    tell_left(room, command, context)
    end_everything_of(room, context.session, context)


def left_notification(room: Room) -> Notification:
    """The notification that the session it is sent to has left."""
    return Notification("leavedFromRoom", room_name=room.id, room=room.id)


def end_everything_of(room: Room, session: str, context: Context) -> None:
    """Tell what a session publishes and plays in the room that the session is no longer in it."""
    left = LeftRoom(room.id)
    for kind in (Kind.PLAYBACK, Kind.STREAM):
        for id in context.held(session, kind):
            context.notify(kind, id, left)


def let_go(room: Room, session: str) -> Room:
    """Take the session's seat away, if it has one."""
    seat = room.seat_of(session)
    return room.without_seat(seat) if seat is not None else room


def vanish(room: Room, event: SessionClosed, context: Context) -> Room:
    """The session is gone; what it published and played ends by itself."""
    return let_go(room, context.session)


def close(room: Room, input: CloseRoom | IdWanted, context: Context) -> Room:
    """Send everyone out: the members, whoever only plays, and streams that are kept for their publisher."""
    left = LeftRoom(room.id)
    for member in room.members:
        context.send(member.session, left_notification(room))
        end_everything_of(room, member.session, context)
    for stream in context.indexes.placed(room.app, room.id):
        context.notify(Kind.STREAM, stream, left)
    for playback in context.indexes.audience(room.app, room.id):
        context.notify(Kind.PLAYBACK, playback, left)
    return replace(room, members=(), sessions=())


# ---------------------------------------------------------------- streams and players of it


def seat_goes_with_stream(room: Room, notice: StreamEnded | StreamPaused, context: Context) -> bool:
    """Whether the stream that ended was all its publisher was here for."""
    seat = room.seat_of(notice.session)
    return seat is not None and not seat.joined and seat.stream_id == notice.stream_id


def leaves_nobody(room: Room, notice: StreamEnded | StreamPaused, context: Context) -> bool:
    """Whether that publisher was the last here."""
    return (
        seat_goes_with_stream(room, notice, context)
        and len(room.members) == 1
        and not context.indexes.audience_size(room.app, room.id)
    )


def drop_publisher(room: Room, notice: StreamEnded, context: Context) -> Room:
    """Let the publisher go with its stream."""
    show_going(room, notice, context)
    return let_go(room, notice.session)


def unseat_publisher(room: Room, notice: StreamPaused, context: Context) -> Room:
    """Let the publisher go until it publishes again; the stream is still shown."""
    return let_go(room, notice.session)


def nobody_is_here(room: Room, notice: PlayerWent, context: Context) -> bool:
    """Whether neither a member nor a player is left."""
    return not room.members and not context.indexes.audience_size(room.app, room.id)


# ---------------------------------------------------------------- the table

ROOM: Final = Table(
    Kind.ROOM,
    Room,
    RoomState,
    initial=EMPTY,
    finals=(CLOSED,),
    inputs=(
        JoinRoom,
        GetRoomInfo,
        GetTrackList,
        *ANSWERS,
        UpdateStreamMetaData,
        LeaveFromRoom,
        Stop,
        CloseRoom,
        SessionClosed,
        StreamPlaced,
        StreamWentLive,
        StreamEnded,
        StreamPaused,
        PlayerCame,
        PlayerWent,
        IdWanted,
    ),
    rows=[
        refuse(JoinRoom, EMPTY, room_missing, NO_ROOM_SPECIFIED),
        *access_checks(JoinRoom, (EMPTY, OPEN)),
        refuse(JoinRoom, (EMPTY, OPEN), room_unregistered, NOT_ALLOWED_UNREGISTERED_STREAMS),
        refuse(JoinRoom, (EMPTY, OPEN), room_closed, ROOM_NOT_ACTIVE_OR_EXPIRED, until_room_opens),
        refuse(JoinRoom, EMPTY, lives_as(Kind.STREAM, Kind.PAIR), STREAM_ID_IN_USE),
        refuse(JoinRoom, EMPTY, holds_too_many, HIGH_RESOURCE_USAGE),
        row(JoinRoom, EMPTY, otherwise, enter, OPEN),
        row(JoinRoom, OPEN, by_holder, enter_again),
        refuse(JoinRoom, OPEN, holds_too_many, HIGH_RESOURCE_USAGE),
        row(JoinRoom, OPEN, otherwise, enter, SAME),
        refuse(GetRoomInfo, EMPTY, room_missing, NO_ROOM_SPECIFIED),
        hidden(GetRoomInfo, (EMPTY, OPEN)),
        refuse(GetRoomInfo, EMPTY, otherwise, NO_ACTIVE_STREAMS_IN_ROOM),
        refuse(GetRoomInfo, OPEN, nobody_is_member, NO_ACTIVE_STREAMS_IN_ROOM),
        row(GetRoomInfo, OPEN, otherwise, tell_room),
        *answered((OPEN,)),
        refuse(UpdateStreamMetaData, OPEN, publishes_nothing_here, UNAUTHORIZED_ACCESS),
        row(UpdateStreamMetaData, OPEN, can_be_told, keep_meta_data),
        ignore(UpdateStreamMetaData, OPEN, because="a text beyond all measure is told to nobody"),
        unreachable((*ANSWERS, UpdateStreamMetaData), EMPTY, because="asked of the stream when there is no such room"),
        *access_checks(GetTrackList, (OPEN,)),
        hidden(GetTrackList, (OPEN,)),
        row(GetTrackList, OPEN, otherwise, tell_track_list),
        unreachable(GetTrackList, EMPTY, because="asked of the stream when there is no such room"),
        refuse(LeaveFromRoom, EMPTY, room_missing, NO_ROOM_SPECIFIED),
        row(LeaveFromRoom, EMPTY, otherwise, leave_as_player),
        row(LeaveFromRoom, OPEN, by_another_session, leave_as_player),
        row(LeaveFromRoom, OPEN, is_last, exit_room, CLOSED),
        row(LeaveFromRoom, OPEN, otherwise, exit_room, SAME),
        row(Stop, OPEN, stops_as_last, exit_room, CLOSED),
        row(Stop, OPEN, stops_as_member, exit_room, SAME),
        row(Stop, OPEN, stops_as_publisher, tell_left),
        ignore(Stop, OPEN, because="the stream is published elsewhere"),
        unreachable(Stop, EMPTY, because="asked only of the rooms that a session is in"),
        row(CloseRoom, OPEN, otherwise, close, CLOSED),
        refuse(CloseRoom, EMPTY, otherwise, NO_ACTIVE_STREAMS_IN_ROOM),
        row(SessionClosed, OPEN, is_last, vanish, CLOSED),
        row(SessionClosed, OPEN, otherwise, vanish, SAME),
        unreachable(SessionClosed, EMPTY, because="nobody is in an empty room"),
        row(StreamPlaced, EMPTY, otherwise, seat_publisher, OPEN),
        row(StreamPlaced, OPEN, otherwise, seat_publisher, SAME),
        row(StreamWentLive, OPEN, otherwise, show_coming),
        unreachable(StreamWentLive, EMPTY, because="its publisher has a seat"),
        row(StreamEnded, OPEN, leaves_nobody, drop_publisher, CLOSED),
        row(StreamEnded, OPEN, seat_goes_with_stream, drop_publisher, SAME),
        row(StreamEnded, OPEN, otherwise, show_going),
        ignore(StreamEnded, EMPTY, because="the room has closed in this very step"),
        row(StreamPaused, OPEN, leaves_nobody, unseat_publisher, CLOSED),
        row(StreamPaused, OPEN, seat_goes_with_stream, unseat_publisher, SAME),
        ignore(StreamPaused, OPEN, because="its publisher joined, and stays a member"),
        unreachable(StreamPaused, EMPTY, because="its publisher has a seat"),
        row(PlayerCame, EMPTY, otherwise, None, OPEN),
        ignore(PlayerCame, OPEN, because="players need no seat"),
        row(PlayerWent, OPEN, nobody_is_here, None, CLOSED),
        ignore(PlayerWent, OPEN, because="others are here"),
        ignore(PlayerWent, EMPTY, because="the room has closed in this very step"),
        row(IdWanted, OPEN, otherwise, close, CLOSED),
        unreachable(IdWanted, EMPTY, because="only a room that is there stands in the way"),
    ],
)
