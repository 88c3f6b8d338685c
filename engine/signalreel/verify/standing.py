"""What must hold of every machine as it stands: checked of those that changed, or of all of them."""

from collections.abc import Callable
from typing import Any, Final

from signalreel.identifiers import Kind
from signalreel.machines.base import AnyMachine, Key
from signalreel.machines.shapes import (
    Pair,
    PairState,
    Playback,
    PlaybackState,
    Room,
    Stream,
    StreamState,
)
from signalreel.step import Deadline
from signalreel.verify.looking import Looking

__all__ = ("check_deadline", "check_gone", "check_machine", "check_session_gone")

_NAMED: Final = (Kind.STREAM, Kind.PAIR, Kind.ROOM)
_STARTING_STREAM: Final = frozenset((StreamState.PREPARING, StreamState.NEGOTIATING, StreamState.CONNECTING))
_NEGOTIATED: Final = frozenset(
    (
        PlaybackState.PREPARING,
        PlaybackState.OFFERED,
        PlaybackState.CONNECTING,
        PlaybackState.UPDATING,
        PlaybackState.REOFFERED,
    )
)
_PEERS: Final = {
    PairState.EXPECTED: 0,
    PairState.WAITING: 1,
    PairState.PAIRED: 2,
    PairState.OFFERED: 2,
    PairState.CONNECTED: 2,
}


def check_machine(look: Looking, key: Key, machine: AnyMachine) -> None:
    """Check a machine that lives."""
    kind, app, id = key
    for session in machine.sessions:
        holder = look.engine.session(session)
        if holder is None or holder.app != app:
            look.wrong("nothing-outlives-its-owner", key, "it is held by a session that is not open in its app")
            break
    if kind is not Kind.PLAYBACK:
        for other in _NAMED:
            if other is not kind and look.engine.find(other, id, app=app) is not None:
                look.wrong("one-thing-per-id", key, f"there is a {other} of this id as well")
    _CHECKS[kind](look, key, machine)


def _check_stream(look: Looking, key: Key, stream: Stream) -> None:
    is_kept = stream.state is StreamState.RESTORING
    if len(stream.sessions) > 1 or not (stream.sessions or is_kept):
        look.wrong("one-owner", key, f"{len(stream.sessions)} sessions hold it while it is {stream.state}")
    for session in stream.sessions if not is_kept else ():
        own = [id for kind, app, id in look.engine.indexes.held(session) if kind is Kind.STREAM and app == key[1]]
        published = [id for id in own if (one := look.stream(key[1], id)) and one.state is not StreamState.RESTORING]
        if len(published) > 1:
            look.wrong("one-owner", key, f"its session publishes {len(published)} streams")
    waits = is_kept or stream.state in _STARTING_STREAM
    if bool(stream.wake_at) is not waits:
        look.wrong("publish-ends", key, f"it is {stream.state} {'without' if waits else 'with'} a timer")


def _check_playback(look: Looking, key: Key, playback: Playback) -> None:
    waits = playback.state in _NEGOTIATED
    if playback.state is not PlaybackState.WAITING and bool(playback.wake_at) is not waits:
        look.wrong("play-ends", key, f"it is {playback.state} {'without' if waits else 'with'} a timer")
    if len(playback.sessions) != 1:
        look.wrong("nothing-outlives-its-owner", key, f"{len(playback.sessions)} sessions hold it")
    if playback.watches:
        source = Kind.ROOM if playback.whole_room else Kind.STREAM
        if look.engine.find(source, playback.watches, app=key[1]) is None:
            look.wrong("nothing-outlives-its-owner", key, f"the {source} that it shows has ended")


def _check_pair(look: Looking, key: Key, pair: Pair) -> None:
    peers = pair.sessions
    if len(peers) != _PEERS[pair.state] or len(set(peers)) != len(peers) or len(pair.modes) != len(peers):
        look.wrong("pair-of-two", key, f"it is {pair.state} with {len(peers)} peer(s)")
    if bool(pair.owed) is not (pair.state is PairState.OFFERED) or (pair.offerer and pair.offerer not in peers):
        look.wrong("newest-answer", key, f"it is {pair.state}, and {pair.owed} answers are owed")
    if bool(pair.wake_at) is not (pair.state is PairState.EXPECTED):
        look.wrong("nothing-outlives-its-owner", key, f"it is {pair.state}, which no timer fits")
    for call in pair.calls:
        if look.engine.find(Kind.PAIR, call.id, app=key[1]) is None:
            look.wrong("nothing-outlives-its-owner", key, "a call waits for a pair that is gone")


def _check_room(look: Looking, key: Key, room: Room) -> None:
    _, app, id = key
    if not room.members and not look.engine.indexes.audience_size(app, id):
        look.wrong("room-lives", key, "nobody is in it or plays it")
    if room.sessions != tuple(member.session for member in room.members) or len(set(room.sessions)) < len(room.members):
        look.wrong("room-lives", key, "its seats are not its members', one each")
    for member in room.members:
        if not member.joined:
            stream = look.stream(app, member.stream_id)
            if stream is None or stream.placed_in != id:
                look.wrong("room-lives", key, "somebody has a seat for a stream that is not published in it")


_CHECKS: Final[dict[Kind, Callable[[Looking, Key, Any], None]]] = {
    Kind.STREAM: _check_stream,
    Kind.PLAYBACK: _check_playback,
    Kind.PAIR: _check_pair,
    Kind.ROOM: _check_room,
}


def check_gone(look: Looking, key: Key, was: AnyMachine) -> None:
    """Check what a machine that ended leaves behind."""
    kind, app, id = key
    if kind in {Kind.STREAM, Kind.ROOM}:
        for playback_id in look.engine.indexes.audience(app, id):
            playback = look.playback(app, playback_id)
            if playback is not None and playback.whole_room is (kind is Kind.ROOM):
                _check_playback(look, (Kind.PLAYBACK, app, playback_id), playback)
    rooms = {was.placed_in} if kind is Kind.STREAM else {was.watches} if kind is Kind.PLAYBACK else set[str]()
    for room_id in rooms:
        room = look.engine.find(Kind.ROOM, room_id, app=app) if room_id else None
        if isinstance(room, Room):
            _check_room(look, (Kind.ROOM, app, room_id), room)


def check_session_gone(look: Looking, session: str) -> None:
    """Check that a session which closed holds nothing any more."""
    for key in look.engine.held(session):
        look.wrong("nothing-outlives-its-owner", key, "its session has closed")


def check_deadline(look: Looking, deadline: Deadline | None) -> None:
    """Check that the engine asks to be woken for a machine that lives and has this timer."""
    if deadline is None:
        return
    reference = deadline.machine
    machine = look.engine.find(reference.kind, reference.id, app=reference.app)
    if machine is None or (machine.born, machine.timer, machine.wake_at) != (
        reference.born,
        deadline.timer,
        deadline.at,
    ):
        key = (reference.kind, reference.app, reference.id)
        look.wrong("nothing-outlives-its-owner", key, "the timer that is due next is not its own")
