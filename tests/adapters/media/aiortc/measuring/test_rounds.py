"""Who is measured when, and what is told of a server that cannot be."""

from pathlib import Path

import pytest

from signalreel_adapters.media.aiortc.measuring.clip import Clip
from signalreel_adapters.media.aiortc.measuring.figures import PeerFigures
from signalreel_adapters.media.aiortc.measuring.rounds import PEERS, Contestant, make_peers, takes_part
from signalreel_adapters.media.aiortc.measuring.servers.server import ServerFailed, Setting, Unavailable
from signalreel_adapters.media.aiortc.settings import LOOPBACK
from tests.adapters.media.aiortc.measuring.test_figures import window
from tests.adapters.media.aiortc.measuring.test_load import Refusing

pytestmark = pytest.mark.anyio

CLIP = Clip(pictures=((b"\x90\x80\x80\x00first",),), sounds=(b"sound one",))


class NotThere(Refusing):
    """A server that is not installed."""

    async def start(self) -> None:
        """Say what it needs."""
        raise Unavailable("needs a program")


def test_each_server_is_measured_with_what_it_can_take(tmp_path: Path) -> None:
    """All with one viewer; with two whoever encodes for each; with many the compiled ones, with most nobody else."""
    peers = make_peers(PEERS, Setting(LOOPBACK, None, tmp_path), (1, 300))
    steps = {viewers: [peer.name for peer in peers if takes_part(peer, viewers)] for viewers in (1, 2, 100, 300, 700)}

    assert steps == {
        1: ["janus", "janus_default", "pion", "aiortc_relay"],
        2: ["aiortc_relay"],
        100: ["janus", "janus_default", "pion"],
        300: ["janus", "pion"],
        700: [],
    }
    assert make_peers((), Setting(LOOPBACK, None, tmp_path), (1,)) == []
    assert [peer.name for peer in make_peers(("janus",), Setting(LOOPBACK, None, tmp_path), (300,))] == ["janus"]


async def test_a_server_that_is_not_there_is_told_as_missing() -> None:
    """With what it needs; and it is left alone from then on."""
    contestant = Contestant(NotThere())
    await contestant.start(LOOPBACK, CLIP)
    await contestant.grow(1)
    await contestant.measure(1, 0.1)

    assert contestant.figures(contestant) == PeerFigures(missing="needs a program")
    with pytest.raises(ServerFailed, match="needs a program"):
        contestant.check()
    await contestant.stop()


async def test_a_server_that_takes_no_publisher_is_told_as_missing() -> None:
    """It was there, and did not do what it is for."""
    contestant = Contestant(Refusing())
    await contestant.start(LOOPBACK, CLIP)

    assert contestant.figures(contestant) == PeerFigures(missing="no publisher")
    await contestant.stop()


def test_what_was_measured_before_a_server_failed_is_kept() -> None:
    """And why there is no more."""
    ours, theirs = Contestant(Refusing()), Contestant(Refusing())
    for each, cpu_s in ((ours, 0.01), (theirs, 0.02)):
        each.windows[10], each.costs[10] = [window(cpu_s)], (3.0, 200.0)
    theirs.windows[20] = []
    theirs.ended = "crashed"
    figures = theirs.figures(ours)

    assert [run.viewers for run in figures.runs] == [10]
    assert figures.runs[0].ratio["cpu_us_per_packet"].median == 0.5
    assert (figures.ended, figures.missing) == ("crashed", "")
