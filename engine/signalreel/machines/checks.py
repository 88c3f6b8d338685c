"""Conditions that several machines share, and the rows with which every gated command begins.

The order is decided once for all: licence, then resources, then access, then blocks; the first that fails is the
answer, as the real server documents it.
"""

from collections.abc import Callable
from enum import StrEnum

from signalreel.commands import Command, Play, Publish, TakeConfiguration, UpdateStreamMetaData
from signalreel.identifiers import Kind
from signalreel.machines.base import AnyMachine
from signalreel.machines.context import Context
from signalreel.machines.planned import place_of, room_of
from signalreel.machines.standings import Wish, names_in, wish_of
from signalreel.machines.table import Row, refuse
from signalreel.machines.texts import told
from signalreel.record import Grant
from signalreel.refusals import HIGH_RESOURCE_USAGE, LICENSE_SUSPENDED, UNAUTHORIZED_ACCESS, USER_BLOCKED

__all__ = (
    "Condition",
    "access_checks",
    "access_denied",
    "blocked",
    "by_another_session",
    "by_holder",
    "can_be_told",
    "has_no_standing",
    "holds_too_many",
    "is_answer",
    "is_offer",
    "is_taken",
    "licence_suspended",
    "lives_as",
    "load_checks",
    "overloaded",
    "scopes_of",
    "until_lifted",
)

Condition = Callable[[AnyMachine, object, Context], bool]
"""A condition that looks at what every machine and every input has."""


def load_checks(command: type[Command], states: tuple[StrEnum, ...]) -> list[Row]:
    """The rows that refuse a command for the server's own reasons."""
    return [
        refuse(command, states, licence_suspended, LICENSE_SUSPENDED),
        refuse(command, states, overloaded, HIGH_RESOURCE_USAGE),
    ]


def access_checks(command: type[Command], states: tuple[StrEnum, ...]) -> list[Row]:
    """The rows that refuse a command which the gate did not grant."""
    return [
        refuse(command, states, access_denied, UNAUTHORIZED_ACCESS),
        refuse(command, states, blocked, USER_BLOCKED, until_lifted),
    ]


def licence_suspended(machine: AnyMachine, input: object, context: Context) -> bool:
    """Whether an operator suspended the licence."""
    return context.environment.licence_suspended


def overloaded(machine: AnyMachine, input: object, context: Context) -> bool:
    """Whether the host's load is at its limit (protocol page: CPU load, or free memory in megabytes)."""
    environment, settings = context.environment, context.settings
    return (
        environment.cpu_percent >= settings.cpu_percent_max
        or 0 <= environment.free_memory_mb < settings.free_memory_mb_min
    )


def holds_too_many(machine: AnyMachine, input: object, context: Context) -> bool:
    """Whether the session holds as many machines as one may."""
    limit = context.settings.session_machines_max
    return 0 <= limit <= len(context.indexes.held(context.session))


def access_denied(machine: AnyMachine, input: object, context: Context) -> bool:
    """Whether the gate refused, for any reason but a block, or what it accepted is for elsewhere or has been used up.

    A gate decides before the command has its place in the order, and by what it is told or can look up. Where the
    command leads is only certain here, so a verdict for one room opens no other. A one-time token is used up by another
    session, a registered subscriber by as many sessions as it may have.
    """
    grant = context.record.grant
    if grant is None:
        return False
    if not grant.allowed:
        return grant.refusal != USER_BLOCKED.definition
    if grant.rooms is not None and place_of(machine, input, context) not in {None, *grant.rooms}:
        return True
    if grant.once and context.used.by_another(context.app, grant.once, context.session, context.wall):
        return True
    return _connects_too_often(input, grant, context)


def blocked(machine: AnyMachine, input: object, context: Context) -> bool:
    """Whether the gate refused because of a block, or one is registered for whoever asks."""
    grant = context.record.grant
    if grant is not None and not grant.allowed and grant.refusal == USER_BLOCKED.definition:
        return True
    return _blocked_until(input, context) > 0


def until_lifted(machine: AnyMachine, input: object, context: Context) -> int:
    """How many milliseconds the block still lasts; how long one of the gate's does, only the gate knows."""
    return context.until_ms(_blocked_until(input, context))


def _blocked_until(input: object, context: Context) -> int:
    """Until when whoever asks is kept from what it asks, in seconds since 1970; 0 when nothing is registered."""
    if not context.registry.has_blocks(context.app) or not isinstance(input, Command):
        return 0
    wish = wish_of(input, context.session)
    if wish is None:
        return 0
    grant = context.record.grant
    names, identity = names_in(input, context.vouched), grant.identity if grant is not None else ""
    if not context.registry.has_blocks_of(context.app, (*names, identity), wish.purpose):
        return 0
    return context.registry.blocked_until(
        context.app, names, identity, scopes_of(input, wish, context), wish.purpose, context.wall
    )


def scopes_of(command: Command, wish: Wish, context: Context) -> tuple[str, ...]:
    """The streams and rooms that a command is about: those it names, and the room its stream is in or would be put in.

    What it names is not enough, because a room is reached by having joined it or by a registration just as well.
    """
    stream = context.find(Kind.STREAM, wish.ids[0])
    placed_in = stream.placed_in if stream is not None else ""
    room = room_of(command, context) if isinstance(command, Publish) else ""
    return tuple(dict.fromkeys(id for id in (*wish.ids, placed_in, room) if id))


def _connects_too_often(input: object, grant: Grant, context: Context) -> bool:
    """Whether a registered subscriber holds the stream in as many other sessions as it may."""
    if not len(context.registry) or not isinstance(input, Publish | Play) or not input.subscriber_id:
        return False
    wish = wish_of(input, context.session)
    for stream_id in scopes_of(input, wish, context) if wish is not None else ():
        subscriber = context.registry.subscriber(context.app, stream_id, input.subscriber_id)
        if subscriber is None or subscriber.connections_max < 0:
            continue
        others = [
            session
            for session in context.standings.sessions(context.app, grant.identity or input.subscriber_id)
            if session != context.session and _holds(session, stream_id, context)
        ]
        if len(others) >= subscriber.connections_max:
            return True
    return False


def _holds(session: str, stream_id: str, context: Context) -> bool:
    held = context.indexes.held(session)
    return any(
        stream_id in standing.ids and (standing.kind, context.app, standing.id) in held
        for standing in context.standings.of(session)
    )


def has_no_standing(machine: AnyMachine, input: object, context: Context) -> bool:
    """Whether streams are hidden, and the session takes no part in this one or its room, nor was it granted to."""
    if not context.settings.hide_streams:
        return False
    grant = context.record.grant
    if grant is not None and grant.allowed:
        return False
    return not any(context.takes_part_in(id) for id in (machine.id, machine.placed_in) if id)


def by_holder(machine: AnyMachine, input: object, context: Context) -> bool:
    """Whether the record's session holds this machine."""
    return context.session in machine.sessions


def by_another_session(machine: AnyMachine, input: object, context: Context) -> bool:
    """Whether another session holds this machine."""
    return context.session not in machine.sessions


def can_be_told(machine: AnyMachine, input: UpdateStreamMetaData, context: Context) -> bool:
    """Whether the meta data are no longer than what others are told."""
    return told(input.meta_data) == input.meta_data


def lives_as(*kinds: Kind) -> Condition:
    """Make the condition that the id is alive as one of these kinds: in an app an id is one thing, never two."""

    def names_another(machine: AnyMachine, input: object, context: Context) -> bool:
        return is_taken(machine.id, kinds, context)

    return names_another


def is_taken(id: str, kinds: tuple[Kind, ...], context: Context) -> bool:
    """Whether an id is alive as one of these kinds; one that players may wait for is a stream's before it is live."""
    machines, app = context.machines, context.app
    for kind in kinds:
        if (kind, app, id) in machines:
            return True
    registered = context.registry.stream(context.app, id) if Kind.STREAM in kinds else None
    return registered is not None and registered.waits


def is_offer(machine: AnyMachine, input: TakeConfiguration, context: Context) -> bool:
    """Whether the description is an offer."""
    return input.type == "offer"


def is_answer(machine: AnyMachine, input: TakeConfiguration, context: Context) -> bool:
    """Whether the description is an answer."""
    return input.type == "answer"
