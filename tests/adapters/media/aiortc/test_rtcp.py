"""The books behind RTCP: what is missing, what is reported, how often something may be asked for."""

import struct

from signalreel_adapters.media.aiortc.rtcp import (
    NACK_TRIES_MAX,
    Budget,
    Order,
    RateWindow,
    Reception,
    SenderClock,
    Throttle,
    fir_targets,
)


def receive(reception: Reception, *sequences: int, now: float = 0.0) -> list[Order]:
    """Note arrivals."""
    return [reception.note(sequence, 0, now) for sequence in sequences]


def test_a_gap_is_missing_until_it_is_filled() -> None:
    """Late packets are told from repeated ones by what was missing."""
    reception = Reception(90_000)

    assert receive(reception, 10, 11, 14, 12, 12, 14) == [
        Order.NEXT,
        Order.NEXT,
        Order.NEXT,
        Order.LATE,
        Order.REPEATED,
        Order.REPEATED,
    ]
    assert reception.missing == reception.lost == 1
    assert reception.wanted(1.0) == [13]


def test_a_gap_is_told_when_it_opens() -> None:
    """Once for each gap; neither the next packet nor a late one opens one."""
    reception, told = Reception(90_000), []
    reception.on_gap = lambda: told.append(reception.missing)
    receive(reception, 10, 11, 14, 12, 15, 17)

    assert told == [2, 2]


def test_a_missing_packet_is_asked_for_a_bounded_number_of_times() -> None:
    """Six times, each a tenth of a second apart; then it is given up."""
    reception = Reception(90_000)
    receive(reception, 10, 12)
    asked = [reception.wanted(1 + step * 0.05) for step in range(40)]

    assert sum(map(len, asked)) == NACK_TRIES_MAX
    assert reception.missing == 0
    assert receive(reception, 11) == [Order.REPEATED]


def test_sequence_numbers_wrap_without_loss() -> None:
    """65535 is followed by 0, and nothing was missing in between."""
    reception = Reception(90_000)
    receive(reception, 65_534, 65_535, 0, 1)
    report = reception.report(1, SenderClock(90_000), 0.0)

    assert reception.missing == 0
    assert report is not None
    assert (report.packets_lost, report.highest_sequence) == (0, 65_537)


def test_a_gap_over_the_wrap_is_asked_for_in_ascending_order() -> None:
    """The library's NACK packet needs its list sorted."""
    reception = Reception(90_000)
    receive(reception, 65_533, 2)

    assert reception.wanted(1.0) == [0, 1, 65_534, 65_535]


def test_what_is_remembered_as_missing_is_bounded() -> None:
    """A publisher that skips ahead costs no more than the bound."""
    reception = Reception(90_000)
    for sequence in range(0, 60_000, 2_900):
        receive(reception, sequence)

    assert reception.missing <= 512
    assert len(reception.wanted(1.0)) <= 128


def test_a_jump_starts_a_new_run() -> None:
    """Far ahead or far behind, nothing in between is missing."""
    reception = Reception(90_000)

    assert receive(reception, 10, 20_000, 10) == [Order.NEXT, Order.JUMPED, Order.JUMPED]
    assert reception.missing == 0


def test_a_report_covers_the_time_since_the_last_one() -> None:
    """Fraction lost is of the interval, in 256ths; packets lost is of the whole run."""
    reception = Reception(90_000)
    receive(reception, 0, 1, 3, 4)
    first = reception.report(5, SenderClock(90_000), 0.0)
    receive(reception, 5, 6)
    second = reception.report(5, SenderClock(90_000), 0.0)

    assert first is not None
    assert second is not None
    assert (first.ssrc, first.fraction_lost, first.packets_lost) == (5, 51, 1)
    assert (second.fraction_lost, second.packets_lost) == (0, 1)
    assert Reception(90_000).report(5, SenderClock(90_000), 0.0) is None


def test_jitter_is_that_of_the_rfc() -> None:
    """Even spacing has none; one packet 10 ms late has 900 ticks, a sixteenth of it."""
    reception = Reception(90_000)
    for step in range(10):
        reception.note(step, step * 900, step * 0.01)
    reception.note(10, 10 * 900, 0.11)
    report = reception.report(1, SenderClock(90_000), 0.0)

    assert report is not None
    assert report.jitter == 900 // 16


def test_a_senders_clock_goes_on_between_reports() -> None:
    """NTP and RTP time move on with ours."""
    clock = SenderClock(90_000)
    assert clock.reading(0.0) is None
    assert clock.last_report(0.0) == (0, 0)
    clock.note(5 << 32, 1_000, 10.0)

    assert clock.reading(12.0) == (7 << 32, 1_000 + 180_000)
    assert clock.last_report(12.0) == (5 << 16, 2 * 65_536)


def test_a_throttle_lets_one_through_in_its_interval() -> None:
    """What is held back is lost."""
    throttle = Throttle(0.5)

    assert [throttle.passes(now) for now in (0.0, 0.1, 0.49, 0.5, 0.6)] == [True, False, False, True, False]


def test_a_budget_is_spent_and_refilled() -> None:
    """So much at once, then so much a second."""
    budget = Budget(10, 2)

    assert [budget.take(now) for now in (1.0, 1.0, 1.0, 1.1, 1.1)] == [True, True, False, True, False]


def test_a_rate_is_that_of_the_last_whole_window() -> None:
    """Bits in a second; 0 after silence."""
    window = RateWindow()
    window.add(0, 10.0)
    for step in range(10):
        window.add(125, 10.0 + step / 10)

    assert window.rate(11.0) == 10_000
    assert window.rate(20.0) == 0


def test_a_peak_is_remembered_for_a_while() -> None:
    """The highest rate of the last windows, and no longer than so many."""
    window = RateWindow()
    assert window.peak(0.0) == 0
    for second in range(13):
        window.add(1_000 if second == 1 else 100, float(second))
        if second == 11:
            assert window.peak(11.0) == 8_000

    assert (window.rate(13.0), window.peak(13.0)) == (800, 800)


def test_full_intra_requests_name_their_targets_inside() -> None:
    """A cut-off entry is left out."""
    assert fir_targets(struct.pack("!IBxxxIBxxx", 7, 1, 9, 1) + b"\0\0\0") == [7, 9]
