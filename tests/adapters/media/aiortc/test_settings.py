"""What is offered follows from where the server listens."""

import pytest

from signalreel_adapters.media.aiortc.settings import AiortcSettings


@pytest.mark.parametrize(
    ("bind", "hosts"),
    [
        ("127.0.0.1", ("127.0.0.1",)),
        ("localhost", ("127.0.0.1",)),
        ("0.0.0.0", ()),
        ("192.0.2.7", ("192.0.2.7",)),
    ],
)
def test_addresses_follow_the_bind(bind: str, hosts: tuple[str, ...]) -> None:
    """Loopback alone, everything, or the one address; nobody's candidates may name loopback by that."""
    settings = AiortcSettings.for_bind(bind)

    assert (settings.hosts, settings.allow_loopback) == (hosts, False)


def test_other_settings_are_kept() -> None:
    """Choosing addresses changes nothing else."""
    assert AiortcSettings.for_bind("127.0.0.1", AiortcSettings(candidates_max=3)).candidates_max == 3


@pytest.mark.parametrize("ports", [(0, 9), (9, 8), (9, 65_536), (-5, 9)])
def test_a_range_of_ports_must_be_one(ports: tuple[int, int]) -> None:
    """Else the first client would find out."""
    with pytest.raises(ValueError, match="no range of ports"):
        AiortcSettings(ports=ports)
