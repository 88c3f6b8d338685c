"""What is registered with the apps, as the engine keeps it.

The registry is a part of the state like the machines: host commands on the reel change it, a snapshot holds it, and
digests of the state cover it. It outlives what is live. Every kind has a named bound for each app; what has run out by
itself is forgotten before the bound is held against anything.

It only keeps and finds. What an order does to live machines is the engine's to arrange.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from signalreel.host import (
    NO_SUBSCRIBER_NAMED,
    NOT_REGISTERED,
    TOO_MANY_REGISTERED,
    AnyRegistryCommand,
    BlockSubscriber,
    IssueToken,
    RegisterRoom,
    RegisterStream,
    RegisterSubscriber,
    RevokeTokens,
    UnregisterPushes,
    UnregisterRoom,
    UnregisterStream,
    UnregisterSubscriber,
)
from signalreel.identifiers import is_valid_name
from signalreel.refusals import (
    INVALID_STREAM_NAME,
    NO_ROOM_SPECIFIED,
    NO_STREAM_NAME_SPECIFIED,
    STREAM_ID_IN_USE,
    Refusal,
)
from signalreel.registered import (
    Block,
    IssuedToken,
    Purpose,
    PushRegistration,
    RegisteredRoom,
    RegisteredStream,
    Subscriber,
)

__all__ = ("AnyRegistered", "Place", "Registered", "Registration", "Registry", "RegistryLimits")

_US_PER_S: Final = 1_000_000
_US_PER_MS: Final = 1_000

Place = tuple[str, ...]
"""Where something is registered: its kind, its app, and its names."""


class RegistryLimits(Struct, frozen=True):
    """How many of a kind one app may have registered."""

    streams_max: int = 100_000
    rooms_max: int = 100_000
    tokens_max: int = 100_000  #: that have not expired
    subscribers_max: int = 100_000
    blocks_max: int = 100_000  #: that have not run out, a block from both purposes counting twice
    pushes_max: int = 100_000  #: then no new device is taken, until an order drops some; one that is known is replaced


class Registration(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """A registered stream, and whether it has been live since."""

    stream: RegisteredStream
    is_finished: bool = False  #: published under this registration, and over


class Registered(Struct, frozen=True):
    """Everything that is registered, each with its place, in no order that means anything."""

    streams: tuple[tuple[Place, Registration], ...] = ()
    rooms: tuple[tuple[Place, RegisteredRoom], ...] = ()
    tokens: tuple[tuple[Place, IssuedToken], ...] = ()
    subscribers: tuple[tuple[Place, Subscriber], ...] = ()
    blocks: tuple[tuple[Place, Block], ...] = ()
    pushes: tuple[tuple[Place, PushRegistration], ...] = ()


AnyRegistered = Registration | RegisteredRoom | IssuedToken | Subscriber | Block | PushRegistration

_STREAM: Final = "registered stream"
_ROOM: Final = "registered room"
_TOKEN: Final = "issued token"  # noqa: S105 - a kind of registration
_SUBSCRIBER: Final = "subscriber"
_BLOCK: Final = "block"
_PUSH: Final = "push registration"

_RETIRED_MAX: Final = 1_024
"""Entries in the queue of what expires that may be about what has been replaced since."""


class Registry:
    """What is registered, by its place. `changes` holds what has changed since it was last taken, for the digest."""

    def __init__(self, limits: RegistryLimits | None = None) -> None:
        limits = limits if limits is not None else RegistryLimits()
        self._bounds = {
            _STREAM: limits.streams_max,
            _ROOM: limits.rooms_max,
            _TOKEN: limits.tokens_max,
            _SUBSCRIBER: limits.subscribers_max,
            _BLOCK: limits.blocks_max,
            _PUSH: limits.pushes_max,
        }
        self.changes: list[tuple[Place, AnyRegistered | None]] = []
        self._values: dict[Place, AnyRegistered] = {}
        self._groups: dict[Place, dict[Place, None]] = {}
        self._expiring: list[tuple[int, Place]] = []

    def branch(self) -> "Registry":
        """A copy that goes its own way."""
        other = Registry.__new__(Registry)
        vars(other).update(
            _bounds=self._bounds,
            changes=self.changes.copy(),
            _values=self._values.copy(),
            _groups={group: listed.copy() for group, listed in self._groups.items()},
            _expiring=self._expiring.copy(),
        )
        return other

    # ---- looking

    def __len__(self) -> int:
        return len(self._values)

    def registration(self, app: str, stream_id: str) -> Registration | None:
        """A registered stream and what has become of it."""
        found = self._values.get((_STREAM, app, stream_id))
        return found if isinstance(found, Registration) else None

    def stream(self, app: str, stream_id: str) -> RegisteredStream | None:
        """A registered stream."""
        if not self._values:
            return None  # As on most servers; a publish asks six times.
        found = self.registration(app, stream_id)
        return found.stream if found is not None else None

    def room(self, app: str, room: str) -> RegisteredRoom | None:
        """A registered room."""
        found = self._values.get((_ROOM, app, room))
        return found if isinstance(found, RegisteredRoom) else None

    def token(self, app: str, tag: str) -> IssuedToken | None:
        """What the token of this tag was issued for. It may have expired."""
        found = self._values.get((_TOKEN, app, tag))
        return found if isinstance(found, IssuedToken) else None

    def subscriber(self, app: str, stream_id: str, subscriber_id: str) -> Subscriber | None:
        """A registered subscriber of a stream or room."""
        found = self._values.get((_SUBSCRIBER, app, stream_id, subscriber_id))
        return found if isinstance(found, Subscriber) else None

    def block(self, app: str, stream_id: str, subscriber_id: str, purpose: Purpose) -> Block | None:
        """A block of a subscriber, by its name. It may have run out."""
        found = self._values.get((_BLOCK, app, stream_id, subscriber_id, str(purpose)))
        return found if isinstance(found, Block) else None

    def stream_ids(self, app: str) -> list[str]:
        """The ids of an app's registered streams, in no order that means anything."""
        return [place[-1] for place in self._groups.get((_STREAM, app), ())]

    def room_names(self, app: str) -> list[str]:
        """The names of an app's registered rooms, in no order that means anything."""
        return [place[-1] for place in self._groups.get((_ROOM, app), ())]

    def registrations(self, app: str) -> list[Registration]:
        """The registered streams of an app, sorted by id."""
        return [found for found in self._sorted(_STREAM, app) if isinstance(found, Registration)]

    def rooms(self, app: str) -> list[RegisteredRoom]:
        """The registered rooms of an app, sorted by name."""
        return [found for found in self._sorted(_ROOM, app) if isinstance(found, RegisteredRoom)]

    def tokens(self, app: str, stream_id: str) -> list[IssuedToken]:
        """The tokens of a stream or room, sorted by tag. Some may have expired."""
        return [found for found in self._sorted(_TOKEN, app, stream_id) if isinstance(found, IssuedToken)]

    def subscribers(self, app: str, stream_id: str) -> list[Subscriber]:
        """The subscribers of a stream or room, sorted by name."""
        return [found for found in self._sorted(_SUBSCRIBER, app, stream_id) if isinstance(found, Subscriber)]

    def blocks(self, app: str) -> list[Block]:
        """The blocks of an app, sorted by stream, subscriber and purpose. Some may have run out."""
        return [found for found in self._sorted(_BLOCK, app) if isinstance(found, Block)]

    def pushes(self, app: str, subscriber_id: str = "") -> list[PushRegistration]:
        """Where a subscriber's pushes go, sorted by type; without a name those of every subscriber of the app."""
        group = (_PUSH, app, subscriber_id) if subscriber_id else (_PUSH, app)
        return [found for found in self._sorted(*group) if isinstance(found, PushRegistration)]

    def has_blocks(self, app: str) -> bool:
        """Whether anybody at all is blocked in an app."""
        return (_BLOCK, app) in self._groups

    def has_blocks_of(self, app: str, whom: tuple[str, ...], purpose: Purpose) -> bool:
        """Whether anybody of these names or tags is kept from this purpose anywhere in an app."""
        return any((_BLOCK, app, str(purpose), one) in self._groups for one in whom if one)

    def is_blocked(
        self, app: str, names: tuple[str, ...], identity: str, stream_ids: tuple[str, ...], purpose: Purpose, now: int
    ) -> bool:
        """Whether somebody, by a name or by the tag, is kept from this purpose in any of these streams and rooms."""
        return self.blocked_until(app, names, identity, stream_ids, purpose, now) > 0

    def blocked_until(
        self, app: str, names: tuple[str, ...], identity: str, stream_ids: tuple[str, ...], purpose: Purpose, now: int
    ) -> int:
        """Until when somebody is kept from it, in seconds since 1970; 0 when nothing does."""
        latest = 0
        for stream_id in ("", *stream_ids):
            places: list[Place] = [(_BLOCK, app, stream_id, name, str(purpose)) for name in names if name]
            if identity:
                places.extend(self._groups.get((_BLOCK, app, stream_id, "", identity), ()))
            for place in places:
                block = self._values.get(place)
                if isinstance(block, Block) and block.purpose is purpose and now < block.until * _US_PER_S:
                    latest = max(latest, block.until)
        return latest

    def _sorted(self, *group: str) -> Iterator[AnyRegistered]:
        return (self._values[place] for place in sorted(self._groups.get(group, ())))

    # ---- changing

    def apply(self, app: str, command: AnyRegistryCommand, now: int) -> Refusal | None:
        """Carry an order out, or say why not. `now` is the wall clock's, in microseconds since 1970."""
        match command:
            case RegisterStream(stream=stream):
                return self._register_stream(app, stream, now)
            case UnregisterStream(stream_id=stream_id):
                return self._forget_with_rights((_STREAM, app, stream_id), app, stream_id)
            case RegisterRoom(room=room):
                wrong = _wrong_room(room.room)
                return wrong if wrong is not None else self._put((_ROOM, app, room.room), room)
            case UnregisterRoom(room=name):
                return self._forget_with_rights((_ROOM, app, name), app, name)
            case IssueToken(token=token):
                return self._issue(app, token, now)
            case RevokeTokens(stream_id=stream_id):
                return None if self._drop_all((_TOKEN, app, stream_id)) else NOT_REGISTERED
            case RegisterSubscriber(subscriber=subscriber):
                return self._register_subscriber(app, subscriber)
            case UnregisterSubscriber(stream_id=stream_id, subscriber_id=subscriber_id):
                return self._forget((_SUBSCRIBER, app, stream_id), subscriber_id)
            case UnregisterPushes(subscriber_id=subscriber_id):
                return self._forget((_PUSH, app), subscriber_id)
            case BlockSubscriber():
                return self._block(app, command, now)

    def finish(self, app: str, stream_id: str) -> None:
        """Note that a registered stream was live, or about to be, and is over."""
        found = self.registration(app, stream_id)
        if found is not None and not found.is_finished:
            self._set((_STREAM, app, stream_id), replace(found, is_finished=True))

    def take_push(self, app: str, push: PushRegistration) -> Refusal | None:
        """Note where a subscriber's pushes go, in place of what was noted for it and this type before."""
        return self._put((_PUSH, app, push.subscriber_id, push.pns_type), push)

    def take_changes(self) -> list[tuple[Place, AnyRegistered | None]]:
        """Give what has changed since the last time; None stands for what is gone."""
        changes, self.changes = self.changes, []
        return changes

    def all(self) -> Registered:
        """Everything that is registered."""
        parts: dict[str, list[Any]] = {kind: [] for kind in self._bounds}
        for place, value in self._values.items():
            parts[place[0]].append((place, value))
        return Registered(*(tuple(part) for part in parts.values()))

    def restore(self, registered: Registered) -> None:
        """Take over what another registry held."""
        for part in Registered.__struct_fields__:
            for place, value in getattr(registered, part):
                self._set(place, value)

    def _register_stream(self, app: str, stream: RegisteredStream, now: int) -> Refusal | None:
        wrong = _wrong_stream(stream.stream_id, stream.main_track)
        if wrong is not None:
            return wrong
        if stream.main_track == stream.stream_id:  # In an app an id is one thing: it could never be published.
            return STREAM_ID_IN_USE
        before = self.registration(app, stream.stream_id)
        if not stream.created_at:
            created_at = before.stream.created_at if before is not None else now // _US_PER_MS
            stream = replace(stream, created_at=created_at)
        is_finished = before is not None and before.is_finished
        return self._put((_STREAM, app, stream.stream_id), Registration(stream, is_finished))

    def _register_subscriber(self, app: str, subscriber: Subscriber) -> Refusal | None:
        wrong = _wrong_stream(subscriber.stream_id)
        if wrong is not None:
            return wrong
        if not subscriber.subscriber_id:
            return NO_SUBSCRIBER_NAMED
        return self._put((_SUBSCRIBER, app, subscriber.stream_id, subscriber.subscriber_id), subscriber)

    def _issue(self, app: str, token: IssuedToken, now: int) -> Refusal | None:
        wrong = _wrong_stream(token.stream_id, token.room)
        if wrong is not None:
            return wrong
        self._forget_expired(now)
        return self._put((_TOKEN, app, token.tag), token)

    def _block(self, app: str, command: BlockSubscriber, now: int) -> Refusal | None:
        if not command.subscriber_id:
            return NO_SUBSCRIBER_NAMED
        if command.stream_id and not is_valid_name(command.stream_id):
            return INVALID_STREAM_NAME
        self._forget_expired(now)
        blocks = {
            (_BLOCK, app, command.stream_id, command.subscriber_id, str(purpose)): Block(
                command.stream_id, command.subscriber_id, command.identity, purpose, command.until
            )
            for purpose in command.kind.purposes
        }
        if command.until * _US_PER_S <= now:
            gone = [self._drop(place) for place in blocks]
            return None if any(gone) else NOT_REGISTERED
        new = sum(place not in self._values for place in blocks)
        if new and len(self._groups.get((_BLOCK, app), ())) + new > self._bounds[_BLOCK]:
            return TOO_MANY_REGISTERED
        for place, block in blocks.items():
            self._set(place, block)
        return None

    def _forget(self, group: Place, name: str) -> Refusal | None:
        """Forget what goes by a name, or the whole group when there is none."""
        place = (*group, name) if name else group
        return None if self._drop(place) or self._drop_all(place) else NOT_REGISTERED

    def _forget_with_rights(self, place: Place, app: str, name: str) -> Refusal | None:
        """Forget a stream or room, and with it who may come in: another one of that name shall not inherit them."""
        if not self._drop(place):
            return NOT_REGISTERED
        self._drop_all((_TOKEN, app, name))
        self._drop_all((_SUBSCRIBER, app, name))
        return None

    def _forget_expired(self, now: int) -> None:
        """Drop the tokens and blocks whose time is over; one that was replaced meanwhile has another entry."""
        while self._expiring and self._expiring[0][0] * _US_PER_S <= now:
            until, place = heappop(self._expiring)
            if _ends_at(self._values.get(place)) == until:
                self._drop(place)

    def _put(self, place: Place, value: AnyRegistered) -> Refusal | None:
        """Register something within its bound."""
        if place not in self._values and len(self._groups.get(place[:2], ())) >= self._bounds[place[0]]:
            return TOO_MANY_REGISTERED
        self._set(place, value)
        return None

    def _set(self, place: Place, value: AnyRegistered) -> None:
        before = self._values.get(place)
        if before is not None:
            self._unlist(place, before)
        self._values[place] = value
        self.changes.append((place, value))
        for group in _groups_of(place, value):
            self._groups.setdefault(group, {})[place] = None
        ends_at = _ends_at(value)
        if ends_at:
            heappush(self._expiring, (ends_at, place))
            if len(self._expiring) > len(self._values) + _RETIRED_MAX:
                self._expiring = sorted((end, kept) for kept, one in self._values.items() if (end := _ends_at(one)))

    def _drop(self, place: Place) -> bool:
        """Forget something, and say whether it was there."""
        before = self._values.pop(place, None)
        if before is None:
            return False
        self._unlist(place, before)
        self.changes.append((place, None))
        return True

    def _drop_all(self, group: Place) -> bool:
        """Forget a whole group, and say whether there was any of it."""
        places = sorted(self._groups.get(group, ()))
        for place in places:
            self._drop(place)
        return bool(places)

    def _unlist(self, place: Place, value: AnyRegistered) -> None:
        for group in _groups_of(place, value):
            listed = self._groups[group]
            del listed[place]
            if not listed:
                del self._groups[group]


def _groups_of(place: Place, value: AnyRegistered) -> Iterator[Place]:
    """Say under what something is found besides its place: by kind and app, and with others of its stream or name."""
    yield place[:2]
    match value:
        case IssuedToken(stream_id=stream_id):
            yield (*place[:2], stream_id)
        case Subscriber() | PushRegistration():
            yield place[:3]
        case Block(stream_id=stream_id, subscriber_id=name, identity=identity, purpose=purpose):
            yield (*place[:2], str(purpose), name)
            if identity and identity != name:
                yield (*place[:2], str(purpose), identity)
            if identity:
                yield (*place[:2], stream_id, "", identity)
        case _:
            pass


def _ends_at(value: AnyRegistered | None) -> int:
    """Give when something runs out by itself, in seconds since 1970; 0 for never."""
    match value:
        case IssuedToken(expires_at=end) | Block(until=end):
            return end
        case _:
            return 0


def _wrong_stream(stream_id: str, *others: str) -> Refusal | None:
    """Say what is wrong with the names of a registration: they obey the rule of every name."""
    if not stream_id:
        return NO_STREAM_NAME_SPECIFIED
    return None if all(is_valid_name(name) for name in (stream_id, *others) if name) else INVALID_STREAM_NAME


def _wrong_room(room: str) -> Refusal | None:
    if not room:
        return NO_ROOM_SPECIFIED
    return None if is_valid_name(room) else INVALID_STREAM_NAME
