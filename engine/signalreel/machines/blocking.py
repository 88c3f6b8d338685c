"""Who holds what as whom, and what orders about what is registered end of it: a block, as if its subscriber had let go.

Whoever is put out is told `user_blocked` first, and then what it would have been told had it stopped.

A block holds by whatever door the stream or room is reached. One of a room is about what is published in it, however it
came there. One of a stream is about the stream in its room too: a playback of the whole room that shows it ends, and
one that begins later leaves it out.
"""

from collections.abc import Iterator
from typing import Final

from signalreel.commands import Command, Join, JoinRoom, Leave, LeaveFromRoom, Play, Publish, Stop
from signalreel.host import (
    BlockSubscriber,
    CloseRoom,
    EndStream,
    HostCommand,
    RegisterStream,
    UnregisterRoom,
    UnregisterStream,
)
from signalreel.identifiers import Kind
from signalreel.machines.base import Key, Notice
from signalreel.machines.checks import scopes_of
from signalreel.machines.context import US_PER_S, Context
from signalreel.machines.notices import PlanChanged
from signalreel.machines.shapes import Playback, Stream, StreamState
from signalreel.machines.standings import Standing, names_in, wish_of
from signalreel.registered import Purpose
from signalreel.step import Source

__all__ = ("TAKING_HOLD", "ended_by", "standings_after", "without_blocked")

_Ending = Command | HostCommand | Notice
"""What a machine is given to end it, or to have it look at what is registered."""

TAKING_HOLD: Final = frozenset((Publish, Play, Join, JoinRoom))
"""The commands by which a session takes hold of a machine."""


def standings_after(context: Context, command: Command) -> tuple[Standing, ...] | None:
    """Give all that the record's session stands for, now that its command was carried out; None when that is as before.

    Only what was taken hold of counts, and only in somebody's name: a question leaves nothing behind, and what is taken
    hold of in nobody's name is no longer held in the name under which it was held before.
    """
    if context.refused or type(command) not in TAKING_HOLD:
        return None
    grant = context.record.grant
    identity = grant.identity if grant is not None else ""
    names = names_in(command, context.vouched)
    is_somebody = bool(names or identity)
    if not is_somebody and not context.standings.of(context.session):
        return None
    wish = wish_of(command, context.session)
    held = context.indexes.held(context.session)
    if wish is None or (wish.kind, context.app, wish.id) not in held:
        return None
    others = context.standings.others(context.app, context.session, (wish.kind, wish.id), held)
    if not is_somebody:
        return others
    scopes = scopes_of(command, wish, context)
    return (*others, Standing(wish.kind, wish.id, wish.purpose, scopes, names, identity))


def without_blocked(playback: Playback, sources: tuple[Source, ...], context: Context) -> tuple[Source, ...]:
    """Leave out of what a player of a whole room is to be shown the streams that it is kept from playing."""
    if not context.registry.has_blocks(playback.app):
        return sources
    names, identity = _player_of(playback, context)
    if not context.registry.has_blocks_of(playback.app, (*names, identity), Purpose.PLAY):
        return sources
    return tuple(
        source
        for source in sources
        if not context.registry.is_blocked(
            playback.app, names, identity, (source.stream_id,), Purpose.PLAY, context.wall
        )
    )


def _player_of(playback: Playback, context: Context) -> tuple[tuple[str, ...], str]:
    """Under which names and tag somebody plays this; of a playback that is just beginning, the command says so."""
    command, grant = context.record.command, context.record.grant
    if command is not None and not playback.born:
        return names_in(command, context.vouched), grant.identity if grant is not None else ""
    for standing in context.standings.of(playback.sessions[0]):
        if standing.kind is Kind.PLAYBACK and standing.id == playback.id:
            return standing.names, standing.identity
    return (), ""


def ended_by(context: Context, command: HostCommand) -> Iterator[tuple[str, Key, _Ending]]:
    """Give the machines that an order about what is registered ends or moves, one by one: (session, key, the input).

    The session is whoever is put out, and empty where nobody is blocked. What comes later depends on what has ended
    before, so carry each out before asking for the next.
    """
    app = context.app
    match command:
        case RegisterStream(stream=stream):
            yield from _waiting_for(context, stream.stream_id)
        case UnregisterStream(stream_id=id):
            if context.find(Kind.STREAM, id) is not None:
                yield "", (Kind.STREAM, app, id), EndStream(stream_id=id)
            if context.find(Kind.ROOM, id) is not None:
                yield "", (Kind.ROOM, app, id), CloseRoom(room=id)
            yield from _waiting_for(context, id)
        case UnregisterRoom(room=id) if context.find(Kind.ROOM, id) is not None:
            yield "", (Kind.ROOM, app, id), CloseRoom(room=id)
        case BlockSubscriber() if command.until * US_PER_S > context.wall:
            yield from _ended_by_block(context, command)
        case _:
            pass


def _waiting_for(context: Context, stream_id: str) -> Iterator[tuple[str, Key, _Ending]]:
    """Whoever waits for a stream looks at what is registered of it now."""
    for playback in context.indexes.waiting(context.app, stream_id):
        yield "", (Kind.PLAYBACK, context.app, playback), PlanChanged()


def _ended_by_block(context: Context, block: BlockSubscriber) -> Iterator[tuple[str, Key, _Ending]]:
    app = context.app
    for session in context.standings.sessions(app, block.subscriber_id, block.identity):
        for standing in context.standings.of(session):
            key = (standing.kind, app, standing.id)
            if key in context.indexes.held(session) and _is_meant(standing, block, context):
                yield session, key, _letting_go(standing)
    for key in _kept_for(context, block):
        yield "", key, EndStream(stream_id=key[2])


def _is_meant(standing: Standing, block: BlockSubscriber, context: Context) -> bool:
    if standing.purpose not in block.kind.purposes:
        return False
    if block.subscriber_id not in standing.names and (not block.identity or block.identity != standing.identity):
        return False
    if not block.stream_id or block.stream_id in standing.ids:
        return True
    playback = context.find(standing.kind, standing.id) if standing.kind is Kind.PLAYBACK else None
    return isinstance(playback, Playback) and any(source.stream_id == block.stream_id for source in playback.sources)


def _letting_go(standing: Standing) -> Command:
    match standing.kind:
        case Kind.STREAM | Kind.PLAYBACK:
            return Stop(standing.ids[0])
        case Kind.PAIR:
            return Leave(standing.id)
        case Kind.ROOM:
            return LeaveFromRoom(standing.id)


def _kept_for(context: Context, block: BlockSubscriber) -> list[Key]:
    """The streams that are kept for this publisher, whom no session stands for now."""
    if not block.identity or not any(purpose == "publish" for purpose in block.kind.purposes):
        return []
    return sorted(
        key
        for key, machine in context.machines.items()
        if key[1] == context.app
        and isinstance(machine, Stream)
        and machine.state is StreamState.RESTORING
        and machine.identity == block.identity
        and block.stream_id in {"", machine.id, machine.placed_in}
    )
