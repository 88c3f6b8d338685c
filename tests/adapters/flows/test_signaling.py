"""`signalreel_adapters.flows.signaling`: which part of a flow needs nobody to send anything."""

import pytest

from signalreel_adapters.flows import parse_flow
from signalreel_adapters.flows.patterns import read_pattern
from signalreel_adapters.flows.script import Allow
from signalreel_adapters.flows.signaling import needs_flowing_media, without_media

OFFER = '{"command": "takeConfiguration", "streamId": "s", "type": "offer", "sdp": "{offer}"}'
ANSWER = '{"command": "takeConfiguration", "streamId": "s", "type": "answer", "sdp": *}'
STARTED = '{"command": "notification", "definition": "publish_started", ...}'


def part_of(*lines: str) -> tuple[list[str], int] | None:
    """What is left of a flow, as it is written, and where it ends."""
    part = without_media(parse_flow("\n".join(["flow: x", *lines]), file="a.flow", app="a"))
    if part is None:
        return None
    return [step.source for step in part[0].steps if not isinstance(step, Allow)][1:], part[1]


@pytest.mark.parametrize(
    ("message", "needs"),
    [
        (STARTED, True),
        ('{"command": "notification", "definition": "play_started", ...}', True),
        ('{"command": "takeConfiguration", "streamId": "s", "type": "offer", "sdp": *, ...}', True),
        (OFFER, False),
        (ANSWER, False),
        ('{"command": "start", ...}', False),
        ('{"command": "error", "definition": "no_stream_exist", ...}', False),
        ("*", False),
    ],
)
def test_what_is_heard_says_whether_media_must_flow(message: str, needs: bool) -> None:
    """An offer of the server's own says so, one that a peer made does not."""
    assert needs_flowing_media(read_pattern(message)[0]) is needs


def test_a_flow_is_cut_where_media_must_flow() -> None:
    """With everything behind it, and the line is told."""
    assert part_of(f"a > {OFFER}", f"a < {ANSWER}", f"a < {STARTED}", 'a > {"command": "ping"}') == (
        [f"a > {OFFER}", f"a < {ANSWER}"],
        4,
    )


def test_what_may_come_in_any_order_is_heard_without_what_needs_media() -> None:
    """Else the answer would come when nobody expects it."""
    assert part_of(f"a > {OFFER}", "in any order", f"  a < {STARTED}", f"  a < {ANSWER}", "a leaves") == (
        [f"a > {OFFER}", "in any order"],
        4,
    )


def test_a_flow_that_needs_no_media_is_whole() -> None:
    """Its header may ask for fake media all the same."""
    assert part_of("media: fake", f"a > {OFFER}", f"a < {ANSWER}") == ([f"a > {OFFER}", f"a < {ANSWER}"], 0)


def test_nothing_is_left_where_nothing_is_heard_before() -> None:
    """To say something shows nothing."""
    assert part_of(f"a > {OFFER}", f"a < {STARTED}") is None
