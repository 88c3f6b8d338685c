"""The answers to what clients ask about a stream or a room, and the rows that give them.

A question changes nothing. It goes to the room of that id when there is one, else to the stream, whose initial state
says that there is none. With `hide_streams` that answer would tell what there is, so whoever has no standing gets the
same refusal for every id.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from signalreel.commands import (
    Command,
    GetBroadcastObject,
    GetDebugInfo,
    GetSubscriberCount,
    GetSubscribers,
    GetSubtracks,
    GetSubtracksCount,
)
from signalreel.machines.base import AnyMachine
from signalreel.machines.broadcasts import (
    broadcast_of,
    broadcast_of_registered,
    count_subtracks,
    count_viewers,
    page_of_subtracks,
    page_of_viewers,
    text_of,
)
from signalreel.machines.checks import has_no_standing
from signalreel.machines.context import Context
from signalreel.machines.inspection import debug_text
from signalreel.machines.shapes import Room
from signalreel.machines.table import Row, otherwise, refuse, row
from signalreel.messages import Notification
from signalreel.refusals import NO_STREAM_EXIST, UNAUTHORIZED_ACCESS

__all__ = (
    "ANSWERS",
    "Answer",
    "answered",
    "hidden",
    "is_registered",
    "tell_broadcast",
    "tell_debug_info",
    "tell_subscriber_count",
    "tell_subscribers",
    "tell_subtracks",
    "tell_subtracks_count",
    "unanswered",
)

Answer = Callable[[AnyMachine, Any, Context], None]
"""Sends the answer to a question."""


def tell_broadcast(machine: AnyMachine, asked: GetBroadcastObject, context: Context) -> None:
    """Tell everything that may be told of a stream or room."""
    broadcast = broadcast_of(machine, context)
    if machine.born == 0:
        broadcast = broadcast_of_registered(machine.app, machine.id, context)
    if broadcast is not None:
        _answer(context, Notification("broadcastObject", stream_id=machine.id, broadcast=text_of(broadcast)))


def tell_subtracks(machine: AnyMachine, asked: GetSubtracks, context: Context) -> None:
    """Tell one page of the streams of a room; a stream has none."""
    found = page_of_subtracks(machine, asked, context) if isinstance(machine, Room) else ()
    _answer(context, Notification("subtrackList", stream_id=machine.id, subtrack_list=found))


def tell_subtracks_count(machine: AnyMachine, asked: GetSubtracksCount, context: Context) -> None:
    """Tell how many streams a room has; a stream has none."""
    count = count_subtracks(machine, asked.role, asked.status, context) if isinstance(machine, Room) else 0
    _answer(context, Notification("subtrackCount", stream_id=machine.id, count=count))


def tell_subscriber_count(machine: AnyMachine, asked: GetSubscriberCount, context: Context) -> None:
    """Tell how many play a stream or the whole room, or are registered for it."""
    count = count_viewers(machine.app, machine.id, context)
    _answer(context, Notification("subscriberCount", stream_id=machine.id, count=count))


def tell_subscribers(machine: AnyMachine, asked: GetSubscribers, context: Context) -> None:
    """Tell one page of those who play a stream or the whole room, or are registered for it."""
    found = page_of_viewers(machine.app, machine.id, asked.offset, asked.size, context)
    _answer(context, Notification("subscriberList", stream_id=machine.id, subscriber_list=found))


def tell_debug_info(machine: AnyMachine, asked: GetDebugInfo, context: Context) -> None:
    """Tell in which state an id is, and since when."""
    _answer(context, Notification("debugInfo", stream_id=machine.id, debug_info=debug_text(machine.id, context)))


def _answer(context: Context, answer: Notification) -> None:
    context.send(context.session, answer)


ANSWERS: Final[dict[type[Command], Answer]] = {
    GetBroadcastObject: tell_broadcast,
    GetSubtracks: tell_subtracks,
    GetSubtracksCount: tell_subtracks_count,
    GetSubscriberCount: tell_subscriber_count,
    GetSubscribers: tell_subscribers,
    GetDebugInfo: tell_debug_info,
}

"""What is asked of a stream or of a room in the same words, and the answer."""


def hidden(question: type[Command], states: tuple[StrEnum, ...]) -> Row:
    """The row that refuses a question of whoever has no standing, where streams are hidden."""
    return refuse(question, states, has_no_standing, UNAUTHORIZED_ACCESS)


def answered(states: tuple[StrEnum, ...]) -> list[Row]:
    """The rows that answer every question, in the states in which there is something to tell."""
    return [
        line
        for question, answer in ANSWERS.items()
        for line in (hidden(question, states), row(question, states, otherwise, answer))
    ]


def is_registered(machine: AnyMachine, asked: Command, context: Context) -> bool:
    """Whether an operator has registered the stream, though it is not live."""
    return context.registry.registration(machine.app, machine.id) is not None


def unanswered(states: tuple[StrEnum, ...]) -> list[Row]:
    """The rows that refuse every question, in the states in which there is nothing but what is registered."""
    return [
        *(hidden(question, states) for question in ANSWERS),
        row(GetBroadcastObject, states, is_registered, tell_broadcast),
        row(GetSubscriberCount, states, is_registered, tell_subscriber_count),
        row(GetSubscribers, states, is_registered, tell_subscribers),
        *(refuse(question, states, otherwise, NO_STREAM_EXIST) for question in ANSWERS),
    ]
