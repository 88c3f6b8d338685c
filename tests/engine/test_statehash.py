"""The running digest of a whole state."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from signalreel.statehash import StateHash


class Value(Struct, frozen=True):
    """Something that stands somewhere."""

    number: int


REST = Value(0)
PLACES = [("stream", "live", "a"), ("stream", "live", "b"), ("session", "a"), ("session", "b")]

Change = tuple[int, int | None]


def hashed(changes: list[Change], *, digest_each: bool = False) -> bytes:
    """The digest after changes in turn, taken once at the end or after each of them as well."""
    running = StateHash()
    for place, number in changes:
        running.changed(PLACES[place], Value(number) if number is not None else None)
        if digest_each:
            running.digest(REST)
    return running.digest(REST)


@given(st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 3)), max_size=12))
def test_the_digest_is_of_what_stands_there_and_not_of_how_it_came(changes: list[Change]) -> None:
    """Contract 8: any way to the same state gives the same digest, however often one was taken on the way."""
    final = dict(changes)
    whole: list[Change] = [(place, final[place]) for place in sorted(final, reverse=True) if final[place] is not None]

    assert hashed(changes) == hashed(changes, digest_each=True) == hashed(whole)


def test_every_part_of_the_state_counts() -> None:
    """Another value, another place, something more, something gone, or another rest: each is another digest."""
    running = StateHash()
    running.changed(PLACES[0], Value(1))
    other_rest = running.digest(Value(1))

    digests = {
        hashed([]),
        hashed([(0, 1)]),
        hashed([(0, 2)]),
        hashed([(1, 1)]),
        hashed([(2, 1)]),
        hashed([(0, 1), (1, 1)]),
        hashed([(0, 1), (1, 2)]),
        hashed([(0, 2), (1, 1)]),
        other_rest,
    }

    assert len(digests) == 9


def test_what_went_is_forgotten() -> None:
    """A place that is empty again leaves no trace, also when nothing ever stood there."""
    assert hashed([(0, 1), (0, None)]) == hashed([(3, None)]) == hashed([])
