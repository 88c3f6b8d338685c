"""Virtual time: the order of what happens, and when it stops."""

from signalreel.simulation.agenda import Agenda


def test_things_happen_in_the_order_of_their_time_and_then_of_their_being_put_down() -> None:
    """Neither the order in which they were put down nor anything else decides."""
    agenda, seen = Agenda(), list[tuple[str, int]]()

    def note(what: str) -> None:
        seen.append((what, agenda.now))

    agenda.at(20, note, "late")
    agenda.at(10, note, "first")
    agenda.after(10, note, "second")
    agenda.run_until(30)

    assert seen == [("first", 10), ("second", 10), ("late", 20)]
    assert agenda.now == 30


def test_what_is_due_later_waits() -> None:
    """Nothing happens before its time, and what happens may put more down."""
    agenda, seen = Agenda(), list[int]()

    def again() -> None:
        seen.append(agenda.now)
        agenda.after(5, again)

    agenda.after(5, again)
    agenda.run_until(14)

    assert seen == [5, 10]
    assert len(agenda) == 1


def test_nothing_happens_once_it_is_stopped() -> None:
    """A violation must be the last thing on its reel."""
    agenda, seen = Agenda(), list[int]()

    def stop() -> None:
        agenda.is_stopped = True

    agenda.at(1, stop)
    agenda.at(1, seen.append, 1)
    agenda.run_until(10)

    assert seen == []
    assert agenda.now == 1
