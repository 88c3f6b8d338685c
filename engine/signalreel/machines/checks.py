"""Conditions that several machines share, and the rows with which every gated command begins.

The order is decided once for all: licence, then resources, then access, then blocks; the first that fails is the
answer, as the real server documents it.
"""

from collections.abc import Callable
from enum import StrEnum

from signalreel.commands import Command, TakeConfiguration, UpdateStreamMetaData
from signalreel.identifiers import Kind
from signalreel.machines.base import AnyMachine
from signalreel.machines.broadcasts import TOLD_LENGTH_MAX
from signalreel.machines.context import Context
from signalreel.machines.table import Row, refuse
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
    "licence_suspended",
    "lives_as",
    "load_checks",
    "overloaded",
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
        refuse(command, states, blocked, USER_BLOCKED),
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
    """Whether the gate refused, for any reason but a block, or the token was good for one use and another had it."""
    grant = context.record.grant
    if grant is None:
        return False
    if not grant.allowed:
        return grant.refusal != USER_BLOCKED.definition
    return grant.once != "" and context.used.by_another(context.app, grant.once, context.session, context.time)


def blocked(machine: AnyMachine, input: object, context: Context) -> bool:
    """Whether the gate refused because of a block."""
    grant = context.record.grant
    return grant is not None and not grant.allowed and grant.refusal == USER_BLOCKED.definition


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
    return len(input.meta_data) <= TOLD_LENGTH_MAX


def lives_as(*kinds: Kind) -> Condition:
    """Make the condition that the id is alive as one of these kinds: in an app an id is one thing, never two."""

    def names_another(machine: AnyMachine, input: object, context: Context) -> bool:
        return any(context.find(kind, machine.id) is not None for kind in kinds)

    return names_another


def is_offer(machine: AnyMachine, input: TakeConfiguration, context: Context) -> bool:
    """Whether the description is an offer."""
    return input.type == "offer"


def is_answer(machine: AnyMachine, input: TakeConfiguration, context: Context) -> bool:
    """Whether the description is an answer."""
    return input.type == "answer"
