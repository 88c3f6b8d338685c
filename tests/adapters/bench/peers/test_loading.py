"""Another program is there, or it is told why not."""

import sys

import pytest

from signalreel_adapters.bench.mix import make_mix
from signalreel_adapters.bench.peers.loading import PACKAGES, prepare
from signalreel_adapters.bench.source import Peer


@pytest.mark.parametrize("package", PACKAGES)
def test_who_is_not_installed_is_told(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason; whoever is installed can take turns."""
    records = make_mix(1)[0][:3]
    monkeypatch.setitem(sys.modules, f"signalreel_adapters.bench.peers.{PACKAGES[package]}", None)

    assert prepare(package, "Replay", records) == Peer(missing=f"{package} is not installed (pip install {package})")


def test_who_is_installed_takes_turns() -> None:
    """And tells its version."""
    made = prepare("temporalio", "Replay", make_mix(1)[0][:3])
    assert not isinstance(made, Peer)
    made.run()

    assert made.figures().version
