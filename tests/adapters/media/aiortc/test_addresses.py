"""Which addresses media is offered at, and which ports."""

import socket

from signalreel_adapters.media.aiortc.addresses import bind_in_range, machine_hosts, reached_at
from tests.adapters.media.aiortc.peers import free_port


def test_this_machine_has_loopback_first() -> None:
    """Browsers on this machine find it before anything slower."""
    assert machine_hosts()[0] == "127.0.0.1"
    assert len(set(machine_hosts())) == len(machine_hosts())


def test_a_port_of_the_range_is_bound_while_one_is_free() -> None:
    """It is given once; then there is none."""
    port = free_port()
    opened = bind_in_range("127.0.0.1", (port, port))
    assert opened is not None
    assert opened.getsockname() == ("127.0.0.1", port)
    assert not opened.getblocking()
    assert bind_in_range("127.0.0.1", (port, port)) is None
    opened.close()

    again = bind_in_range("127.0.0.1", (port, port))

    assert again is not None
    again.close()


def test_an_address_of_another_machine_cannot_be_bound() -> None:
    """Whatever the range."""
    assert bind_in_range("192.0.2.1", (40_000, 40_009)) is None


def test_an_address_of_the_newer_kind_has_sockets_of_its_own() -> None:
    """IPv6 addresses are bound as such."""
    opened = bind_in_range("::1", (40_000, 49_999))

    assert opened is None or opened.family == socket.AF_INET6
    if opened is not None:
        opened.close()


def test_advertised_addresses_stand_for_the_sockets_of_their_family() -> None:
    """Behind a NAT the bound addresses are nobody's business; loopback is where no NAT leads."""
    bound = [("127.0.0.1", 1), ("10.0.0.5", 2), ("10.0.0.6", 2), ("10.0.0.7", 3), ("fd00::5", 4)]

    assert reached_at(bound, ()) == bound
    assert reached_at(bound, ("192.0.2.1",)) == [("192.0.2.1", 2), ("192.0.2.1", 3)]
    assert reached_at(bound, ("2001:db8::1", "192.0.2.1"))[0] == ("2001:db8::1", 4)
    assert reached_at([("127.0.0.1", 1)], ("192.0.2.1", "2001:db8::1")) == [("192.0.2.1", 1)]
