"""`signalreel.debug.scan`."""

from signalreel.commands import JoinRoom, Publish
from signalreel.debug.rows import ROWS
from signalreel.debug.scan import DIVERGED, LINES_MAX, NOTED, UNCONCLUDED, Part, Scan
from signalreel.debug.story import told_record
from signalreel.notes import Closed, Note, OffReel
from signalreel.reel import MemoryReel
from signalreel.replay import Cursor
from signalreel.snapshot import encode_snapshot
from signalreel.step import Outcome
from tests.engine.world import World


def a_call() -> World:
    """A stream in a room, one who plays it and is gone, one who is refused, and the end of the stream."""
    world = World()
    world.open("alice", "bob")
    world.say("bob", JoinRoom("hall"))
    world.publish("alice", "cam", room="hall")
    world.play("bob", "cam")
    world.say("bob", Publish("cam"))
    world.close("alice")
    world.open("carol")
    world.publish("carol", "cam")
    return world


def joined(parts: list[Part]) -> Part:
    """Parts as one."""
    whole = Part(parts[0].first)
    for part in parts:
        for column in Part.__struct_fields__[1:]:
            getattr(whole, column).extend(getattr(part, column))
    return whole


def test_columns_say_of_each_record_what_its_step_says() -> None:
    """Times, sessions, inputs, refusals, rows and lines agree with the steps, whatever the size of the parts."""
    world = a_call()
    part = joined(list(Scan(world.reel()).parts(3)))
    told = [told_record(step) for step in world.steps]

    assert part.times == [one.time for one in told]
    assert [part.names[number] for number in part.sessions] == [one.session for one in told]
    assert [part.names[number] for number in part.inputs] == [f"{one.origin} {one.input}" for one in told]
    assert [part.names[number] for number in part.refused] == [one.refused for one in told]
    assert [[ROWS[row].what for row in rows if row >= 0] for rows in part.rows] == [
        [row.what for row in one.rows if row.kind != "route"] for one in told
    ]
    assert part.lines == [min(LINES_MAX, 1 + len(one.transitions) + len(one.messages)) for one in told]


def test_a_column_of_moves_gives_every_transition_with_its_life() -> None:
    """Two lives of one id are two; each transition is found by its life and its row."""
    world = a_call()
    part = joined(list(Scan(world.reel()).parts(4)))
    triples = zip(part.moves[::3], part.moves[1::3], part.moves[2::3], strict=True)
    moves = [
        (seq, part.lives[life].kind, part.lives[life].id, part.lives[life].born, ROWS[row].state, ROWS[row].next)
        for seq, life, row in triples
    ]

    assert moves == [
        (step.record.seq, str(m.machine.kind), m.machine.id, m.machine.born, str(m.source), str(m.target))
        for step in world.steps
        for m in step.transitions
    ]
    assert [life.kind for life in part.lives].count("stream") == 2


def test_parts_of_any_size_are_the_same_reel() -> None:
    """Names and lives are numbered alike, so that parts can be put one behind the other."""
    reel = a_call().reel()

    assert joined(list(Scan(reel).parts(1))) == joined(list(Scan(reel).parts(1_000)))


def test_a_window_tells_records_with_what_they_changed_and_reading_goes_on_after_it() -> None:
    """A window may be asked for at any time; it says the state before and after, and no part is missed for it."""
    world = a_call()
    scan = Scan(world.reel())
    first = scan.advance(5)
    window = scan.window(4, 3)
    rest = scan.advance(1_000)

    assert [one.seq for one in window] == [4, 5, 6]
    [stream] = [state for state in window[0].states if state.kind == "stream"]
    assert stream.fields["state"] == "preparing"
    [moved] = [one for one in window[1].changes if one.path == ("stream", "live/cam", "state")]
    assert (moved.before, moved.after) == ("preparing", "negotiating")
    assert first is not None
    assert rest is not None
    assert (first.first, len(first.times), rest.first) == (1, 5, 6)
    assert scan.advance(1) is None


def test_a_record_that_comes_to_something_else_now_is_flagged() -> None:
    """A changed outcome is a divergence, in the columns and in the window; a missing one is said to be missing."""
    world = a_call()
    whole = world.reel()
    reel = MemoryReel(whole.header)
    for entry in whole.entries():
        reel.append(entry.seq, entry.record)
        if entry.outcome is not None and entry.seq != whole.last_seq:
            changed = Outcome(bytes(16), entry.outcome.transitions) if entry.seq == 3 else entry.outcome
            reel.conclude(entry.seq, changed)
    scan = Scan(reel)
    part = joined(list(scan.parts()))

    assert [seq for seq, flags in enumerate(part.flags, 1) if flags] == [3, whole.last_seq]
    assert (part.flags[2], part.flags[-1]) == (DIVERGED, UNCONCLUDED)
    assert [one.divergence is not None for one in scan.window(2, 3)] == [False, True, False]


def test_notes_stand_beside_their_records() -> None:
    """A record with notes is flagged, and tells them; the others are not."""
    reel = a_call().reel()
    reel.note(Note(4, 4_500, "alice", Closed(1006)))
    reel.note(Note(4, 4_600, "", OffReel("ping", 3)))
    scan = Scan(reel)
    part = joined(list(scan.parts(3)))

    assert [seq for seq, flags in enumerate(part.flags, 1) if flags & NOTED] == [4]
    assert [[(note.session, note.time) for note in one.notes] for one in scan.window(3, 3)] == [
        [],
        [("alice", 4_500), ("", 4_600)],
        [],
    ]
    assert "1006" in scan.window(4, 1)[0].notes[0].what


def test_a_reel_that_goes_on_from_a_seam_begins_with_what_lives_there() -> None:
    """The lives before its first record are known with the state they were in, and records keep their seqs."""
    world = a_call()
    whole = world.reel()
    cursor = Cursor(whole)
    cursor.seek(6)
    states = {machine.id: str(machine.state) for _, machine in cursor.engine.machines()}
    later = MemoryReel(whole.header, seam=encode_snapshot(cursor.engine.snapshot()), first_seq=7)
    for entry in whole.entries(7):
        later.append(entry.seq, entry.record)
        if entry.outcome is not None:
            later.conclude(entry.seq, entry.outcome)
    scan = Scan(later)
    part = joined(list(scan.parts(4)))

    assert part.first == 7
    assert {life.id: life.state for life in part.lives if life.state} == states
    assert part.flags == [0] * len(part.times)
    assert scan.window(8, 1)[0].seq == 8
