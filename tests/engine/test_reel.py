"""The log of records, and the one kept in memory."""

import pytest

from signalreel.errors import OutOfOrder
from signalreel.header import ENGINE_VERSION, Header, Parent
from signalreel.notes import Delivered, Note
from signalreel.record import FORMAT
from signalreel.reel import Entry, MemoryReel, Reel, chain_before, chain_record
from signalreel.settings import Settings
from signalreel.step import DIGEST_SIZE, GENESIS, Outcome

OUTCOME = Outcome(bytes(DIGEST_SIZE), [])


def written(*records: bytes) -> MemoryReel:
    """A reel that holds these records."""
    reel = MemoryReel()
    for seq, record in enumerate(records, 1):
        reel.append(seq, record)
    return reel


def test_records_come_back_in_order_with_their_outcomes() -> None:
    """Contract 1: there is one order. A record whose outcome was not written any more is whole all the same."""
    reel = written(b"one", b"two")
    reel.conclude(1, OUTCOME)
    first = chain_record(GENESIS, b"one")

    assert list(reel.entries()) == [
        Entry(1, b"one", first, OUTCOME),
        Entry(2, b"two", chain_record(first, b"two"), None),
    ]
    assert reel.last_seq == 2


def test_reading_may_begin_anywhere() -> None:
    """From a seq on, the entries are those of the whole reel; past the end there are none."""
    reel = written(b"one", b"two", b"three")

    assert list(reel.entries(3)) == list(reel.entries())[2:]
    assert list(reel.entries(4)) == []


@pytest.mark.parametrize("seq", [0, 1, 3, -1])
def test_a_record_that_is_not_the_next_is_refused(seq: int) -> None:
    """Contract 1: a gap or a repetition in the order is told at once, and nothing is written."""
    reel = written(b"one")

    with pytest.raises(OutOfOrder) as caught:
        reel.append(seq, b"two")

    assert (caught.value.field, caught.value.expected, caught.value.found) == ("seq", 2, seq)
    assert reel.last_seq == 1


def test_a_reel_that_goes_on_where_another_ended_counts_on_from_there() -> None:
    """Seqs go on, and the chain covers the parent's last value and the state at the seam."""
    header = Header(Settings(), parent=Parent("before", 7, chain=b"\x07" * DIGEST_SIZE))
    reel = MemoryReel(header, seam=b"state", first_seq=8)
    assert (reel.first_seq, reel.last_seq, reel.seam) == (8, 7, b"state")
    with pytest.raises(OutOfOrder):
        reel.append(1, b"one")
    reel.append(8, b"eight")
    start = chain_before(header, b"state")

    assert list(reel.entries()) == list(reel.entries(8)) == [Entry(8, b"eight", chain_record(start, b"eight"))]
    assert list(reel.entries(9)) == []
    assert start == chain_record(b"\x07" * DIGEST_SIZE, b"state") != chain_before(header, b"another state")
    assert chain_before(Header(Settings()), b"state") == chain_record(GENESIS, b"state")
    assert chain_before(Header(Settings()), None) == GENESIS


def test_notes_stand_beside_the_records_and_in_no_chain() -> None:
    """They are given by the record they belong to, in the order in which they were made, whenever that was."""
    reel, bare = written(b"one", b"two"), written(b"one", b"two")
    notes = [Note(seq, 5, "s", Delivered(count)) for seq, count in ((2, 1), (1, 2), (2, 3))]
    for note in notes:
        reel.note(note)

    assert list(reel.notes()) == [notes[1], notes[0], notes[2]]
    assert list(reel.notes(2)) == [notes[0], notes[2]]
    assert list(reel.entries()) == list(bare.entries())


def test_the_chain_covers_every_byte_of_every_record_before() -> None:
    """Contract 8: another byte, another order or a missing record gives another chain value from there on."""
    last = [list(written(*records).entries())[-1].chain for records in ((b"a", b"b"), (b"b", b"a"), (b"b",), (b"ab",))]

    assert len(set(last)) == 4
    assert all(len(chain) == DIGEST_SIZE for chain in last)
    assert chain_record(GENESIS, b"") != GENESIS


def test_a_header_says_what_the_reel_was_made_with() -> None:
    """Contract 9: the initial settings, the codec's version and the engine's stand before the first record."""
    header = Header(Settings(restore_ms=5), started_at=17)

    assert MemoryReel(header).header == Header(Settings(restore_ms=5), FORMAT, ENGINE_VERSION, 17)
    assert MemoryReel().header == Header(Settings())


def test_a_reel_in_memory_keeps_the_promise_of_all_reels() -> None:
    """It can stand wherever a reel is asked for, and closing it twice is harmless."""
    reel: Reel = written(b"one")
    reel.close()
    reel.close()

    assert reel.last_seq == 1
