"""The fixed mix: a reel like a busy server's, the same one every time.

A quarter each of publish, play, peer-to-peer and room flows, interleaved at random from a seed; every description at
least 3 KB, eight candidates a side; a thousand live streams in the background, which no flow touches. The records are
made by driving a real engine, so that every reference on them is right.
"""

import random
from collections.abc import Iterator
from typing import Final

from signalreel.commands import (
    AnyCommand,
    GetRoomInfo,
    Join,
    JoinRoom,
    Leave,
    LeaveFromRoom,
    Play,
    Publish,
    Stop,
    TakeCandidate,
    TakeConfiguration,
)
from signalreel.engine import Engine
from signalreel.events import (
    AnyEvent,
    CandidateFound,
    DescriptionCreated,
    MediaConnected,
    SessionClosed,
    SessionOpened,
)
from signalreel.identifiers import Kind, Reference, playback_id
from signalreel.record import Record
from signalreel.settings import Settings

__all__ = (
    "APP",
    "BACKGROUND_STREAMS",
    "CANDIDATES_A_SIDE",
    "CONCURRENT_FLOWS",
    "DESCRIPTION_LINES",
    "PLANTED",
    "ROOMS",
    "STOPPING_SHARE",
    "Flow",
    "make_failing",
    "make_mix",
)

APP: Final = "live"
BACKGROUND_STREAMS: Final = 1_000
CANDIDATES_A_SIDE: Final = 8
CONCURRENT_FLOWS: Final = 200
ROOMS: Final = 20
STOPPING_SHARE: Final = 0.7  #: of the clients say `stop`; the others just vanish
DESCRIPTION_LINES: Final = 84  #: of 38 bytes each, so that a description has a little more than 3 KB

PLANTED: Final = "refused == 'streamIdInUse'"
"""What goes wrong once in the mix of `make_failing`, as the debugging tools are asked for it."""

Flow = Iterator[None]


class _Mixer:
    """Draws everything from one seed and writes the records down as it drives the engine."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- a benchmark's input, nothing secret
        self.engine = Engine(Settings())
        self.records: list[Record] = []
        self._time = 0
        self._flows = 0

    def put(self, session: str, command: AnyCommand | None = None, event: AnyEvent | None = None) -> None:
        """Write one record and apply it."""
        self._time += self._random.randrange(1, 50)
        record = Record(len(self.records) + 1, self._time, session, command, event)
        self.records.append(record)
        self.engine.apply(record)

    def reference(self, kind: Kind, id: str) -> Reference:
        """The reference of a machine that lives."""
        machine = self.engine.find(kind, id, app=APP)
        return Reference(kind, APP, id, machine.born if machine is not None else -1)

    def description(self) -> str:
        """A description of a realistic length."""
        lines = [f"a=rtpmap:96 VP8/90000 ssrc {self._random.getrandbits(32):08x}\r\n" for _ in range(DESCRIPTION_LINES)]
        return f"v=0\r\no=- {self._random.getrandbits(60)} 2 IN IP4 127.0.0.1\r\n" + "".join(lines)

    def candidate(self) -> str:
        """A candidate of a realistic length, with addresses of the documentation range."""
        host, port = self._random.randrange(256), self._random.randrange(1024, 65536)
        return (
            f"candidate:842163049 1 udp 1677729535 203.0.113.{host} {port} typ srflx "
            f"raddr 198.51.100.{host} rport {port} generation 0 ufrag EEtu network-cost 999"
        )

    def client_candidates(self, session: str, stream_id: str) -> Flow:
        """A client's eight candidates, each a record of its own."""
        for number in range(CANDIDATES_A_SIDE):
            self.put(session, TakeCandidate(stream_id, number % 2, str(number % 2), self.candidate()))
            yield

    def server_candidates(self, kind: Kind, id: str) -> Flow:
        """The server's eight candidates."""
        for number in range(CANDIDATES_A_SIDE):
            event = CandidateFound(self.reference(kind, id), number % 2, str(number % 2), self.candidate())
            self.put("", None, event)
            yield

    def open(self, name: str) -> str:
        """Open a session."""
        self.put(name, None, SessionOpened(APP))
        return name

    def go_live(self, session: str, stream_id: str) -> Flow:
        """Publish up to the moment at which media flows."""
        self.put(session, Publish(stream_id))
        yield
        self.put(session, TakeConfiguration(stream_id, "offer", self.description()))
        yield
        self.put("", None, DescriptionCreated(self.reference(Kind.STREAM, stream_id), "answer", self.description()))
        yield
        yield from self.client_candidates(session, stream_id)
        yield from self.server_candidates(Kind.STREAM, stream_id)
        self.put("", None, MediaConnected(self.reference(Kind.STREAM, stream_id)))
        yield

    def publish_flow(self, number: int) -> Flow:
        """Publish, then stop or just vanish."""
        session, stream_id = self.open(f"session-{number}"), f"stream-{number}"
        yield from self.go_live(session, stream_id)
        if self._random.random() < STOPPING_SHARE:
            self.put(session, Stop(stream_id))
            yield
        self.put(session, None, SessionClosed())

    def play_flow(self, number: int) -> Flow:
        """Play one of the background streams, then stop or just vanish."""
        session = self.open(f"session-{number}")
        stream_id = f"background-{self._random.randrange(BACKGROUND_STREAMS)}"
        id = playback_id(session, stream_id)
        self.put(session, Play(stream_id))
        yield
        offer = DescriptionCreated(
            self.reference(Kind.PLAYBACK, id), "offer", self.description(), {"0": f"ARDAMSv{stream_id}"}
        )
        self.put("", None, offer)
        yield
        self.put(session, TakeConfiguration(stream_id, "answer", self.description()))
        yield
        yield from self.client_candidates(session, stream_id)
        yield from self.server_candidates(Kind.PLAYBACK, id)
        self.put("", None, MediaConnected(self.reference(Kind.PLAYBACK, id)))
        yield
        if self._random.random() < STOPPING_SHARE:
            self.put(session, Stop(stream_id))
            yield
        self.put(session, None, SessionClosed())

    def pair_flow(self, number: int) -> Flow:
        """Two peers call each other, one leaves, both go."""
        first, second = self.open(f"session-{number}a"), self.open(f"session-{number}b")
        id = f"pair-{number}"
        self.put(first, Join(id))
        yield
        self.put(second, Join(id))
        yield
        self.put(first, TakeConfiguration(id, "offer", self.description()))
        yield
        self.put(second, TakeConfiguration(id, "answer", self.description()))
        yield
        for _ in zip(self.client_candidates(first, id), self.client_candidates(second, id), strict=True):
            yield
        self.put(first, Leave(id))
        yield
        self.put(first, None, SessionClosed())
        yield
        self.put(second, None, SessionClosed())

    def room_flow(self, number: int) -> Flow:
        """Join a room, publish in it, ask who is there, leave."""
        session, stream_id, room = self.open(f"session-{number}"), f"stream-{number}", f"room-{number % ROOMS}"
        self.put(session, JoinRoom(room, stream_id))
        yield
        yield from self.go_live(session, stream_id)
        for _ in range(4):
            self.put(session, GetRoomInfo(room, stream_id))
            yield
        self.put(session, LeaveFromRoom(room))
        yield
        self.put(session, None, SessionClosed())

    def next_flow(self) -> Flow:
        """Begin the next flow; the four kinds take turns, so that each has its quarter."""
        number = self._flows
        self._flows += 1
        kinds = (self.publish_flow, self.play_flow, self.pair_flow, self.room_flow)
        return kinds[number % len(kinds)](number)

    def fill_background(self) -> None:
        """Bring the background streams up."""
        for number in range(BACKGROUND_STREAMS):
            session, id = self.open(f"background-session-{number}"), f"background-{number}"
            self.put(session, Publish(id))
            self.put(session, TakeConfiguration(id, "offer", "v=0"))
            self.put("", None, DescriptionCreated(self.reference(Kind.STREAM, id), "answer", "v=0"))
            self.put("", None, MediaConnected(self.reference(Kind.STREAM, id)))

    def run(self, count: int) -> None:
        """Interleave flows until there are `count` more records."""
        enough = len(self.records) + count
        flows: list[Flow] = []
        while len(self.records) < enough:
            while len(flows) < CONCURRENT_FLOWS:
                flows.append(self.next_flow())
            chosen = self._random.randrange(len(flows))
            if next(flows[chosen], _ENDED) is _ENDED:
                flows[chosen] = flows[-1]
                flows.pop()


_ENDED: Final = object()


def make_mix(count: int, *, seed: int = 1) -> tuple[list[Record], list[Record]]:
    """Make the mix: the records that bring the background up, and the `count` records to measure."""
    mixer = _Mixer(seed)
    mixer.fill_background()
    background = len(mixer.records)
    mixer.run(count)
    return mixer.records[:background], mixer.records[background : background + count]


def make_failing(count: int, *, seed: int = 1) -> list[Record]:
    """Make a mix of `count` records, background included, with a failure in it after three quarters.

    Someone publishes an id that is taken, which no other flow does, and is refused: `PLANTED` holds there and nowhere
    else.
    """
    mixer = _Mixer(seed)
    mixer.fill_background()
    mixer.run(max(0, count * 3 // 4 - len(mixer.records)))
    mixer.put(mixer.open("late"), Publish(f"background-{BACKGROUND_STREAMS // 2}"))
    mixer.run(max(0, count - len(mixer.records)))
    return mixer.records[:count]
