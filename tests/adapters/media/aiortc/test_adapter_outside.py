"""Nothing outside is asked for anything: no STUN server, no multicast DNS, no name, unless an operator says so."""

import ipaddress
import json
import subprocess
import sys

import pytest

from signalreel_adapters.media.aiortc.addresses import machine_hosts
from tests.adapters.media.aiortc.pairs import TRANSPORTS


@pytest.mark.threat("T13")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_call_sends_nothing_to_anywhere_else(transport: str) -> None:
    """Of a whole call on this machine, with settings that nobody changed, every address sent to is this machine's.

    The client trickles a name as well, which is not looked up.
    """
    command = [sys.executable, "-m", "tests.adapters.media.aiortc.outside", transport]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    named = {name for name in found["named"] if not _is_address(name)}

    assert found["sent"]
    assert set(found["sent"]) <= set(machine_hosts())
    assert named <= {"None", ""}


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
