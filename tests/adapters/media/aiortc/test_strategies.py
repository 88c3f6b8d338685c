"""Which strategy a setting leads to."""

from signalreel_adapters.media.aiortc.datagrams import ROWS_WORK
from signalreel_adapters.media.aiortc.fanout import PoliteFanOut, RawFanOut
from signalreel_adapters.media.aiortc.gso import GsoFanOut
from signalreel_adapters.media.aiortc.strategies import choose
from signalreel_adapters.media.aiortc.transport import RAW_WAY_WORKS


def test_the_setting_chooses() -> None:
    """`auto` is the fastest here, because the self-tests pass with this kernel and the libraries that are installed."""
    assert (RAW_WAY_WORKS, ROWS_WORK) == (True, True)
    assert isinstance(choose("auto"), GsoFanOut)
    assert isinstance(choose("gso"), GsoFanOut)
    assert isinstance(choose("raw"), RawFanOut)
    assert isinstance(choose("polite"), PoliteFanOut)
