"""Who may be told what: a second opinion on every message of a reel, by rules and not by machines.

It reads the records, and the steps only for what was said: each message is held against what was rightly said before,
in the words of the protocol (who publishes, plays, sits in a pair or a room). None of the engine's tables, indexes or
conditions are used, so that a mistake there is not repeated here.

    rights = Rights(settings)
    for record, step in past:
        rights.follow(record, step)     # raises `Violation`

What clients wrote is followed by marks (`mark`): a text that one session sent and another is told must be of a kind
that others are told, and on a message that is for them.
"""

import json
import re
from typing import Final

from msgspec import UNSET

from signalreel.commands import (
    Command,
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
    Join,
    JoinRoom,
    Leave,
    LeaveFromRoom,
    PeerMessage,
    Play,
    Publish,
    RegisterPushToken,
    SendPush,
    Stop,
    TakeCandidate,
    TakeConfiguration,
    UpdateStreamMetaData,
)
from signalreel.events import (
    BitrateMeasured,
    CandidateFound,
    DeadlineReached,
    DescriptionCreated,
    MediaConnected,
    MediaEvent,
    MediaLost,
    ResolutionChanged,
    SessionClosed,
    ShutdownAnnounced,
)
from signalreel.host import BlockSubscriber, KickSession
from signalreel.identifiers import Kind
from signalreel.messages import (
    AnyMessage,
    Candidate,
    CloseSession,
    ConnectWithNewId,
    Description,
    Error,
    IceServerConfig,
    Notification,
    RelayedMessage,
    RoomInformation,
    Start,
    StartNewConnection,
    StopPeer,
    StreamInformation,
    TrackList,
    encode_message,
)
from signalreel.record import Record
from signalreel.step import Roster, Step
from tests.engine.known import Known, Paired, Place, Published, Violation

__all__ = ("GATED", "QUESTIONS", "Rights", "Violation", "mark")

GATED: Final = (Publish, Play, Join, JoinRoom, GetTrackList)
"""What needs a grant where there is a gate."""

QUESTIONS: Final = (
    GetRoomInfo,
    GetStreamInfo,
    GetTrackList,
    UpdateStreamMetaData,
    GetBroadcastObject,
    GetSubtracks,
    GetSubtracksCount,
    GetSubscriberCount,
    GetSubscribers,
    GetDebugInfo,
)
"""What nobody without standing is answered where streams are hidden."""

ANSWER_OF: Final[dict[str, type[Command]]] = {
    "broadcastObject": GetBroadcastObject,
    "subtrackList": GetSubtracks,
    "subtrackCount": GetSubtracksCount,
    "subscriberCount": GetSubscriberCount,
    "subscriberList": GetSubscribers,
    "debugInfo": GetDebugInfo,
}
"""Notifications that answer a question, and the question."""

UNASKED: Final = {
    "publishTimeoutError",
    "notSetLocalDescription",
    "notSetRemoteDescription",
    "noPacketReceivedForTimeoutDuration",
    "stream_not_active_or_expired",
}
"""Errors that answer no command: to whoever holds what media or a timer reported of."""

REPORTS: Final = (MediaConnected, BitrateMeasured, ResolutionChanged)
"""What media reports of a playback and its player is told."""

_OF_STREAM: Final = {"roomInformation", "joinedTheRoom", "broadcastObject", "subtrackList"}
CHANNELS: Final = {
    "sdp": {"takeConfiguration"},
    "candidate": {"takeCandidate"},
    "id": {"takeCandidate"},
    "definition": {"peerMessageCommand"},
    "data": {"peerMessageCommand"},
    "stream_name": _OF_STREAM,
    "meta_data": _OF_STREAM,
    "role": {"broadcastObject", "subtrackList"},
    "subscriber_name": {"subscriberList"},
    "subscriber_id": {"subscriberList", "publish_started", "publish_finished", "session_restored"},
}
"""What others may read of a session's words: each field, and the messages it may stand in. Nothing else at all."""

_MARK: Final = re.compile(r"~(\w+)~(\w+)~")


def mark(session: str, field: str) -> str:
    """A text that tells who wrote it, in which field."""
    return f"~{session}~{field}~"


class Rights(Known):
    """Follows a reel from its beginning, and objects."""

    # ---- one record

    def follow(self, record: Record, step: Step) -> None:
        """Judge what a record caused, and learn from it."""
        self._record, self._ended, self._now = record, {}, None
        self._stopped.clear()
        self._put_out.clear()
        self._prepare(record)
        stands = self._stands()
        known = dict(self.streams)
        for to, message in step.messages:
            self._now = (to, message)
            self._judge(to, message)
            if record.command is not None and to != record.session:
                self.relayed += 1
        self._now = None
        told = [message for to, message in step.messages if to == record.session]
        refused = record.command is not None and any(isinstance(message, Error) for message in told)
        if refused:
            self._require(len(step.messages) == 1, "a refusal is the only thing that is said")
        if record.command is not None:
            self._judge_command(told, refused=refused, stands=stands)
        self._conclude(record, refused=refused)
        self._judge_rosters(step, known)

    def _judge_command(self, told: list[AnyMessage], *, refused: bool, stands: bool) -> None:
        """What no grant allows is refused; what one session used is another's no more; hidden is hidden."""
        record = self._record
        said, grant = record.command, record.grant
        is_open = record.session in self.sessions
        if isinstance(said, GATED) and grant is not None and is_open:
            self._require(grant.allowed or refused, "what is not granted is refused")
            if not refused and grant.once:
                wall, until = record.time + self.clock_offset, grant.until and grant.until + self.clock_offset
                user, until = self.used.setdefault((self._app, grant.once), (record.session, until))
                self._require(user == record.session or 0 < until <= wall, "one use")
        granted = grant is not None and grant.allowed
        if isinstance(said, QUESTIONS) and self.settings.hide_streams and is_open and not stands and not granted:
            nameless = {"noStreamNameSpecified", "invalidStreamName", "no_room_specified"}
            answers = {m.definition if isinstance(m, Error) else "an answer" for m in told}
            self._require(len(told) == 1 and answers <= {"unauthorized_access", "user_blocked", *nameless}, "hidden")

    def _judge_rosters(self, step: Step, known: dict[Place, Published]) -> None:
        """What media is to send: to a player of a stream that stream, to one of a room what is live there, not its own.

        A stream that waits for its publisher stays, because its viewers are kept.
        """
        for transition in step.transitions:
            machine, detail = transition.machine, transition.detail
            if machine.kind is not Kind.PLAYBACK or not isinstance(detail, Roster):
                continue
            session, _, id = machine.id.partition("/")
            for source in detail.sources:
                stream = known.get((machine.app, source.stream_id))
                self._require(stream is not None and stream.was_live, "a roster shows what is live")
                assert stream is not None
                is_meant = id in (source.stream_id, stream.room) and stream.born == source.born
                self._require(is_meant, "a roster shows what is played")
                self._require(
                    id == source.stream_id or session not in (stream.holder, stream.lost_by), "nobody is sent its own"
                )

    # ---- one message

    def _judge(self, to: str, message: AnyMessage) -> None:
        self._require(to in self.sessions, "a session that is not open is told nothing")
        self._require(self.sessions[to] == self._app or isinstance(message, CloseSession), "nothing crosses apps")
        self._judge_words(to, message)
        match message:
            case Notification():
                self._judge_notification(to, message)
            case Error():
                self._judge_error(to, message)
            case Start():
                self._judge_start(to, message)
            case Description() | Candidate():
                self._judge_negotiation(to, message)
            case StopPeer() | RelayedMessage() | StartNewConnection() | ConnectWithNewId():
                self._judge_pair(to, message)
            case CloseSession():
                order = self._record.host
                self._require(isinstance(order, KickSession) and order.session == to, "only the host sends away")
            case _:
                self._judge_answer(to, message)

    def _judge_words(self, to: str, message: AnyMessage) -> None:
        """What a session wrote reaches others only where it is meant for them."""
        name = str(getattr(message, "definition", message.__struct_config__.tag))
        if isinstance(message, RelayedMessage):
            name = "peerMessageCommand"
        for author, field in _MARK.findall(encode_message(message).decode()):
            if author != to and author in self.authors:
                self._require(name in CHANNELS.get(field, set()), f"{field} of {author} is not for others")

    def _judge_error(self, to: str, error: Error) -> None:
        record = self._record
        if record.command is not None:
            self._require(to == record.session, "a refusal is for the asker")
            named = getattr(record.command, "stream_id", "")
            self._require(error.stream_id in (UNSET, named), "a refusal names what the asker named")
            return
        if isinstance(record.host, BlockSubscriber):
            block = {record.host.subscriber_id, record.host.identity} - {""}
            is_meant = bool(block & self.known_as.get(to, set()))
            self._require(error.definition == "user_blocked" and is_meant, "who is blocked is told so")
            self._put_out.append((to, str(error.stream_id)))
            return
        self._require(error.definition in UNASKED, "an error without a command")
        if isinstance(record.event, MediaEvent | DeadlineReached):
            self._require(self._is_of(to, record.event.machine), "an error of a machine is its holder's")
        else:
            self._require(record.host is not None and self._holds(to, str(error.stream_id)), "it is the holder's")
        if error.definition == "publishTimeoutError":
            self._end(str(error.stream_id))

    def _judge_start(self, to: str, start: Start) -> None:
        said, place = self._record.command, self._place(start.stream_id)
        if isinstance(said, Join):
            pair = self.pairs.get(place)
            peers = {self._record.session, *(pair.peers if pair is not None else ())}
            self._require(to in peers and len(peers) == 2, "start is for one of two peers")
            return
        self._require(isinstance(said, Publish) and to == self._record.session, "start is for who publishes")
        assert isinstance(said, Publish)
        grant = self._record.grant
        identity = grant.identity if grant is not None else ""
        kept = self.streams.get(place)
        self._require(kept is None or (kept.holder == "" and kept.identity == identity != ""), "one publisher an id")
        self._require(said.stream_id == start.stream_id, "start names what was asked for")
        self._require(all(s.holder != to for (app, _), s in self.streams.items() if app == self._app), "one a session")
        joined = [id for (app, id), seats in self.members.items() if app == self._app and seats.get(to) == place[1]]
        registered = self.registered.get(place)
        room = said.main_track or min(joined, default="") or (registered.main_track if registered is not None else "")
        if kept is not None:
            kept.holder, kept.lost_by, kept.room = to, "", room or kept.room
        else:
            self.streams[place] = Published(to, self._record.seq, room, identity)

    def _judge_negotiation(self, to: str, message: Description | Candidate) -> None:
        """Media's goes to whose machine it is; a peer's to the other peer, and no answer to an offer that is old."""
        record = self._record
        match record.event, message:
            case (DescriptionCreated() as made, Description()):
                same = (message.type, message.sdp) == (made.type, made.sdp)
                self._require(same and self._is_of(to, made.machine), "media's description is the holder's")
                return
            case (CandidateFound() as found, Candidate()):
                same = message.candidate == found.candidate
                self._require(same and self._is_of(to, found.machine), "media's candidate is the holder's")
                return
            case _:
                pair = self._pair_with(to, message.stream_id)
        match record.command, message:
            case (TakeConfiguration() as said, Description()):
                same = (message.stream_id, message.type, message.sdp) == (said.stream_id, said.type, said.sdp)
                self._require(same, "a description is relayed as it came")
                if said.type == "offer":
                    pair.owes[to] = pair.owes.get(to, 0) + 1
                    pair.owes[record.session] = 0
                else:
                    self._require(pair.owes.get(record.session, 0) == 1, "an answer to an old offer is told to nobody")
                    pair.owes[record.session] = 0
            case (TakeCandidate() as said, Candidate()):
                same = (message.label, message.id, message.candidate) == (said.label, said.id, said.candidate)
                self._require(same, "a candidate is relayed as it came")
            case _:
                self._require(holds=False, why="nobody negotiates")

    def _pair_with(self, to: str, id: str) -> Paired:
        """The pair in which the record's session speaks to this one."""
        pair = self.pairs.get(self._place(id), Paired([], {}))
        others = [peer for peer in pair.peers if peer != self._record.session]
        self._require(self._record.session in pair.peers and others == [to], "a peer speaks to the other alone")
        return pair

    def _judge_pair(self, to: str, message: StopPeer | RelayedMessage | StartNewConnection | ConnectWithNewId) -> None:
        record = self._record
        said = record.command
        match message:
            case ConnectWithNewId():
                self._require(to == record.session and isinstance(said, Join) and said.multi_peer, "it joins anew")
                assert isinstance(said, Join)
                known = {record.ids[0], self.calls.get((to, said.stream_id))}
                self._require(message.stream_id in known, "the id is fresh, or as before")
                self.calls[to, said.stream_id] = message.stream_id
            case StartNewConnection():
                waiting = self.pairs.get(self._place(said.stream_id)) if isinstance(said, Join) else None
                self._require(waiting is not None and waiting.peers == [to], "somebody waits there")
                self._require(message.stream_id == record.ids[0], "the id is fresh")
            case RelayedMessage():
                self._pair_with(to, message.stream_id)
                assert isinstance(said, PeerMessage)
                self._require((message.definition, message.data) == (said.definition, said.data), "relayed as it came")
            case StopPeer():
                if record.host is None:
                    self._pair_with(to, message.stream_id)
                    leaves = isinstance(said, Leave) or isinstance(record.event, SessionClosed)
                    self._require(leaves, "only who leaves is told of")
                pair = self.pairs[self._place(message.stream_id)]
                self._require(to in pair.peers, "a peer is told")
                pair.peers, pair.owes = [to], {}

    def _judge_answer(self, to: str, message: AnyMessage) -> None:
        """An answer is the asker's, about what was asked, and tells what is live but the asker's own."""
        said = self._record.command
        self._require(to == self._record.session, "an answer is for the asker")
        match message, said:
            case (RoomInformation(), GetRoomInfo()):
                self._require(message.room == said.room, "the room that was asked for")
                self._require(set(message.streams) == self._visible(to, said.room, said.stream_id), "live, not own")
                self._require([s.stream_id for s in message.stream_list] == list(message.streams), "both lists")
            case (TrackList(), GetTrackList()):
                is_live = self._is_live(said.stream_id)
                own = {f"ARDAMS{kind}{said.stream_id}" for kind in "va"}
                listed = set(message.track_list)
                shown = listed <= own if is_live else listed == self._visible(to, said.stream_id)
                self._require(shown, "live, not own")
            case (StreamInformation(), GetStreamInfo()):
                self._require(message.stream_id == said.stream_id and self._is_live(said.stream_id), "live")
            case (IceServerConfig(), GetIceServerConfig()):
                pass
            case _:
                self._require(holds=False, why="no answer to this")

    # ---- notifications

    def _judge_notification(self, to: str, told: Notification) -> None:
        record, id = self._record, str(told.stream_id)
        said, event = record.command, record.event
        match told.definition:
            case "joined":
                self._require(isinstance(said, Join) and said.stream_id == id and to == record.session, "who joins")
                pair = self.pairs.setdefault(self._place(id), Paired([], {}))
                if to not in pair.peers:
                    pair.peers.append(to)
                    pair.owes = {}
                self._require(len(pair.peers) <= 2, "a pair is two")
            case "leaved":
                leaves = isinstance(said, Leave) and said.stream_id == id and to == record.session
                self._require(leaves or (to, id) in self._put_out, "who leaves, or is put out")
                self._part(to, id)
            case "joinedTheRoom" | "leavedFromRoom" | "streamJoined" | "streamLeaved":
                self._judge_room(to, told)
            case "publish_started" | "session_restored":
                self._require(isinstance(event, MediaConnected) and self._is_of(to, event.machine), "the holder")
                stream = self.streams[self._place(id)]
                stream.is_live = stream.was_live = True
            case "publish_finished":
                was_live = self._ended.get(self._place(id)) or self.streams.get(self._place(id))
                self._require(was_live is not None and was_live.is_live and was_live.holder == to, "its holder, live")
                assert was_live is not None
                self._require(record.command is None or record.session == to, "nobody else ends it")
                if isinstance(event, MediaLost) and self._is_kept(was_live):
                    self._keep(was_live, lost_by=to)
                else:
                    self._end(id)
            case "play_finished":
                self._require((to, id) in self.plays, "who plays it")
                whole = self.plays[to, id].whole_room
                by_publisher = self._holds(record.session, id) and not whole
                # A room that nobody is in gives way to whoever publishes under its id.
                gives_way = whole and isinstance(said, Publish) and said.stream_id == id
                gives_way = gives_way and not self.members.get(self._place(id))
                self._require(record.session in ("", to) or by_publisher or gives_way, "nobody else ends it")
                del self.plays[to, id]
                self._stopped.add((to, id))
            case "play_started" | "bitrateMeasurement" | "resolutionChangeInfo":
                self._require(isinstance(event, REPORTS) and self._is_of(to, event.machine), "who plays it")
            case "server_will_stop":
                self._require(isinstance(event, ShutdownAnnounced) and to == record.session, "who is to be told")
            case _:
                self._judge_told(to, told)

    def _judge_told(self, to: str, told: Notification) -> None:
        """Answers to questions, and what players are told while they play."""
        record, id = self._record, str(told.stream_id)
        said = record.command
        if told.definition in ANSWER_OF:
            self._require(isinstance(said, ANSWER_OF[told.definition]) and to == record.session, "who asked")
            self._require(getattr(said, "stream_id", "") == id, "what was asked")
            self._judge_contents(told, id)
        elif told.success is not UNSET:
            self._require(isinstance(said, RegisterPushToken | SendPush) and to == record.session, "who asked")
        else:
            played = self.plays.get((to, id))
            asks = isinstance(said, Play) and to == record.session
            self._require(asks or played is not None, "who plays it")
            if told.definition in {"subtrackAdded", "subtrackRemoved"}:
                self._require(played is not None and played.whole_room, "who plays the whole room")

    def _judge_contents(self, told: Notification, id: str) -> None:
        live = set(self._live_in(id))
        if told.broadcast is not UNSET:
            told_of = json.loads(told.broadcast)
            self._require(told_of["streamId"] == id, "what was asked")
            self._require(set(told_of.get("subTrackStreamIds", ())) == live, "what is live in the room")
        if told.subtrack_list is not UNSET:
            listed = {json.loads(text)["streamId"] for text in told.subtrack_list}
            self._require(listed <= live, "what is live in the room")

    def _judge_room(self, to: str, told: Notification) -> None:
        record, room = self._record, str(told.room)
        said = record.command
        match told.definition, said:
            case ("joinedTheRoom", JoinRoom()):
                self._require(to == record.session and room == said.room, "who joins")
                seats = self.members.setdefault(self._place(room), {})
                own = [i for (a, i), s in self.streams.items() if a == self._app and s.room == room and s.holder == to]
                names = {said.stream_id or record.ids[0], seats.get(to, ""), *own}
                self._require(told.stream_id in names, "its own stream id")
                seats[to] = str(told.stream_id)
                assert told.streams is not UNSET
                self._require(set(told.streams) == self._visible(to, room), "live, not own")
            case ("leavedFromRoom", _):
                leaves = isinstance(said, LeaveFromRoom | Stop) and to == record.session
                sent_out = record.host is not None and self._sits_in(to, room)
                self._require(leaves or sent_out, "who leaves, or whom the host sends out")
                is_member = self.members.get(self._place(room), {}).pop(to, None) is not None
                for (app, id), stream in list(self.streams.items()):
                    is_meant = not isinstance(said, Stop) or is_member or id == said.stream_id
                    if app == self._app and stream.room == room and self._holds(to, id) and is_meant:
                        self._end(id)
            case ("streamJoined" | "streamLeaved", _):
                self._require(self.settings.room_events and self._sits_in(to, room), "a member, where it is wanted")
            case _:
                self._require(holds=False, why="nobody joins")
