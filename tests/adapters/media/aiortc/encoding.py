"""An encoder without a process: the real work, done when a test says so."""

from collections.abc import Callable

from signalreel_adapters.media.ladder.encoder import LadderEncoder
from signalreel_adapters.media.ladder.messages import PACKET, Command, Plan, SourceBroken, SourcePacket, encode

__all__ = ("FakeEncoder", "FakeEncoders")


class FakeEncoder:
    """One encoder, from the moment on that it is to be started."""

    def __init__(
        self,
        plan: Plan,
        on_start: Callable[[], None],
        on_message: Callable[[bytes], None],
        on_end: Callable[[], None],
    ) -> None:
        self.plan = plan
        self.said: list[Command | SourcePacket] = []
        self.listens = False
        self.is_full = False
        self.closed = self.killed = False
        self.on_message = on_message
        self._on_start = on_start
        self._on_end = on_end
        self._encoder = LadderEncoder(plan)

    def send(self, message: Command | SourcePacket) -> bool:
        """Hear something."""
        if not self.listens or self.closed or self.is_full:
            return False
        self.said.append(message)
        self._encoder.hear(message.encode() if isinstance(message, SourcePacket) else encode(message))
        return True

    def kill(self) -> None:
        """Note it."""
        self.killed = True

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def start(self) -> None:
        """Begin to listen."""
        self.listens = True
        self._on_start()

    def end(self) -> None:
        """End by itself."""
        self.listens = False
        self._on_end()

    def work(self) -> None:
        """Do what there is to do, and say what came of it."""
        while (job := self._encoder.next_job()) is not None:
            done = self._encoder.run(job)
            self._encoder.finish(done)
            for _, packets in done.packets:
                for packet in packets:
                    self.on_message(bytes((PACKET,)) + packet)
        if self._encoder.is_broken:
            self._encoder.is_broken = False
            self.on_message(encode(SourceBroken()))

    @property
    def commands(self) -> list[Command]:
        """What it was told, but for packets."""
        return [each for each in self.said if not isinstance(each, SourcePacket)]

    @property
    def packets(self) -> int:
        """How many packets of the source it heard."""
        return len(self.said) - len(self.commands)


class FakeEncoders:
    """Starts them, as many as there may be."""

    def __init__(self, count_max: int = 100) -> None:
        self.count_max = count_max
        self.started: list[FakeEncoder] = []

    def start(
        self,
        plan: Plan,
        *,
        on_start: Callable[[], None],
        on_message: Callable[[bytes], None],
        on_end: Callable[[], None],
    ) -> FakeEncoder | None:
        """Start one; it listens when the test says so."""
        if len(self.started) >= self.count_max:
            return None
        self.started.append(FakeEncoder(plan, on_start, on_message, on_end))
        return self.started[-1]
