"""The people of a run: who has which client, and what they do with it, by chance, until they are to settle.

Whoever publishes begins and stops; whoever plays tunes in and out; peers call and hang up; members come into their room
and leave. In between they chat. A hostile client says anything at all, and goes when the others settle. Once they
settle, everyone begins what they are there for and does nothing else.
"""

from collections.abc import Callable
from random import Random
from typing import Final

from msgspec import Struct

from signalreel.simulation.agenda import MS, SECOND
from signalreel.simulation.chatter import anything, chat
from signalreel.simulation.clients import Client
from signalreel.simulation.plan import Plan
from signalreel.simulation.world import World

__all__ = ("CALL_AGAIN", "HOSTILE_EVERY", "MEMBERS_A_ROOM", "PEERS_WHO_CALL", "People", "Person", "Role")

MEMBERS_A_ROOM: Final = 3
PEERS_WHO_CALL: Final = 3
"""Peers that join one pair: one too many, so that a place is sometimes not free."""

HOSTILE_EVERY: Final = 400 * MS
"""Between two things that a hostile client says, on average."""

CALL_AGAIN: Final = 4 * SECOND
"""When all is healed, until a peer hangs up of whose words some may have been lost, and then until it calls anew. What
was under way on a path of datagrams has arrived by then."""

_UNHEARD: Final = ("loss", "duplication", "reordering", "full disk")
"""Faults by which the server never hears of what a client has said, though their connection stands."""
_CLOSES: Final = 0.2  #: of those who end something, the share that goes away altogether

_Act = Callable[[Client], None]


class Role(Struct, frozen=True):
    """What somebody is there for: to `publish`, `play`, `join` or `meet` under an id."""

    does: str
    id: str


class Person:
    """Somebody with a client, something to begin and something to end."""

    __slots__ = ("begin", "client", "end", "is_busy", "role")

    def __init__(self, client: Client, role: Role, begin: _Act, end: _Act) -> None:
        self.client: Final = client
        self.role: Final = role
        self.begin: Final = begin
        self.end: Final = end
        self.is_busy = False


class People:
    """Everyone of a plan."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._agenda: Final = world.agenda
        self._random: Final[Random] = world.random
        self._luck: Final = world.luck
        self._plan: Final = plan
        self._is_settled = False
        self.everyone: Final = [
            *(_publisher(world, number) for number in range(plan.publishers)),
            *(_twin(world, number, plan) for number in range(plan.twins)),
            *(_player(world, number, plan) for number in range(plan.players)),
            *(_peer(world, number) for number in range(plan.peers)),
            *(_member(world, number) for number in range(plan.members)),
        ]
        self.hostile: Final = [world.client(f"hostile-{number}") for number in range(plan.hostile)]
        self.ids: Final = sorted({person.role.id for person in self.everyone}) or ["s0"]
        for person in self.everyone:
            self._agenda.after(int(self._random.random() * plan.pause_us / 2), self._act, person)
        for client in self.hostile:
            client.is_thief = True
            self._agenda.after(int(self._random.random() * plan.pause_us), self._harass, client)

    def settle(self) -> None:
        """Have everyone begin what they are there for, and do nothing else from now on."""
        self._is_settled = True
        for client in self.hostile:
            client.close()
        for person in self.everyone:
            if not person.is_busy:
                person.is_busy = True
                person.begin(person.client)
            if person.role.does == "join" and any(name in self._plan.faults for name in _UNHEARD):
                self._agenda.after(CALL_AGAIN, self._hang_up, person)

    def _hang_up(self, person: Person) -> None:
        """Have somebody call again, who may wait for what was lost or not recorded: by itself no peer asks anew."""
        person.end(person.client)
        self._agenda.after(CALL_AGAIN, person.begin, person.client)

    def go(self) -> None:
        """Have everyone go away."""
        for person in self.everyone:
            person.client.close()

    def _act(self, person: Person) -> None:
        if self._is_settled:
            return
        if self._luck.is_done():
            self._do(person)
        self._agenda.after(1 + int(self._random.expovariate(1) * self._plan.pause_us), self._act, person)

    def _do(self, person: Person) -> None:
        random, plan = self._random, self._plan
        if person.is_busy and plan.chatter and random.random() < plan.chatter:
            person.client.say(chat(self.ids, random))
        elif person.is_busy and random.random() < _CLOSES:
            person.is_busy = False
            person.client.close()
        else:
            person.is_busy = not person.is_busy
            (person.begin if person.is_busy else person.end)(person.client)

    def _harass(self, client: Client) -> None:
        if not self._is_settled:
            if self._luck.is_done():
                client.say(anything(self.ids, self._random))
            self._agenda.after(1 + int(self._random.expovariate(1) * HOSTILE_EVERY), self._harass, client)


def _publishing(client: Client, id: str) -> Person:
    return Person(client, Role("publish", id), lambda client: client.publish(id), lambda client: client.stop(id))


def _publisher(world: World, number: int) -> Person:
    return _publishing(world.client(f"publisher-{number}"), f"s{number}")


def _twin(world: World, number: int, plan: Plan) -> Person:
    return _publishing(world.client(f"twin-{number}"), f"s{number % max(1, plan.publishers)}")


def _player(world: World, number: int, plan: Plan) -> Person:
    id = f"s{number % max(1, plan.publishers)}"
    client = world.client(f"player-{number}")
    return Person(client, Role("play", id), lambda client: client.play(id), lambda client: client.stop(id))


def _peer(world: World, number: int) -> Person:
    id = f"p{number // PEERS_WHO_CALL}"
    client = world.client(f"peer-{number}")
    return Person(client, Role("join", id), lambda client: client.join(id), lambda client: client.leave(id))


def _member(world: World, number: int) -> Person:
    room, mode = f"r{number // MEMBERS_A_ROOM}", ("legacy", "multitrack")[number % 2]
    return Person(
        world.client(f"member-{number}"),
        Role("meet", room),
        lambda client: client.join_room(room, f"m{number}", mode=mode),
        lambda client: client.leave_room(room),
    )
