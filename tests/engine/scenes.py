"""A stop of the tour, and the ways in which something is put to it."""

from collections.abc import Callable
from typing import Final, Literal

from signalreel.commands import AnyCommand
from signalreel.events import (
    AnyEvent,
    BitrateMeasured,
    CandidateFound,
    DescriptionCreated,
    DescriptionFailed,
    LicenceChanged,
    MediaConnected,
    MediaLost,
    ResolutionChanged,
    ResourcesMeasured,
    Track,
    TracksFound,
)
from signalreel.host import AnyHostCommand
from signalreel.identifiers import Kind, Reference
from signalreel.record import Grant
from signalreel.refusals import USER_BLOCKED
from signalreel.settings import Settings
from tests.engine.world import World

__all__ = (
    "BLOCKED",
    "DENIED",
    "GRANTED",
    "SETTINGS",
    "Probe",
    "Role",
    "Scene",
    "asks",
    "host_orders",
    "in_turn",
    "under",
    "wake",
    "while_overloaded",
    "while_suspended",
    "with_media",
)

SETTINGS: Final = Settings(restore_ms=3_000, offers_owed_max=2)
"""Of the tour: with a restore window, and few offers, so that both are reached."""

GRANTED: Final = Grant(allowed=True, identity="tag-of-the-publisher")
DENIED: Final = Grant(allowed=False)
BLOCKED: Final = Grant(allowed=False, refusal=USER_BLOCKED.definition)

Probe = Callable[["Scene"], None]
Role = Literal["who", "other", "third"]


class Scene:
    """One stop of the tour: two sessions of their own, `who` and `other`, and an id of its own."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.who, self.other = f"who-{number}", f"other-{number}"
        self.third = f"third-{number}"
        self.id, self.room = f"id-{number}", f"room-{number}"
        world.open(self.who, self.other)

    def leave(self) -> None:
        """Let everything go, so that the next scene begins with nothing."""
        for session in (self.who, self.other, self.third):
            if self.world.engine.session(session) is not None:
                self.world.close(session)
        while self.world.engine.deadline() is not None:
            self.world.wake()
        assert self.world.lives() == []

    def session(self, role: Role) -> str:
        """The session that plays a role; the third one opens when it is first needed."""
        session = {"who": self.who, "other": self.other, "third": self.third}[role]
        if self.world.engine.session(session) is None:
            self.world.open(session)
        return session

    def media_events(self, machine: Reference) -> tuple[AnyEvent, ...]:
        """Everything that media may report of a machine, one of each."""
        return (
            DescriptionCreated(machine, "answer", "sdp"),
            DescriptionFailed(machine, "remote"),
            DescriptionFailed(machine, "local"),
            CandidateFound(machine, 0, "0", "candidate"),
            MediaConnected(machine),
            MediaLost(machine),
            MediaLost(machine, silent=True),
            ResolutionChanged(machine, 360),
            TracksFound(machine, (Track("v", "video", "VP8", 640, 480, 500_000), Track("a", "audio", "opus"))),
            BitrateMeasured(machine, 1, 2, 3),
        )


# ---------------------------------------------------------------- who asks, and under which circumstances


def asks(role: Role, command: Callable[[Scene], AnyCommand], grant: Grant | None = None) -> Probe:
    """Have someone of the scene send a command."""

    def probe(scene: Scene) -> None:
        scene.world.say(scene.session(role), command(scene), grant=grant)

    return probe


def host_orders(command: Callable[[Scene], AnyHostCommand]) -> Probe:
    """Have the host order something."""

    def probe(scene: Scene) -> None:
        scene.world.order(command(scene))

    return probe


def in_turn(*probes: Probe) -> Probe:
    """Put several probes one after the other."""

    def probe(scene: Scene) -> None:
        for each in probes:
            each(scene)

    return probe


def while_suspended(ask: Probe) -> Probe:
    """Put a probe while the licence is suspended."""

    def probe(scene: Scene) -> None:
        scene.world.report(LicenceChanged(suspended=True))
        ask(scene)
        scene.world.report(LicenceChanged(suspended=False))

    return probe


def while_overloaded(ask: Probe) -> Probe:
    """Put a probe while the machine has no memory left."""

    def probe(scene: Scene) -> None:
        scene.world.report(ResourcesMeasured(cpu_percent=1, free_memory_mb=1))
        ask(scene)
        scene.world.report(ResourcesMeasured(cpu_percent=1, free_memory_mb=1_000))

    return probe


def under(settings: Settings, ask: Probe) -> Probe:
    """Put a probe under other settings."""

    def probe(scene: Scene) -> None:
        scene.world.set(settings)
        ask(scene)
        scene.world.set(SETTINGS)

    return probe


def with_media(number: int, kind: Kind, name: Callable[[Scene], str]) -> Probe:
    """Have media report one of its events of the scene's machine, if that lives."""

    def probe(scene: Scene) -> None:
        id = name(scene)
        if scene.world.state(kind, id):
            scene.world.report(scene.media_events(scene.world.reference(kind, id))[number])

    return probe


def wake(scene: Scene) -> None:
    """Let the scene's timer run out, if there is one."""
    if scene.world.engine.deadline() is not None:
        scene.world.wake()
