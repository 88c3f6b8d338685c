"""`signalreel_adapters.cli.__main__`."""

import subprocess
import sys

from signalreel.header import ENGINE_VERSION


def test_the_package_can_be_run() -> None:
    """`python -m signalreel_adapters.cli` is `signalreel`."""
    command = [sys.executable, "-m", "signalreel_adapters.cli", "--version"]

    assert (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"signalreel {ENGINE_VERSION}\n"
    )
