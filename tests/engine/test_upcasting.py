"""Upcasters, as a set and by themselves."""

from typing import Any

import pytest

from signalreel.errors import CatalogueError
from signalreel.record import INPUTS
from signalreel.upcasting import UPCASTERS, Change, Upcaster, Upcasters


def same(fields: dict[str, Any]) -> dict[str, Any]:
    """Change nothing."""
    return fields


def steps(*ways: tuple[int, int]) -> list[Upcaster]:
    """Upcasters of one shape between these versions."""
    return [Upcaster("publish", source, target, same) for source, target in ways]


@pytest.mark.parametrize(
    ("ways", "fault"),
    [
        ([(1, 2), (1, 2)], "from version 1 to 2 is there twice"),
        ([(1, 3)], "from version 1 to 3 leaves a gap"),
        ([(2, 3)], "nothing leads on from version 1"),
        ([(1, 2), (3, 4)], "nothing leads on from version 2"),
        ([(1, 2), (2, 1)], "from version 2 to 1 is a cycle"),
        ([(1, 1)], "from version 1 to 1 is a cycle"),
        ([(0, 1), (1, 2)], "there is no version 0"),
    ],
)
def test_a_set_with_a_fault_is_never_made(ways: list[tuple[int, int]], fault: str) -> None:
    """Contract 9: a duplicate, a gap and a cycle fail at import, and the fault is named."""
    with pytest.raises(CatalogueError, match=fault):
        Upcasters(steps(*ways))


def test_each_version_is_brought_to_the_newest_through_all_between() -> None:
    """Versions are passed through one by one, in their order, from whichever the data is of."""

    def adding(word: str) -> Change:
        return lambda fields: {**fields, "way": [*fields.get("way", []), word]}

    upcasters = Upcasters([Upcaster("publish", 2, 3, adding("second")), Upcaster("publish", 1, 2, adding("first"))])

    assert upcasters.newest("publish") == 3
    assert upcasters.upcast("publish", 1, {}) == {"way": ["first", "second"]}
    assert upcasters.upcast("publish", 2, {}) == {"way": ["second"]}
    assert upcasters.upcast("publish", 3, {}) == {}
    assert upcasters.upcast("play", 1, {}) == {}


@pytest.mark.parametrize(("version", "why"), [(3, "made by a newer version"), (0, "the first one is 1")])
def test_a_version_that_is_not_known_is_told(version: int, why: str) -> None:
    """What a newer version wrote is not guessed at."""
    with pytest.raises(ValueError, match=why):
        Upcasters(steps((1, 2))).upcast("publish", version, {})


def test_those_of_this_version_are_of_shapes_that_exist() -> None:
    """An upcaster under a name that nothing on a reel has would never be called."""
    assert set(UPCASTERS.shapes) <= {*INPUTS, "header", "snapshot"}
