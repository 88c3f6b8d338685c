"""What must come about in time, once nothing goes wrong any more and everyone has begun what they are there for.

The invariants of `signalreel.verify` hold after every record. These hold at the end of a run: whoever wants something
has it, clients believe what is so, and once everyone has gone nothing is left.
"""

from typing import Final

from signalreel.commands import Join, Leave, TakeConfiguration
from signalreel.identifiers import Kind, playback_id
from signalreel.machines.shapes import Pair, PairState, Playback, PlaybackState, Room, Stream, StreamState
from signalreel.messages import Description
from signalreel.simulation.node import REPLAYS_THE_SAME
from signalreel.simulation.people import People, Person
from signalreel.simulation.texts import number_in
from signalreel.simulation.world import World
from signalreel.verify import Invariant, Violation

__all__ = ("LIVENESS", "left_behind", "unsettled")

_ALL: Final = (
    Invariant("comes-live", "publish", "Every stream that somebody wants to publish comes live, by one of them."),
    Invariant("comes-to-play", "play", "Whoever wants to play a live stream or room comes to play it."),
    Invariant("comes-together", "join", "Two of those who want to call each other under an id are connected."),
    Invariant("comes-to-meet", "joinRoom", "Whoever wants to be in a room is in it, and its stream is live there."),
    Invariant("believes-what-is-so", "the SDK's callbacks", "A client takes for standing what stands, and only that."),
    Invariant(
        "newest-answer-arrives", "takeConfiguration", "A peer is sent no answer but that to its newest offer by then."
    ),
    Invariant("nothing-is-left", "contract 14", "Once every client has gone, no machine and no session is left."),
    Invariant(REPLAYS_THE_SAME, "contract 8", "What is on a reel gives again what it gave."),
)

LIVENESS: Final[dict[str, Invariant]] = {invariant.name: invariant for invariant in _ALL}
"""What must come about, by name."""

_PLAYS: Final = frozenset((PlaybackState.PLAYING, PlaybackState.UPDATING, PlaybackState.REOFFERED))
_TALKING: Final = frozenset((PairState.CONNECTED, PairState.OFFERED))


def unsettled(world: World, people: People) -> list[Violation]:
    """Say what has not come about; ask once there was time enough."""
    found: list[Violation] = []
    wanted: dict[tuple[str, str], list[Person]] = {}
    for person in people.everyone:
        wanted.setdefault((person.role.does, person.role.id), []).append(person)
    for (does, id), persons in wanted.items():
        wrong = _CHECKS[does](world, id, persons)
        if wrong is not None:
            found.append(Violation(wrong[0], world.engine.seq, f"{does} {id}", wrong[1]))
    faults = world.plan.faults
    is_misled = people.hostile or any(name in faults for name in _MISLEADING) or _held_back(world)
    if not is_misled:
        found += _stale_answers(world)
    return found


_MISLEADING: Final = ("loss", "duplication", "reordering", "wrong answer", "duplicate answer", "late answer")
"""Faults that the server cannot tell from an answer to the newest offer."""


def _stale_answers(world: World) -> list[Violation]:
    """Say who was sent the answer to an offer when a newer one of theirs had been relayed: one under way may be newer.

    The engine looks into no description; what answers what is known to the clients only.
    """
    newest: dict[tuple[str, str], int] = {}
    found: list[Violation] = []
    for step in world.node.disk.steps:
        command, session = step.record.command, step.record.session
        if isinstance(command, Join | Leave):
            newest.pop((session, command.stream_id), None)  # What was under way then is for nobody.
        for told, message in step.messages:
            if not isinstance(message, Description) or not isinstance(command, TakeConfiguration):
                continue
            number, known = number_in(message.sdp), newest.get((told, message.stream_id))
            if message.type == "offer":
                newest[session, message.stream_id] = number
            elif known is not None and number != known:
                why = f"{told} was sent the answer to offer {number} after offer {known}"
                found.append(Violation("newest-answer-arrives", step.record.seq, f"pair {message.stream_id}", why))
    return found


def _held_back(world: World) -> bool:
    """Whether an offer was not relayed, because too many had no answer yet: its answer cannot come."""
    return any(
        fired.kind == Kind.PAIR and fired.input == "TakeConfiguration" and not fired.what
        for step in world.node.disk.steps
        for _, fired in step.fired
    )


def _published(world: World, id: str, persons: list[Person]) -> tuple[str, str] | None:
    holders = [person for person in persons if _is_live(world, person, id)]
    if len(holders) != 1:
        return "comes-live", f"{len(persons)} client(s) want to publish it, and {len(holders)} of them are live"
    for person in persons:
        if person.client.publishes(id) is not (person is holders[0]):
            return "believes-what-is-so", f"{person.client.name} is wrong about being live"
    return None


def _is_live(world: World, person: Person, id: str) -> bool:
    stream = world.holds(person.client, Kind.STREAM, id)
    return isinstance(stream, Stream) and stream.state is StreamState.BROADCASTING


def _played(world: World, id: str, persons: list[Person]) -> tuple[str, str] | None:
    stream = world.engine.find(Kind.STREAM, id, app=persons[0].client.app)
    is_live = isinstance(stream, Stream) and stream.state is StreamState.BROADCASTING
    for person in persons:
        plays = _is_playing(world, person, id)
        if is_live and not plays:
            return "comes-to-play", f"{person.client.name} does not play it"
        if person.client.plays(id) is not plays:
            return "believes-what-is-so", f"{person.client.name} is wrong about playing it"
    return None


def _is_playing(world: World, person: Person, id: str) -> bool:
    playback = world.holds(person.client, Kind.PLAYBACK, playback_id(person.client.session, id))
    return isinstance(playback, Playback) and playback.state in _PLAYS


def _paired(world: World, id: str, persons: list[Person]) -> tuple[str, str] | None:
    pair = world.engine.find(Kind.PAIR, id, app=persons[0].client.app)
    inside = [person for person in persons if world.holds(person.client, Kind.PAIR, id) is not None]
    expected = min(2, len(persons))
    if len(inside) != expected:
        return "comes-together", f"{len(persons)} client(s) want to join it, and {len(inside)} are in it"
    if expected == 2:  # noqa: PLR2004 -- a pair is of two
        if not isinstance(pair, Pair) or pair.state not in _TALKING:
            return "comes-together", f"it is {pair.state if pair is not None else 'gone'}"
        for person in persons:
            if person.client.is_paired(id) is not (person in inside):
                return "believes-what-is-so", f"{person.client.name} is wrong about being connected"
    return None


def _met(world: World, id: str, persons: list[Person]) -> tuple[str, str] | None:
    room = world.engine.find(Kind.ROOM, id, app=persons[0].client.app)
    for person in persons:
        client = person.client
        conference = client.conferences.get(id)
        if not isinstance(room, Room) or client.session not in room.sessions or conference is None:
            return "comes-to-meet", f"{client.name} is not in it"
        if not _is_live(world, person, conference.wanted_id):
            return "comes-to-meet", f"{client.name}'s stream is not live in it"
    for person in persons:
        told = _sees_all(world, id, person, persons)
        if told is not None:
            return told
    return None


def _sees_all(world: World, room: str, person: Person, persons: list[Person]) -> tuple[str, str] | None:
    """Say whether a member plays all the others."""
    conference = person.client.conferences[room]
    others = sorted(one.client.conferences[room].wanted_id for one in persons if one is not person)
    if conference.mode != "legacy":
        playback = world.holds(person.client, Kind.PLAYBACK, playback_id(person.client.session, room))
        if not isinstance(playback, Playback) or playback.state not in _PLAYS:
            return "comes-to-play", f"{person.client.name} does not play the room"
        if sorted(source.stream_id for source in playback.sources) != others:
            return "comes-to-play", f"{person.client.name} is not shown all that is in the room"
        return None
    if sorted(conference.streams) != others:
        return "comes-to-meet", f"{person.client.name} was told of {len(conference.streams)} instead of {len(others)}"
    for id in others:
        if not _is_playing(world, person, id):
            return "comes-to-play", f"{person.client.name} does not play one of the others"
    return None


_CHECKS: Final = {"publish": _published, "play": _played, "join": _paired, "meet": _met}


def left_behind(world: World) -> list[Violation]:
    """Say what is left once everyone has gone; ask once there was time enough."""
    engine = world.engine
    machines = [f"{key[0]} {key[2].rpartition('/')[2]}" for key, _ in engine.machines()]
    if not machines and not engine.sessions():
        return []
    told = f"{len(engine.sessions())} session(s), {len(machines)} machine(s): {', '.join(machines)}"
    return [Violation("nothing-is-left", engine.seq, "server", told)]
