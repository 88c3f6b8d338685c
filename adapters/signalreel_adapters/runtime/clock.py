"""The clock of the machine, for `ports.Clock`. The only place of the shell that reads it for the reel."""

import math
import time

import anyio

__all__ = ("SystemClock",)


class SystemClock:
    """The machine's monotonic clock, and the event loop's way of waiting."""

    def now(self) -> int:
        """Give the monotonic time in microseconds."""
        return time.monotonic_ns() // 1_000

    def wall(self) -> int:
        """Give the microseconds since 1970."""
        return time.time_ns() // 1_000

    async def sleep_until(self, at: int) -> None:
        """Return once `now()` is at least `at`. An event loop may wake a little early; then it sleeps again."""
        while (remaining := at - self.now()) > 0:  # noqa: ASYNC110 - it waits for a time, not for a condition
            await anyio.sleep(math.ceil(remaining / 1_000) / 1_000)
