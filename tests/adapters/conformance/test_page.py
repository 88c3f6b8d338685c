"""`signalreel_adapters.conformance.page`: one row for each item, the same whichever process wrote which tick first."""

from random import Random

from signalreel_adapters.conformance import ITEMS, Tick, coverage_of, page_of

TICKS = [
    Tick(
        item="MSC-1",
        transport="memory",
        test="tests/test_a.py::test_it[asyncio]",
        said={"command": "ping"},
        captured={"command": "pong"},
        flow="specs/flows/ping.flow",
    ),
    Tick(
        item="MSC-1",
        transport="websocket",
        test="tests/test_a.py::test_it",
        said={"command": "ping"},
        captured={"command": "pong", "text": "a|b`c"},
        flow="specs/flows/ping.flow",
    ),
    Tick(item="MSC-7", transport="memory", test="t", captured={"command": "stop"}, unanswered=True),
    Tick(item="MSC-7", transport="memory", test="t", captured={"command": "forceStreamQuality"}),
    Tick(item="MSC-7", transport="memory", test="t", captured={"command": "stop"}, unanswered=True),
    Tick(item="PUB-9", transport="websocket", test="tests/test_b.py::test_c", captured={"command": "start"}),
    Tick(
        item="PUB-9",
        transport="browser",
        test="tests/test_b.py::test_d[1]",
        captured={"command": "notification"},
        media={"height": 360, "frames_decoded": 31},
    ),
]


def test_a_row_tells_what_was_captured_and_by_what() -> None:
    """What was said and heard over a network before what was in memory, media before that; figures without numbers."""
    page = page_of(coverage_of(TICKS))

    assert (
        '| MSC-1 | `ping` is answered by `pong` | `> {"command":"ping"}`<br>`< {"command":"pong","text":"a\\|b\'c"}` '
        "| memory, websocket | [ping.flow](flows/ping.flow) |" in page
    )
    assert (
        f'| PUB-9 | {ITEMS["PUB-9"].text} | `< {{"command":"notification"}}`<br>media: frames_decoded, height '
        "| browser, websocket | `tests/test_b.py::test_c`<br>`tests/test_b.py::test_d` |" in page
    )


def test_what_has_no_answer_is_what_was_said() -> None:
    """All that one test captured of an item is shown, each once and in its order."""
    page = page_of(coverage_of(TICKS))

    assert '| `> {"command":"stop"}`<br>`> {"command":"forceStreamQuality"}` | memory | `t` |' in page


def test_what_is_missing_is_said() -> None:
    """At the top and in its row."""
    page = page_of(coverage_of(TICKS))

    assert f"2 of {len(ITEMS)} items are shown.\nMissing: PUB-1, PUB-2, " in page
    assert f"| PUB-2 | {ITEMS['PUB-2'].text} | **missing** |  |  |" in page


def test_the_page_does_not_depend_on_the_order_of_the_evidence() -> None:
    """Or it would drift without a cause."""
    shuffled = [tick for tick in TICKS if tick.item != "MSC-7"]
    expected = page_of(coverage_of(shuffled))
    Random(7).shuffle(shuffled)

    assert page_of(coverage_of(shuffled)) == expected
    assert len(page_of(coverage_of(shuffled)).splitlines()) > len(ITEMS)
