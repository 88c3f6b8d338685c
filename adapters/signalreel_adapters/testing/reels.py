"""The contract of a reel, as a suite that every reel passes.

    async def test_my_reel(tmp_path: Path) -> None:
        await check_reel(lambda: MyPlace(Path(mkdtemp(dir=tmp_path))))

`make_place` gives a fresh place in which a reel can be opened. A place can do more than open, and is then asked for
more: see `LastingPlace` and `FailingPlace`.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, Protocol, runtime_checkable

from signalreel.errors import OutOfOrder, ReelError, ReelUnavailable
from signalreel.notes import Closed, Delivered, Note, OffReel
from signalreel.reel import Entry, Reel, chain_before, chain_record
from signalreel.step import DIGEST_SIZE, Outcome
from signalreel_adapters.ports import DurableReel, RollingReel
from signalreel_adapters.testing.promises import hold

__all__ = ("FailingPlace", "LastingPlace", "MakePlace", "ReelPlace", "check_reel")

_RECORDS: Final = (b"one", b"", bytes(range(256)) * 300, b"four", b"five")
"""Of every length, and of every byte: what a record holds is no business of the reel's."""

_COMMITS: Final = 12
_LONG: Final = "x" * 100_000  # more than a note may hold


class ReelPlace(Protocol):
    """Where one reel is kept."""

    def open(self) -> Reel:
        """Open the reel of this place for writing; make it when it is not there yet. One is open at a time."""
        ...


@runtime_checkable
class LastingPlace(ReelPlace, Protocol):
    """A place whose reel outlives the process that wrote it."""

    @property
    def lost_max(self) -> int:
        """Committed records that a crash may take from the end; 0 for a reel that waits for its disk."""
        ...

    def after_crash(self) -> ReelPlace:
        """Give another place that holds what a crash at this moment would leave here. The reel may be open."""
        ...

    def torn(self) -> ReelPlace:
        """Give another place that holds what a crash would leave when the last write had not come to its end."""
        ...


@runtime_checkable
class FailingPlace(ReelPlace, Protocol):
    """A place whose disk can be taken away."""

    def fail(self, fails: bool) -> None:
        """Let nothing be written to the reel that is open, or let it be written again."""
        ...


MakePlace = Callable[[], ReelPlace]


async def check_reel(make_place: MakePlace) -> None:
    """Hold a reel against every promise of `Reel`, and of `DurableReel` and `RollingReel` when it is one.

    Raises `AssertionError` at the first promise that it breaks.
    """
    for promise in (_begins_empty, _keeps_order, _refuses_gaps, _keeps_outcomes, _keeps_notes_beside, _closes_twice):
        reel = make_place().open()
        try:
            await promise(reel)
        finally:
            with suppress(Exception):  # How it closes is a promise of its own.
                reel.close()
    if isinstance(failing := make_place(), FailingPlace):
        loses = isinstance(failing, LastingPlace) and failing.lost_max > 0
        await (_keeps_what_it_took(failing) if loses else _forgets_a_failed_commit(failing))
    for lasting in (_outlives_its_writer, _keeps_what_was_committed, _is_never_half):
        if isinstance(place := make_place(), LastingPlace):
            await lasting(place)
    if isinstance(reel := make_place().open(), RollingReel):
        await _goes_on_behind_a_seam(reel)
    reel.close()


# ---- every reel


async def _begins_empty(reel: Reel) -> None:
    hold((reel.first_seq, reel.last_seq) == (1, 0), "the first record of a new reel is record 1")
    hold(reel.seam is None, "a new reel goes on from nothing")
    hold([*reel.entries(), *reel.notes()] == [], "a new reel holds nothing")
    await _secure(reel)
    hold(reel.last_seq == 0, "committing nothing is harmless")


async def _keeps_order(reel: Reel) -> None:
    header = reel.header
    for seq, record in enumerate(_RECORDS, 1):
        reel.append(seq, record)
        hold(reel.last_seq == seq, "the last seq is that of the record appended last")
        if seq % 2:
            await _secure(reel)
    await _secure(reel)
    found = list(reel.entries())
    hold([entry.record for entry in found] == [*_RECORDS], "records come back in order, byte for byte")
    hold(_chained(found) == _written(reel, _RECORDS), "each record comes with its seq and its chain value")
    for start in range(len(_RECORDS) + 2):
        hold(list(reel.entries(start)) == found[max(0, start - 1) :], "reading may begin at any record")
    hold(reel.header == header, "the header stays what it is")


async def _refuses_gaps(reel: Reel) -> None:
    reel.append(1, b"one")
    for seq in (0, 1, 3, -1):
        try:
            reel.append(seq, b"other")
        except OutOfOrder as error:
            hold((error.expected, error.found) == (2, seq), "the refusal of a seq says which one is the next")
        else:
            raise AssertionError("broken promise: a record that is not the next is refused with OutOfOrder")
        hold(reel.last_seq == 1, "a refused record changes nothing")
    reel.append(2, b"two")
    await _secure(reel)
    hold([entry.record for entry in reel.entries()] == [b"one", b"two"], "a refused record changes nothing")


async def _keeps_outcomes(reel: Reel) -> None:
    outcomes = [_outcome(b"1"), None, _outcome(b"3")]
    for seq in (1, 2, 3):
        reel.append(seq, b"record")
    reel.conclude(1, _outcome(b"1"))
    await _secure(reel)
    reel.conclude(3, _outcome(b"3"))
    await _secure(reel)
    found = list(reel.entries())
    told = "an outcome stands beside its record, whether it came with it or later; without one a record is whole"
    hold([entry.outcome for entry in found] == outcomes, told)
    hold(_chained(found) == _written(reel, [b"record"] * 3), "outcomes are no part of the chain")


async def _keeps_notes_beside(reel: Reel) -> None:
    reel.append(1, b"one")
    reel.append(2, b"two")
    second, first = Note(2, 5, "s", Delivered(1)), Note(1, 6, "s", OffReel("ping"))
    third = Note(2, 7, "s", Closed(1000, "", "client"))
    for note in (second, first, third):
        reel.note(note)
    await _secure(reel)
    told = "notes come back in the order of their seqs, those of one seq as they were made"
    hold(list(reel.notes()) == [first, second, third], told)
    hold(list(reel.notes(2)) == [second, third], "reading notes may begin at any record")
    try:
        reel.note(Note(2, 8, "a", OffReel(_LONG)))
        await _secure(reel)
    except Exception as error:
        raise AssertionError(f"broken promise: a note never fails; it raised {error!r}") from error
    hold(_chained(reel.entries()) == _written(reel, [b"one", b"two"]), "notes are no part of the chain")


async def _closes_twice(reel: Reel) -> None:
    reel.append(1, b"one")
    await _secure(reel)
    reel.close()
    try:
        reel.close()
    except Exception as error:
        raise AssertionError(f"broken promise: closing twice is harmless; it raised {error!r}") from error
    hold(reel.last_seq == 1, "what was committed is known after closing")


# ---- reels whose records can be lost


async def _forgets_a_failed_commit(place: FailingPlace) -> None:
    reel = place.open()
    reel.append(1, b"one")
    await _secure(reel)
    reel.conclude(1, _outcome(b"1"))
    place.fail(True)
    reel.append(2, b"never written")
    try:
        await _secure(reel)
    except ReelUnavailable:
        hold(reel.last_seq == 1, "what a failed commit should have written is forgotten")
    else:
        raise AssertionError("broken promise: a commit that cannot write raises ReelUnavailable")
    place.fail(False)
    reel.append(2, b"two")
    await _secure(reel)
    found = list(reel.entries())
    hold([entry.record for entry in found] == [b"one", b"two"], "what a failed commit should have written is forgotten")
    hold(found[0].outcome == _outcome(b"1"), "outcomes outlive a failed commit, and go with the next")
    reel.close()


async def _keeps_what_it_took(place: FailingPlace) -> None:
    """A reel that does not wait for its disk has answered already: it writes what it took once it can."""
    reel = place.open()
    reel.append(1, b"one")
    await _secure(reel)
    place.fail(True)
    reel.append(2, b"two")
    with suppress(ReelUnavailable):
        await _commit(reel)
    taken = reel.last_seq
    place.fail(False)
    await _secure(reel)
    told = "what a reel took while it could not write is written once it can, and nothing else"
    hold([entry.seq for entry in reel.entries()] == [*range(1, taken + 1)], told)
    reel.close()


async def _outlives_its_writer(place: LastingPlace) -> None:
    reel = place.open()
    for seq, record in enumerate(_RECORDS, 1):
        reel.append(seq, record)
    reel.conclude(1, _outcome(b"1"))
    reel.note(Note(1, 5, "a", Delivered()))
    await _secure(reel)
    header, entries, notes = reel.header, list(reel.entries()), list(reel.notes())
    reel.append(reel.last_seq + 1, b"never committed")
    reel.close()
    again = place.open()
    hold(again.header == header, "a reel that is opened again has the header that it was made with")
    told = "what was committed is there when the reel is opened again, and nothing else"
    hold((again.last_seq, list(again.entries())) == (len(_RECORDS), entries), told)
    hold(list(again.notes()) == notes, "notes that were committed are there when the reel is opened again")
    again.append(again.last_seq + 1, b"more")
    await _secure(again)
    told = "a reel that is opened again goes on where it ended, and so does its chain"
    hold(_chained(again.entries()) == _written(again, [*_RECORDS, b"more"]), told)
    again.close()


async def _keeps_what_was_committed(place: LastingPlace) -> None:
    """Before each of some commits the process dies, with a batch appended and not committed, and after the last."""
    reel = place.open()
    appended: list[bytes] = []
    committed = 0
    for number in range(_COMMITS):
        for each in range(number % 3 + 1):
            appended.append(f"{number} {each}".encode())
            reel.append(len(appended), appended[-1])
        left = len(_left(place.after_crash(), appended))
        hold(left >= committed - place.lost_max, "what was committed survives a crash")
        told = "a batch is there whole or not at all after a crash"
        hold(left in {committed, len(appended)} or place.lost_max > 0, told)
        await _commit(reel)
        committed = len(appended)
    after = place.after_crash()
    left = len(_left(after, appended))
    hold(left >= committed - place.lost_max, "what was committed survives a crash")
    found = after.open()
    found.append(left + 1, b"the next run")
    await _secure(found)
    told = "a reel goes on after a crash where it ends then, and so does its chain"
    hold(_chained(found.entries()) == _written(found, [*appended[:left], b"the next run"]), told)
    found.close()
    reel.close()


async def _is_never_half(place: LastingPlace) -> None:
    reel = place.open()
    for seq, record in enumerate(_RECORDS, 1):
        reel.append(seq, record)
        await _secure(reel)
    with suppress(ReelError):  # That it says so is as good.
        _left(place.torn(), _RECORDS)
    reel.close()


def _left(place: ReelPlace, appended: Sequence[bytes]) -> list[bytes]:
    """Give the records that are left after a crash, which are those from the first on, up to some."""
    reel = place.open()
    try:
        found = list(reel.entries())
        told = "what a crash leaves are the records from the first on as they were written, or ReelDamaged is raised"
        hold(_chained(found) == _written(reel, appended[: len(found)]), told)
        hold(reel.last_seq == len(found), "the last seq after a crash is that of the last record that is there")
    finally:
        reel.close()
    return [entry.record for entry in found]


async def _goes_on_behind_a_seam(reel: RollingReel) -> None:
    """The state at a seam is handed over as bytes; a reel does not look into it."""
    for seq, record in enumerate(_RECORDS, 1):
        reel.append(seq, record)
    await reel.flush()
    last = list(reel.entries())[-1]
    await reel.roll(b"the state", reel.header, bytes(DIGEST_SIZE))
    hold(reel.seam == b"the state", "the state at the seam is the one that was handed over")
    hold((reel.first_seq, reel.last_seq) == (last.seq + 1, last.seq), "seqs go on behind a seam")
    parent = reel.header.parent
    told = "the header behind a seam names the last record before it, its chain, and the digest that was handed over"
    hold(
        parent is not None and (parent.seq, parent.chain, parent.digest) == (last.seq, last.chain, bytes(DIGEST_SIZE)),
        told,
    )
    reel.append(last.seq + 1, b"behind")
    await reel.flush()
    hold(_chained(reel.entries()) == _written(reel, [b"behind"]), "the chain goes on behind a seam")


# ---- what all of them need


def _outcome(digest: bytes) -> Outcome:
    return Outcome(digest, [("stream", "live", "a", "idle", "preparing")], b"state")


def _chained(entries: Iterable[Entry]) -> list[tuple[int, bytes, bytes]]:
    return [(entry.seq, entry.record, entry.chain) for entry in entries]


def _written(reel: Reel, records: Iterable[bytes]) -> list[tuple[int, bytes, bytes]]:
    """Give what a reel holds that begins with these records."""
    chain = chain_before(reel.header, reel.seam)
    found: list[tuple[int, bytes, bytes]] = []
    for seq, record in enumerate(records, reel.first_seq):
        chain = chain_record(chain, record)
        found.append((seq, record, chain))
    return found


async def _commit(reel: Reel) -> None:
    if isinstance(reel, DurableReel):
        await reel.commit()


async def _secure(reel: Reel) -> None:
    """Commit, and wait until it is safe, whatever the reel is set to wait for."""
    if isinstance(reel, RollingReel):
        await reel.flush()
    else:
        await _commit(reel)
