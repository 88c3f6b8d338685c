"""`signalreel_adapters.conformance.coverage`: what each kind of item needs before it counts."""

import pytest

from signalreel_adapters.conformance import ITEMS, Tick, Transport, coverage_of

MEDIA = {"frames_decoded": 31.0}


def tick(item: str, transport: Transport, media: dict[str, float] | None = None) -> Tick:
    """Make a tick."""
    return Tick(item=item, transport=transport, test="t", captured={"command": "pong"}, media=media)


@pytest.mark.parametrize(
    ("item", "ticks", "lacks"),
    [
        ("MSC-1", [], ("in memory", "over a WebSocket")),
        ("MSC-1", [tick("MSC-1", "memory")], ("over a WebSocket",)),
        ("MSC-1", [tick("MSC-1", "browser")], ("in memory",)),
        ("MSC-1", [tick("MSC-1", "memory"), tick("MSC-1", "browser")], ()),
        ("PUB-1", [tick("PUB-1", "memory")], ("over a WebSocket",)),
        ("PUB-1", [tick("PUB-1", "websocket")], ()),
        ("PUB-9", [tick("PUB-9", "websocket")], ("over a WebSocket, with media",)),
        ("PUB-9", [tick("PUB-9", "memory", MEDIA)], ("over a WebSocket, with media",)),
        ("PUB-9", [tick("PUB-9", "browser", MEDIA)], ()),
    ],
)
def test_an_item_is_covered_by_what_it_needs(item: str, ticks: list[Tick], lacks: tuple[str, ...]) -> None:
    """Messages in memory and over a WebSocket, or media that flowed."""
    (shown,) = [one for one in coverage_of(ticks) if one.item.id == item]

    assert (shown.lacks, shown.is_covered) == (lacks, not lacks)


def test_every_item_is_told_of() -> None:
    """Also those of which there is no evidence, in the order of the page."""
    coverage = coverage_of([tick("MSC-1", "memory")])

    assert [shown.item.id for shown in coverage] == list(ITEMS)
    assert [shown.item.id for shown in coverage if shown.ticks] == ["MSC-1"]
