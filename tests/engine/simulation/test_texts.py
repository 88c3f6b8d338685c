"""Descriptions that carry a number."""

from signalreel.simulation.texts import MEDIA_OFFER, answer_to, number_in, offer_of


def test_an_answer_carries_the_number_of_its_offer() -> None:
    """So that a client can tell which of its offers is answered."""
    assert number_in(answer_to(number_in(offer_of(17)))) == 17
    assert number_in(MEDIA_OFFER) == 0


def test_what_is_no_description_of_ours_has_no_number() -> None:
    """A hostile client may send anything."""
    assert number_in("") == -1
    assert number_in("v=0\r\no=- none 1") == -1
