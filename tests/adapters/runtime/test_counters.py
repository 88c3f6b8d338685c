"""`signalreel_adapters.runtime.counters`."""

from signalreel_adapters.runtime.counters import Counters


def test_labels_are_counted_one_by_one() -> None:
    """Refusals are counted by definition, undecodable input by reason."""
    counters = Counters()
    for definition in ("no_stream_exist", "streamIdInUse", "no_stream_exist"):
        counters.refuse(definition)
    counters.reject("not_json")

    assert counters.refused == {"no_stream_exist": 2, "streamIdInUse": 1}
    assert counters.undecodable == {"not_json": 1}


def test_two_runtimes_do_not_share_counters() -> None:
    """The dictionaries of labels belong to one object."""
    first = Counters()
    first.reject("not_json")

    assert Counters().undecodable == {}
