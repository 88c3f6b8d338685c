"""The plan of a run: who takes part, how long, over what network, and what may go wrong. Everything follows from it.

    plan = Plan(seed=7, publishers=1, players=2, faults={"partition": 6.0, "crash": 1.0})
    run = simulate(plan)

    plan = Plan.drawn(7)            # everything drawn from the seed, also which faults exist at all

Times are microseconds of virtual time. The same plan gives the same reel, byte for byte.
"""

from random import Random
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from signalreel.settings import Settings
from signalreel.simulation.agenda import MS, SECOND

__all__ = ("CHANCES", "FAULTS", "STARTED_AT", "STRIKES", "Plan")

STARTED_AT: Final = 1_767_225_600 * SECOND
"""The wall clock at virtual time 0: the beginning of 2026, so that planned dates mean something."""

STRIKES: Final[dict[str, str]] = {
    "partition": "nothing comes through between a client and the server for a while, either way",
    "one way": "nothing comes through between a client and the server for a while, in one direction",
    "reset": "a client's connection breaks, and both ends notice",
    "half-open": "a client is gone without a word and comes back; the server does not notice for long",
    "slow reader": "a client does not read what it is told for a while",
    "crash": "the server dies and comes back; its clients see their connections break",
    "machine gone": "the server dies with its machine and comes back; its clients see nothing",
    "shutdown": "the server announces that it will stop, stops, and comes back",
    "slow disk": "a commit takes long for a while",
    "full disk": "nothing can be recorded for a while",
    "clock jump": "the wall clock is set to another time",
    "load": "the host is overloaded for a while",
    "licence": "the licence is suspended for a while",
    "settings": "the settings are others for a while",
    "media lost": "the media of a stream or playback is lost",
    "silence": "nothing comes from a publisher any more",
    "kick": "the host sends a session away",
    "end stream": "the host ends a stream",
    "close room": "the host closes a room",
    "block": "the host blocks a subscriber for a while",
    "registration": "the host registers a stream or a room, with limits and dates, for a while",
}
"""The faults that strike now and then, with how often in a minute."""

CHANCES: Final[dict[str, str]] = {
    "loss": "a message is lost, as by a transport of datagrams",
    "duplication": "a message arrives twice, likewise",
    "reordering": "a message arrives late, and others before it, likewise",
    "bad description": "media cannot take a description, or fails to make one",
    "never connects": "media is never connected",
    "late report": "media reports of what is over",
    "wrong answer": "a client answers with what is no answer to that offer",
    "duplicate answer": "a client answers twice",
    "late answer": "a client answers late",
    "duplicate stop": "a client says stop twice",
    "candidate flood": "a client finds dozens of candidates",
    "wrong token": "the gate does not let a command through",
}
"""The faults that meet single messages and the like, with their odds."""

FAULTS: Final[dict[str, str]] = {**STRIKES, **CHANCES}
"""Every kind of fault, by name."""

_RARE: Final = frozenset(("crash", "machine gone", "shutdown", "licence", "clock jump", "settings", "full disk"))


class Plan(Struct, frozen=True):
    """What a run is drawn from. Without anything said: nobody takes part, and nothing goes wrong."""

    seed: int = 0
    settings: Settings = Settings()

    publishers: int = 0  #: clients that each publish a stream of their own
    players: int = 0  #: clients that each play one of those streams
    peers: int = 0  #: clients that call each other, two by two
    members: int = 0  #: clients in rooms
    twins: int = 0  #: clients that publish what another one publishes, as a second tab does
    hostile: int = 0  #: clients that say anything at all

    safety_us: int = 60 * SECOND  #: how long people come and go, and things go wrong
    settle_us: int = 60 * SECOND  #: how long there is to come to rest, with nothing going wrong; 0: nobody asks
    leave_us: int = 20 * SECOND  #: how long there is, once everyone has gone, until nothing is left
    pause_us: int = 8 * SECOND  #: between two things that somebody does, on average

    latency_us: int = 20 * MS  #: from a client to the server, or back
    jitter_us: int = 0  #: by how much it varies
    media_us: int = 30 * MS  #: until media has made a description
    connect_us: int = 120 * MS  #: until media flows once both descriptions are known
    candidates: int = 2  #: that each side finds for each negotiation
    commit_us: int = 0  #: until a batch of records is on the disk
    is_buffered: bool = False  #: messages leave before their record is on the disk
    has_gate: bool = False  #: a gate says who everyone is
    uses_once: bool = False  #: and lets in by one-time tokens
    chatter: float = 0.0  #: the odds that somebody asks or switches something instead of coming or going

    faults: dict[str, float] = {}  #: which exist: strikes a minute or odds, by name
    skipped: tuple[int, ...] = ()  #: deeds of people and strikes of faults that are left out, by number
    is_monitored: bool = True  #: every step is held against the invariants

    def __post_init__(self) -> None:
        unknown = [name for name in self.faults if name not in FAULTS]
        if unknown:
            raise ValueError(f"there is no fault of the name {unknown[0]!r}; there are: {', '.join(FAULTS)}")

    @classmethod
    def drawn(cls, seed: int, *, clients: int = 4, seconds: int = 60) -> "Plan":
        """Draw everything from a seed: who takes part, how fast everything is, and which faults there are at all.

        A run that has few kinds of fault goes further between them, so each plan has only some. `clients` is how many
        take part, `seconds` how long the whole lasts in virtual time.
        """
        random = Random(seed)  # noqa: S311 -- a simulation, nothing secret
        whole = seconds * SECOND
        faults = _drawn_faults(random)
        roles = _drawn_roles(random, clients)
        has_gate = _happens(random, 0.5)
        plan = cls(
            seed=seed,
            settings=_drawn_settings(random, has_gate=has_gate),
            safety_us=whole * 45 // 100,
            settle_us=whole * 45 // 100,
            leave_us=whole - 2 * (whole * 45 // 100),
            pause_us=random.choice((2, 4, 8, 15)) * SECOND,
            latency_us=random.choice((1, 5, 20, 80, 250)) * MS,
            jitter_us=random.choice((0, 0, 5, 50)) * MS,
            media_us=random.choice((0, 5, 30, 200, 500)) * MS,
            connect_us=random.choice((0, 20, 120, 800)) * MS,
            candidates=random.choice((0, 1, 2, 4)),
            commit_us=random.choice((0, 0, 0, 1, 5, 50)) * MS,
            is_buffered=_happens(random, 0.3),
            has_gate=has_gate,
            uses_once=has_gate and _happens(random, 0.4),
            chatter=random.choice((0.0, 0.3, 0.6)),
            faults=faults,
        )
        return replace(plan, **roles)


def _happens(random: Random, odds: float) -> bool:
    return random.random() < odds


def _drawn_faults(random: Random) -> dict[str, float]:
    """Draw which kinds of fault there are, and how much of each."""
    share = random.choice((0.0, 0.1, 0.2, 0.4))
    faults: dict[str, float] = {}
    for name in STRIKES:
        if _happens(random, share):
            faults[name] = random.choice((1.0, 2.0)) if name in _RARE else random.choice((2.0, 4.0, 8.0))
    for name in CHANCES:
        if _happens(random, share):
            faults[name] = random.choice((0.02, 0.1, 0.3))
    return faults


def _drawn_roles(random: Random, clients: int) -> dict[str, int]:
    """Draw what each of the clients does."""
    kinds = ("publishers", "players", "peers", "members", "twins", "hostile")
    roles: dict[str, int] = dict.fromkeys(kinds, 0)
    wanted = [random.choice((1, 1, 2, 3)) * (_happens(random, 0.7)) for _ in kinds[:4]]
    odds = [*wanted, 0.3, 0.3]
    if not any(wanted):
        odds = [1, 1, 1, 1, 0.3, 0.3]
    for kind in random.choices(kinds, odds, k=clients):
        roles[kind] += 1
    return roles


def _drawn_settings(random: Random, *, has_gate: bool) -> Settings:
    """Draw settings under which everyone can still have what they want."""
    return Settings(
        restore_ms=random.choice((0, 1_000, 4_000)) if has_gate else 0,
        offers_owed_max=random.choice((1, 2, 4)),
        room_events=_happens(random, 0.3),
        hide_streams=_happens(random, 0.2),
        silence_timeout_ms=random.choice((0, 3_000)),
        stun_server=random.choice(("", "stun:stun.example:3478")),
    )
