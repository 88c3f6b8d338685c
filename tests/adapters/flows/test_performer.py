"""`signalreel_adapters.flows.performer`: a flow that holds is told, one that does not fails at the right place."""

import pytest

from signalreel_adapters.flows import FlowFailed, Proof, memory_stage, perform
from signalreel_adapters.flows.performer import TRANSCRIPT_LINES_MAX
from signalreel_adapters.flows.stages import Decoded, FlowClient
from tests.adapters.flows.staging import flow_of

pytestmark = pytest.mark.anyio

JOIN = 'anna > {"command": "join", "streamId": "s"}'
JOINED = 'anna < {"command": "notification", "definition": "joined", "streamId": "s"}'


async def performed(*lines: str, patience_s: float = 5) -> tuple[str, ...]:
    """Perform lines in memory; give the transcript."""
    flow = flow_of(*lines)
    async with memory_stage(flow) as stage:
        return (await perform(flow, stage, patience_s=patience_s)).transcript


async def failed(*lines: str, patience_s: float = 5) -> FlowFailed:
    """Perform lines that do not hold; give the failure."""
    with pytest.raises(FlowFailed) as failure:
        await performed(*lines, patience_s=patience_s)
    return failure.value


async def test_a_transcript_tells_everything_in_order() -> None:
    """Who said what to whom, and what the server did; descriptions are cut."""
    transcript = await performed(
        JOIN,
        JOINED,
        'ben > {"command": "join", "streamId": "s"}',
        "ben < {...}",
        "anna < {...}",
        'anna > {"command": "takeConfiguration", "streamId": "s", "type": "offer", "sdp": "{offer}"}',
        "ben < {...}",
        "ben leaves",
        "anna < {...}",
        "server stops",
        "anna < {...}",
        "anna is closed *",
    )

    assert [line.partition("{")[0].strip() for line in transcript] == [
        "anna connects to test",
        "anna >",
        "anna <",
        "ben connects to test",
        "ben >",
        "ben <",
        "anna <",
        "anna >",
        "ben <",
        "ben leaves",
        "anna <",
        "server stops",
        "anna <",
        "anna is closed 1012",
    ]
    assert transcript[3:6] == (
        "ben connects to test",
        'ben > {"command":"join","streamId":"s"}',
        'ben < {"command":"notification","definition":"joined","streamId":"s"}',
    )
    assert " characters)" in transcript[7]


async def test_another_message_fails_with_place_reason_and_what_came_before() -> None:
    """The whole report, as a person reads it."""
    failure = await failed(JOIN, "# why", 'anna < {"command": "notification", "definition": "left", ...}', JOIN)

    assert str(failure).splitlines() == [
        "test.flow:4: definition: expected 'left', found 'joined'",
        '  expected  anna < {"command": "notification", "definition": "left", ...}',
        '  found     {"command":"notification","definition":"joined","streamId":"s"}',
        "  so far",
        "    anna connects to test",
        '    anna > {"command":"join","streamId":"s"}',
    ]


async def test_a_message_that_does_not_come_fails() -> None:
    """After the patience that was given."""
    failure = await failed(JOIN, JOINED, "anna < {...}", patience_s=0.01)

    assert (failure.line, failure.found, failure.why) == (4, "nothing", "nothing came to anna within 0.01 s")


async def test_a_message_too_many_fails() -> None:
    """Where silence was expected, and at the end, where it always is."""
    said = await failed(JOIN, "anna < nothing")
    left = await failed(JOIN, 'ben > {"command": "ping"}', "ben < {...}")

    assert (said.line, said.why) == (3, "this came to anna, and no line expects it")
    assert (left.line, left.expected, left.why) == (4, "anna < nothing", "this came to anna, and no line expects it")


async def test_order_counts_for_each_client_alone() -> None:
    """What one client hears may be told before what another one heard earlier."""
    await performed(
        JOIN,
        'ben > {"command": "join", "streamId": "s"}',
        'ben < {"definition": "joined", ...}',
        'anna < {"definition": "joined", ...}',
        'anna < {"command": "start", ...}',
    )
    failure = await failed(
        JOIN, 'ben > {"command": "join", "streamId": "s"}', 'anna < {"command": "start", ...}', "ben < {...}"
    )

    assert failure.line == 4


async def test_a_group_takes_its_messages_in_any_order() -> None:
    """Each once; one that is missing or does not fit fails at its own line."""
    two = [JOIN, 'ben > {"command": "join", "streamId": "s"}', "ben < {...}", "in any order"]
    await performed(*two, '  anna < {"command": "start", ...}', '  anna < {"definition": "joined", ...}')
    failure = await failed(*two, '  anna < {"command": "start", ...}', '  anna < {"definition": "leaved", ...}')

    assert (failure.line, failure.why) == (7, "definition: expected 'leaved', found 'joined'")


async def test_what_is_allowed_is_passed_over() -> None:
    """From its line on, at any time and any number of times, also where nothing is expected."""
    ping = 'anna > {"command": "ping"}'
    allowed = 'anna <? {"command": "pong"}'
    await performed(allowed, ping, JOIN, ping, JOINED, ping, "anna < nothing", ping)
    failure = await failed(ping, JOIN, JOINED, allowed)

    assert (failure.line, failure.found) == (4, '{"command":"pong"}')


async def test_captures_are_used_and_compared() -> None:
    """An id that the server drew is said back to it, and must be the same when it comes again."""
    join = ['anna > {"command": "joinRoom", "room": "r"}', 'anna < {"streamId": "{mine}", ...}']
    publish = [
        'anna > {"command": "publish", "streamId": "{mine}"}',
        'anna < {"command": "start", "streamId": "{mine}", ...}',
    ]
    await performed(*join, *publish)
    failure = await failed(
        *join, 'anna > {"command": "publish", "streamId": "b"}', 'anna < {"streamId": "{mine}", ...}'
    )

    assert failure.line == 5
    assert failure.why.endswith("found 'b'")


async def test_what_was_shown_is_told() -> None:
    """The item, the message that was heard, and what was said before it; or what was said, where nothing came."""
    flow = flow_of(
        JOIN,
        f"{JOINED} [P2P-1 REAL-2]",
        "anna < nothing [P2P-4]",
        'ben > {"command": "join", "streamId": "s"}',
        "in any order",
        '  anna < {"command": "start", ...} [P2P-5]  # by what Ben said',
        "  ben < {...}",
        "ben leaves",
        'anna < {"command": "stop", ...} [P2P-10]',
    )
    async with memory_stage(flow) as stage:
        proofs = (await perform(flow, stage)).proofs
    join = {"command": "join", "streamId": "s"}
    joined = {"command": "notification", "definition": "joined", "streamId": "s"}

    assert proofs == (
        Proof("P2P-1", 3, joined, join),
        Proof("REAL-2", 3, joined, join),
        Proof("P2P-4", 4, join, unanswered=True),
        Proof("P2P-5", 7, proofs[3].captured, join),
        Proof("P2P-10", 10, proofs[4].captured),
    )
    assert [proof.captured["command"] for proof in proofs[3:]] == ["start", "stop"]


async def test_silence_after_nothing_shows_nothing() -> None:
    """A line that should prove something, and before which nobody said anything, fails."""
    failure = await failed("anna connects", "anna < nothing [P2P-4]")

    assert (failure.line, failure.why) == (3, "nothing was said before that could show P2P-4")


async def test_the_servers_close_is_expected_with_its_code() -> None:
    """Another code fails, and so does a message instead of it."""
    told = 'anna < {"definition": "server_will_stop", ...}'
    code = await failed("anna connects", "server stops", told, "anna is closed 1000")
    message = await failed("anna connects", "server stops", "anna is closed 1012")
    gone = await failed("anna connects", "server stops", told, "anna < {...}")

    assert (code.line, code.found) == (5, "1012")
    assert (message.line, "server_will_stop" in message.found) == (4, True)
    assert (gone.line, gone.found) == (5, "the connection has ended with 1012: the server stops")


async def test_clients_are_closed_also_when_it_fails() -> None:
    """No session is left behind on a server that goes on."""
    flow = flow_of(JOIN, "anna < nothing")
    async with memory_stage(flow) as stage:
        with pytest.raises(FlowFailed):
            await perform(flow, stage)

        assert stage.host.runtime.counters.sessions_closed == 1


async def test_only_the_last_lines_of_a_long_transcript_are_told() -> None:
    """A report stays readable however long the call was."""
    lines = ['anna > {"command": "ping"}', 'anna < {"command": "pong"}'] * TRANSCRIPT_LINES_MAX
    failure = await failed(*lines, "anna < {...}", patience_s=0.01)

    assert len(failure.transcript) == 2 * TRANSCRIPT_LINES_MAX + 1
    assert len(str(failure).splitlines()) == TRANSCRIPT_LINES_MAX + 4


async def test_what_the_server_cannot_do_fails() -> None:
    """With what it lacks."""
    failure = await failed("media: fake", JOIN, JOINED, "server loses stream s")

    assert (failure.line, failure.why) == (5, "nothing of s is live")


class Deaf:
    """A stage on which nobody has a hand on the server."""

    host = None

    async def connect(self, app: str) -> FlowClient:
        """Connect nobody."""
        return DeafClient()

    async def settle(self) -> None:
        """Wait for nothing."""


class DeafClient:
    """A client to whom nothing comes."""

    async def send(self, message: object) -> None:
        """Drop it."""

    async def receive(self) -> Decoded:
        """Give the same always."""
        return {"command": "pong"}

    async def close(self) -> None:
        """Do nothing."""


async def test_only_the_server_itself_does_what_servers_do() -> None:
    """Without a hand on the server, its lines fail instead of being passed over."""
    with pytest.raises(FlowFailed, match="only the server itself can do this"):
        await perform(flow_of("server stops"), Deaf())
