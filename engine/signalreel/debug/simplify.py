"""Making plain what goes wrong: payloads as by default, times the least, names like `stream-1` and `session-1`.

Each change is kept only if the records still go wrong, and by their last one. Names are replaced one and all, so that
nothing that is left can tell where the records came from.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar, cast

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields, replace

from signalreel.debug.failing import Check, Start
from signalreel.debug.seams import renamed_snapshot
from signalreel.debug.walk import Place, walked
from signalreel.header import Header
from signalreel.identifiers import Reference
from signalreel.machines.context import Environment
from signalreel.record import Record
from signalreel.settings import Settings

__all__ = ("Renamed", "names_of", "plain_names", "plain_payloads", "plain_start", "plain_times")

_NAMED: Final = ("stream_id", "room", "main_track", "waits_for", "session")
"""Fields of inputs that name what they are about."""

_KINDS: Final = {
    "stream_id": "stream",
    "id": "stream",
    "room": "room",
    "main_track": "room",
    "session": "session",
    "app": "app",
    "identity": "identity",
    "once": "token",
    "ids": "id",
    "track_id": "track",
    "subscriber_id": "subscriber",
    "sessions": "session",
    "watches": "stream",
    "waits_for": "stream",
    "placed_in": "room",
    "listed_in": "room",
    "tag": "token",
}
"""What a text is called by, for the field that it stands in first; `text` for every other field."""

_KINDS_OF_IDS: Final = {"Session": "session", "Room": "room"}
"""What is called otherwise than a stream where it is an `id`, by what it is the id of."""

_PREFIXES: Final = ("!", "ARDAMSv", "ARDAMSa")
"""What may stand before the name of a stream where a track is meant."""


_Value = TypeVar("_Value")

_OF_PLAYBACK: Final = 2
"""Names in the id of a playback: the session's, and that of what it plays."""

_SHORT_MIN: Final = 4
"""Characters of a session's id by which it may be meant in an expression."""


def names_of(record: Record) -> set[str]:
    """Give the session that a record is of, and what its input is about by name."""
    input = record.input
    found = {str(getattr(input, field, "")) for field in _NAMED} | {record.session}
    reference = getattr(input, "machine", None)
    if isinstance(reference, Reference):
        found.update(reference.id.split("/"))
    for field in ("stream", "token", "subscriber"):
        held = getattr(input, field, None)
        if isinstance(held, Struct):
            found.add(str(getattr(held, "stream_id", "")))
    return found - {""}


# ---------------------------------------------------------------- header and payloads


def _still(check: Check, start: Start, records: Sequence[Record]) -> bool:
    """Whether the records still go wrong, by the last one and no other."""
    return check.first(start, records) == start.first_seq + len(records) - 1


def plain_start(start: Start, records: Sequence[Record], check: Check) -> Start:
    """Give the start with as many settings as possible as they are by default."""
    header = start.header
    for plain in (Header(Settings()), Header(header.settings), Header(header.settings, logic=header.logic)):
        if _still(check, replace(start, header=plain), records):
            start = replace(start, header=plain)
            break
    if start.seam is not None:
        calm = _with(start, environment=Environment())
        start = calm if _still(check, calm, records) else start
    for field, default in _defaults_of(Settings).items():
        settings = start.header.settings if start.seam is None else start.seam.settings
        if getattr(settings, field) != default:
            changed = _with(start, settings=replace(settings, **{field: default}))
            start = changed if _still(check, changed, records) else start
    return start


def _with(start: Start, **changes: object) -> Start:
    """Change what holds before the first record: what a header says is no longer so at a seam."""
    if start.seam is not None:
        return replace(start, seam=replace(start.seam, **changes))
    return replace(start, header=replace(start.header, **changes))


def _defaults_of(kind: type[Struct]) -> dict[str, object]:
    """Give the default of each field that has one; of a text without one, the empty text."""
    found: dict[str, object] = {}
    for field in fields(kind):
        if field.default is not NODEFAULT:
            found[field.name] = field.default
        elif field.default_factory is not NODEFAULT:
            found[field.name] = cast(Callable[[], object], field.default_factory)()
        elif field.type is str:
            found[field.name] = ""
    return found


def plain_payloads(start: Start, records: Sequence[Record], check: Check) -> list[Record]:
    """Give the records with as much as possible as it is by default: descriptions, candidates, grants, drawn ids."""
    left = list(records)
    for place in range(len(left)):
        is_done = False
        while not is_done:
            for changed in _plainer_records(left[place]):
                tried = [*left[:place], changed, *left[place + 1 :]]
                if _still(check, start, tried):
                    left = tried
                    break
            else:
                is_done = True
    return left


def _plainer_records(record: Record) -> Iterator[Record]:
    if record.ids:
        yield replace(record, ids=())
    if record.grant is not None:
        yield replace(record, grant=None)
        for grant in _plainer_structs(record.grant):
            yield replace(record, grant=grant)
    for field in ("command", "event", "host"):
        input = getattr(record, field)
        if input is not None:
            for plainer in _plainer_structs(input):
                yield replace(record, **{field: plainer})


def _plainer_structs(value: Struct) -> Iterator[Struct]:
    for field, default in _defaults_of(type(value)).items():
        if getattr(value, field) != default:
            yield replace(value, **{field: default})


# ---------------------------------------------------------------- times


def plain_times(start: Start, records: Sequence[Record], check: Check) -> list[Record]:
    """Give the records at the earliest times: together where it does not matter, else as far apart as they must be."""
    left = list(records)
    for place in range(len(left)):
        gap = left[place].time - (left[place - 1].time if place else start.time)
        if gap and _still(check, start, _sooner(left, place, gap)):
            left = _sooner(left, place, gap)
            continue
        least, most = 1, gap
        while least < most:
            middle = (least + most) // 2
            if _still(check, start, _sooner(left, place, gap - middle)):
                most = middle
            else:
                least = middle + 1
        left = _sooner(left, place, gap - most)
    return left


def _sooner(records: list[Record], place: int, by: int) -> list[Record]:
    """Have the record at a place, and all behind it, come so much sooner."""
    return [*records[:place], *(replace(record, time=record.time - by) for record in records[place:])]


# ---------------------------------------------------------------- names


class Renamed(Struct, frozen=True):
    """The same failure under other names."""

    start: Start
    records: list[Record]
    check: Check
    kept: tuple[str, ...] = ()  #: names that had to stay, because nothing goes wrong under another one


def plain_names(start: Start, records: Sequence[Record], check: Check) -> Renamed:
    """Replace every name and every other text by one that tells what it is; words of the protocol stay."""
    names = _names_in(start, records)
    for drawn in (names, _in_order(names)):
        done = _renamed(start, records, check, drawn)
        if done is not None:
            return done
    taken: dict[str, str] = {}
    done = Renamed(start, list(records), check)
    for old, new in _in_order(names).items():
        tried = _renamed(start, records, check, {**taken, old: new})
        if tried is not None:
            taken[old], done = new, tried
    return replace(done, kept=tuple(old for old in names if old not in taken))


def _in_order(names: dict[str, str]) -> dict[str, str]:
    """Draw names that sort as the old ones of their kind do, for what is told in the order of names."""
    kinds: dict[str, list[str]] = {}
    for old, new in names.items():
        kinds.setdefault(new.rpartition("-")[0], []).append(old)
    return {
        old: f"{kind}-{number:0{len(str(len(olds)))}}"
        for kind, olds in kinds.items()
        for number, old in enumerate(sorted(olds), 1)
    }


def _renamed(start: Start, records: Sequence[Record], check: Check, names: dict[str, str]) -> Renamed | None:
    def by(text: str) -> str:
        return _by(names, text)

    def renamed(value: _Value) -> _Value:
        return walked(value, lambda text, place: text if _stays(text, place) else by(text))

    if start.seam is not None:
        start = replace(start, seam=renamed_snapshot(start.seam, renamed, by))
    done = Renamed(start, [renamed(record) for record in records], check.renamed(by))
    return done if _still(done.check, done.start, done.records) else None


def _stays(text: str, place: Place) -> bool:
    return not text or (place.exempt is not None and place.exempt.stays(text))


def _by(names: dict[str, str], text: str) -> str:
    """Give what a text becomes, part by part when it is made of names; a session may be shortened to its beginning."""
    if text in names:
        return names[text]
    if "/" in text:
        return "/".join(_by(names, part) for part in text.split("/"))
    prefix = next((prefix for prefix in _PREFIXES if text.startswith(prefix) and text != prefix), "")
    if prefix:
        return prefix + _by(names, text.removeprefix(prefix))
    short = [new for old, new in names.items() if "session" in new and old.startswith(text)]
    return short[0] if len(text) >= _SHORT_MIN and len(short) == 1 else text


def _names_in(start: Start, records: Sequence[Record]) -> dict[str, str]:
    """Draw a new name for each text, in the order in which they come."""
    names: dict[str, str] = {}
    counts: dict[str, int] = {}

    def name(text: str, place: Place) -> str:
        if _stays(text, place):
            return text
        parts = text.split("/") if place.field == "id" else [text]
        kinds = ("session", "stream") if len(parts) == _OF_PLAYBACK else (_kind_of(place),)
        for part, kind in zip(parts, kinds, strict=False):
            prefix = next((prefix for prefix in _PREFIXES if part.startswith(prefix)), "")
            bare = part.removeprefix(prefix)
            if bare and bare not in names:
                counts[kind] = counts.get(kind, 0) + 1
                names[bare] = f"{kind}-{counts[kind]}"
        return text

    for value in (start.seam, *records):
        walked(value, name)
    return names


def _kind_of(place: Place) -> str:
    found = _KINDS.get(place.field, "text")
    return _KINDS_OF_IDS.get(place.kind, found) if place.field == "id" else found
