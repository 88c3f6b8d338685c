"""`signalreel_adapters.runtime.ids`: Contract 10."""

from signalreel.identifiers import is_valid_name
from signalreel_adapters.runtime.ids import ID_BYTES, RandomIds, SeededIds


def test_an_id_has_at_least_96_random_bits() -> None:
    """An id is drawn from enough random bytes (Contract 10), and each of them shows in it."""
    assert ID_BYTES * 8 >= 96
    assert {len(RandomIds().draw()) for _ in range(20)} == {ID_BYTES * 8 // 5}


def test_ids_may_be_stream_names() -> None:
    """An id drawn for a stream obeys the rule of stream names."""
    assert all(is_valid_name(RandomIds().draw()) for _ in range(100))


def test_random_ids_do_not_repeat() -> None:
    """Two drawers never give the same id."""
    assert len({RandomIds().draw() for _ in range(1_000)}) == 1_000


def test_every_character_is_drawn() -> None:
    """All bits are used: every character of the alphabet occurs in every place."""
    drawn = [RandomIds().draw() for _ in range(2_000)]

    assert {len({id[place] for id in drawn}) for place in range(24)} == {32}


def test_a_seed_gives_the_same_ids() -> None:
    """Seeded ids repeat with their seed, differ between seeds, and do not repeat within one."""
    first, again, other = SeededIds(7), SeededIds(7), SeededIds(8)
    drawn = [first.draw() for _ in range(100)]

    assert [again.draw() for _ in range(100)] == drawn
    assert len({*drawn, *(other.draw() for _ in range(100))}) == 200
