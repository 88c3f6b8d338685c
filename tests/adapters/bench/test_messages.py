"""The work that simulations are compared by."""

from signalreel_adapters.bench.messages import CLIENTS, EVERY_MS, LATENCY_MS, SECONDS, AgendaMessages


def test_every_message_that_had_the_time_came() -> None:
    """Each client's messages at the server, and their answers; only the last ones are still under way at the end."""
    work = AgendaMessages()
    work.run()
    first = work.heard
    work.run()

    end = SECONDS * 1_000 - 1
    asked = (end - LATENCY_MS) // EVERY_MS
    answered = (end - 2 * LATENCY_MS) // EVERY_MS
    assert first == work.heard == CLIENTS * (asked + answered)
    assert work.messages_per_s > 0
