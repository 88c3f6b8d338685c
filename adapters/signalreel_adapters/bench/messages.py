"""Messages between clients and a server in virtual time, and nothing else: the work that simulations are compared by.

Each client says something every ten virtual milliseconds, which is with the server a little later, and hears the answer
a little later still. There is no protocol, no engine and no fault in it.
"""

from typing import Final

from signalreel.simulation.agenda import Agenda
from signalreel_adapters.bench.source import cpu_of, rate

__all__ = ("CLIENTS", "EVERY_MS", "LATENCY_MS", "SECONDS", "SETTING", "AgendaMessages")

CLIENTS: Final = 4
SECONDS: Final = 60
EVERY_MS: Final = 10
LATENCY_MS: Final = 20

SETTING: Final = f"{CLIENTS} clients and a server, {SECONDS} virtual s, a message and its answer every {EVERY_MS} ms"


class AgendaMessages:
    """The work by the agenda of this project's simulation."""

    def __init__(self) -> None:
        self.heard = 0
        self._taken: list[float] = []
        self._agenda = Agenda()

    @property
    def messages_per_s(self) -> int:
        """What was measured."""
        return rate(self.heard, self._taken)

    def run(self) -> None:
        """Take a turn."""
        self.heard = 0
        self._agenda = Agenda()
        self._taken.append(cpu_of(self._go))

    def _go(self) -> None:
        agenda = self._agenda
        for _ in range(CLIENTS):
            agenda.after(EVERY_MS, self._say)
        agenda.run_until(SECONDS * 1_000 - 1)

    def _say(self) -> None:
        agenda = self._agenda
        agenda.after(LATENCY_MS, self._serve)
        agenda.after(EVERY_MS, self._say)

    def _serve(self) -> None:
        self.heard += 1
        self._agenda.after(LATENCY_MS, self._hear)

    def _hear(self) -> None:
        self.heard += 1
