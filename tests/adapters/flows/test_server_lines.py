"""`signalreel_adapters.flows.server_lines`: each form has its step, and anything else has none."""

import pytest

from signalreel_adapters.access import Purpose
from signalreel_adapters.flows.script import (
    Disk,
    FindCandidate,
    Issue,
    Lose,
    Measure,
    PassTime,
    Resize,
    ServerStep,
    StopServer,
)
from signalreel_adapters.flows.server_lines import FORMS, server_step


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("stops", StopServer(line=1, source="")),
        ("loses its disk", Disk(line=1, source="", works=False)),
        ("finds its disk", Disk(line=1, source="", works=True)),
        ("loses stream s", Lose(line=1, source="", stream_id="s")),
        ("loses stream s in silence", Lose(line=1, source="", stream_id="s", silent=True)),
        ("measures s 3 2 1", Measure(line=1, source="", stream_id="s", target=3, video=2, audio=1)),
        ("sends s in height 180", Resize(line=1, source="", stream_id="s", height=180)),
        ("finds a candidate for s", FindCandidate(line=1, source="", stream_id="s")),
        ("lets 5 ms pass", PassTime(line=1, source="", milliseconds=5)),
        ("issues {t} to play s", Issue(line=1, source="", name="t", purpose=Purpose.PLAY, stream_id="s")),
        (
            "issues {t} to publish s as ben",
            Issue(line=1, source="", name="t", purpose=Purpose.PUBLISH, stream_id="s", subscriber_id="ben"),
        ),
        ("issues {t} to push as ben", Issue(line=1, source="", name="t", purpose=None, subscriber_id="ben")),
        ("issues {t} to push", None),
        ("stops now", None),
        ("loses stream", None),
        ("measures s 1 2", None),
        ("lets 5 minutes pass", None),
        ("issues t to play s", None),
        ("issues {t} to watch s", None),
    ],
)
def test_a_line_has_its_step(text: str, step: ServerStep | None) -> None:
    """Or none, and then the forms are told."""
    assert server_step(text, line=1, source="") == step


def test_the_forms_are_told_to_whoever_wrote_another_one() -> None:
    """As one would write them."""
    assert "lets N ms pass" in FORMS
