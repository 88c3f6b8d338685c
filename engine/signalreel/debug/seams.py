"""What stands at the seam of a reel, when the reel is redacted or a part is taken out of it."""

from collections.abc import Callable
from typing import Any, Final, cast

from msgspec.structs import replace

from signalreel.machines.registry import AnyRegistered, Place, Registered
from signalreel.registered import Block, PushRegistration
from signalreel.snapshot import Snapshot, decode_snapshot, encode_snapshot

__all__ = ("pruned_seam", "redacted_seam", "texts_of_seam")

_Part = tuple[tuple[Place, AnyRegistered], ...]

_KINDS_OF_PLACES: Final = dict(
    zip(
        Registered.__struct_fields__,
        ("registered stream", "registered room", "issued token", "subscriber", "block", "push registration"),
        strict=True,
    )
)
"""How the place of each kind of registration begins: a word, not a name."""


def texts_of_seam(seam: bytes, walk: Callable[[Any], Any]) -> None:
    """Have everything walked that a seam is made of. Raises `ReelDamaged` when it cannot be read."""
    walk(decode_snapshot(seam))


def redacted_seam(
    seam: bytes, value: Callable[[Any], Any], name: Callable[[str], str], digest: Callable[[bytes], bytes]
) -> bytes:
    """Redact a seam: `value` gives anything redacted, `name` the pseudonym of a text, `digest` what stands for one."""
    snapshot = decode_snapshot(seam)
    redacted: Snapshot = value(snapshot)
    parts: dict[str, Any] = {
        part: _part(kind, getattr(snapshot.registered, part), value, name) for part, kind in _KINDS_OF_PLACES.items()
    }
    registered = Registered(**parts)
    return encode_snapshot(replace(redacted, registered=registered, digest=digest(snapshot.digest)))


def _part(kind: str, part: _Part, value: Callable[[Any], Any], name: Callable[[str], str]) -> _Part:
    """Redact one kind of registration. A place is made of the kind, names, and now and then a word of the value's."""
    made: list[tuple[Place, AnyRegistered]] = []
    for place, original in part:
        redacted = cast(AnyRegistered, value(original))
        names = [name(text) for text in place[1:]]
        match redacted:
            case Block(purpose=purpose):
                names[-1:] = [str(purpose)]
            case PushRegistration(pns_type=service):
                names[-1:] = [service]
            case _:
                pass
        made.append(((kind, *names), redacted))
    return tuple(made)


def pruned_seam(seam: bytes, sessions: set[str], lives: set[tuple[str, str, str]]) -> bytes:
    """Keep of a seam some sessions and machines (kind, app, id) alone, and what is about none."""
    snapshot = decode_snapshot(seam)

    def kept(kind: str, machines: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(machine for machine in machines if (kind, machine.app, machine.id) in lives)

    return encode_snapshot(
        replace(
            snapshot,
            sessions=tuple(session for session in snapshot.sessions if session.id in sessions),
            standings=tuple(standing for standing in snapshot.standings if standing[0] in sessions),
            streams=kept("stream", snapshot.streams),
            playbacks=kept("playback", snapshot.playbacks),
            pairs=kept("pair", snapshot.pairs),
            rooms=kept("room", snapshot.rooms),
        )
    )
