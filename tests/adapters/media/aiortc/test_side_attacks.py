"""Descriptions made to break what reads them: each is refused as an event, or answered; nothing stays behind of any.

What the gate refuses, and with which words, is in `test_sdp` and `test_filter`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from aiortc import RTCCertificate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signalreel.events import AnyEvent, DescriptionCreated, DescriptionFailed
from signalreel.identifiers import Kind, Reference
from signalreel_adapters.media.aiortc.failures import Failures
from signalreel_adapters.media.aiortc.fanout import PoliteFanOut
from signalreel_adapters.media.aiortc.full import AioicePeer
from signalreel_adapters.media.aiortc.lite import LitePeer, UdpMux
from signalreel_adapters.media.aiortc.peer import PeerTransport
from signalreel_adapters.media.aiortc.playing import PlaybackSide
from signalreel_adapters.media.aiortc.publishing import StreamSide
from signalreel_adapters.media.aiortc.sdp import parse
from tests.adapters.media.aiortc.attackers import open_files
from tests.adapters.media.aiortc.fakes import published
from tests.adapters.media.aiortc.pairs import TRANSPORTS
from tests.adapters.media.aiortc.peers import SETTINGS, eventually

pytestmark = [pytest.mark.threat("T12"), pytest.mark.parametrize("transport", TRANSPORTS)]

CERTIFICATE = RTCCertificate.generateCertificate()
STREAM = Reference(Kind.STREAM, "live", "s1", 1)
PLAYBACK = Reference(Kind.PLAYBACK, "live", "b/s1", 2)

_FOLDER = Path(__file__).parent / "descriptions"
OFFER, SIMULCAST, ANSWER = (
    (_FOLDER / f"{name}.sdp").read_text().replace("\n", "\r\n") for name in ("offer", "simulcast", "answer")
)
"""What Chromium makes."""


_Found = TypeVar("_Found")
_Give = Callable[[str, list[AnyEvent], Failures], Awaitable[_Found]]


class Bench:
    """A loop that stays, and one side at a time in it."""

    def __init__(self, transport: str) -> None:
        self.runner = asyncio.Runner()
        self.mux: UdpMux | None = None
        self._transport = transport
        self.runner.run(self._open())
        self.files = open_files()

    async def _open(self) -> None:
        if self._transport == "one-port":
            self.mux = UdpMux(SETTINGS.hosts, 0)

    def close(self) -> None:
        """Close the port and the loop."""
        if self.mux is not None:
            self.runner.get_loop().call_soon(self.mux.close)
            self.runner.run(asyncio.sleep(0))
        self.runner.close()

    def _make(self, controlling: bool) -> PeerTransport:
        if self.mux is not None:
            return LitePeer(self.mux, SETTINGS, CERTIFICATE)
        return AioicePeer(SETTINGS, CERTIFICATE, controlling=controlling)

    def offered(self, text: str) -> AnyEvent:
        """Have somebody publish with this offer; gives what came of it."""
        return self.runner.run(self._run(text, self._offer))

    def answered(self, text: str) -> AnyEvent | None:
        """Have a player give this answer; None when it was taken."""
        return self.runner.run(self._run(text, self._answer))

    async def _run(self, text: str, give: _Give[_Found]) -> _Found:
        events, failures, raised = list[AnyEvent](), Failures(), list[object]()
        failed = list[int]()
        failures.count_with = lambda: failed.append(1)
        asyncio.get_running_loop().set_exception_handler(lambda _, context: raised.append(context))
        found = await give(text, events, failures)
        await asyncio.sleep(0)
        assert (failed, raised) == ([], [])
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return found

    async def _offer(self, text: str, events: list[AnyEvent], failures: Failures) -> AnyEvent:
        side = self._stream(events, failures)
        side.take_offer(text, None)
        await eventually(lambda: events, "something came of the offer")
        await asyncio.sleep(0)
        await side.close()
        return events[0]

    async def _answer(self, text: str, events: list[AnyEvent], failures: Failures) -> AnyEvent | None:
        stream = self._stream(events, failures)
        stream.publisher.agree((published("audio"), published("video")), carries_data=True)
        side = PlaybackSide(
            PLAYBACK, 1, SETTINGS, self._make, events.append, failures, clock=asyncio.get_running_loop().time
        )
        side.offer({"s1": stream})
        await eventually(lambda: events, "the offer is made")
        side.take_answer(text)
        await eventually(lambda: side._actor._task is None, "the answer is taken")
        await asyncio.sleep(0)
        await side.close()
        await stream.close()
        return next((event for event in events if isinstance(event, DescriptionFailed)), None)

    def _stream(self, events: list[AnyEvent], failures: Failures) -> StreamSide:
        return StreamSide(
            STREAM,
            SETTINGS,
            self._make,
            events.append,
            failures,
            fan_out=PoliteFanOut(),
            clock=asyncio.get_running_loop().time,
        )


@pytest.fixture
def bench(transport: str) -> Iterator[Bench]:
    """One loop for all the descriptions of a test."""
    opened = Bench(transport)
    try:
        yield opened
    finally:
        opened.close()


def without(text: str, prefix: str) -> str:
    """The description without the lines that start so."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(prefix))


JUNK = {
    "empty": "",
    "blank": "\r\n\r\n",
    "a word": "hello",
    "binary": "\x00\x01\x02",
    "no version": without(OFFER, "v="),
    "no media": OFFER[: OFFER.index("m=")],
    "plain text": OFFER.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
    "plain text with feedback": OFFER.replace("UDP/TLS/RTP/SAVPF", "RTP/AVPF"),
    "keys in the text": OFFER.replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"),
    "no fingerprint": without(OFFER, "a=fingerprint"),
    "an empty fingerprint": OFFER.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 \r\na=x:"),
    "a weak fingerprint": OFFER.replace("a=fingerprint:sha-256", "a=fingerprint:md5"),
    "no user fragment": without(OFFER, "a=ice-ufrag"),
    "no password": without(OFFER, "a=ice-pwd"),
    "a short password": OFFER.replace("a=ice-pwd:", "a=ice-pwd:x\r\na=y:"),
    "no setup": without(OFFER, "a=setup"),
    "an unknown setup": OFFER.replace("a=setup:actpass", "a=setup:holdconn"),
    "an absurd port": OFFER.replace("m=audio 9 ", "m=audio 99999999999 "),
    "a negative port": OFFER.replace("m=audio 9 ", "m=audio -9 "),
    "a port in other digits": OFFER.replace("m=audio 9 ", "m=audio ٩ "),
    "no formats": OFFER.replace("m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio 9 UDP/TLS/RTP/SAVPF\r\na=x:"),
    "unknown formats": OFFER.replace("a=rtpmap:", "a=rtpmap:9"),
    "a format that is no number": OFFER.replace("SAVPF 111", "SAVPF ABC"),
    "a clock of nothing": OFFER.replace("opus/48000/2", "opus//"),
    "a clock beyond all measure": OFFER.replace("opus/48000/2", f"opus/{'9' * 400}/2"),
    "two mids alike": OFFER.replace("a=mid:1", "a=mid:0"),
    "no mids": without(OFFER, "a=mid"),
    "too many sections": OFFER + OFFER[OFFER.index("m=application") :] * 9,
    "too large": OFFER + "a=x:y\r\n" * 20_000,
    "a long line": OFFER + "a=" + "x" * 5_000 + "\r\n",
    "a line in a value": OFFER.replace("s=-", "s=-\ra=ice-lite"),
    "another line end": OFFER.replace("s=-", "s=-\u2028a=ice-lite"),
    "both ends lite": OFFER.replace("t=0 0", "t=0 0\r\na=ice-lite"),
    "surrogates": OFFER.replace("s=-", "s=\ud800"),
    "itself twice": OFFER * 2,
}

HARMLESS = {"unknown formats", "a clock of nothing", "a clock beyond all measure", "both ends lite", "surrogates"}
"""What of it leaves something to answer: the data channel, or a name that nobody reads."""


def test_junk_is_refused_and_leaves_nothing(bench: Bench) -> None:
    """As an offer and as an answer: a failure that is an event, or an answer that can be read; nothing else."""
    for name, text in JUNK.items():
        outcomes = [bench.offered(text), bench.answered(text)]
        for event in outcomes:
            _check_outcome(event, name)
        refused = [isinstance(event, DescriptionFailed) for event in outcomes]
        assert refused == [name not in HARMLESS, True], name
    assert open_files() <= bench.files


def test_what_browsers_say_is_taken(bench: Bench) -> None:
    """So that a refusal of what is made of it means something."""
    assert isinstance(bench.offered(OFFER), DescriptionCreated)
    assert isinstance(bench.offered(SIMULCAST), DescriptionCreated)
    assert bench.answered(ANSWER) is None


def _check_outcome(event: AnyEvent | None, name: str = "") -> None:
    assert isinstance(event, DescriptionFailed | DescriptionCreated | None), name
    if isinstance(event, DescriptionCreated):
        parse(event.sdp, size_max=100_000, sections_max=200, codecs_max=80)
    elif event is not None:
        assert event.reason != "an error of the media adapter", name


_TOKENS = st.sampled_from(
    [
        "",
        "-1",
        "0",
        "9" * 30,
        "٣",
        "a" * 300,
        "\x00",
        "é",
        "*",
        "1 2",
        "::",
        "sha-256",
        "rtx",
        "%s",
        "{}",
        "\t",
        "=",
        ";",
    ]
)


@st.composite
def mutated(draw: st.DrawFn, base: str) -> str:
    """A description with some lines lost, doubled, moved or altered."""
    lines = base.split("\r\n")
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.integers(0, 6)):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[at])
            case 2:
                lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(at))
            case 3:
                parts = lines[at].split(" ")
                parts[draw(st.integers(0, len(parts) - 1))] = draw(_TOKENS)
                lines[at] = " ".join(parts)
            case 4:
                cut = draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:cut] + draw(_TOKENS) + lines[at][cut + 1 :]
            case 5:
                lines[at : at + 1] = [lines[at]] * draw(st.integers(2, 100))
            case _:
                lines = lines[: at + 1]
        lines = lines or [""]
    return "\r\n".join(lines)


_EXAMPLES = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def test_altered_offers_are_refused_or_answered(bench: Bench) -> None:
    """Whatever becomes of Chromium's own offers on the way."""

    @_EXAMPLES
    @given(st.one_of(mutated(OFFER), mutated(SIMULCAST)))
    def offers(text: str) -> None:
        _check_outcome(bench.offered(text))

    offers()
    assert open_files() <= bench.files


def test_altered_answers_are_refused_or_taken(bench: Bench) -> None:
    """Whatever becomes of Chromium's own answer on the way, and an offer in its place."""

    @_EXAMPLES
    @given(st.one_of(mutated(ANSWER), mutated(OFFER)))
    def answers(text: str) -> None:
        _check_outcome(bench.answered(text))

    answers()
    assert open_files() <= bench.files
