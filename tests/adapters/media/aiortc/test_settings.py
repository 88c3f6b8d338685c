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


def test_one_port_on_loopback_is_found_from_every_address_of_the_machine() -> None:
    """Yet by nobody else; a browser that does not go to loopback has another way."""
    settings = AiortcSettings.for_bind("127.0.0.1", AiortcSettings(transport="one-port"))

    assert (settings.hosts, settings.this_machine_only) == ((), True)
    assert not AiortcSettings.for_bind("0.0.0.0", AiortcSettings(transport="one-port")).this_machine_only


def test_other_settings_are_kept() -> None:
    """Choosing addresses changes nothing else."""
    assert AiortcSettings.for_bind("127.0.0.1", AiortcSettings(candidates_max=3)).candidates_max == 3


@pytest.mark.parametrize("ports", [(0, 9), (9, 8), (9, 65_536), (-5, 9)])
def test_a_range_of_ports_must_be_one(ports: tuple[int, int]) -> None:
    """Else the first client would find out."""
    with pytest.raises(ValueError, match="no range of ports"):
        AiortcSettings(ports=ports)


def test_one_port_is_asked_for_by_its_name() -> None:
    """A port alone says which, not that there is one."""
    assert AiortcSettings(port=5_000).transport == "port-each"


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_must_be_one(port: int) -> None:
    """Else the sockets would say so, less plainly."""
    with pytest.raises(ValueError, match="no port"):
        AiortcSettings(port=port)


@pytest.mark.parametrize("address", ["example.org", "", "192.0.2.300", "192.0.2.1:5000"])
def test_what_is_advertised_must_be_an_address(address: str) -> None:
    """Candidates name addresses, and a host's name is none."""
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 address"):
        AiortcSettings(advertised=("2001:db8::1", address))
