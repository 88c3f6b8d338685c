"""The other program does the same work."""

from signalreel_adapters.bench.messages import AgendaMessages
from signalreel_adapters.bench.peers.simpying import SimpyMessages


def test_as_many_messages_come_as_by_our_agenda() -> None:
    """Otherwise their figures would be of different work."""
    ours, other = AgendaMessages(), SimpyMessages()
    ours.run()
    other.run()

    assert other.heard == ours.heard
    assert other.figures().messages_per_s > 0
    assert other.figures().version
