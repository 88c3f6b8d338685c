"""The plan of a run: who takes part, how long, over what network, and what may go wrong. Everything follows from it.

    plan = Plan(seed=7, publishers=1, players=2)
    run = simulate(plan)

Times are microseconds of virtual time. The same plan gives the same reel, byte for byte.
"""

from typing import Final

from msgspec import Struct

from signalreel.settings import Settings
from signalreel.simulation.agenda import MS, SECOND

__all__ = ("STARTED_AT", "Plan")

STARTED_AT: Final = 1_767_225_600 * SECOND
"""The wall clock at virtual time 0: the beginning of 2026, so that planned dates mean something."""


class Plan(Struct, frozen=True):
    """What a run is drawn from. Without anything said: nobody takes part, and nothing goes wrong."""

    seed: int = 0
    settings: Settings = Settings()

    publishers: int = 0  #: clients that each publish a stream of their own
    players: int = 0  #: clients that each play one of those streams
    peers: int = 0  #: clients that call each other, two by two
    members: int = 0  #: clients in rooms

    safety_us: int = 60 * SECOND  #: how long people come and go, and things go wrong
    settle_us: int = 60 * SECOND  #: how long there is afterwards to come to rest, with nothing going wrong
    pause_us: int = 8 * SECOND  #: between two things that somebody does, on average

    latency_us: int = 20 * MS  #: from a client to the server, or back
    media_us: int = 30 * MS  #: until media has made a description
    connect_us: int = 120 * MS  #: until media flows once both descriptions are known
    candidates: int = 2  #: that each side finds for each negotiation

    is_monitored: bool = True  #: every step is held against the invariants
