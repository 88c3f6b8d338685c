"""What each app has of a thing that not every app has, where one section speaks for all apps that are not named."""

from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

from signalreel_adapters.configuration.file import EVERY_OTHER_APP

__all__ = ("OfApps",)

T = TypeVar("T")


class OfApps(Mapping[str, T]):
    """Looks up by app. One that the configuration names has what stands under its name, and otherwise nothing.

    Any other app has what stands under `*`.
    """

    def __init__(self, given: Mapping[str, T], named: Collection[str]) -> None:
        self._given = given
        self._named = frozenset(named)

    def __getitem__(self, app: str) -> T:
        return self._given[app if app in self._named else EVERY_OTHER_APP]

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)
