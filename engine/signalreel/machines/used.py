"""The one-time tokens and codes that have been used, by the keyed tags under which the gate recorded them.

A gate only verifies. A token is marked used by the engine, when it accepts the command that came with it: a retry after
another refusal (the id was in use, the machine was busy) finds it unused still. The session that used it may use it
again, because clients ask for the same thing again after a lost connection of media.
"""

from heapq import heappop, heappush

from msgspec import Struct

from signalreel.record import Grant

__all__ = ("Used", "UsedTags", "use_of")


class Used(Struct, frozen=True, array_like=True, gc=False):
    """A tag that was used."""

    app: str
    tag: str
    session: str  #: by which session
    until: int  #: microseconds since 1970 after which the token has expired by itself; 0: never


def use_of(app: str, session: str, grant: Grant, clock_offset: int) -> Used:
    """Make the note that a session uses what a grant rests on; `clock_offset` is the environment's."""
    return Used(app, grant.once, session, grant.until + clock_offset if grant.until else 0)


class UsedTags:
    """What was used and has not expired yet."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, str], Used] = {}
        self._expiring: list[tuple[int, str, str]] = []

    def branch(self) -> "UsedTags":
        """A copy that goes its own way."""
        other = UsedTags.__new__(UsedTags)
        vars(other).update(
            _used=self._used.copy(),
            _expiring=self._expiring.copy(),
        )
        return other

    def by_another(self, app: str, tag: str, session: str, wall: int) -> bool:
        """Whether a session other than this one has used the tag, and the token could otherwise be used still.

        The wall clock decides, as it does for the gate: set back, it makes a token good for longer.
        """
        used = self._used.get((app, tag))
        return used is not None and used.session != session and not 0 < used.until <= wall

    def mark(self, used: Used) -> bool:
        """Note a use, and say whether it is the first: that one stays, whoever asks again."""
        place = (used.app, used.tag)
        if place in self._used:
            return False
        self._used[place] = used
        if used.until:
            heappush(self._expiring, (used.until, used.app, used.tag))
        return True

    def forget_expired(self, wall: int) -> list[Used]:
        """Drop what has expired, and give it."""
        gone: list[Used] = []
        while self._expiring and self._expiring[0][0] <= wall:
            _, app, tag = heappop(self._expiring)
            gone.append(self._used.pop((app, tag)))
        return gone

    def all(self) -> tuple[Used, ...]:
        """Everything that is marked, in the order of its first use."""
        return tuple(self._used.values())
