"""`signalreel_adapters.configuration.names`: keys that nobody knows."""

import pytest
from msgspec import Struct

from signalreel_adapters.configuration import Misconfigured
from signalreel_adapters.configuration.names import check_names, unknown


class Inner(Struct):
    """A table in a table."""

    width: int = 0


class Outer(Struct):
    """A table."""

    inner: Inner | None = None
    named: dict[str, Inner] = {}
    plain: dict[str, int] = {}
    listed: tuple[Inner, ...] = ()


@pytest.mark.parametrize(
    "table",
    [{}, {"inner": {"width": 1}}, {"inner": None}, {"inner": 3}, {"named": {"any": {"width": 1}}}, {"plain": {"x": 1}}],
)
def test_known_keys_pass(table: dict[str, object]) -> None:
    """Keys of a Struct, and any key where a table is one of names; types are looked at later."""
    check_names(table, Outer)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"iner": {}}, "there is no iner; did you mean inner?"),
        ({"inner": {"widht": 1}}, "there is no inner.widht; did you mean inner.width?"),
        ({"named": {"any": {"hight": 1}}}, "there is no named.any.hight"),
        ({"listed": [{}, {"widht": 1}]}, "there is no listed[1].widht; did you mean listed[1].width?"),
    ],
)
def test_unknown_keys_are_named_with_their_place(table: dict[str, object], said: str) -> None:
    """However deep they stand."""
    with pytest.raises(Misconfigured) as caught:
        check_names(table, Outer)
    assert said in str(caught.value)


def test_nothing_near_is_not_guessed() -> None:
    """A name that resembles none gets no suggestion."""
    assert str(unknown("a", "zzz", ["width"])) == "there is no a.zzz"
