"""Who holds what as whom, and what orders about what is registered end of it: a block, as if its subscriber had let go.

Whoever is put out is told `user_blocked` first, and then what it would have been told had it stopped.
"""

from collections.abc import Iterator
from typing import Final

from signalreel.commands import Command, Join, JoinRoom, Leave, LeaveFromRoom, Play, Publish, Stop
from signalreel.host import BlockSubscriber, CloseRoom, EndStream, HostCommand, UnregisterRoom, UnregisterStream
from signalreel.identifiers import Kind
from signalreel.machines.base import Key
from signalreel.machines.context import US_PER_S, Context
from signalreel.machines.shapes import Stream, StreamState
from signalreel.machines.standings import Standing, names_in, wish_of

__all__ = ("ended_by", "standings_after")

_TAKING_HOLD: Final = frozenset((Publish, Play, Join, JoinRoom))


def standings_after(context: Context, command: Command) -> tuple[Standing, ...] | None:
    """Give all that the record's session stands for, now that its command was carried out; None when that is as before.

    Only what was taken hold of counts, and only in somebody's name: a question leaves nothing behind.
    """
    if context.refused or type(command) not in _TAKING_HOLD:
        return None
    grant = context.record.grant
    identity = grant.identity if grant is not None else ""
    names = names_in(command, context.vouched)
    wish = wish_of(command, context.session) if names or identity else None
    held = context.indexes.held(context.session)
    if wish is None or (wish.kind, context.app, wish.id) not in held:
        return None
    standing = Standing(wish.kind, wish.id, wish.purpose, wish.ids, names, identity)
    return context.standings.with_one(context.app, context.session, standing, held)


def ended_by(context: Context, command: HostCommand) -> Iterator[tuple[str, Key, Command | HostCommand]]:
    """Give the machines that an order about what is registered ends, one by one: (session, key, the input that does).

    The session is whoever is put out, and empty where nobody is blocked. What comes later depends on what has ended
    before, so carry each out before asking for the next.
    """
    match command:
        case UnregisterStream(stream_id=id) if context.find(Kind.STREAM, id) is not None:
            yield "", (Kind.STREAM, context.app, id), EndStream(stream_id=id)
        case UnregisterRoom(room=id) if context.find(Kind.ROOM, id) is not None:
            yield "", (Kind.ROOM, context.app, id), CloseRoom(room=id)
        case BlockSubscriber() if command.until * US_PER_S > context.wall:
            yield from _ended_by_block(context, command)
        case _:
            pass


def _ended_by_block(context: Context, block: BlockSubscriber) -> Iterator[tuple[str, Key, Command | HostCommand]]:
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
    machine = context.find(standing.kind, standing.id)
    return machine is not None and block.stream_id in {machine.placed_in, machine.watches, machine.waits_for}


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
