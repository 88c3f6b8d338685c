"""`signalreel_adapters.conformance.items`: exactly the items there are, each once, each in a group."""

from itertools import groupby

from signalreel_adapters.conformance import ITEMS, Need
from signalreel_adapters.conformance.items import GROUPS

NUMBERED = {"PUB": 10, "PLY": 14, "P2P": 11, "CNF": 10, "SET": 3, "MSC": 12, "REAL": 27}
ERRORS = [str(number) for number in range(1, 20)]


def test_every_item_is_there() -> None:
    """By its id, in the order of the page; two errors have two causes each."""
    errors = [*ERRORS[:7], "8a", "8b", "9", "9b", *ERRORS[9:]]
    expected = {f"{group}-{number}" for group, last in NUMBERED.items() for number in range(1, last + 1)}

    assert set(ITEMS) == expected | {f"ERR-{number}" for number in errors}
    assert [group for group, _ in groupby(item.group for item in ITEMS.values())] == list(GROUPS.values())


def test_items_of_media_are_those_of_which_frames_or_packets_tell() -> None:
    """Exactly those that ask for something to be seen or heard."""
    assert [id for id, item in ITEMS.items() if item.need is Need.MEDIA] == [
        "PUB-9",
        "PLY-9",
        "PLY-11",
        "PLY-13",
        "P2P-9",
        "CNF-7",
        "MSC-6",
        "MSC-11",
        "MSC-12",
        "REAL-7",
        "REAL-18",
    ]
