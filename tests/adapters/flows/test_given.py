"""`signalreel_adapters.flows.given`: a real server takes what flows say for what a browser says."""

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp

from signalreel_adapters.flows.given import GIVEN


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, which aiortc is for."""
    return "asyncio"


@pytest.mark.anyio
async def test_the_offer_is_answered() -> None:
    """Both media are taken, so the server comes to the point where it waits for them."""
    connection = RTCPeerConnection()
    await connection.setRemoteDescription(RTCSessionDescription(GIVEN["offer"], "offer"))
    answer = await connection.createAnswer()
    await connection.close()

    assert [line.split()[:2] for line in answer.sdp.splitlines() if line.startswith("m=")] == [
        ["m=audio", "9"],
        ["m=video", "9"],
    ]
    assert answer.sdp.count("a=recvonly") == 2


@pytest.mark.anyio
async def test_the_answer_is_taken() -> None:
    """By who offers to send sound and pictures."""
    connection = RTCPeerConnection()
    connection.addTransceiver("audio", "sendonly")
    connection.addTransceiver("video", "sendonly")
    await connection.setLocalDescription(await connection.createOffer())
    await connection.setRemoteDescription(RTCSessionDescription(GIVEN["answer"], "answer"))
    state = connection.signalingState
    await connection.close()

    assert state == "stable"


def test_the_candidate_is_one() -> None:
    """Of an address that nobody has."""
    assert candidate_from_sdp(GIVEN["candidate"].removeprefix("candidate:")).ip == "192.0.2.1"
