"""Which layer of each picture a viewer gets, when it has pinned none: as much as its estimate has room for.

A browser's estimate grows only to about one and a half times what it is being sent, so it never says that a better
layer would fit. Going up is therefore a trial: one picture, one layer, and longer and longer pauses after one that
failed. Going down is for good reason only: the estimate has been below what is sent for more than a moment.

Pure code, told the time; to be asked about once a second.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

__all__ = ("Chooser", "Picture", "Rung")

_GRACE: Final = 3.0
"""Seconds after the first estimate for which it is not believed: browsers begin low, whatever the path can carry."""

_SETTLING: Final = 2.0
"""Seconds after a change for which nothing else is changed: the estimate follows what is sent, and not at once."""

_SHORT_LOOKS: Final = 2
"""Looks in a row that must find too little room. One alone is a burst."""

_AMPLE: Final = 1.1  # of what would be sent: with so much, a better layer needs no trial
_TRIAL_PAUSE: Final = 5.0
_TRIAL_PAUSE_MAX: Final = 60.0
_TRIAL_HOLDS: Final = 10.0
"""Seconds after which a better layer that is still there counts as a trial that went well."""


class Rung(Struct, frozen=True):
    """One layer of a picture, as measured."""

    height: int
    bitrate: int


class Picture(Struct, frozen=True):
    """One picture that is sent: what there is of it, and what of that is sent now."""

    rungs: tuple[Rung, ...]  #: by height, ascending
    height: int  #: of what is sent
    bitrate: int  #: of what is sent
    pinned: bool = False  #: the viewer has chosen, and nobody else may


class Chooser:
    """Follows one viewer's estimate. `look` gives the height that a picture is to have from now on, at most one."""

    def __init__(self) -> None:
        self._believed_at: float | None = None
        self._quiet_until = float("-inf")
        self._short_looks = 0
        self._trial_at = float("-inf")
        self._trial_pause = _TRIAL_PAUSE
        self._raised_at = float("-inf")

    def look(self, pictures: Mapping[int, Picture], estimate: int, sound: int, now: float) -> tuple[int, int] | None:
        """Say which picture (by its key) is to change, and to which height; `None` when all is well.

        `sound` is the bitrate of everything that is no picture. An estimate of 0 is one that is not known.
        """
        if not estimate:
            return None
        if self._believed_at is None:
            self._believed_at = now + _GRACE
        if now < self._believed_at or now < self._quiet_until:
            return None
        total = sound + sum(picture.bitrate for picture in pictures.values())
        choosable = {key: picture for key, picture in pictures.items() if not picture.pinned and picture.height}
        if estimate < total:
            self._short_looks += 1
            return self._lower(choosable, estimate - total, now) if self._short_looks >= _SHORT_LOOKS else None
        self._short_looks = 0
        return self._raise(choosable, estimate, total, now)

    def _lower(self, pictures: Mapping[int, Picture], spare: int, now: float) -> tuple[int, int] | None:
        """Take from the picture that is sent the most of, as far as its layers go."""
        lower = {
            key: below
            for key, picture in pictures.items()
            if (below := [rung for rung in picture.rungs if rung.height < picture.height])
        }
        if not lower:
            return None
        key = max(lower, key=lambda each: pictures[each].bitrate)
        room = pictures[key].bitrate + spare
        fitting = [rung for rung in lower[key] if rung.bitrate <= room]
        failed = now - self._raised_at < _TRIAL_HOLDS
        self._trial_pause = min(2 * self._trial_pause, _TRIAL_PAUSE_MAX) if failed else _TRIAL_PAUSE
        self._trial_at = now + self._trial_pause
        self._changed(now)
        return key, (fitting[-1] if fitting else lower[key][0]).height

    def _raise(self, pictures: Mapping[int, Picture], estimate: int, total: int, now: float) -> tuple[int, int] | None:
        """Give to the picture that is sent the least of, one layer."""
        higher = {
            key: above[0]
            for key, picture in pictures.items()
            if (above := [rung for rung in picture.rungs if rung.height > picture.height])
        }
        if not higher:
            return None
        key = min(higher, key=lambda each: pictures[each].bitrate)
        rung = higher[key]
        needed = total - pictures[key].bitrate + rung.bitrate
        if estimate < _AMPLE * needed and now < self._trial_at:
            return None
        self._raised_at = now
        self._trial_at = now + self._trial_pause
        self._changed(now)
        return key, rung.height

    def _changed(self, now: float) -> None:
        self._quiet_until = now + _SETTLING
        self._short_looks = 0
