"""`signalreel_adapters.cli.debug.stepper.keys`."""

from textual.binding import Binding

from signalreel_adapters.cli.debug.stepper.app import Stepper
from signalreel_adapters.cli.debug.stepper.keys import BINDINGS, SHORT, TOLD


def test_every_key_does_something() -> None:
    """Each names an action that the stepper has."""
    actions = {str(binding.action).partition("(")[0] for binding in BINDINGS if isinstance(binding, Binding)}

    assert [action for action in sorted(actions) if not hasattr(Stepper, f"action_{action}")] == []
    assert len(actions) > 8


def test_the_keys_fit_a_small_screen() -> None:
    """A line of 80 columns for the short ones; 80 columns and 24 lines, with a frame, for all."""
    assert sum(len(key) + len(told) + 3 for key, told in SHORT) <= 80
    assert len(TOLD) <= 22
    assert max(len(told) for _, told in TOLD) + max(len(key) for key, _ in TOLD) <= 72
