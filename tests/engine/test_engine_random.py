"""The engine under any sequence of anything: what must hold whatever comes.

Hypothesis draws seeds, and everything that happens in a run follows from its seed. Drawn one by one, inputs stay so few
and so unrelated that hardly a stream ever goes live; a run here is long, and half of the time it goes on with what is
under way. How deep the runs go is itself tested.
"""

import random
from collections.abc import Callable
from functools import cache
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from signalreel.commands import (
    AnyCommand,
    AssignVideoTrack,
    EnableTrack,
    ForceStreamQuality,
    GetBroadcastObject,
    GetDebugInfo,
    GetIceServerConfig,
    GetRoomInfo,
    GetStreamInfo,
    GetSubscriberCount,
    GetSubscribers,
    GetSubtracks,
    GetSubtracksCount,
    GetTrackList,
    GetVideoTrackAssignments,
    Join,
    JoinRoom,
    Leave,
    LeaveFromRoom,
    PeerMessage,
    Ping,
    Play,
    Publish,
    RegisterPushToken,
    SendPush,
    SetMaxVideoTrackCount,
    Stop,
    TakeCandidate,
    TakeConfiguration,
    ToggleAudio,
    ToggleVideo,
    UpdateStreamMetaData,
    UpdateVideoTrackAssignments,
)
from signalreel.engine import TABLES, Engine
from signalreel.events import (
    AnyEvent,
    BitrateMeasured,
    CandidateFound,
    ClockAdjusted,
    DeadlineReached,
    DescriptionCreated,
    DescriptionFailed,
    LicenceChanged,
    MediaConnected,
    MediaEvent,
    MediaLost,
    ResolutionChanged,
    ResourcesMeasured,
    RunStarted,
    SessionClosed,
    SessionOpened,
    SettingsChanged,
    ShutdownAnnounced,
    Track,
    TracksFound,
)
from signalreel.host import (
    HOST_REFUSALS,
    AnyHostCommand,
    BlockSubscriber,
    CloseRoom,
    EndStream,
    IssueToken,
    KickSession,
    RegisterRoom,
    RegisterStream,
    RegisterSubscriber,
    RevokeTokens,
    UnregisterPushes,
    UnregisterRoom,
    UnregisterStream,
    UnregisterSubscriber,
)
from signalreel.identifiers import Kind, Reference
from signalreel.record import Grant, Record, decode_record, encode_record
from signalreel.refusals import REFUSALS, USER_BLOCKED
from signalreel.registered import BlockKind, IssuedToken, Purpose, RegisteredRoom, RegisteredStream, Subscriber
from signalreel.settings import Settings
from signalreel.snapshot import Snapshot
from signalreel.step import Fired, Step
from tests.engine.test_engine_tour import derived
from tests.engine.world import MS, World

SESSIONS: Final = {"a": "live", "b": "live", "c": "live", "x": "other", "y": "other"}
"""Five sessions and the app that each of them opens in."""

HAPPENINGS_IN_A_RUN: Final = 600
RUNS: Final = 30

ROWS_FIRED_MIN: Final = 360
"""Rows that the runs fire together at least, of the 640 or so that can fire at all. The tour fires each of them."""

INITIAL: Final = Settings(restore_ms=3_000)
GRANTS: Final = (
    *(None,) * 6,
    *(Grant(allowed=True, identity="alice"),) * 6,
    Grant(allowed=True, identity="bob"),
    Grant(allowed=True, identity="bob", once="used-once", until=2_000_000),
    Grant(allowed=True, identity="alice", sealed="sealed"),
    Grant(allowed=False),
    Grant(allowed=False, refusal=USER_BLOCKED.definition),
)
STREAMS: Final = ("s1", "s1", "s2", "r1")
ROOMS: Final = ("r1", "r1", "r2", "")
TIMES: Final = (0, 0, 1, 10_000)
"""Seconds: for ever, within a run, and long after it."""

TRACKS: Final = (Track("v", "video", "VP8", 640, 480, 1), Track("a", "audio", "opus"))


class Chance(random.Random):
    """Where everything that happens in a run is drawn from."""

    focus = ""  #: the id of something that lives, which is talked about most

    def name(self) -> str:
        """A stream id; now and then one that is missing, invalid or too long."""
        if self.focus and self.random() < 0.6:
            return self.focus
        return self.choice(STREAMS) if self.random() < 0.95 else self.choice(("", "../x", "a\n", "a" * 65_536))

    def room(self) -> str:
        """The name of a room; now and then of something else."""
        return self.choice(ROOMS) if self.random() < 0.95 else self.choice(("s1", "..", "roomNameBox.value"))

    def flag(self) -> bool:
        """Yes or no."""
        return self.random() < 0.5


COMMANDS: Final[tuple[Callable[[Chance], AnyCommand], ...]] = (
    *(lambda chance: Publish(chance.name(), main_track=chance.room()),) * 3,
    lambda chance: Publish(chance.name(), subscriber_id="ann"),
    lambda chance: Play(chance.name(), subscriber_id="ann"),
    lambda chance: Publish(chance.name()),
    *(lambda chance: Play(chance.name(), room=chance.room()),) * 2,
    lambda chance: Play("r1", room="r1", track_list=chance.choice(((), ("s1",), ("!s1",), ("!s1", "!s2")))),
    lambda chance: TakeConfiguration(chance.name(), chance.choice(("offer", "answer")), "sdp"),
    lambda chance: TakeConfiguration(chance.name(), chance.choice(("offer", "answer", "neither")), "sdp"),
    lambda chance: TakeCandidate(chance.name(), 0, "0", "candidate"),
    lambda chance: Stop(chance.name()),
    lambda chance: ToggleVideo(chance.name(), chance.name(), chance.flag()),
    lambda chance: ToggleAudio(chance.name(), chance.name(), chance.flag()),
    lambda chance: EnableTrack(chance.name(), chance.name(), chance.flag()),
    lambda chance: ForceStreamQuality(chance.name(), chance.choice((0, 360))),
    *(lambda chance: Join(chance.choice(("p1", "p1", "p1", "s1")), mode=chance.choice(("both", "both", "play"))),) * 2,
    lambda chance: Leave(chance.choice(("p1", "s1"))),
    lambda chance: TakeConfiguration("p1", chance.choice(("offer", "answer")), "sdp"),
    lambda chance: TakeConfiguration("p1", "offer", "sdp"),
    lambda chance: TakeCandidate("p1", 0, "0", "candidate"),
    lambda chance: JoinRoom(chance.room(), chance.name()),
    lambda chance: JoinRoom(chance.room(), ""),
    lambda chance: GetRoomInfo(chance.room(), chance.name()),
    lambda chance: LeaveFromRoom(chance.room()),
    lambda chance: GetStreamInfo(chance.name()),
    lambda chance: GetTrackList(chance.name()),
    lambda chance: GetIceServerConfig(),
    lambda chance: Ping(),
    lambda chance: Join("p1", multi_peer=chance.flag(), mode="play"),
    lambda chance: PeerMessage("p1", "zoom", chance.choice((None, 1, {"to": [2.5]}))),
    lambda chance: UpdateStreamMetaData(chance.choice((chance.name(), chance.room())), "x" * chance.choice((1, 5_000))),
    lambda chance: GetBroadcastObject(chance.choice((chance.name(), chance.room()))),
    lambda chance: GetSubtracks(chance.room(), size=chance.choice((0, 1, 50, 65_535))),
    lambda chance: GetSubtracksCount(chance.room(), "", chance.choice(("", "preparing"))),
    lambda chance: GetSubscriberCount(chance.choice((chance.name(), chance.room()))),
    lambda chance: GetSubscribers(chance.choice((chance.name(), chance.room())), chance.choice((0, 1))),
    lambda chance: GetDebugInfo(chance.choice((chance.name(), chance.room(), "p1"))),
    lambda chance: GetVideoTrackAssignments(chance.choice((chance.name(), "r1"))),
    lambda chance: AssignVideoTrack(chance.choice((chance.name(), "r1")), chance.name(), chance.flag()),
    lambda chance: UpdateVideoTrackAssignments("r1", chance.choice((0, 1, 9)), chance.choice((0, 1))),
    lambda chance: SetMaxVideoTrackCount(chance.choice((chance.name(), "r1")), chance.choice((-1, 0, 1))),
    lambda chance: RegisterPushToken(chance.choice(("", "alice")), pns_type=chance.choice(("", "fcm"))),
    lambda chance: SendPush(chance.choice(("", "alice")), "", {"title": "x"}, ("bob",)),
)
MEDIA: Final[tuple[Callable[[Reference], AnyEvent], ...]] = (
    lambda machine: DescriptionCreated(machine, "answer", "sdp"),
    lambda machine: DescriptionFailed(machine, "remote"),
    lambda machine: CandidateFound(machine, 0, "0", "candidate"),
    MediaConnected,
    MediaLost,
    lambda machine: MediaLost(machine, silent=True),
    lambda machine: ResolutionChanged(machine, 360),
    lambda machine: TracksFound(machine, TRACKS),
    lambda machine: BitrateMeasured(machine, 1, 2, 3),
)


def say(world: World, chance: Chance) -> None:
    """Some session sends some command, with some verdict of the gate."""
    session = chance.choice(list(SESSIONS))
    alive = [machine for key, machine in world.engine.machines() if key[0] is not Kind.ROOM]
    if alive and chance.random() < 0.8:
        machine = chance.choice(alive)
        chance.focus = machine.watches or machine.id
        if machine.sessions and chance.random() < 0.7:
            session = chance.choice(machine.sessions)
    world.say(session, chance.choice(COMMANDS)(chance), grant=chance.choice(GRANTS))
    chance.focus = ""


def report(world: World, chance: Chance) -> None:
    """Media reports something of a machine that lives, or of a life that it had or never had."""
    known = [Reference(*key, born=machine.born) for key, machine in world.engine.machines()]
    machine = chance.choice([*known, Reference(Kind.STREAM, "live", "s1", 1)])
    if chance.random() < 0.1:
        machine = replace(machine, born=machine.born + 1)
    world.report(chance.choice(MEDIA)(machine))


def go_on(world: World, chance: Chance) -> None:
    """Whatever is negotiated goes its way: one machine gets what it waits for, from media or from its client."""
    waiting = [
        (key, machine)
        for key, machine in world.engine.machines()
        if key[0] in {Kind.STREAM, Kind.PLAYBACK} and machine.state not in {"broadcasting", "restoring", "playing"}
    ]
    if not waiting:
        return
    (kind, app, id), machine = chance.choice(waiting)
    reference = Reference(kind, app, id, machine.born)
    match kind, str(machine.state):
        case Kind.STREAM, "preparing":
            world.say(machine.sessions[0], TakeConfiguration(id, "offer", "sdp"))
        case Kind.STREAM, "negotiating":
            world.report(DescriptionCreated(reference, "answer", "sdp"))
        case Kind.PLAYBACK, "preparing" | "updating":
            world.report(DescriptionCreated(reference, "offer", "sdp", {"0": "track"}))
        case Kind.PLAYBACK, "offered" | "reoffered":
            world.say(machine.sessions[0], TakeConfiguration(machine.watches, "answer", "sdp"))
        case _:
            world.report(MediaConnected(reference))


def come_and_go(world: World, chance: Chance) -> None:
    """A session opens or closes, whether it is open or not."""
    session = chance.choice(list(SESSIONS))
    event = chance.choice(
        (
            *(SessionOpened(SESSIONS[session], "alice"),) * 4,
            SessionClosed(code=chance.choice((1000, 1006, 1008))),
            ShutdownAnnounced(),
        )
    )
    world.apply(event, session=session)


def let_time_pass(world: World, chance: Chance) -> None:
    """A timer comes due, or is said to; in time, too early, or of another generation."""
    deadline = world.engine.deadline()
    if deadline is not None:
        world.now = max(world.now, deadline.at - chance.choice((0, MS, MS + 1)))
        world.report(DeadlineReached(deadline.machine, deadline.timer + (chance.random() < 0.1)))


def order(world: World, chance: Chance) -> None:
    """The host orders something, of some app."""
    app = chance.choice(("live", "live", "other", ""))
    world.order(
        chance.choice(
            (
                EndStream(app=app, stream_id=chance.name()),
                KickSession(app=app, session=chance.choice([*SESSIONS, "z"])),
                CloseRoom(app=app, room=chance.room()),
            )
        )
    )


def register(world: World, chance: Chance) -> None:
    """The host orders something of what is registered, under names that are in use."""
    app = chance.choice(("live", "live", "live", "other", ""))
    world.order(chance.choice((planned if chance.flag() else rights_of)(app, chance)))


def planned(app: str, chance: Chance) -> tuple[AnyHostCommand, ...]:
    """What an operator may order of streams and rooms."""
    time = chance.choice(TIMES)
    limits = (-1, -1, 0, 1)
    stream = RegisteredStream(
        chance.name(),
        planned_start=time // 2,
        planned_end=time,
        expire_ms=chance.choice((0, 0, 500)),
        viewers_max=chance.choice(limits),
        subtracks_max=chance.choice(limits),
        main_track=chance.choice(("", "r1")),
        adaptive=chance.random() < 0.1,
        waits=chance.flag(),
    )
    return (
        RegisterStream(app=app, stream=stream),
        UnregisterStream(app=app, stream_id=chance.name()),
        RegisterRoom(app=app, room=RegisteredRoom(chance.room(), planned_start=time // 2, streams_max=3)),
        UnregisterRoom(app=app, room=chance.room()),
    )


def rights_of(app: str, chance: Chance) -> tuple[AnyHostCommand, ...]:
    """What an operator may order of tokens, subscribers and blocks."""
    time = chance.choice(TIMES)
    purpose = chance.choice(list(Purpose))
    subscriber = Subscriber(chance.name(), "ann", purpose, connections_max=chance.choice((-1, 0, 1)))
    token = IssuedToken(f"tag{chance.randrange(5)}", chance.name(), purpose, time)
    return (
        IssueToken(app=app, token=token),
        RevokeTokens(app=app, stream_id=chance.name()),
        RegisterSubscriber(app=app, subscriber=subscriber),
        UnregisterSubscriber(app=app, stream_id=chance.name(), subscriber_id=chance.choice(("", "ann"))),
        UnregisterPushes(app=app, subscriber_id=chance.choice(("", "alice"))),
        BlockSubscriber(
            app=app,
            stream_id=chance.choice(("", chance.name())),
            subscriber_id=chance.choice(("ann", "alice")),
            identity=chance.choice(("", "alice")),
            kind=chance.choice(list(BlockKind)),
            until=time,
        ),
    )


def surround(world: World, chance: Chance) -> None:
    """The surroundings change, for the better every other time."""
    if chance.flag():
        for event in (ResourcesMeasured(0, 1_000), LicenceChanged(suspended=False), SettingsChanged(INITIAL)):
            world.report(event)
        return
    limits = (-1, -1, -1, 0, 1, 2)
    changed = Settings(
        restore_ms=chance.choice((0, 50, 3_000, 3_000)),
        viewers_max=chance.choice(limits),
        streams_max=chance.choice(limits),
        room_streams_max=chance.choice(limits),
        offers_owed_max=chance.choice((1, 2, 4)),
        hide_streams=chance.flag(),
        room_events=chance.flag(),
        codecs=chance.choice((("VP8",), ("VP8",), ())),
    )
    worse: tuple[AnyEvent, ...] = (
        ResourcesMeasured(100, 1_000),
        ResourcesMeasured(0, 0),
        LicenceChanged(suspended=True),
        ClockAdjusted(chance.randrange(-5, 5)),
        SettingsChanged(changed),
    )
    world.report(chance.choice(worse))


def begin_anew(world: World, chance: Chance) -> None:
    """A new run begins, seldom; everyone comes back."""
    if chance.random() < 0.1:
        world.report(RunStarted())
        for session, app in SESSIONS.items():
            world.open(session, app=app)


HAPPENINGS: Final = (
    *(say,) * 24,
    *(go_on,) * 9,
    *(report,) * 4,
    *(come_and_go,) * 3,
    let_time_pass,
    order,
    *(register,) * 2,
    *(surround,) * 2,
    begin_anew,
)


def app_of(record: Record, world: World) -> str | None:
    """The app that a record is about; None for one that is about the server, or about a session wherever it is."""
    if record.session:
        return SESSIONS[record.session]
    if isinstance(record.event, MediaEvent | DeadlineReached):
        return record.event.machine.app
    return record.host.app if record.host is not None and record.host.app else None


def check_step(world: World, step: Step) -> None:
    """What holds for every step: whom it speaks to, and what it shows."""
    app = app_of(step.record, world)
    for to, _ in step.messages:
        session = world.engine.session(to)
        assert session is not None, "a closed session is told something"
        assert app in {None, session.app}, "another app is told something"
    for transition in step.transitions:
        assert app in {None, transition.machine.app}, "another app is moved"
        assert 0 < transition.machine.born <= step.record.seq
    assert step.refused == "" or step.refused in {**REFUSALS, **HOST_REFUSALS}
    assert not [fired for _, fired in step.fired if fired.what.startswith("unreachable")]
    assert decode_record(encode_record(step.record)) == step.record


def check_state(world: World) -> None:
    """What holds for every state: one thing an id, no holder that is not open, and nothing derived that is not so."""
    taken: dict[tuple[str, str], Kind] = {}
    for (kind, app, id), machine in world.engine.machines():
        assert (machine.app, machine.id) == (app, id)
        for holder in machine.sessions:
            session = world.engine.session(holder)
            assert session is not None, "a session that is not open holds something"
            assert session.app == app
        if kind is not Kind.PLAYBACK:
            assert taken.setdefault((app, id), kind) is kind, f"{app}/{id} is two things"
    restored = Engine(state_digest_every=1)
    restored.restore(world.engine.snapshot())
    assert derived(restored) == derived(world.engine)


def check_end(world: World) -> None:
    """Close everyone, reach every deadline: nothing is left."""
    for session in world.engine.sessions():
        check_step(world, world.close(session.id))
    while world.engine.deadline() is not None:
        before = len(list(world.engine.machines()))
        check_step(world, world.wake())
        assert len(list(world.engine.machines())) < before, "a deadline that ends nothing would come for ever"
    assert list(world.engine.machines()) == []
    assert {name: value for name, value in vars(world.engine._context.indexes).items() if value} == {}


class Run(World):
    """A world that was photographed in the middle: its snapshot, and how much had happened by then."""

    snapshot: Snapshot
    happened: int


@cache
def run(seed: int) -> Run:
    """Let everything of a run happen, checking as it goes."""
    chance = Chance(seed)
    world = Run(INITIAL)
    for session, app in SESSIONS.items():
        world.open(session, app=app)
    for happening in range(HAPPENINGS_IN_A_RUN):
        if happening == HAPPENINGS_IN_A_RUN // 2:
            world.snapshot, world.happened = world.engine.snapshot(), len(world.past)
        known = len(world.past)
        chance.choice(HAPPENINGS)(world, chance)
        for step in world.steps[known:]:
            check_step(world, step)
        check_state(world)
    check_end(world)
    return world


@settings(max_examples=RUNS)
@given(st.integers(0, 2**32 - 1))
def test_anything_may_come_in_any_order(seed: int) -> None:
    """Contracts 1, 5, 8, 12 and 14, under any inputs of five sessions in two apps.

    Nothing raises; nobody is told anything of another app or after its end; an id is one thing; indexes are those that
    follow from the machines; nothing that cannot happen does; another engine comes to the same; and nothing is left.
    """
    world = run(seed)
    again = Engine(INITIAL, state_digest_every=1)

    assert [again.apply(record) for record in world.records] == world.steps


@settings(max_examples=RUNS)
@given(st.integers(0, 2**32 - 1))
def test_who_is_restored_in_the_middle_goes_on_as_if_nothing_had_been(seed: int) -> None:
    """Contract 8: a snapshot holds all that decides what comes, so the same records have the same steps behind it."""
    world = run(seed)
    restored = Engine(INITIAL, state_digest_every=1)
    restored.restore(world.snapshot)

    assert [restored.apply(past.record) for past in world.past[world.happened :]] == world.steps[world.happened :]


def test_the_runs_go_deep() -> None:
    """Contract 5: together, runs as many as those above fire most of the rows, so what they show is worth something."""
    can_fire: set[Fired] = {
        fired
        for table in TABLES.values()
        for cells in table.cells.values()
        for cell in cells.values()
        for _, _, _, fired in cell
        if not fired.what.startswith("unreachable")
    }
    fired = {row for seed in range(RUNS) for step in run(seed).steps for _, row in step.fired}

    assert len(fired & can_fire) >= ROWS_FIRED_MIN
