"""The cursor: forwards, backwards, and what it says of a reel that is not as it was."""

from collections.abc import Callable, Iterator
from itertools import islice

import msgspec
import pytest
from msgspec.structs import replace

from signalreel.commands import JoinRoom, Publish
from signalreel.engine import Engine
from signalreel.errors import Divergence, ReelDamaged
from signalreel.events import LogicRaised, SessionOpened
from signalreel.header import Header, Parent
from signalreel.notes import Note
from signalreel.record import Record, encode_record
from signalreel.reel import Entry, MemoryReel
from signalreel.replay import Cursor, compare, engine_at_start
from signalreel.settings import Settings
from signalreel.snapshot import SEQ_MAX, encode_snapshot
from signalreel.step import Outcome, outcome_of
from tests.engine.tour import tour
from tests.engine.world import World


class Kept:
    """A reel that gives back entries as they were written, chain values and all: as one on a disk does."""

    def __init__(self, header: Header, entries: list[Entry], seam: bytes | None = None, first_seq: int = 1) -> None:
        self.header = header
        self.kept = entries
        self.seam = seam
        self.first_seq = first_seq

    @property
    def last_seq(self) -> int:
        """The seq of the last record."""
        return self.first_seq + len(self.kept) - 1

    def append(self, seq: int, record: bytes) -> None:
        """Only for reading."""
        raise AssertionError(seq, record)

    def conclude(self, seq: int, outcome: Outcome) -> None:
        """Only for reading."""
        raise AssertionError(seq, outcome)

    def entries(self, start: int = 1) -> Iterator[Entry]:
        """What was kept."""
        return islice(self.kept, max(0, start - self.first_seq), None)

    def note(self, note: Note) -> None:
        """Only for reading."""
        raise AssertionError(note)

    def notes(self, start: int = 1) -> Iterator[Note]:
        """None were kept."""
        return iter(())

    def close(self) -> None:
        """Nothing to release."""


def call() -> World:
    """A short call: two sessions, one stream, one playback, all of it ended."""
    world = World()
    world.open("a", "b")
    world.publish("a", "s1")
    world.play("b", "s1")
    world.close("a")
    world.close("b")
    return world


def kept(world: World) -> Kept:
    """What a disk would hold of a world."""
    reel = world.reel()
    return Kept(reel.header, list(reel.entries()))


def altered(reel: Kept, seq: int, change: Callable[[Entry], Entry]) -> Kept:
    """The same reel with one entry changed behind its back."""
    entries = [change(entry) if entry.seq == seq else entry for entry in reel.kept]
    return Kept(reel.header, entries)


def test_a_replay_gives_what_was_recorded() -> None:
    """Contract 8: the same transitions, messages and digests, record for record, and no divergence."""
    world = tour()

    replayed = list(Cursor(world.reel()))

    assert [each.step for each in replayed] == world.steps
    assert [each.divergence for each in replayed if each.divergence] == []
    assert [each.recorded for each in replayed] == [outcome_of(step) for step in world.steps]


def test_a_cursor_goes_anywhere_and_is_there() -> None:
    """Going back or forth in any order gives the step of that record and the state after it."""
    world = tour()
    length = len(world.past)
    cursor = Cursor(world.reel(), snapshot_every=100)
    straight = Engine(world.initial_settings)
    snapshots = {0: straight.snapshot()}
    for record in world.records:
        straight.apply(record)
        snapshots[record.seq] = straight.snapshot()

    for seq in (length, 1, 750, 749, 751, 700, 699, 0, 1_500, 100, 99, 101, length - 1):
        found = cursor.seek(seq)

        assert found == (None if seq == 0 else cursor.seek(seq))
        assert found is None or (found.step == world.steps[seq - 1] and found.divergence is None)
        assert cursor.position == seq
        assert same_state(cursor.engine, snapshots[seq])


def same_state(engine: Engine, snapshot: msgspec.Struct) -> bool:
    """Whether an engine is in the state of a snapshot; the order in which machines are kept is no part of it."""
    other = Engine()
    other.restore(snapshot)  # type: ignore[arg-type]
    return (
        engine.seq == other.seq
        and engine.time == other.time
        and engine.digest == other.digest
        and engine.settings == other.settings
        and engine.environment == other.environment
        and engine.sessions() == other.sessions()
        and dict(engine.machines()) == dict(other.machines())
        and engine.deadline() == other.deadline()
    )


class Counted(Kept):
    """A reel that counts the entries it gives."""

    given = 0

    def entries(self, start: int = 1) -> Iterator[Entry]:
        """Give what was kept, one at a time."""
        for entry in super().entries(start):
            self.given += 1
            yield entry


def test_a_jump_starts_from_the_nearest_mark_in_both_directions() -> None:
    """Once a reel has been read to its end, no jump reads more records than lie between two marks."""
    recorded = tour().reel()
    reel = Counted(recorded.header, list(recorded.entries()))
    cursor = Cursor(reel, snapshot_every=100)
    list(cursor)

    for seq in (3, 1_250, 750, 1_499, 0, reel.last_seq):
        before = reel.given
        cursor.seek(seq)
        assert (cursor.position, reel.given - before <= 100) == (seq, True)


def test_seeking_past_the_end_stops_there() -> None:
    """There is nothing to give, and the cursor stands after the last record; a record written later is found."""
    world = call()
    reel = world.reel()
    cursor = Cursor(reel)

    assert cursor.seek(1_000) is None
    assert cursor.position == reel.last_seq
    assert cursor.step() is None

    reel.append(reel.last_seq + 1, encode_record(Record(reel.last_seq + 1, world.now, "c", event=SessionOpened("x"))))

    found = cursor.step()
    assert found is not None
    assert (found.step.record.session, found.recorded, found.divergence) == ("c", None, None)


def test_an_engine_of_its_own_is_given_at_a_seq() -> None:
    """What is done with the engine that `at` gives does not move the cursor's."""
    world = call()
    cursor = Cursor(world.reel())

    engine = cursor.at(4)
    engine.apply(world.records[4])

    assert (engine.seq, cursor.engine.seq) == (5, 4)
    assert engine.digest == world.steps[4].digest


def test_a_reel_is_replayed_under_the_settings_of_its_header() -> None:
    """Contract 8: what decides is on the reel, not with whoever replays it."""
    world = World(Settings(codecs=()))
    world.open("a")
    world.say("a", Publish("s1"))

    (_, refused) = Cursor(world.reel())

    assert refused.step.refused == "no_codec_enabled_in_the_server"


# ---------------------------------------------------------------- what is not as it was


def test_changed_transitions_are_told_with_both_values() -> None:
    """Contract 8: the divergence names the record, what was recorded, what is computed now, and the cause."""
    world = call()
    changed = [("stream", "live", "s1", "idle", "negotiating")]
    reel = altered(kept(world), 3, lambda entry: replace(entry, outcome=Outcome(b"", changed)))

    (found,) = [each.divergence for each in Cursor(reel) if each.divergence]

    assert (found.seq, found.what, found.cause) == (3, "transitions", "publish")
    assert found.recorded == "stream live/s1: idle -> negotiating"
    assert found.computed == "stream live/s1: idle -> preparing"


def test_a_changed_message_is_told_by_the_digests() -> None:
    """Contract 8: equal transitions are not enough; the digest covers the messages too."""
    world = call()
    outcome = outcome_of(world.steps[2])
    forged = replace(outcome, digest=bytes(16))
    reel = altered(kept(world), 3, lambda entry: replace(entry, outcome=forged))

    (found,) = [each.divergence for each in Cursor(reel) if each.divergence]

    assert (found.seq, found.what, found.cause) == (3, "digest", "publish")
    assert (found.recorded, found.computed) == ("00" * 16, outcome.digest.hex())


def test_a_hidden_difference_is_told_by_the_next_state_digest() -> None:
    """Contract 8: what no step has shown yet is found where a digest of the whole state stands."""
    world = World(state_digest_every=64)
    world.open(*(f"session-{number}" for number in range(64)))
    outcome = outcome_of(world.steps[63])
    reel = altered(kept(world), 64, lambda entry: replace(entry, outcome=replace(outcome, state_digest=b"other")))

    (found,) = [each.divergence for each in Cursor(reel) if each.divergence]

    assert (found.seq, found.what, found.cause) == (64, "state digest", "SessionOpened")
    assert (found.recorded, found.computed) == (b"other".hex(), outcome.state_digest.hex())


def test_a_step_without_transitions_is_told_as_such() -> None:
    """A divergence reads as a sentence also when one side has nothing."""
    world = call()

    found = compare(Outcome(b"", []), world.steps[2])

    assert isinstance(found, Divergence)
    assert (
        str(found) == "record 3 (publish): transitions recorded as none, computed as stream live/s1: idle -> preparing"
    )


def test_nothing_recorded_is_nothing_to_differ_from() -> None:
    """A run that ended between a record and its outcome left a whole reel."""
    world = call()
    reel = altered(kept(world), 12, lambda entry: replace(entry, outcome=None))

    assert [each.divergence for each in Cursor(reel)] == [None] * 12


@pytest.mark.parametrize("place", [0, 5, -1])
def test_a_damaged_byte_is_named_by_its_record(place: int) -> None:
    """Contract 8: one altered byte of a record is noticed there, by the chain, before the record is applied."""
    world = call()

    def damage(entry: Entry) -> Entry:
        record = bytearray(entry.record)
        record[place] ^= 1
        return replace(entry, record=bytes(record))

    cursor = Cursor(altered(kept(world), 5, damage))

    with pytest.raises(ReelDamaged) as caught:
        list(cursor)

    assert caught.value.place == "record 5"
    assert cursor.position == 4


def test_a_missing_record_is_named_by_the_one_after_it() -> None:
    """Contract 8: the chain of what follows does not fit any more."""
    world = call()
    reel = kept(world)
    del reel.kept[4]
    cursor = Cursor(reel)

    with pytest.raises(ReelDamaged, match="record 6"):
        list(cursor)

    assert cursor.position == 4


def test_damage_stays_where_it_is() -> None:
    """Whoever asks again after an error is told the same record, not the one after it."""
    world = call()
    cursor = Cursor(altered(kept(world), 5, lambda entry: replace(entry, record=b"")))

    for _ in range(2):
        with pytest.raises(ReelDamaged, match="record 5"):
            cursor.seek(7)


def test_a_record_that_means_nothing_is_damage() -> None:
    """A record whose bytes are as written and yet cannot be decoded, does not follow, or is not whole, is damage."""
    for record in (
        b"\x93\x01",
        encode_record(Record(2, 0, "a", event=SessionOpened("live"))),
        encode_record(Record(1, 0, "a")),
        encode_record(Record(1, 0, "a", command=JoinRoom("r"))),
    ):
        reel = MemoryReel()
        reel.append(1, record)

        with pytest.raises(ReelDamaged, match="record 1"):
            Cursor(reel).step()


def cut(world: World, at: int) -> MemoryReel:
    """The reel that goes on where the first records of a world end, as rolling makes it."""
    whole = world.reel()
    before = list(whole.entries())[at - 1]
    state = Cursor(whole).at(at).snapshot()
    header = Header(world.initial_settings, parent=Parent("whole", at, before.chain))
    reel = MemoryReel(header, seam=encode_snapshot(state), first_seq=at + 1)
    for entry in whole.entries(at + 1):
        reel.append(entry.seq, entry.record)
        assert entry.outcome is not None
        reel.conclude(entry.seq, entry.outcome)
    return reel


@pytest.mark.parametrize("at", [1, 500, 1_000])
def test_a_replay_starts_at_the_seam(at: int) -> None:
    """Contract 9: what follows a seam gives the same steps and digests as in the whole reel, back and forth."""
    world = tour()
    cursor = Cursor(cut(world, at), snapshot_every=100)
    assert cursor.position == at

    replayed = list(cursor)

    assert [each.step for each in replayed] == world.steps[at:]
    assert [each.divergence for each in replayed if each.divergence] == []
    assert cursor.seek(at) is None
    assert cursor.position == at
    assert cursor.seek(0) is None
    assert cursor.position == at
    for seq in (at + 150, at + 1, at + 151):
        found = cursor.seek(seq)
        assert found is not None
        assert found.step == world.steps[seq - 1]


def test_a_seam_that_was_altered_is_noticed() -> None:
    """The chain covers the seam: a state that was changed behind the reel's back does not go with its records."""
    reel = cut(call(), 5)
    entries = list(reel.entries())
    other = Cursor(call().reel()).at(5).snapshot()
    altered = Kept(reel.header, entries, encode_snapshot(replace(other, time=1)), 6)

    with pytest.raises(ReelDamaged, match="record 6: its bytes, or those of a record before it"):
        list(Cursor(altered))


def test_a_seam_that_does_not_fit_is_told() -> None:
    """A seam of another record, one that is no state, and one that is not whole are damage."""
    state = Cursor(call().reel()).at(5).snapshot()
    for seam, first_seq, why in (
        (encode_snapshot(state), 7, "it is of record 5, and the first record is 7"),
        (b"no state", 6, "cannot be decoded"),
        (encode_snapshot(replace(state, standings=(("nobody", ()),))), 6, "it is no whole state"),
    ):
        with pytest.raises(ReelDamaged, match=f"seam: {why}"):
            Cursor(MemoryReel(seam=seam, first_seq=first_seq))


def test_a_record_that_is_not_the_one_in_its_place_is_told() -> None:
    """Its number is part of its bytes, and no reel lasts three hundred years."""
    for record, why in (
        (Record(2, 0, "a", event=SessionOpened("live")), "it says that it is record 2"),
        (Record(1, SEQ_MAX + 1, "a", event=SessionOpened("live")), "no reel lasts so long"),
    ):
        reel = MemoryReel()
        reel.append(1, encode_record(record))
        with pytest.raises(ReelDamaged, match=why):
            list(Cursor(reel))


def test_a_reel_of_an_older_logic_is_replayed_by_it() -> None:
    """Contract 9: the flags are those of the header, not those that are known today."""
    assert engine_at_start(MemoryReel(Header(Settings(), logic=()))).environment.logic == ()


def test_a_flag_that_is_not_known_is_damage() -> None:
    """A newer version went on with this reel."""
    reel = MemoryReel()
    reel.append(1, encode_record(Record(1, 0, "", event=LogicRaised(99))))

    with pytest.raises(ReelDamaged, match="record 1: this version does not know flag 99"):
        list(Cursor(reel))
