"""The process that measures ends when nobody wants its figures any more."""

import json
import subprocess
import sys

import msgspec

from signalreel_adapters.media.aiortc.measuring import run
from signalreel_adapters.media.aiortc.measuring.rounds import Plan
from signalreel_adapters.media.aiortc.settings import LOOPBACK


def test_it_ends_with_its_stdin() -> None:
    """In the middle of a measurement that would take an hour, without figures and without a complaint."""
    plan = Plan(
        host=LOOPBACK,
        server_core=None,
        load_core=None,
        interface="loopback",
        peers=(),
        viewers=(1,),
        pairs=1_000,
        window=4.0,
        seconds_max=3_600.0,
    )
    with subprocess.Popen(
        [sys.executable, "-m", run.__name__, msgspec.json.encode(plan).decode()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as measuring:
        assert measuring.stdin is not None
        assert measuring.stdout is not None
        first = json.loads(measuring.stdout.readline())
        measuring.stdin.close()
        told = measuring.stdout.read()
        complaints = measuring.stderr.read() if measuring.stderr is not None else b""

    assert first["progress"]["text"] == "making the clip"
    assert b"figures" not in told
    assert (measuring.returncode, complaints) == (0, b"")
