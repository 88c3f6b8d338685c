"""The people of a run: who has which client, and what they do with it, by chance, until they are to settle.

Whoever publishes begins and stops; whoever plays tunes in and out; peers call and hang up; members come into their room
and leave. Once they settle, everyone begins what they are there for and does nothing else.
"""

from collections.abc import Callable
from random import Random
from typing import Final

from signalreel.simulation.clients import Client
from signalreel.simulation.plan import Plan
from signalreel.simulation.world import World

__all__ = ("MEMBERS_A_ROOM", "People")

MEMBERS_A_ROOM: Final = 3

_Act = Callable[[Client], None]


class _Person:
    """Somebody with a client, something to begin and something to end."""

    __slots__ = ("begin", "client", "end", "is_busy")

    def __init__(self, client: Client, begin: _Act, end: _Act) -> None:
        self.client = client
        self.begin = begin
        self.end = end
        self.is_busy = False


class People:
    """Everyone of a plan."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._agenda = world.agenda
        self._random: Random = world.random
        self._pause = plan.pause_us
        self._is_settled = False
        self._people = [
            *(_publisher(world, number) for number in range(plan.publishers)),
            *(_player(world, number, plan) for number in range(plan.players)),
            *(_peer(world, number) for number in range(plan.peers)),
            *(_member(world, number) for number in range(plan.members)),
        ]
        for person in self._people:
            self._agenda.after(int(self._random.random() * self._pause / 2), self._act, person)

    def settle(self) -> None:
        """Have everyone begin what they are there for, and do nothing else from now on."""
        self._is_settled = True
        for person in self._people:
            if not person.is_busy:
                person.is_busy = True
                person.begin(person.client)

    def go(self) -> None:
        """Have everyone go away."""
        for person in self._people:
            person.client.close()

    def _act(self, person: _Person) -> None:
        if self._is_settled:
            return
        person.is_busy = not person.is_busy
        (person.begin if person.is_busy else person.end)(person.client)
        self._agenda.after(1 + int(self._random.expovariate(1) * self._pause), self._act, person)


def _publisher(world: World, number: int) -> _Person:
    id = f"s{number}"
    return _Person(
        world.client(f"publisher-{number}"), lambda client: client.publish(id), lambda client: client.stop(id)
    )


def _player(world: World, number: int, plan: Plan) -> _Person:
    id = f"s{number % max(1, plan.publishers)}"
    return _Person(world.client(f"player-{number}"), lambda client: client.play(id), lambda client: client.stop(id))


def _peer(world: World, number: int) -> _Person:
    id = f"p{number // 2}"
    return _Person(world.client(f"peer-{number}"), lambda client: client.join(id), lambda client: client.leave(id))


def _member(world: World, number: int) -> _Person:
    room, mode = f"r{number // MEMBERS_A_ROOM}", ("legacy", "multitrack")[number % 2]
    return _Person(
        world.client(f"member-{number}"),
        lambda client: client.join_room(room, f"m{number}", mode=mode),
        lambda client: client.leave_room(room),
    )
