"""Making plain: what is by default again, the least times, new names; and what must stay stays."""

from signalreel.commands import JoinRoom, LeaveFromRoom, Play, Publish, TakeConfiguration
from signalreel.debug.failing import Holds, Start
from signalreel.debug.predicates import compile_predicate
from signalreel.debug.simplify import names_of, plain_names, plain_payloads, plain_start, plain_times
from signalreel.events import MediaConnected, ResourcesMeasured, RunStarted, SessionOpened
from signalreel.header import Header
from signalreel.host import RegisterStream
from signalreel.identifiers import Kind, Reference
from signalreel.record import Grant
from signalreel.registered import RegisteredStream
from signalreel.settings import Settings
from tests.engine.world import World, record_of

SETTINGS = Settings(restore_ms=3_000, streams_max=9, publish_timeout_ms=7_000)


def world_of_one() -> World:
    """Someone with an identity publishes, with everything that can be said."""
    world = World(SETTINGS)
    world.open("7f3a99", identity="ann@example.org")
    grant = Grant(allowed=True, identity="tag-of-ann", sealed="sealed")
    world.say("7f3a99", Publish("birthday", stream_name="Ann is 40", meta_data="private"), grant=grant)
    return world


def check(text: str) -> Holds:
    """A condition."""
    return Holds(compile_predicate(text))


def test_names_are_of_what_a_record_is_about() -> None:
    """Its session, the streams and rooms it names, the two parts of a playback's id, what is registered."""
    playback = Reference(Kind.PLAYBACK, "live", "alice/s1", 3)
    assert names_of(record_of(1, 0, "bob", Play("s1", room="r1"))) == {"bob", "s1", "r1"}
    assert names_of(record_of(1, 0, "", MediaConnected(playback))) == {"alice", "s1"}
    assert names_of(record_of(1, 0, "", RegisterStream(app="live", stream=RegisteredStream("s2")))) == {"s2"}
    assert names_of(record_of(1, 0, "", RunStarted())) == set()


def test_settings_are_those_by_default_where_they_do_not_matter() -> None:
    """One that decides whether it goes wrong is kept, the others are not."""
    world = world_of_one()
    start = Start(Header(SETTINGS, started_at=5, id="abc"))
    assert plain_start(start, world.records, check('stream("birthday")')) == Start(Header(Settings()))
    kept = plain_start(start, world.records, check('stream("birthday").wake_at > 7000000'))
    assert kept == Start(Header(Settings(publish_timeout_ms=7_000)))


def test_payloads_are_those_by_default_where_they_do_not_matter() -> None:
    """Grants, drawn ids, identities and texts go; what makes it go wrong stays."""
    world = world_of_one()
    plain = plain_payloads(Start(Header(SETTINGS)), world.records, check('stream("birthday").meta_data == "private"'))
    assert [(record.input, record.grant, record.ids) for record in plain] == [
        (SessionOpened(""), None, ()),
        (Publish("birthday", meta_data="private"), None, ()),
    ]


def test_descriptions_are_as_short_as_can_be() -> None:
    """The engine looks into none of them, so none is left."""
    world = World()
    world.open("a")
    world.say("a", Publish("s"))
    world.say("a", TakeConfiguration("s", "offer", "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n"))
    plain = plain_payloads(Start(Header(Settings())), world.records, check('stream("s").state == "negotiating"'))
    assert plain[-1].input == TakeConfiguration("s", "offer")


def test_times_are_the_least() -> None:
    """All at once, but what must come later comes just so much later."""
    world = world_of_one()
    world.wait(9_000)
    world.say("7f3a99", Publish("birthday"))
    plain = plain_times(Start(Header(SETTINGS)), world.records, check("time >= 0.25 and refused"))
    assert [record.time for record in plain] == [0, 0, 250_000]
    again = plain_times(Start(Header(SETTINGS)), world.records, check("refused"))
    assert [record.time for record in again] == [0, 0, 0]


def test_every_text_is_replaced() -> None:
    """By what kind of name it is; also in the condition, also where a session is shortened."""
    world = world_of_one()
    condition = check('stream("birthday").meta_data == "private" and "7f3a99" in stream("birthday").sessions')
    made = plain_names(Start(Header(SETTINGS)), world.records, condition)
    assert made.kept == ()
    assert made.check.text == (
        "stream('stream-1').meta_data == 'text-2' and 'session-1' in stream('stream-1').sessions"
    )
    assert [record.session for record in made.records] == ["session-1", "session-1"]
    assert made.records[1].input == Publish("stream-1", stream_name="text-1", meta_data="text-2")
    assert made.records[1].grant == Grant(allowed=True, identity="identity-2", sealed="text-3")


def test_a_name_that_decides_is_kept_and_said() -> None:
    """Where it goes wrong under that very name alone, that name is all that stays."""
    world = world_of_one()
    short = check('len(stream("birthday").name) == 9 and stream("birthday")')
    made = plain_names(Start(Header(SETTINGS)), world.records, short)
    assert made.kept == ("Ann is 40",)
    assert made.records[1].input == Publish("stream-1", stream_name="Ann is 40", meta_data="text-2")


def test_a_seam_is_made_plain_with_its_records() -> None:
    """Settings and surroundings as by default; names as those of the records, by what they are names of."""
    world = world_of_one()
    world.report(ResourcesMeasured(cpu_percent=7, free_memory_mb=900))
    world.say("7f3a99", JoinRoom("party", "birthday"))
    records = [record_of(world.engine.seq + 1, world.now, "7f3a99", LeaveFromRoom("party"))]
    start = Start(Header(SETTINGS), world.engine.snapshot())
    left = check('input == "leaveFromRoom" and moved("room", "party", "closed")')
    plain = plain_start(start, records, left)
    made = plain_names(plain, records, left)

    assert (plain.header, plain.seam and plain.seam.settings) == (Header(Settings()), Settings())
    assert made.start.seam is not None
    assert [(one.app, one.id, one.sessions) for one in made.start.seam.rooms] == [("app-1", "room-1", ("session-1",))]
    assert [(one.id, one.meta_data) for one in made.start.seam.streams] == [("stream-1", "text-2")]
    assert made.records[0].input == LeaveFromRoom("room-1")
    assert plain_times(made.start, made.records, made.check)[0].time == made.start.time
