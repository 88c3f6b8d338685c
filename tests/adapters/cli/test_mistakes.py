"""`signalreel_adapters.cli.mistakes`."""

from signalreel_adapters.cli.mistakes import MissingExtra


def test_a_missing_part_names_what_to_install() -> None:
    """The message is a command to copy."""
    error = MissingExtra("--media aiortc", "media")

    assert "pip install 'signalreel[media]'" in str(error)
