"""The state of an engine as plain data, and what changed in it, at the cost of what changed.

    watch = Watch(cursor.engine)
    cursor.step()
    for change in watch.changes():
        print(change.path, change.before, change.after)

A state is a tree of dicts, lists, texts and numbers: `state["stream"]["live/s1"]["state"]`. What has an order but is
found by a name (the members of a room, the tracks of a stream) stands under that name, so that one who leaves is one
change. Descriptions, candidates, data between peers and everything sealed are told by their length alone, and long
texts are cut, so a tree can be shown; it still holds the names that clients chose.
"""

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final, cast

import msgspec
from msgspec import UNSET, Struct, UnsetType

from signalreel.engine import Engine
from signalreel.machines.shapes import Room
from signalreel.machines.standings import StandingsOf
from signalreel.statehash import Place

__all__ = (
    "TEXT_SHOWN_MAX",
    "Change",
    "Watch",
    "difference",
    "path_of",
    "places_of",
    "plain",
    "state_of",
)

TEXT_SHOWN_MAX: Final = 200
"""Characters of a text that are shown; of a longer one the beginning, the length and a digest."""

_TEXT_BEGINNING: Final = 60
_DIGEST_SHOWN: Final = 8
"""Hexadecimal digits that tell two texts apart. Too few to find a text by trying what it could be."""

_TOLD_AS: Final = {
    "sdp": "description",
    "candidate": "candidate",
    "data": "data",
    "push_notification_content": "content",
    "token": "token",
    "subscriber_code": "code",
    "pns_registration_token": "token",
    "sealed": "sealed",
    "sealed_secret": "sealed",
    "turn_server_username": "credential",
    "turn_server_credential": "credential",
    "turnServerUsername": "credential",
    "turnServerCredential": "credential",
}
"""Fields whose value is never shown, by what is told instead."""

_DIGESTED: Final = frozenset({"sdp", "data", "push_notification_content"})
"""Of those, what is long enough that a digest of it gives nothing away; it tells two of them apart."""

_KEYED_BY: Final = {"members": "session", "sources": "stream_id", "tracks": "id", "calls": "id"}
"""Tuples that are shown by a name of theirs, and which it is."""

_LEFT_OUT: Final[dict[type, frozenset[str]]] = {Room: frozenset({"sessions"})}
"""Fields that say what another one says."""

_NONE: Final[frozenset[str]] = frozenset()


class Change(Struct, frozen=True):
    """One value of a tree that is another now. `before` is unset where there was nothing, `after` where there is."""

    path: tuple[str, ...]
    before: Any | UnsetType = UNSET
    after: Any | UnsetType = UNSET


# ---------------------------------------------------------------- plain data


def plain(value: object) -> Any:  # noqa: ANN401 -- whatever data there is
    """Give a value of the engine as dicts, lists, texts and numbers, without what must not be shown."""
    match value:
        case Struct():
            return {name: _field(name, field) for name, field in _fields(value)}
        case StrEnum():
            return str(value)
        case str():
            return value if len(value) <= TEXT_SHOWN_MAX else f"{value[:_TEXT_BEGINNING]}… {_measured('text', value)}"
        case bytes():
            return value.hex()
        case tuple() | list():
            return [plain(each) for each in cast(tuple[object, ...], value)]
        case dict():
            return {str(key): _unless_hidden(str(key), each) for key, each in cast(dict[object, object], value).items()}
        case _:
            return value


def _fields(value: Struct) -> Iterator[tuple[str, Any]]:
    left_out = _LEFT_OUT.get(type(value), _NONE)
    for name in value.__struct_fields__:
        field = getattr(value, name)
        if field is not UNSET and name not in left_out:
            yield name, field


def _field(name: str, value: object) -> Any:  # noqa: ANN401 -- likewise
    key = _KEYED_BY.get(name)
    if key is not None:
        return {name: plain(each) for name, each in _by_name(value, key).items()}
    return _unless_hidden(name, value)


def _unless_hidden(name: str, value: object) -> Any:  # noqa: ANN401 -- likewise
    told = _TOLD_AS.get(name)
    if told is not None and value not in ("", None):
        return _measured(told, value, digested=name in _DIGESTED)
    return plain(value)


def _by_name(values: object, key: str) -> dict[str, Struct]:
    return {str(getattr(each, key)): each for each in cast(tuple[Struct, ...], values)}


def _measured(what: str, value: object, *, digested: bool = True) -> str:
    data = value.encode(errors="surrogatepass") if isinstance(value, str) else msgspec.json.encode(value)
    digest = f", {hashlib.blake2b(data).hexdigest()[:_DIGEST_SHOWN]}" if digested else ""
    return f"({what} of {len(data)} bytes{digest})"


def places_of(engine: Engine) -> dict[Place, Struct]:
    """Give everything that an engine's state consists of, each by its place, as its observers are told it."""
    snapshot = engine.snapshot()
    found: dict[Place, Struct] = {("session", session.id): session for session in snapshot.sessions}
    found |= {("used", used.app, used.tag): used for used in snapshot.used}
    found |= {("standings", id): StandingsOf(standings) for id, standings in snapshot.standings}
    for part in snapshot.registered.__struct_fields__:
        found |= dict(getattr(snapshot.registered, part))
    found |= dict(engine.machines())
    return found | _surroundings(engine)


def _surroundings(engine: Engine) -> dict[Place, Struct]:
    deadline = engine.deadline()
    found: dict[Place, Struct] = {("settings",): engine.settings, ("environment",): engine.environment}
    return found if deadline is None else {**found, ("deadline",): deadline}


def path_of(place: Place) -> tuple[str, ...]:
    """Give where in the tree a place of the state stands: `("stream", "live/s1")`."""
    kind, *names = place
    return (str(kind), "/".join(names)) if names else (str(kind),)


def state_of(engine: Engine) -> dict[str, Any]:
    """Give the whole state as a tree."""
    tree: dict[str, Any] = {}
    for place, value in places_of(engine).items():
        branch = tree
        *above, last = path_of(place)
        for name in above:
            branch = branch.setdefault(name, {})
        branch[last] = plain(value)
    return tree


# ---------------------------------------------------------------- what changed


def difference(before: object, after: object, path: tuple[str, ...] = ()) -> tuple[Change, ...]:
    """Say where two trees differ, from the top down and by name; a value that is no dict is compared whole."""
    return tuple(_differences(before, after, path))


def _differences(before: object, after: object, path: tuple[str, ...]) -> Iterator[Change]:
    if before == after:
        return
    if not (_is_branch(before) and _is_branch(after)):
        yield Change(path, before, after)
        return
    olds, news = cast(dict[str, object], before), cast(dict[str, object], after)
    for name in (*olds, *(name for name in news if name not in olds)):
        yield from _differences(olds.get(name, UNSET), news.get(name, UNSET), (*path, name))


def _is_branch(value: object) -> bool:
    return isinstance(value, dict)


def _changes_of(path: tuple[str, ...], before: Struct | None, after: Struct | None) -> Iterator[Change]:
    """Compare two values of one place; what is the same object in both is not looked into."""
    if before is None or after is None or type(before) is not type(after):
        yield Change(path, plain(before) if before is not None else UNSET, plain(after) if after is not None else UNSET)
        return
    left_out = _LEFT_OUT.get(type(before), _NONE)
    for name in before.__struct_fields__:
        old, new = getattr(before, name), getattr(after, name)
        if old is new or name in left_out:
            continue
        key = _KEYED_BY.get(name)
        if key is None:
            if old != new:
                yield from _differences(_field(name, old), _field(name, new), (*path, name))
            continue
        olds, news = _by_name(old, key), _by_name(new, key)
        for entry in (*olds, *(entry for entry in news if entry not in olds)):
            was, comes = olds.get(entry), news.get(entry)
            if was is not comes and was != comes:
                yield from _changes_of((*path, name, entry), was, comes)


class Watch:
    """Somebody who looks at an engine again and again, and is told what has changed since the last time.

    Forward that costs what changed. After a restore (a cursor that went back) the whole state is compared by identity.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._values = places_of(engine)
        self._before: dict[Place, Struct | None] = {}
        engine.watch(self)

    def changed(self, place: Place, value: Struct | None) -> None:
        """Hear of a change, as the engine's observer."""
        values = self._values
        if place not in self._before:
            self._before[place] = values.get(place)
        if value is None:
            values.pop(place, None)
        else:
            values[place] = value

    def restored(self) -> None:
        """Hear that everything may be another, likewise."""
        now = places_of(self._engine)
        for place in {**self._values, **now}:
            if self._values.get(place) is not now.get(place):
                self.changed(place, now.get(place))

    def places(self) -> tuple[tuple[Place, Struct | None, Struct | None], ...]:
        """Give the places that have changed since the last time, with the value before and now, as they are."""
        self._look_around()
        both = [(place, before, self._values.get(place)) for place, before in self._before.items()]
        self._before.clear()
        return tuple(each for each in both if each[1] is not each[2] and each[1] != each[2])

    def changes(self) -> tuple[Change, ...]:
        """Give what has changed since the last time, as paths of the tree with the values before and now."""
        return tuple(
            change for place, before, after in self.places() for change in _changes_of(path_of(place), before, after)
        )

    def _look_around(self) -> None:
        """Notice what the engine tells no observer: it is the same three places each time."""
        now = _surroundings(self._engine)
        for place in (("settings",), ("environment",), ("deadline",)):
            value = now.get(place)
            if self._values.get(place) != value:
                self.changed(place, value)
