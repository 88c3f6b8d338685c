"""What the encoder of a ladder does, but for waiting: it hears packets, and turns pictures into packets of renditions.

The work is cut into jobs of one picture each. `hear` and `next_job` cost next to nothing and belong to whoever listens
to the server; `run` takes milliseconds and may be in another thread, one job at a time.

An encoder that cannot keep up first encodes fewer pictures and still decodes all, because those that follow need them;
when that is not enough it leaves everything out up to the next keyframe.
"""

import secrets
from collections import deque
from typing import Final

from av import VideoFrame
from msgspec import Struct

from signalreel_adapters.media.ladder.codec import CLOCK_RATE, Decoder, Encoder, UndecodableError
from signalreel_adapters.media.ladder.frames import Assembler, Frame
from signalreel_adapters.media.ladder.messages import (
    Counted,
    Encode,
    Plan,
    PlannedRung,
    Refresh,
    SourcePacket,
    decode_command,
    scaled,
)
from signalreel_adapters.media.ladder.packets import Packetizer

__all__ = ("Done", "Job", "LadderEncoder")

_WAITING_MAX: Final = 45
"""Pictures that wait to be decoded, which is quick when they are not encoded as well: 1.5 s in which a busy machine did
not let us work. With more of them, the next keyframe is waited for instead."""

_WAITING_FEW: Final = 2
"""With more than so many pictures waiting, they are decoded and not encoded."""

_INTERVAL_MAX: Final = CLOCK_RATE // 20
"""A picture's packets are spread over no more than this, however long ago the one before it was."""

_TIMESTAMP_MASK: Final = 0xFFFF_FFFF


class Job(Struct, frozen=True):
    """One picture, and what is to be done with it."""

    frame: Frame
    heights: tuple[int, ...]  #: of what is wanted
    keys: frozenset[int] = frozenset()  #: of these, the ones that need a keyframe
    is_late: bool = False  #: decode it only


class Done(Struct, frozen=True):
    """What became of a job."""

    packets: tuple[tuple[int, tuple[bytes, ...]], ...] = ()  #: of each rendition, by its height
    keys: frozenset[int] = frozenset()  #: keyframes that were not made
    interval: float = 0.0  #: seconds to spread them over
    is_broken: bool = False  #: it could not be decoded


class _Rendition:
    """One rendition: its encoder, which is that of one size, and its packets, whose numbers outlive it."""

    def __init__(self, rung: PlannedRung, plan: Plan) -> None:
        self._rung = rung
        self._plan = plan
        self._encoder: Encoder | None = None
        self._packetizer = Packetizer(
            plan.codec,
            plan.payload_type,
            rung.ssrc,
            first_sequence=secrets.randbits(15),
            first_picture=secrets.randbits(15),
        )

    def encode(self, picture: VideoFrame, time: int, *, key: bool) -> tuple[bytes, ...]:
        size = scaled(picture.width, picture.height, self._rung.height)
        if self._encoder is None or self._encoder.size != size:
            self._encoder = Encoder(self._plan.codec, size, self._rung.bitrate)
        frame, is_key = self._encoder.encode(picture, time, key=key)
        return tuple(self._packetizer.packets(frame, time & _TIMESTAMP_MASK, key=is_key)) if frame else ()

    def rest(self) -> None:
        """Forget the encoder, which keeps some memory. Whoever is shown this later begins with a keyframe."""
        self._encoder = None


class LadderEncoder:
    """The encoder of one ladder."""

    def __init__(self, plan: Plan) -> None:
        self.is_broken = False  #: whether the source's next keyframe has to be asked for; reset it when that is done
        self._assembler = Assembler(plan.codec)
        self._decoder = Decoder(plan.codec)
        self._renditions = {rung.height: _Rendition(rung, plan) for rung in plan.rungs}
        self._waiting: deque[Frame] = deque()
        self._heights: tuple[int, ...] = ()
        self._keys: set[int] = set()
        self._time = -1
        self._decoded = self._encoded = self._skipped = self._dropped = 0

    @property
    def counted(self) -> Counted:
        """What became of the pictures until now."""
        return Counted(self._decoded, self._encoded, self._skipped, self._dropped + self._assembler.lost)

    def hear(self, message: bytes) -> None:
        """Take one message of the server's."""
        match decode_command(message):
            case SourcePacket() as packet:
                self._take(packet)
            case Encode(heights):
                self._choose(tuple(height for height in heights if height in self._renditions))
            case Refresh(height):
                self._keys.add(height)

    def _choose(self, heights: tuple[int, ...]) -> None:
        self._heights = heights
        if not heights:
            self._stop()

    def _take(self, packet: SourcePacket) -> None:
        if not self._heights:
            return
        self._waiting.extend(self._assembler.take(packet))
        if len(self._waiting) > _WAITING_MAX:
            self._dropped += len(self._waiting)
            self._stop()
        self.is_broken = self.is_broken or self._assembler.is_broken

    def _stop(self) -> None:
        """Do nothing before the next keyframe."""
        self._waiting.clear()
        self._assembler.give_up()

    def next_job(self) -> Job | None:
        """Give what is to be done next, if anything is."""
        if not self._waiting:
            return None
        frame = self._waiting.popleft()
        if len(self._waiting) > _WAITING_FEW:
            self._skipped += 1
            return Job(frame, self._heights, is_late=True)
        keys = frozenset(self._keys)
        self._keys.clear()
        return Job(frame, self._heights, keys)

    def run(self, job: Job) -> Done:
        """Do a job. It is to be handed to `finish` then, where `hear` is called."""
        for height, rendition in self._renditions.items():
            if height not in job.heights:
                rendition.rest()
        try:
            picture = self._decoder.decode(job.frame.data)
        except UndecodableError:
            return Done(is_broken=True)
        self._decoded += 1
        before = self._time
        time = job.frame.timestamp if before < 0 else before + _later(before, job.frame.timestamp)
        if picture is None or job.is_late or time <= before:
            return Done(keys=job.keys)
        self._time = time
        packets = tuple(
            (height, self._renditions[height].encode(picture, time, key=height in job.keys))
            for height in job.heights
            if height < picture.height
        )
        self._encoded += 1
        interval = min(time - before, _INTERVAL_MAX) if before >= 0 else 0
        return Done(packets, interval=interval / CLOCK_RATE)

    def finish(self, done: Done) -> None:
        """Take note of a job that is done."""
        if done.is_broken:
            self._dropped += 1
            self._stop()
            self.is_broken = True
        self._keys |= done.keys


def _later(time: int, timestamp: int) -> int:
    """How many ticks a timestamp is behind a time that is not confined to 32 bits; negative when it is before it."""
    ahead = (timestamp - time) & _TIMESTAMP_MASK
    return ahead - (_TIMESTAMP_MASK + 1) if ahead > _TIMESTAMP_MASK // 2 else ahead
