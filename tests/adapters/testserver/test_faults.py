"""`signalreel_adapters.testserver.faults`."""

from signalreel.refusals import REFUSALS
from signalreel_adapters.testserver import FAULTS, Value
from signalreel_adapters.testserver.scripts import read_script


def test_every_refusal_can_be_asked_for() -> None:
    """By its definition, without a value."""
    refusing = {name: fault.refusal for name, fault in FAULTS.items() if fault.refusal is not None}

    assert refusing == REFUSALS
    assert {FAULTS[name].value for name in refusing} == {Value.NOTHING}


def test_every_default_can_be_read() -> None:
    """What stands in the table as what is meant without a value is a value."""
    for fault in FAULTS.values():
        if fault.default:
            assert read_script(f"mock:{fault.name}") == read_script(f"mock:{fault.name}={fault.default}")
