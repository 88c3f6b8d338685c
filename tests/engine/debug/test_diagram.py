"""`signalreel.debug.diagram`."""

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from signalreel.debug.diagram import Way, machine_svg, ways_of
from signalreel.engine import TABLES
from signalreel.identifiers import Kind

SVG = "{http://www.w3.org/2000/svg}"


def picture_of(svg: str) -> ET.Element:
    """What a browser would draw."""
    return ET.fromstring(svg)  # noqa: S314 -- our own


def texts(svg: str) -> str:
    """Everything that is written in a picture."""
    return " ".join(picture_of(svg).itertext())


@pytest.mark.parametrize("kind", Kind)
def test_every_row_that_names_a_target_is_drawn(kind: Kind) -> None:
    """The picture holds each state once, and each way with every input that leads over it; refusals are not drawn."""
    picture = picture_of(machine_svg(kind))
    states = [group.get("data-state") for group in picture.iter(f"{SVG}g") if group.get("data-state")]
    drawn = {
        (group.get("data-source"), group.get("data-target"), span.get("data-input"))
        for group in picture.iter(f"{SVG}g")
        for span in group.iter(f"{SVG}tspan")
        if group.get("data-source") and span.get("data-input")
    }
    expected = {
        (str(state), str(next), fired.input)
        for by_state in TABLES[kind].cells.values()
        for state, cell in by_state.items()
        for _, _, next, fired in cell
        if next is not None
    }

    assert states == [str(state) for state in TABLES[kind].states]
    assert drawn == expected
    assert "refuse" not in texts(machine_svg(kind))


@pytest.mark.parametrize("kind", Kind)
def test_nothing_lies_outside_the_picture(kind: Kind) -> None:
    """Every box and every text begins inside the frame, and no two boxes overlap."""
    picture = picture_of(machine_svg(kind))
    width, height = float(picture.get("width", "0")), float(picture.get("height", "0"))
    boxes = [(float(box.get("y", "0")), float(box.get("height", "0"))) for box in picture.iter(f"{SVG}rect")]

    assert all(0 <= float(text.get("x", "-1")) < width for text in picture.iter(f"{SVG}text"))
    assert all(0 <= float(text.get("y", "-1")) < height for text in picture.iter(f"{SVG}text"))
    assert all(y + tall < below for (y, tall), (below, _) in pairwise(boxes))
    assert boxes[-1][0] + boxes[-1][1] < height


def test_the_current_state_and_the_ways_taken_are_marked() -> None:
    """One state is current, and a way that was taken says how often."""
    picture = machine_svg(Kind.PAIR, current="paired", counts={("empty", "waiting"): 3})

    assert picture.count('class="state current"') == 1
    assert 'class="state current" data-state="paired"' in picture
    assert picture.count('class="way taken"') == 1
    assert "\N{MULTIPLICATION SIGN}3" in texts(picture)


def test_a_picture_has_no_style_and_no_script_of_its_own() -> None:
    """A page whose policy allows neither can show it as it is, and the same table gives the same picture."""
    pictures = [machine_svg(kind) for kind in Kind]

    assert not any(word in picture for picture in pictures for word in ("style=", "<style", "<script", "href", "url("))
    assert pictures == [machine_svg(kind) for kind in Kind]


def test_ways_are_in_the_order_of_the_states() -> None:
    """By source, then by target, each with its inputs as the table has them."""
    assert ways_of(Kind.ROOM)[0] == Way("empty", "open", ("JoinRoom", "StreamPlaced", "PlayerCame"))
    assert [way.target for way in ways_of(Kind.PAIR) if way.source == "offered"] == ["waiting", "offered", "connected"]
