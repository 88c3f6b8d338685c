"""Which way of sending packets to viewers is used here."""

from signalreel_adapters.media.aiortc.datagrams import ROWS_WORK, rows_work
from signalreel_adapters.media.aiortc.fanout import FanOut, PoliteFanOut, RawFanOut
from signalreel_adapters.media.aiortc.gso import GsoFanOut
from signalreel_adapters.media.aiortc.transport import RAW_WAY_WORKS

__all__ = ("choose",)


def choose(setting: str) -> FanOut:
    """Give the strategy of a setting: the fastest whose self-tests have passed, up to the one that is asked for."""
    if setting == "polite" or not RAW_WAY_WORKS:
        return PoliteFanOut()
    # A machine that is just starting may have had no loopback yet when the module was imported.
    return GsoFanOut() if setting != "raw" and (ROWS_WORK or rows_work()) else RawFanOut()
