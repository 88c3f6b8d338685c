"""Where streams are hidden, nobody finds out what there is: two worlds, and a session that cannot tell them apart.

In one world there is one of everything, in the other there is nothing. A session that was granted things of its own,
and nothing else, says the same in both: any commands, about any of those ids, in any order. What it is told is the same
to the byte.
"""

from typing import Any, Final, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from signalreel.commands import COMMANDS, AnyCommand, Join, JoinRoom, LeaveFromRoom, Play, Publish, TakeConfiguration
from signalreel.events import DescriptionCreated, MediaConnected
from signalreel.host import RegisterRoom, RegisterStream, RegisterSubscriber
from signalreel.identifiers import Kind, Reference
from signalreel.messages import encode_message
from signalreel.record import Grant
from signalreel.registered import RegisteredRoom, RegisteredStream, Subscriber
from signalreel.settings import Settings
from tests.engine.rights import GATED
from tests.engine.test_engine_random import Chance
from tests.engine.test_engine_rights import command_of
from tests.engine.world import World

HIDING: Final = Settings(hide_streams=True, restore_ms=3_600_000, publish_timeout_ms=3_600_000)
STRANGER: Final = "stranger"

THERE: Final = ("live", "kept", "starting", "room", "watched", "waiting", "paired", "planned", "awaited", "reserved")
"""What there is in one of the worlds, each under a name that says what it is."""

OWN: Final = ("mine", "my-pair", "my-room")
"""What the stranger may have, in both."""

MOST_COMMANDS: Final = 30


class Guess(Chance):
    """What the stranger says: of what there may be, and of its own."""

    def name(self) -> str:
        """An id of a stream or pair."""
        return self.choice((*THERE, *THERE, *OWN))

    def room(self) -> str:
        """A room, now and then nothing."""
        return self.choice((*THERE, *OWN, "my-room", ""))


def settled() -> World:
    """A world in which one of everything lives or is registered."""
    world = World(HIDING, state_digest_every=64)
    world.open("alice", "bob", "carol", "dave", "eve", STRANGER)
    alice = Grant(allowed=True, identity="alice")
    world.say("alice", JoinRoom("room", "live"), grant=alice)
    world.publish("alice", "live", room="room", grant=alice)
    world.publish("bob", "kept", room="room", grant=Grant(allowed=True, identity="bob"))
    world.close("bob")
    world.say("carol", Publish("starting"))
    world.say("carol", Play("watched", room="watched"))
    world.say("dave", Join("waiting"))
    for peer in ("dave", "eve"):
        world.say(peer, Join("paired"))
    world.say("eve", TakeConfiguration("paired", "offer", "sdp"))
    world.play("eve", "live")
    for stream in (RegisteredStream("planned", planned_start=2**40), RegisteredStream("awaited", waits=True)):
        world.order(RegisterStream(app="live", stream=stream))
    world.order(RegisterRoom(app="live", room=RegisteredRoom("reserved")))
    world.order(RegisterSubscriber(app="live", subscriber=Subscriber("live", "frank")))
    return world


def empty() -> World:
    """A world in which there is nothing but the stranger."""
    world = World(HIDING, state_digest_every=64)
    world.open(STRANGER)
    return world


def grant_for(command: AnyCommand) -> Grant | None:
    """What a gate says: yes to what is the stranger's own, no to all else; of most commands it is not asked."""
    if not isinstance(command, GATED):
        return None
    asked = command.room if isinstance(command, JoinRoom) else command.stream_id
    placed = getattr(command, "main_track", "") if isinstance(command, Publish) else ""
    return Grant(allowed=asked in OWN and placed in ("", *OWN), identity="stranger")


def told(world: World, command: AnyCommand, number: int) -> list[bytes]:
    """What the stranger is told when it says this; ids that were drawn for it are the same in every world."""
    fresh = f"fresh-{world.engine.seq + 1}".encode()
    step = world.say(STRANGER, command, grant=grant_for(command))
    return [
        encode_message(message).replace(fresh, f"fresh-of-{number}".encode())
        for to, message in step.messages
        if to == STRANGER
    ]


def settle_own(world: World) -> list[bytes]:
    """Media does its part for whatever the stranger has begun: it publishes and plays its own."""
    said: list[bytes] = []
    for (kind, app, id), machine in list(world.engine.machines()):
        if STRANGER not in machine.sessions or kind not in {Kind.STREAM, Kind.PLAYBACK}:
            continue
        reference = Reference(kind, app, id, machine.born)
        sort = "answer" if kind is Kind.STREAM else "offer"
        for event in (DescriptionCreated(reference, sort, "sdp", {}), MediaConnected(reference)):
            said += [encode_message(message) for to, message in world.report(event).messages if to == STRANGER]
    return said


OFTEN: Final = ("play", "publish", "joinRoom", "leaveFromRoom", "join") * 4
COMMAND: Final = st.tuples(st.sampled_from((*sorted(COMMANDS), *OFTEN)), st.integers(0, 2**32 - 1))


@settings(max_examples=150)
@given(st.lists(COMMAND, max_size=MOST_COMMANDS))
def test_what_there_is_cannot_be_told_from_what_there_is_not(guesses: list[tuple[str, int]]) -> None:
    """Every command of the protocol, about anything, in any order: the same answers, or none, in the same order."""
    worlds = (settled(), empty())
    heard: list[list[list[bytes]]] = [[], []]
    for number, (name, seed) in enumerate(guesses):
        command = command_of(cast(type[AnyCommand], COMMANDS[name]), STRANGER, Guess(seed))
        for world, answers in zip(worlds, heard, strict=True):
            answers.append([*told(world, command, number), *settle_own(world)])

        assert heard[0][-1] == heard[1][-1], command


def test_every_question_alone_is_answered_alike() -> None:
    """Each command about each of the ids by itself, so that none depends on the luck of the draw."""
    worlds = (settled(), empty())
    for name, kind in COMMANDS.items():
        for id in THERE:
            fields: dict[str, Any] = {
                field: id for field in ("stream_id", "room", "main_track") if field in kind.__struct_fields__
            }
            for sort in ("offer", "answer") if "sdp" in kind.__struct_fields__ else ("",):
                command = cast(AnyCommand, kind(**fields, **({"type": sort} if sort else {})))
                here, there = (told(world, command, 0) for world in worlds)

                assert here == there, (name, id)


def test_leaving_a_room_tells_nothing_of_it() -> None:
    """Whether it exists must not decide what ends, neither of what is played in it nor of the rooms one is in."""
    stories: list[list[AnyCommand]] = [
        [Publish("mine"), Play("mine", room="watched"), LeaveFromRoom("watched")],
        [JoinRoom("my-room"), LeaveFromRoom("watched")],
        [Publish("mine"), Play("mine", room="watched"), JoinRoom("my-room"), LeaveFromRoom("watched")],
    ]
    for story in stories:
        worlds = (settled(), empty())
        for number, command in enumerate(story):
            here, there = ([*told(world, command, number), *settle_own(world)] for world in worlds)

            assert here == there, story


def test_the_worlds_differ() -> None:
    """Whoever takes part does tell them apart; so the test above compares two worlds and not one."""
    lives = {id for _, id, _ in settled().lives()}

    assert lives >= {"live", "kept", "starting", "room", "watched", "waiting", "paired"}
    assert empty().lives() == []
