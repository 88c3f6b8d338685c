"""Which layer of each picture a viewer gets, when it has pinned none: as much as its path has room for.

Going down is done at once, and to a layer that leaves room for the queue to drain. Going up is done when the room is
known to be there. Where that cannot be found out, going up is a trial: one picture, one layer, and longer and longer
pauses after one that failed.

Pure code, told the time.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

__all__ = ("Chooser", "Picture", "Rung")

_SETTLING_DOWN: Final = 0.6
"""Seconds after a change for which nothing more is taken away: what is heard in them is about what was sent before."""

_SETTLING_UP: Final = 1.5
"""Seconds after a change for which nothing more is given."""

_DRAINING: Final = 0.8
"""A layer fits when this share of what gets through carries it: the rest empties the queue."""

_AMPLE: Final = 1.05
"""What a better layer needs of room, as a multiple of its nominal bitrate and of everything else."""

_TRIAL_PAUSE: Final = 4.0
"""Seconds before a layer is tried again that was taken away soon after it was given."""

_TRIAL_PAUSE_MAX: Final = 8.0
"""The longest of these pauses, where the room was known. They double."""

_BLIND_PAUSE_MAX: Final = 60.0
"""The longest, where it could not be known."""

_TRIAL_HOLDS: Final = 10.0
"""Seconds after which a better layer that is still there counts as a trial that went well."""


class Rung(Struct, frozen=True):
    """One layer of a picture."""

    height: int
    bitrate: int  #: nominal


class Picture(Struct, frozen=True):
    """One picture that is sent: what there is of it, and what of that is sent now."""

    rungs: tuple[Rung, ...]  #: by height, ascending
    height: int  #: of what is sent
    bitrate: int  #: of what is sent, nominal
    pinned: bool = False  #: the viewer has chosen, and nobody else may


class Chooser:
    """Chooses for one viewer. Each method gives which picture (by its key) is to have which height, at most one."""

    def __init__(self) -> None:
        self._changed_at = self._raised_at = self._lowered_at = float("-inf")
        self._failed = False  # whether what was given last was soon taken away
        self._pause = self._next_pause = _TRIAL_PAUSE

    def lower(self, pictures: Mapping[int, Picture], arrives: int, sound: int, now: float) -> tuple[int, int] | None:
        """Less gets through than is sent: take from the picture that is sent the most of, as far as its layers go."""
        if now - self._changed_at < _SETTLING_DOWN:
            return None
        lower = {
            key: below
            for key, picture in pictures.items()
            if not picture.pinned and (below := [rung for rung in picture.rungs if rung.height < picture.height])
        }
        if not lower:
            return None
        key = max(lower, key=lambda each: pictures[each].bitrate)
        others = sound + sum(picture.bitrate for each, picture in pictures.items() if each != key)
        fitting = [rung for rung in lower[key] if rung.bitrate + others <= _DRAINING * arrives]
        self._failed = now - self._raised_at < _TRIAL_HOLDS
        self._pause = self._next_pause if self._failed else _TRIAL_PAUSE
        self._next_pause = min(2 * self._pause, _BLIND_PAUSE_MAX) if self._failed else _TRIAL_PAUSE
        self._changed_at = self._lowered_at = now
        return key, (fitting[-1] if fitting else lower[key][0]).height

    def wish(self, pictures: Mapping[int, Picture], sound: int) -> int:
        """Give the room that the next better layer of some picture needs, in bit/s; 0 when there is none."""
        better = _next_better(pictures)
        if better is None:
            return 0
        key, above = better
        return _needed(pictures, key, above[-1], sound)

    def higher(
        self, pictures: Mapping[int, Picture], room: int, sound: int, now: float, *, blind: bool = False
    ) -> tuple[int, int] | None:
        """Give to the picture that is sent the least of what there is room for; when that is not known, one layer."""
        better = _next_better(pictures)
        if better is None or now - self._changed_at < _SETTLING_UP:
            return None
        key, above = better
        fitting = [rung for rung in above if _needed(pictures, key, rung, sound) <= room]
        if not fitting and not blind:
            return None
        known_pause = min(self._pause, _TRIAL_PAUSE_MAX) if self._failed else 0.0
        if now - self._lowered_at < (known_pause if fitting else self._pause):
            return None
        self._changed_at = self._raised_at = now
        return key, (fitting[-1] if fitting else above[0]).height


def _next_better(pictures: Mapping[int, Picture]) -> tuple[int, list[Rung]] | None:
    higher = {
        key: above
        for key, picture in pictures.items()
        if not picture.pinned and (above := [rung for rung in picture.rungs if rung.height > picture.height])
    }
    key = min(higher, key=lambda each: pictures[each].bitrate, default=None)
    return None if key is None else (key, higher[key])


def _needed(pictures: Mapping[int, Picture], key: int, rung: Rung, sound: int) -> int:
    others = sum(picture.bitrate for each, picture in pictures.items() if each != key)
    return int(_AMPLE * (sound + others + rung.bitrate))
