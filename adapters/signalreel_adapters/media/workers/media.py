"""Media in worker processes: the engine's end. It decides which worker has what, and performs nothing itself."""

import asyncio
import os
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from msgspec import structs

from signalreel.events import AnyEvent, MediaLost
from signalreel.identifiers import Kind, Reference
from signalreel.notes import AnyNote, MediaFailed
from signalreel.step import Step
from signalreel_adapters.media.aiortc.failures import Failures
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.moves import Move, moves_of
from signalreel_adapters.media.workers.keeping import Keeper
from signalreel_adapters.media.workers.messages import (
    CloseEdge,
    Failed,
    FollowMove,
    FromWorker,
    Noted,
    OpenEdge,
    OpenOrigin,
    Reported,
)
from signalreel_adapters.media.workers.routing import Close, Errand, Follow, Open, Routes
from signalreel_adapters.pipes import socket_pair

__all__ = ("WORKER", "WorkersMedia", "default_count")

WORKER: Final = ("signalreel_adapters.media.workers.worker",)
"""The module that a worker runs, with its arguments."""

_CLOSE_SECONDS_MORE: Final = 2.0  # than a transport may take to say goodbye


def _ignore(_event: AnyEvent) -> None:
    """Stand in until somebody wants reports."""


def default_count() -> int:
    """How many workers are right for this machine: one for each processor but the engine's; none where there is one."""
    return max(len(os.sched_getaffinity(0)) - 1, 0) if hasattr(os, "sched_getaffinity") else 0


class WorkersMedia:
    """Media over aiortc in processes of its own. Use it as an async context manager; hand it every step in order.

    Worker number n shares its UDP port, where there is one, n above that of the settings. A worker that ends takes with
    it only what it had, each of which is reported as lost; another takes its place.
    """

    def __init__(
        self, settings: AiortcSettings | None = None, count: int | None = None, *, program: Sequence[str] = WORKER
    ) -> None:
        self.settings = settings if settings is not None else AiortcSettings()
        self.count = max(count if count is not None else default_count(), 1)
        self._program = tuple(program)
        self._failures = Failures()
        self._report_to: Callable[[AnyEvent], None] = _ignore
        self._note_to: Callable[[AnyNote], None] | None = None
        self._routes = Routes(self.count)
        self._keepers: list[Keeper] = []

    def report_to(self, report: Callable[[AnyEvent], None], failed: Callable[[], None]) -> None:
        """Take the callable to report events with, and the one to count each own exception that it got over."""
        self._report_to = report
        self._failures.count_with = failed

    def note_to(self, note: Callable[[AnyNote], None]) -> None:
        """Take the callable to hand notes to. Workers that start from now on are asked for theirs."""
        self._note_to = note

    @property
    def pids(self) -> tuple[int, ...]:
        """The workers' processes; 0 for one that is down."""
        return tuple(keeper.pid for keeper in self._keepers)

    @property
    def ports(self) -> tuple[int, ...]:
        """The UDP ports that peers share, one for each worker; empty when each peer has its own."""
        return tuple(port for keeper in self._keepers for port in keeper.ports)

    @property
    def load(self) -> tuple[int, ...]:
        """How many streams and playbacks each worker has."""
        return self._routes.load

    def home(self, machine: Reference) -> int | None:
        """The number of the worker that has a stream or playback."""
        return self._routes.home(machine)

    async def __aenter__(self) -> Self:
        self._keepers = [self._keeper(number) for number in range(self.count)]
        starting = [asyncio.ensure_future(keeper.start()) for keeper in self._keepers]
        try:
            await asyncio.gather(*starting)
        except BaseException:
            for start in starting:
                start.cancel()
            await asyncio.gather(*starting, return_exceptions=True)
            await self.aclose()
            raise
        return self

    def _keeper(self, number: int) -> Keeper:
        settings = self.settings
        if settings.port:
            settings = structs.replace(settings, port=settings.port + number)
        return Keeper(
            self._program,
            settings,
            self._take,
            on_up=lambda: self._routes.raise_up(number),
            on_down=lambda: self._lose(number),
            number=number,
            notes=self._note_to is not None,
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End every worker, and with it everything."""
        self._report_to = _ignore
        self._note_to = None
        keepers, self._keepers = self._keepers, []
        seconds_max = self.settings.close_timeout + _CLOSE_SECONDS_MORE
        await asyncio.gather(*(keeper.close(seconds_max) for keeper in keepers))

    # -------------------------------------------------------------------------------------------------- transitions

    def react(self, step: Step) -> None:
        """Have the step's transitions followed where they concern somebody."""
        for move in moves_of(step):
            try:
                self._follow(move)
            except Exception as error:  # noqa: BLE001 - the transitions that follow must be seen all the same
                self._failures.note("transition not followed", error, kind=str(move.transition.machine.kind))

    def _follow(self, move: Move) -> None:
        errands = self._routes.route(move)
        if errands is None:
            self._report_lost(move.transition.machine)
            return
        for errand in errands:
            self._perform(errand)

    def _perform(self, errand: Errand) -> None:
        if isinstance(errand, Follow):
            self._keepers[errand.worker].send(FollowMove(errand.move))
        elif isinstance(errand, Close):
            self._keepers[errand.edge].send(CloseEdge(errand.stream))
        else:
            try:
                self._connect(errand)
            except OSError as error:
                # Whoever plays it there waits in vain, and is told so by its timer; the next player has it tried again.
                self._failures.note("relay not opened", error)
                self._routes.forget(errand)

    def _connect(self, errand: Open) -> None:
        ends = socket_pair()
        try:
            self._keepers[errand.edge].send(OpenEdge(errand.stream), (ends[0].fileno(),))
            self._keepers[errand.origin].send(OpenOrigin(errand.stream), (ends[1].fileno(),))
        finally:
            for end in ends:
                end.close()

    def _lose(self, worker: int) -> None:
        """Report everything as lost that a worker had. The engine decides what becomes of it."""
        for machine in self._routes.lose(worker):
            self._report_lost(machine)

    def _report_lost(self, machine: Reference) -> None:
        what = "stream" if machine.kind is Kind.STREAM else "playback"
        reason = f"the media worker of this {what} has ended"
        if self._note_to is not None:
            self._note_to(MediaFailed("worker", reason, machine))
        self._report_to(MediaLost(machine, reason))

    def _take(self, message: FromWorker) -> None:
        if isinstance(message, Reported):
            self._report_to(message.event)
        elif isinstance(message, Noted):
            if self._note_to is not None:
                self._note_to(message.note)
        elif isinstance(message, Failed):
            self._failures.count_with()
