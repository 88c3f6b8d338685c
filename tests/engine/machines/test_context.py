"""What a machine's functions see, and what they leave behind."""

from msgspec import UNSET

from signalreel.commands import GetRoomInfo, Publish
from signalreel.events import MediaLost
from signalreel.identifiers import Kind, Reference
from signalreel.machines.context import Context, Environment, error_of
from signalreel.machines.notices import PlayerCame
from signalreel.machines.shapes import Room, RoomState, Stream, StreamState
from signalreel.messages import Error, Pong
from signalreel.record import Record
from signalreel.refusals import NO_ACTIVE_STREAMS_IN_ROOM, NO_STREAM_EXIST, NO_STREAM_NAME_SPECIFIED
from signalreel.settings import Settings


def begun(record: Record) -> Context:
    """A context at work on a record of session `a` in the app `live`, with one stream that `a` holds."""
    context = Context(Settings())
    context.begin(record, "live", "a")
    blank = Stream("live", "s1", StreamState.IDLE)
    held = Stream("live", "s1", StreamState.PREPARING, born=1, sessions=("a",))
    key = (Kind.STREAM, "live", "s1")
    context.machines[key] = held
    context.indexes.moved(key, blank, held, stored=True, was_stored=False)
    return context


ASKED = Record(7, 5_000, "a", command=Publish("s2"), ids=("fresh",))


def test_a_context_gathers_and_performs_nothing() -> None:
    """Contract 4: messages, refusals and notices lie in the context, in order, until the engine takes them."""
    context = begun(ASKED)
    context.send("b", Pong())
    context.refuse(NO_STREAM_EXIST)
    context.notify(Kind.ROOM, "r", PlayerCame())

    refused = Error(
        "no_stream_exist", "s2", error_code="404", information=NO_STREAM_EXIST.information, retry_after_ms=3_000
    )
    assert context.messages == [("b", Pong()), ("a", refused)]
    assert context.refused == "no_stream_exist"
    assert list(context.notices) == [(Kind.ROOM, "r", PlayerCame())]


def test_an_error_says_as_whom_the_command_came() -> None:
    """Clients find by it what an error is about; one that named nobody gets no such field."""
    context = begun(Record(7, 5_000, "a", command=Publish("s1", subscriber_id="ann")))
    context.refuse(NO_STREAM_EXIST)
    (_, named), unnamed = context.messages[0], error_of(NO_STREAM_EXIST, Publish("s1"))

    assert isinstance(named, Error)
    assert (named.subscriber_id, unnamed.subscriber_id) == ("ann", UNSET)
    assert error_of(NO_STREAM_EXIST, object(), subscriber_id="ann").subscriber_id == "ann"


def test_a_new_record_begins_with_nothing() -> None:
    """Nothing of one record's step is left in the next one's."""
    context = begun(ASKED)
    context.send("b", Pong())
    context.refuse(NO_STREAM_EXIST)

    context.begin(Record(8, 6_000, "b"), "other", "b")

    assert (context.messages, context.transitions, context.fired, context.refused, context.detail) == (
        [],
        [],
        [],
        "",
        None,
    )
    assert (context.app, context.session, context.time) == ("other", "b", 6_000)


def test_what_the_server_itself_is_refused_is_told_to_nobody() -> None:
    """A host's command has no session to answer; the refusal stands in the step."""
    context = begun(ASKED)
    context.session = ""
    context.refuse(NO_STREAM_EXIST)

    assert (context.messages, context.refused) == ([], "no_stream_exist")


def test_time_and_ids_come_from_the_record() -> None:
    """Contracts 2 and 10: a machine's clock and its source of ids are the record's own fields."""
    context = begun(ASKED)

    assert (context.time, context.fresh_id()) == (5_000, "fresh")


def test_how_long_it_is_until_a_moment_is_rounded_up() -> None:
    """Whoever comes back after so many milliseconds does not come too early."""
    context = begun(ASKED)

    assert [context.until_ms(moment) for moment in (0, 1, 2)] == [0, 995, 1_995]


def test_looking_things_up_stays_in_the_app() -> None:
    """Contract 1: a machine of another app is not found under the same id."""
    context = begun(ASKED)
    assert context.find(Kind.STREAM, "s1") is not None
    assert (context.holds(Kind.STREAM), context.holds(Kind.ROOM)) == (True, False)

    context.app = "other"

    assert context.find(Kind.STREAM, "s1") is None


def test_what_a_session_holds_is_given_in_a_fixed_order() -> None:
    """Contract 8: the ids come sorted, however they came about."""
    context = Context(Settings())
    context.begin(ASKED, "live", "a")
    for id in ("r2", "r1", "r3"):
        key = (Kind.ROOM, "live", id)
        blank = Room("live", id, RoomState.EMPTY)
        context.indexes.moved(key, blank, Room("live", id, RoomState.OPEN, 1, ("a",)), stored=True, was_stored=False)

    assert context.held("a", Kind.ROOM) == ["r1", "r2", "r3"]
    assert context.held("a", Kind.PAIR) == []


def test_an_error_names_what_the_input_named() -> None:
    """Clients route errors by stream id and room, so both are sent along where the command had them."""
    information = NO_ACTIVE_STREAMS_IN_ROOM.information
    lost = MediaLost(Reference(Kind.STREAM, "live", "s1", 1))

    assert error_of(NO_ACTIVE_STREAMS_IN_ROOM, GetRoomInfo("r", "s1")) == Error(
        "no_active_streams_in_room", "s1", "r", information=information, retry_after_ms=5_000
    )
    assert error_of(NO_ACTIVE_STREAMS_IN_ROOM, GetRoomInfo("", "s1")).room is UNSET
    assert error_of(NO_STREAM_EXIST, lost, stream_id="s1").stream_id == "s1"
    assert error_of(NO_STREAM_NAME_SPECIFIED, Publish("")).stream_id is UNSET


def test_what_was_never_measured_counts_as_enough() -> None:
    """Before the first measurement a server is neither overloaded nor suspended."""
    assert Environment() == Environment(cpu_percent=0, free_memory_mb=-1, licence_suspended=False, clock_offset=0)
