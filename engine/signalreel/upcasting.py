"""Upcasting: bringing what an older version wrote to the shape that this version reads.

What stands on a reel has integer versions: each input its own (on its record), the header and the snapshot at a seam
one each. When a shape changes so that older data would be read wrongly, or not at all, its version is raised and an
upcaster is added here, from one version to the next; a changed default is a changed shape. Upcasters work on plain
dicts, since the types of the older version are gone.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec import Struct

from signalreel.errors import CatalogueError

__all__ = ("UPCASTERS", "Change", "Upcaster", "Upcasters")

Change = Callable[[dict[str, Any]], dict[str, Any]]
"""Gives the fields of the next version. It may change and return the dict that it gets."""


class Upcaster(Struct, frozen=True):
    """How one shape came to be another."""

    of: str  #: an input by its tag (`publish`, `SessionClosed`, `closeRoom`), or `header`, or `snapshot`
    source: int
    target: int
    change: Change


class Upcasters:
    """A set of upcasters. Raises `CatalogueError` unless an unbroken way leads from each version 1 to the newest."""

    def __init__(self, upcasters: Iterable[Upcaster] = ()) -> None:
        self._changes: dict[str, dict[int, Change]] = {}
        faults: list[str] = []
        for upcaster in upcasters:
            changes = self._changes.setdefault(upcaster.of, {})
            way = f"{upcaster.of}: from version {upcaster.source} to {upcaster.target}"
            if upcaster.target <= upcaster.source:
                faults.append(f"{way} is a cycle")
            elif upcaster.target != upcaster.source + 1:
                faults.append(f"{way} leaves a gap")
            elif upcaster.source in changes:
                faults.append(f"{way} is there twice")
            changes[upcaster.source] = upcaster.change
        for of, changes in self._changes.items():
            missing = set(range(1, max(changes) + 1)) - set(changes)
            faults += [f"{of}: nothing leads on from version {version}" for version in sorted(missing)]
            faults += [f"{of}: there is no version {version}" for version in sorted(changes) if version < 1]
        if faults:
            raise CatalogueError("upcasters", faults)

    @property
    def shapes(self) -> tuple[str, ...]:
        """What has more than one version."""
        return tuple(self._changes)

    def newest(self, of: str) -> int:
        """The version that this release writes of a shape."""
        return len(self._changes.get(of, ())) + 1

    def upcast(self, of: str, version: int, fields: dict[str, Any]) -> dict[str, Any]:
        """Bring a shape to its newest version. Raises `ValueError` when it is of a version that is not known here."""
        newest = self.newest(of)
        if version > newest:
            raise ValueError(
                f"{of} is of version {version}, made by a newer version of Signalreel; this one reads up to {newest}"
            )
        if version < 1:
            raise ValueError(f"{of} is of version {version}, and the first one is 1")
        for source in range(version, newest):
            fields = self._changes[of][source](fields)
        return fields


UPCASTERS: Final = Upcasters()
"""Those of this version. None so far: every shape is still its first."""
