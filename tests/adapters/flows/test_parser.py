"""`signalreel_adapters.flows.parser`: the lines of a flow, and the errors that name them."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalreel.events import LicenceChanged
from signalreel.host import EndStream
from signalreel.settings import Settings
from signalreel_adapters.flows import Flow, FlowSyntaxError, parse_flow
from signalreel_adapters.flows.patterns import Anything, ObjectOf, Text
from signalreel_adapters.flows.script import (
    Allow,
    AnyOrder,
    Connect,
    Disk,
    Hear,
    IsClosed,
    Leave,
    Lose,
    Measure,
    Order,
    PassTime,
    Report,
    Say,
    Silence,
    StopServer,
)


def parsed(*lines: str) -> Flow:
    """Parse the lines below a header."""
    return parse_flow("\n".join(["flow: test", *lines]), file="a.flow", app="a")


def test_every_kind_of_line_has_its_step() -> None:
    """A client says, hears, may hear, hears nothing, connects, leaves, is closed; the server does what it does."""
    flow = parsed(
        "# a comment",
        'anna > {"command": "ping"}  # why',
        "",
        "anna < {...}",
        "anna <? *",
        "anna < nothing",
        'ben > "undefined"',
        "ben leaves  # and why",
        "ben connects to other",
        "in any order",
        "  ben < 1",
        "",
        "  # and",
        "  anna < 2",
        "ben is closed 1012",
        "anna is closed *",
        "server stops",
        'server reports {"event": "LicenceChanged", "suspended": true}',
        'server orders {"host": "endStream", "streamId": "s"}',
        "server loses its disk",
        "server finds its disk",
        "server loses stream s",
        "server measures s 3 2 1",
        "server lets 5000 ms pass  # and then",
    )

    assert [(type(step), step.line) for step in flow.steps] == [
        (Connect, 3),
        (Say, 3),
        (Hear, 5),
        (Allow, 6),
        (Silence, 7),
        (Connect, 8),
        (Say, 8),
        (Leave, 9),
        (Connect, 10),
        (AnyOrder, 11),
        (IsClosed, 16),
        (IsClosed, 17),
        (StopServer, 18),
        (Report, 19),
        (Order, 20),
        (Disk, 21),
        (Disk, 22),
        (Lose, 23),
        (Measure, 24),
        (PassTime, 25),
    ]
    steps: list[Any] = list(flow.steps)
    assert (steps[0].app, steps[8].app) == ("a", "other")
    assert steps[1].source == 'anna > {"command": "ping"}'
    assert steps[6].pattern == Text("undefined")
    assert [hear.line for hear in steps[9].hears] == [12, 15]
    assert (steps[10].code, steps[11].code) == (1012, None)
    assert (steps[13].event, steps[14].order) == (LicenceChanged(suspended=True), EndStream(stream_id="s"))
    assert (steps[15].works, steps[16].works) == (False, True)
    assert (steps[18].target, steps[18].video, steps[18].audio) == (3, 2, 1)


def test_the_header_says_where_and_with_what() -> None:
    """Title, app, media, settings, and what access control refuses; all but the title may be left out."""
    flow = parsed(
        "app: live", "media: silent", 'settings: {"viewersMax": 1}', 'refuse: {"play": "user_blocked"}', "server stops"
    )

    assert (flow.title, flow.app, flow.media) == ("test", "live", "silent")
    assert (flow.settings, flow.refuse) == (Settings(viewers_max=1), {"play": "user_blocked"})
    plain = parsed("server stops")
    assert (plain.app, plain.media, plain.settings, plain.refuse) == ("a", "any", None, {})


def test_settings_may_have_their_names_of_the_protocol_page() -> None:
    """The three that it names."""
    flow = parsed(
        'settings: {"settings.webrtc.client.start.timeoutMs": 7, "server.cpu_limit": 8, "server.min_free_ram": 9}',
        "server stops",
    )

    assert flow.settings == Settings(publish_timeout_ms=7, cpu_percent_max=8, free_memory_mb_min=9)


def test_what_the_server_issues_can_be_said() -> None:
    """Where access control is on."""
    flow = parsed("access: on", "server issues {t} to publish s", 'anna > {"command": "publish", "token": "{t}"}')

    assert (flow.access, parsed("server stops").access) == (True, False)


def test_a_message_may_go_on_over_lines() -> None:
    """Until its brackets are closed."""
    flow = parsed('anna > {"command":', '  "ping"', "}", 'anna < {"command": *}')

    assert [(type(step), step.line) for step in flow.steps] == [(Connect, 2), (Say, 2), (Hear, 5)]
    assert flow.steps[2] == Hear(
        line=5, source='anna < {"command": *}', client="anna", pattern=ObjectOf((("command", Anything()),))
    )


def test_items_stand_behind_what_proves_them() -> None:
    """One or more, behind a message or silence, before a comment; they are no part of the line that is told."""
    flow = parsed(
        "anna < {...} [MSC-1]",
        "anna < nothing [P2P-4 P2P-1] # why",
        "in any order",
        "  anna < {",
        "    ...} [REAL-2]# why",
        "anna < nothing # [MSC-1]",
    )
    _, message, silence, group, plain = flow.steps
    assert isinstance(group, AnyOrder)

    assert [step.proves for step in (message, silence, group.hears[0], plain)] == [
        ("MSC-1",),
        ("P2P-4", "P2P-1"),
        ("REAL-2",),
        (),
    ]
    assert [step.source for step in (message, silence, group.hears[0])] == [
        "anna < {...}",
        "anna < nothing",
        "anna < { ...}",
    ]


def test_what_was_heard_can_be_said() -> None:
    """A name that a client has heard is known to all of them from then on; some are given."""
    parsed('anna < {"streamId": "{id}"}', 'ben > {"streamId": "{id}", "sdp": "{offer}"}', 'ben <? {"id": "{id}", ...}')


@pytest.mark.parametrize(
    ("lines", "line", "told"),
    [
        (["anna < 1 []"], 2, "stand between the brackets"),
        (["anna < 1 [MSC-99]"], 2, "there is no item MSC-99"),
        (["anna < nothing [MSC-1 MSC-99]"], 2, "there is no item MSC-99"),
        (["anna < 1 [PUB-9]"], 2, "PUB-9 needs media, which no flow can show"),
        (["anna < 1 [MSC-1"], 2, "after the end of the message"),
        (["anna < nothing [MSC-1"], 2, "no JSON value"),
        (["anna > {} [MSC-1]"], 2, "items stand behind what is heard"),
        (["anna <? {} [MSC-1]"], 2, "items stand behind what is heard"),
        (['server reports {"event": "LicenceChanged", "suspended": true} [MSC-1]'], 2, "items stand behind"),
        (["anna < nothing at all"], 2, "no JSON value"),
        (["anna says hello"], 2, "a line is `name > …`"),
        (["  anna < 1"], 2, "an indented line stands below `in any order`"),
        (["in any order", "anna < 1"], 2, "indented lines with `<` are missing"),
        (["in any order", "  anna > 1"], 3, "only what is heard"),
        (["anna > hello"], 2, "no JSON value"),
        (["anna > {", '  "a": hello', "}"], 3, "no JSON value"),
        (["anna > {", '  "a": 1'], 2, "has no end"),
        (["anna >"], 2, "has no end"),
        (["anna > {} {}"], 2, "after the end of the message"),
        (["anna > *"], 2, "no gaps"),
        (['anna > {"a": ...}'], 2, "no JSON value"),
        (['anna > {"a": "{id}"}'], 2, "nothing was heard yet that {id} stands for"),
        (['anna <? {"a": "{id}"}'], 2, "nothing was heard yet that {id} stands for"),
        (['anna > "{offer}"'], 2, "a raw text holds no names"),
        (["anna leaves", "anna > {}"], 3, "anna has left"),
        (["anna is closed 1000", "anna < {}"], 3, "anna has left"),
        (["anna connects", "anna connects"], 3, "connected already"),
        (["anna connects from home"], 2, "`connects to APP`"),
        (["anna connects to a/b"], 2, "cannot be the name of an app"),
        (["anna leaves now"], 2, "nothing stands after `leaves`"),
        (["anna is closed soon"], 2, "a close code of four digits"),
        (["server burns"], 2, "the server `reports {…}`"),
        (['server reports {"event": "Rain"}'], 2, "could stand on a reel"),
        (['server orders {"host": *}'], 2, "could stand on a reel"),
        (["flow: again", "server stops"], 2, "stands twice"),
        (["app:", "server stops"], 2, "nothing stands after `app:`"),
        (["app: a b", "server stops"], 2, "cannot be the name of an app"),
        (["media: film", "server stops"], 2, "media is one of"),
        (["access: off", "server stops"], 2, "access control is `on`"),
        (["server issues {t} to publish s"], 2, "unless the header says `access: on`"),
        (["settings: 7", "server stops"], 2, "does not hold what it should"),
        (['settings: {"viewerMax": 1}', "server stops"], 2, "does not hold what it should"),
        (['refuse: {"play": "no"}', "server stops"], 2, "access control refuses with one of"),
        (["server stops", "app: live"], 3, "a line is `name > …`"),
        ([], 1, "nothing happens"),
    ],
)
def test_what_is_no_flow_is_told_with_its_line(lines: list[str], line: int, told: str) -> None:
    """The message begins with `file:line` and says what to write instead."""
    with pytest.raises(FlowSyntaxError) as wrong:
        parsed(*lines)

    assert wrong.value.line == line
    assert str(wrong.value).startswith(f"a.flow:{line}: ")
    assert told in str(wrong.value)


def test_a_flow_has_a_title() -> None:
    """So that progress and failures say what is shown."""
    with pytest.raises(FlowSyntaxError, match=r"a\.flow:1: a flow begins with a line `flow: "):
        parse_flow("server stops", file="a.flow", app="a")


@given(st.text(alphabet='anserv>< ?{}[]":.*#\n1', max_size=60))
def test_any_text_is_a_flow_or_an_error(text: str) -> None:
    """Nothing but `FlowSyntaxError` comes out of a file that somebody wrote."""
    with suppress(FlowSyntaxError):
        parse_flow(f"flow: x\n{text}", file="a.flow", app="a")
