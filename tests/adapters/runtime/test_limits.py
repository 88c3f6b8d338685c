"""`signalreel_adapters.runtime.limits`."""

from signalreel_adapters.runtime.limits import Limits


def test_every_limit_limits() -> None:
    """No limit is zero or without end."""
    limits = Limits()

    assert [name for name in limits.__struct_fields__ if not 0 < getattr(limits, name) < 10**8] == []


def test_a_message_is_as_large_as_on_the_real_server() -> None:
    """A client may send 81 920 bytes: that server's text buffer is ten times 8 192."""
    assert Limits().message_bytes_max == 10 * 8_192


def test_a_session_fits_into_the_whole() -> None:
    """What one session may have waiting is a small part of what all may."""
    limits = Limits()

    assert limits.session_inputs_max < limits.session_inputs_burst_max < limits.inputs_max // 100


def test_one_message_fits_into_every_burst() -> None:
    """A client that sends the largest message allowed is not told that it sends too much."""
    limits = Limits()

    assert limits.message_bytes_max * 50 < limits.bytes_burst_max
    assert limits.session_inputs_max < limits.messages_burst_max
