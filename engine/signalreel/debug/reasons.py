"""Why something was refused, in a clause: who holds what, which limit was reached, which rule says so.

Each definition of the catalogue that has a cause in the state has a function here; the others are told by the
catalogue itself, because the input alone is at fault.
"""

from collections.abc import Callable
from typing import Final

from msgspec import UNSET, Struct

from signalreel.commands import JoinRoom, Publish
from signalreel.debug.history import History, Life, origin_told
from signalreel.debug.telling import printable, short_id, short_session
from signalreel.engine import Engine
from signalreel.events import DeadlineReached
from signalreel.identifiers import Kind, playback_id
from signalreel.machines.base import AnyMachine
from signalreel.machines.shapes import StreamState
from signalreel.messages import Error
from signalreel.record import Input
from signalreel.refusals import REFUSALS
from signalreel.registered import RegisteredRoom, RegisteredStream
from signalreel.step import Step

__all__ = ("Reason", "Refused", "reason_of")

_KINDS: Final = (Kind.STREAM, Kind.ROOM, Kind.PAIR)


class Refused(Struct, frozen=True):
    """A refusal in its surroundings: the engine is as it was before the record, as far as the refusal goes."""

    step: Step
    error: Error
    session: str  #: who is told
    app: str
    engine: Engine
    history: History

    @property
    def input(self) -> Input:
        """What was refused."""
        return self.step.record.input

    @property
    def stream_id(self) -> str:
        """The stream, pair or room that it is about."""
        named = self.error.stream_id
        return named if isinstance(named, str) else getattr(self.input, "stream_id", "")

    @property
    def room(self) -> str:
        """The room that it is about."""
        named = self.error.room
        if named is not UNSET and named:
            return str(named)
        return str(getattr(self.input, "room", "") or getattr(self.input, "main_track", ""))

    def find(self, kind: Kind, id: str) -> AnyMachine | None:
        """A machine that lives."""
        return self.engine.find(kind, id, app=self.app)

    def life(self, kind: Kind, id: str) -> Life | None:
        """The last life under an id."""
        return self.history.last(kind, self.app, id)


Reason = Callable[[Refused], str]


def reason_of(refused: Refused) -> str:
    """Tell in a clause why; from the catalogue where the state says nothing."""
    definition = refused.error.definition
    reason = _REASONS.get(definition)
    told = reason(refused) if reason is not None else ""
    if told:
        return told
    entry = REFUSALS.get(definition)
    return _lowered(entry.cause) if entry is not None else "the catalogue of this version does not have it"


def _lowered(sentence: str) -> str:
    return (sentence[:1].lower() + sentence[1:]).rstrip(".")


def _held(refused: Refused, machine: AnyMachine, kind: Kind) -> str:
    """Tell a machine: its state, since when, and who holds it."""
    life = refused.life(kind, machine.id)
    since = refused.history.state_since(life) if life is not None else f"since record {machine.born}"
    holders = " and ".join(refused.history.session_told(session) for session in machine.sessions)
    held = f", held by {holders} since record {machine.born}" if holders else f", there since record {machine.born}"
    name = short_id(machine.watches or machine.id)
    return f"the {kind} {name} is {machine.state} {since}{held}"


def _id_in_use(refused: Refused) -> str:
    names = dict.fromkeys(name for name in (refused.stream_id, refused.room) if name)
    for name in names:
        for kind in _KINDS:
            machine = refused.find(kind, name)
            if machine is None or (kind is Kind.ROOM and name != refused.stream_id and type(refused.input) is Publish):
                continue
            kept = ", kept for its publisher to come back" if str(machine.state) == StreamState.RESTORING else ""
            return _held(refused, machine, kind) + kept
    for name in names:
        registered = refused.engine.registry.stream(refused.app, name)
        if registered is not None and registered.waits:
            ordered = refused.history.ordered(name)
            return f"{printable(name)} is registered as a stream that players wait for{ordered}"
    return ""


def _already(kind: Kind) -> Reason:
    def told(refused: Refused) -> str:
        if kind is Kind.PLAYBACK:
            machine = refused.find(kind, playback_id(refused.session, refused.stream_id))
            return _held(refused, machine, kind) if machine is not None else ""
        for key in refused.engine.held(refused.session):
            machine = refused.find(key[0], key[2])
            if key[0] is kind and machine is not None:
                return _held(refused, machine, kind)
        return ""

    return told


def _nothing_there(refused: Refused) -> str:
    name = refused.stream_id or refused.room
    for kind in (Kind.STREAM, Kind.ROOM):
        machine = refused.find(kind, name)
        if machine is not None:
            return f"{_held(refused, machine, kind)}, and is not live"
    life = refused.life(Kind.STREAM, name)
    if life is not None and life.ended:
        return f"the stream {printable(name)} of record {life.began} ended at {life.ended}, when {life.why}"
    return f"nobody has published {printable(name)} so far"


def _overloaded(refused: Refused) -> str:
    environment, settings, history = refused.engine.environment, refused.engine.settings, refused.history
    told: list[str] = []
    measured = history.since("ResourcesMeasured")
    if environment.cpu_percent >= settings.cpu_percent_max:
        told.append(f"the CPU load is {environment.cpu_percent} % {measured}, the limit {settings.cpu_percent_max} %")
    if 0 <= environment.free_memory_mb < settings.free_memory_mb_min:
        told.append(f"{environment.free_memory_mb} MB are free {measured}, at least {settings.free_memory_mb_min} must")
    streams = refused.engine.indexes.streams(refused.app)
    if 0 <= settings.streams_max <= streams:
        told.append(f"the app has {streams} streams, the limit (streamsMax) is {settings.streams_max}")
    held = len(refused.engine.held(refused.session))
    if 0 <= settings.session_machines_max <= held:
        limit = settings.session_machines_max
        told.append(f"the session holds {held} machines, the limit (sessionMachinesMax) is {limit}")
    return "; ".join(told)


def _licence(refused: Refused) -> str:
    return f"the licence is suspended {refused.history.since('LicenceChanged')}"


def _no_access(refused: Refused) -> str:
    grant = refused.step.record.grant
    if grant is not None and not grant.allowed:
        return f"the gate refused it with {printable(grant.refusal)}; why, only the gate knows"
    if grant is not None and grant.once and (used := refused.history.used_at(grant.once)):
        return f"its one-time token was used {used}"
    if grant is not None and grant.rooms is not None:
        rooms = ", ".join(printable(room) or "none" for room in grant.rooms)
        return f"what the gate accepted is good for the room {rooms} alone"
    machine = refused.find(Kind.STREAM, refused.stream_id) or refused.find(Kind.ROOM, refused.stream_id)
    if machine is not None and refused.session not in machine.sessions:
        kind = Kind.ROOM if refused.find(Kind.ROOM, refused.stream_id) is machine else Kind.STREAM
        return f"{_held(refused, machine, kind)}, and this session takes no part in it"
    if refused.engine.settings.hide_streams:
        return f"streams are hidden (hideStreams, {refused.history.since('SettingsChanged')}) and it has no standing"
    return ""


def _blocked(refused: Refused) -> str:
    grant = refused.step.record.grant
    if grant is not None and not grant.allowed:
        return "the gate refused it because of a block"
    whom = getattr(refused.input, "subscriber_id", "") or (grant.identity if grant is not None else "")
    if not whom and refused.error.subscriber_id is not UNSET:
        whom = str(refused.error.subscriber_id)
    return f"whoever asks is blocked for a time{refused.history.ordered(whom)}"


def _unregistered(refused: Refused) -> str:
    settings = refused.engine.settings
    names = [name for name in ("registeredStreamsOnly", "registeredRoomsOnly") if getattr(settings, _SNAKE[name])]
    missing = refused.room if type(refused.input) is JoinRoom else refused.stream_id
    return (
        f"{printable(missing)}, or its room, is not registered, and {' and '.join(names)} "
        f"demands that {refused.history.since('SettingsChanged')}"
    )


_SNAKE: Final = {
    "registeredStreamsOnly": "registered_streams_only",
    "registeredRoomsOnly": "registered_rooms_only",
}


def _not_open(kind: Kind) -> Reason:
    def told(refused: Refused) -> str:
        registry = refused.engine.registry
        wall = (refused.step.record.time + refused.engine.environment.clock_offset) // 1_000_000
        for name in dict.fromkeys((refused.room, refused.stream_id)):
            plan: RegisteredStream | RegisteredRoom | None
            plan = registry.stream(refused.app, name) if kind is Kind.STREAM else registry.room(refused.app, name)
            if plan is None:
                continue
            planned = f"from {plan.planned_start or 'ever'} to {plan.planned_end or 'ever'}"
            ordered = refused.history.ordered(name)
            return f"the {kind} {printable(name)} is planned {planned}{ordered}, and it was {wall} (s since 1970)"
        return ""

    return told


def _viewers(refused: Refused) -> str:
    indexes, id = refused.engine.indexes, refused.stream_id
    count = indexes.audience_size(refused.app, id) + indexes.waiting_size(refused.app, id)
    registered = refused.engine.registry.stream(refused.app, id)
    own = registered.viewers_max if registered is not None else -1
    limit = min((one for one in (own, refused.engine.settings.viewers_max) if one >= 0), default=-1)
    source = "of its registration" if limit == own else "viewersMax of the settings"
    return f"the stream {printable(id)} has {count} viewers, the limit ({source}) is {limit}"


def _full(refused: Refused) -> str:
    room = refused.room
    count = refused.engine.indexes.placed_size(refused.app, room)
    return f"the room {printable(room)} has {count} streams, live or about to be, which is its limit"


def _no_space(refused: Refused) -> str:
    machine = refused.find(Kind.PAIR, refused.stream_id)
    return _held(refused, machine, Kind.PAIR) if machine is not None else ""


def _no_peer(refused: Refused) -> str:
    machine = refused.find(Kind.PAIR, refused.stream_id)
    if machine is None:
        life = refused.life(Kind.PAIR, refused.stream_id)
        if life is not None and life.ended:
            name = printable(refused.stream_id)
            return f"the pair {name} of record {life.began} was dissolved at {life.ended}, when {life.why}"
        return f"there is no pair {printable(refused.stream_id)}"
    place = "is alone in it" if refused.session in machine.sessions else "is not in it"
    return f"{_held(refused, machine, Kind.PAIR)}; session {short_session(refused.session)} {place}"


def _empty_room(refused: Refused) -> str:
    room = refused.room or refused.stream_id
    machine = refused.find(Kind.ROOM, room)
    if machine is not None:
        return f"{_held(refused, machine, Kind.ROOM)}, and has no members"
    life = refused.life(Kind.ROOM, room)
    if life is not None and life.ended:
        return f"the room {printable(room)} of record {life.began} was closed at {life.ended}, when {life.why}"
    return f"nobody has joined {printable(room)} so far"


def _no_codec(refused: Refused) -> str:
    return f"the settings enable no codec {refused.history.since('SettingsChanged')}"


def _no_ladder(refused: Refused) -> str:
    since = refused.history.since("SettingsChanged")
    return f"{printable(refused.stream_id)} is to be played in renditions, and the settings name none {since}"


def _too_late(refused: Refused) -> str:
    record = refused.step.record
    if isinstance(record.event, DeadlineReached):
        born = record.event.machine.born
        waited = f"{refused.engine.settings.publish_timeout_ms} ms by the settings now in force"
        return f"no media flowed in time after record {born}: {origin_told(record)} ({waited})"
    return f"it ended before media flowed: {origin_told(record)}"


def _by_this(refused: Refused) -> str:
    return origin_told(refused.step.record)


_REASONS: Final[dict[str, Reason]] = {
    "streamIdInUse": _id_in_use,
    "already_publishing": _already(Kind.STREAM),
    "already_playing": _already(Kind.PLAYBACK),
    "no_stream_exist": _nothing_there,
    "highResourceUsage": _overloaded,
    "license_suspended_please_renew_license": _licence,
    "unauthorized_access": _no_access,
    "user_blocked": _blocked,
    "not_allowed_unregistered_streams": _unregistered,
    "stream_not_active_or_expired": _not_open(Kind.STREAM),
    "room_not_active_or_expired": _not_open(Kind.ROOM),
    "viewerLimitReached": _viewers,
    "main_track_has_max_subtrack_count__not_allowed_to_add_more_subtracks": _full,
    "NoSpaceForNewPeer": _no_space,
    "no_peer_associated_before": _no_peer,
    "no_active_streams_in_room": _empty_room,
    "no_codec_enabled_in_the_server": _no_codec,
    "no_encoder_settings": _no_ladder,
    "publishTimeoutError": _too_late,
    "noPacketReceivedForTimeoutDuration": _by_this,
    "notSetLocalDescription": _by_this,
    "notSetRemoteDescription": _by_this,
}
