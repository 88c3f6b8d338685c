"""`signalreel_adapters.configuration.errors`."""

from signalreel.errors import SignalreelError
from signalreel_adapters.configuration.errors import Misconfigured


def test_a_mistake_is_one_of_the_librarys() -> None:
    """It can be caught with everything else that the library raises."""
    assert issubclass(Misconfigured, SignalreelError)
