"""SimPy (PyPI), a library for simulations of discrete events, with messages between clients and a server.

The work is that of `bench.messages`. A way is written as in "Event Latency" of SimPy's examples: a process for each
message that waits, and puts it into a store, from which the other end takes it.
"""

from collections.abc import Generator
from typing import Any

import simpy

from signalreel_adapters.bench.messages import CLIENTS, EVERY_MS, LATENCY_MS, SECONDS, SETTING
from signalreel_adapters.bench.source import Peer, cpu_of, rate

__all__ = ("SimpyMessages",)


class SimpyMessages:
    """Runs the clients and the server."""

    def __init__(self) -> None:
        self._taken: list[float] = []
        self.heard = 0

    def run(self) -> None:
        """Take a turn."""
        self.heard = 0
        self._taken.append(cpu_of(self._go))

    def figures(self) -> Peer:
        """Give what was measured."""
        return Peer(messages_per_s=rate(self.heard, self._taken), version=simpy.__version__, setting=SETTING)

    def _go(self) -> None:
        env = simpy.Environment()
        to_server = simpy.Store(env)
        to_clients = {number: simpy.Store(env) for number in range(CLIENTS)}
        env.process(self._serve(env, to_server, to_clients))
        for number, store in to_clients.items():
            env.process(_say(env, number, to_server))
            env.process(self._hear(store))
        env.run(until=SECONDS * 1_000)

    def _serve(
        self, env: simpy.Environment, inbox: simpy.Store, outs: dict[int, simpy.Store]
    ) -> Generator[simpy.Event, Any, None]:
        while True:
            number: int = yield inbox.get()
            self.heard += 1
            env.process(_carry(env, outs[number], number))

    def _hear(self, inbox: simpy.Store) -> Generator[simpy.Event, Any, None]:
        while True:
            yield inbox.get()
            self.heard += 1


def _say(env: simpy.Environment, number: int, to: simpy.Store) -> Generator[simpy.Event, Any, None]:
    while True:
        yield env.timeout(EVERY_MS)
        env.process(_carry(env, to, number))


def _carry(env: simpy.Environment, to: simpy.Store, message: int) -> Generator[simpy.Event, Any, None]:
    yield env.timeout(LATENCY_MS)
    to.put(message)
