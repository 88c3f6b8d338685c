"""The engine under any sequence of anything: what must hold whatever comes."""

from collections.abc import Callable
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from signalreel.commands import (
    AnyCommand,
    AnyHostCommand,
    CloseRoom,
    EnableTrack,
    EndStream,
    ForceStreamQuality,
    GetIceServerConfig,
    GetRoomInfo,
    GetStreamInfo,
    GetTrackList,
    Join,
    JoinRoom,
    KickSession,
    Leave,
    LeaveFromRoom,
    Ping,
    Play,
    Publish,
    Stop,
    TakeCandidate,
    TakeConfiguration,
    ToggleAudio,
    ToggleVideo,
)
from signalreel.engine import Engine
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
    MediaLost,
    ResourcesMeasured,
    RunStarted,
    SessionClosed,
    SessionOpened,
    SettingsChanged,
    ShutdownAnnounced,
    Track,
    TracksFound,
)
from signalreel.identifiers import Kind, Reference
from signalreel.messages import CloseSession
from signalreel.record import Grant, decode_record, encode_record
from signalreel.refusals import REFUSALS, USER_BLOCKED
from signalreel.settings import Settings
from signalreel.step import Step
from tests.engine.test_engine_tour import derived
from tests.engine.world import MS, World, record_of

SESSIONS: Final = {"a": "live", "b": "live", "c": "live", "x": "other", "y": "other"}
"""Five sessions and the app that each of them opens in."""

INPUTS_MAX: Final = 60
SEQUENCES: Final = 250

names = st.sampled_from(["s1", "s2", "r1", "r2", "", "../x"])
ids = st.sampled_from(["s1", "s2", "r1"])
rooms = st.sampled_from(["", "r1", "r1", "r2", "s1"])
switches = st.booleans()
grants = st.sampled_from(
    [
        None,
        None,
        None,
        Grant(allowed=True, identity="alice"),
        Grant(allowed=True, identity="bob"),
        Grant(allowed=False),
        Grant(allowed=False, refusal=USER_BLOCKED.definition),
    ]
)
descriptions = st.sampled_from(["offer", "offer", "answer", "answer", "neither"])
track_lists = st.sampled_from([(), ("s1",), ("!s1",), ("!s1", "!s2")])

commands: st.SearchStrategy[AnyCommand] = st.one_of(
    st.builds(Publish, ids, main_track=rooms),
    st.builds(Publish, names, main_track=st.sampled_from(["", "r1", "../x"])),
    st.builds(Play, ids, room=rooms, track_list=track_lists),
    st.builds(Play, st.just("r1"), room=st.just("r1"), track_list=track_lists),
    st.builds(TakeConfiguration, ids, descriptions, st.just("sdp")),
    st.builds(TakeConfiguration, ids, descriptions, st.just("sdp")),
    st.builds(TakeCandidate, ids, st.just(0), st.just("0"), st.just("candidate")),
    st.builds(Stop, ids),
    st.builds(ToggleVideo, ids, ids, switches),
    st.builds(ToggleAudio, ids, ids, switches),
    st.builds(EnableTrack, ids, ids, switches),
    st.builds(ForceStreamQuality, ids, st.sampled_from([0, 360])),
    st.builds(Join, ids, mode=st.sampled_from(["both", "play"])),
    st.builds(Leave, ids),
    st.builds(JoinRoom, rooms, names),
    st.builds(GetRoomInfo, rooms, ids),
    st.builds(LeaveFromRoom, rooms),
    st.builds(GetStreamInfo, names),
    st.builds(GetTrackList, ids),
    st.just(GetIceServerConfig()),
    st.just(Ping()),
)
apps = st.sampled_from(["live", "other", ""])
orders: st.SearchStrategy[AnyHostCommand] = st.one_of(
    st.builds(lambda app, id: EndStream(app=app, stream_id=id), apps, names),
    st.builds(lambda app, session: KickSession(app=app, session=session), apps, st.sampled_from([*SESSIONS, "z"])),
    st.builds(lambda app, room: CloseRoom(app=app, room=room), apps, rooms),
)
limits = st.sampled_from([-1, -1, 0, 1, 2])
surroundings: st.SearchStrategy[AnyEvent] = st.one_of(
    st.builds(ResourcesMeasured, st.sampled_from([0, 100]), st.sampled_from([0, 1_000])),
    st.builds(LicenceChanged, switches),
    st.builds(ClockAdjusted, st.integers(-5, 5)),
    st.builds(
        lambda restore, viewers, streams, per_room, owed: SettingsChanged(
            Settings(
                restore_ms=restore,
                viewers_max=viewers,
                streams_max=streams,
                room_streams_max=per_room,
                offers_owed_max=owed,
            )
        ),
        st.sampled_from([0, 50, 3_000]),
        limits,
        limits,
        limits,
        st.integers(1, 3),
    ),
    st.just(RunStarted()),
)
TRACKS: Final = (Track("v", "video", "VP8", 640, 480, 1), Track("a", "audio", "opus"))
media: st.SearchStrategy[Callable[[Reference], AnyEvent]] = st.sampled_from(
    [
        lambda machine: DescriptionCreated(machine, "answer", "sdp"),
        lambda machine: DescriptionCreated(machine, "offer", "sdp", {"0": "track"}),
        lambda machine: DescriptionFailed(machine, "remote"),
        lambda machine: CandidateFound(machine, 0, "0", "candidate"),
        MediaConnected,
        MediaConnected,
        MediaLost,
        lambda machine: TracksFound(machine, TRACKS),
        lambda machine: BitrateMeasured(machine, 1, 2, 3),
    ]
)


def say(world: World, data: st.DataObject) -> None:
    """Some session sends some command, with some verdict of the gate."""
    world.say(data.draw(st.sampled_from(list(SESSIONS))), data.draw(commands), grant=data.draw(grants))


def report(world: World, data: st.DataObject) -> None:
    """Media reports something of a machine that lives, or of a life that it had or never had."""
    known = [Reference(*key, born=machine.born) for key, machine in world.engine.machines()]
    known.append(Reference(Kind.STREAM, "live", "s1", 1))
    machine = data.draw(st.sampled_from(known))
    world.report(data.draw(media)(replace(machine, born=machine.born + data.draw(st.sampled_from([0, 0, 0, 1])))))


def go_on(world: World, data: st.DataObject) -> None:
    """Whatever is negotiated goes its way: the next event that leads some machine on."""
    for (kind, app, id), machine in world.engine.machines():
        reference = Reference(kind, app, id, machine.born)
        answers: dict[str, AnyEvent] = {
            "negotiating": DescriptionCreated(reference, "answer", "sdp"),
            "preparing": DescriptionCreated(reference, "offer", "sdp", {"0": "track"}),
            "updating": DescriptionCreated(reference, "offer", "sdp", {"0": "track"}),
            "connecting": MediaConnected(reference),
        }
        if machine.state in answers and data.draw(switches):
            world.report(answers[machine.state])


def come_and_go(world: World, data: st.DataObject) -> None:
    """A session opens or closes, whether it is open or not."""
    session = data.draw(st.sampled_from(list(SESSIONS)))
    events: tuple[AnyEvent, ...] = (
        SessionOpened(SESSIONS[session], data.draw(st.sampled_from(["", "alice"]))),
        SessionClosed(code=data.draw(st.sampled_from([1000, 1008]))),
        ShutdownAnnounced(),
    )
    world.apply(data.draw(st.sampled_from([*events, events[0]])), session=session)


def let_time_pass(world: World, data: st.DataObject) -> None:
    """A timer comes due, or is said to; in time, too early, or of another generation."""
    deadline = world.engine.deadline()
    if deadline is None:
        world.wait(100)
        return
    world.now = max(world.now, deadline.at - data.draw(st.sampled_from([0, MS, 2 * MS])))
    world.report(DeadlineReached(deadline.machine, deadline.timer + data.draw(st.sampled_from([0, 0, 1]))))


def order(world: World, data: st.DataObject) -> None:
    """The host orders something."""
    world.order(data.draw(orders))


def change(world: World, data: st.DataObject) -> None:
    """The surroundings change."""
    world.report(data.draw(surroundings))


HAPPENINGS: Final = (
    say,
    say,
    say,
    say,
    say,
    say,
    go_on,
    go_on,
    report,
    report,
    come_and_go,
    let_time_pass,
    order,
    change,
)


def check_step(world: World, step: Step) -> None:
    """What holds for every step: whom it speaks to, and what it shows."""
    if step.record.session in SESSIONS or not step.record.session:
        for to, message in step.messages:
            session = world.engine.session(to)
            assert session is not None, "a closed session is told something"
            for transition in step.transitions:
                assert transition.machine.app == session.app or isinstance(message, CloseSession)
    assert step.refused == "" or step.refused in REFUSALS
    for _, fired in step.fired:
        assert not fired.what.startswith("unreachable"), fired
    for transition in step.transitions:
        assert 0 < transition.machine.born <= step.record.seq
    assert step.deadline is None or step.deadline.at > 0
    assert decode_record(encode_record(step.record)) == step.record


def check_state(world: World) -> None:
    """What holds for every state: one thing an id, no holder that is not open, and nothing derived that is not so."""
    taken: dict[tuple[str, str], Kind] = {}
    for (kind, app, id), machine in world.engine.machines():
        assert (machine.app, machine.id) == (app, id)
        for session in machine.sessions:
            found = world.engine.session(session)
            assert found is not None
            assert found.app == app
        if kind is not Kind.PLAYBACK:
            assert taken.setdefault((app, id), kind) is kind, f"{app}/{id} is two things"
        assert machine.wake_at == 0 or machine.timer > 0
    restored = Engine(state_digest_every=1)
    restored.restore(world.engine.snapshot())
    assert derived(restored) == derived(world.engine)


def check_end(world: World) -> None:
    """Close everyone, reach every deadline: nothing is left."""
    for session in world.engine.sessions():
        check_step(world, world.close(session.id))
    for _ in range(100):
        if world.engine.deadline() is None:
            break
        check_step(world, world.wake())
    assert list(world.engine.machines()) == []
    assert {name: value for name, value in vars(world.engine._context.indexes).items() if value} == {}


@settings(max_examples=SEQUENCES)
@given(st.data())
def test_anything_may_come_in_any_order(data: st.DataObject) -> None:
    """Contracts 1, 5, 8, 12 and 14, under any inputs of five sessions in two apps.

    Nothing raises; nobody is told anything of another app or after its end; an id is one thing; indexes are those that
    follow from the machines; nothing that cannot happen does; another engine comes to the same; and nothing is left.
    """
    world = World(Settings(restore_ms=3_000))
    for session, app in SESSIONS.items():
        world.open(session, app=app)
    for happen in data.draw(st.lists(st.sampled_from(HAPPENINGS), max_size=INPUTS_MAX)):
        known = len(world.past)
        happen(world, data)
        for past in world.past[known:]:
            check_step(world, past.step)
        check_state(world)
    check_end(world)
    again = Engine(Settings(restore_ms=3_000), state_digest_every=1)
    assert [again.apply(record) for record in world.records] == world.steps


@settings(max_examples=SEQUENCES)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "x"]), commands), max_size=INPUTS_MAX))
def test_a_session_that_is_not_open_moves_nothing(inputs: list[tuple[str, AnyCommand]]) -> None:
    """Contract 12: without a session nothing is answered, stored or moved, whatever is sent."""
    engine = Engine()
    for seq, (session, command) in enumerate(inputs, 1):
        step = engine.apply(record_of(seq, seq, session, command, None, ("fresh",)))

        assert (step.messages, step.transitions, step.refused) == ([], [], "")
    assert list(engine.machines()) == []
