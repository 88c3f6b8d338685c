"""Who listens to steps besides the media adapter: bounded queues, each with a named policy for when it is full.

Contract item 15: publishing a step never waits for a subscriber. A subscription is held weakly, so that breaking out of
`async for` leaves nothing behind.
"""

import weakref
from collections import deque
from enum import StrEnum
from types import TracebackType
from typing import Self

import anyio

from signalreel.errors import SignalreelError
from signalreel.identifiers import Kind
from signalreel.step import Step
from signalreel_adapters.runtime.counters import Counters

__all__ = ("Overflow", "Subscription", "SubscriptionLagged", "Subscriptions")


class Overflow(StrEnum):
    """What happens to a subscription whose queue is full when another step comes."""

    DROP_OLDEST = "drop_oldest"  #: the oldest waiting step is dropped and counted in `missed`
    FORGET_OLDEST = "forget_oldest"  #: likewise, and nobody minds: the subscription is a memory of what came last
    END = "end"  #: what waits is still given, then `SubscriptionLagged` is raised


class SubscriptionLagged(SignalreelError):
    """The subscriber was too slow for its policy. Subscribe again; read the reel for what was missed."""

    def __init__(self, steps_max: int) -> None:
        self.steps_max = steps_max
        super().__init__(f"more than {steps_max} steps were waiting for this subscriber")


class Subscription:
    """Steps as they are published from now on, for one subscriber: an asynchronous iterator that ends with the runtime.

    Without a filter every step is given, refused and silent ones too; with one, the steps in which a matching machine
    took a transition.
    """

    def __init__(
        self, *, machine: Kind | None, id: str | None, app: str | None, steps_max: int, overflow: Overflow
    ) -> None:
        self.missed = 0  #: steps dropped since the start; compare it before and after to notice a gap
        self._machine = machine
        self._id = id
        self._app = app
        self._steps_max = steps_max
        self._overflow = overflow
        self._waiting: deque[Step] = deque()
        self._bell = anyio.Event()
        self._lagged = False
        self._ended = False

    def wants(self, step: Step) -> bool:
        """Whether the step passes the filter."""
        if self._machine is None and self._id is None and self._app is None:
            return True
        return any(
            (self._machine is None or reference.kind == self._machine)
            and (self._id is None or reference.id == self._id)
            and (self._app is None or reference.app == self._app)
            for reference in (transition.machine for transition in step.transitions)
        )

    def put(self, step: Step) -> int:
        """Queue a step; give how many were dropped for it."""
        if self._lagged or self._ended:
            return 1 if self._lagged else 0
        dropped = 0
        if len(self._waiting) >= self._steps_max:
            if self._overflow is Overflow.FORGET_OLDEST:
                self._waiting.popleft()
                self._waiting.append(step)
                return dropped
            dropped = 1
            self.missed += 1
            if self._overflow is Overflow.END:
                self._lagged = True
                self._bell.set()
                return dropped
            self._waiting.popleft()
        self._waiting.append(step)
        self._bell.set()
        return dropped

    def waiting(self) -> tuple[Step, ...]:
        """Look at the steps that wait, without taking them."""
        return tuple(self._waiting)

    def close(self) -> None:
        """End the subscription; steps that wait are still given."""
        self._ended = True
        self._bell.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Step:
        while not self._waiting:
            if self._lagged:
                raise SubscriptionLagged(self._steps_max)
            if self._ended:
                raise StopAsyncIteration
            await self._bell.wait()
            self._bell = anyio.Event()
        return self._waiting.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class Subscriptions:
    """All subscriptions of a runtime, in the order in which they were made."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._references: list[weakref.ref[Subscription]] = []
        self._ended = False

    def add(self, subscription: Subscription) -> None:
        """Begin to publish to a subscription."""
        if self._ended:
            subscription.close()
        self._references.append(weakref.ref(subscription, self._references.remove))

    def publish(self, step: Step) -> None:
        """Queue the step for everyone who wants it."""
        for reference in tuple(self._references):
            subscription = reference()
            if subscription is not None and subscription.wants(step):
                self._counters.dropped_steps += subscription.put(step)

    def close(self) -> None:
        """End them all."""
        self._ended = True
        for reference in tuple(self._references):
            subscription = reference()
            if subscription is not None:
                subscription.close()
