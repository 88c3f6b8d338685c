"""The page's own client of the protocol, against a server that the test plays: what it does when things go wrong."""

import json
from collections.abc import Callable
from typing import Any, Final, cast

import pytest
from playwright.sync_api import Page, WebSocketRoute

from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests, see_moving_picture, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

Message = dict[str, Any]

SOCKET: Final = "**/live/websocket"
SOON_MILLISECONDS: Final = 5_000

PLAY: Final = """async options => {
    const { SignalreelClient } = await import("/static/signalreel.js");
    window.states = [];
    window.client = new SignalreelClient(`ws://${location.host}/live/websocket`, options);
    client.addEventListener("state", ({ detail }) => states.push([detail.state, detail.reason]));
    client.play("stream1");
}"""


class PlayedServer:
    """The other end of a page's WebSockets. It hears everything, and says what the test wants it to."""

    def __init__(self, page: Page, answer: Callable[[Message], Message | None]) -> None:
        self.page = page
        self.heard: list[Message] = []
        self.connections: list[WebSocketRoute] = []
        self._answer = answer
        page.route_web_socket(SOCKET, self._connected)

    def commands(self, name: str) -> list[Message]:
        """What was heard of one kind, so far."""
        return [message for message in self.heard if message["command"] == name]

    def wait_for(self, name: str, count: int = 1) -> None:
        """Wait until this many of one kind were heard."""
        for _ in range(SOON_MILLISECONDS // 50):
            if len(self.commands(name)) >= count:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{count} x {name} expected, heard {self.heard}")

    def _connected(self, connection: WebSocketRoute) -> None:
        self.connections.append(connection)
        connection.on_message(lambda text: self._hear(connection, text))

    def _hear(self, connection: WebSocketRoute, text: str | bytes) -> None:
        message = cast(Message, json.loads(text))
        self.heard.append(message)
        answer = self._answer(message)
        if answer is not None:
            connection.send(json.dumps(answer))


def states(page: Page) -> list[list[str]]:
    """The states that the client's playback went through, each with its reason."""
    return cast(list[list[str]], page.evaluate("states"))


def stop_clock(page: Page) -> None:
    """Let the page's time pass only when the test says so: a slow machine is then no different from a fast one."""
    page.clock.install(time=0)
    page.clock.pause_at(1)


def refuse(definition: str, **fields: object) -> Callable[[Message], Message | None]:
    """Answer pings, and refuse everything else."""

    def answer(message: Message) -> Message:
        if message["command"] == "ping":
            return {"command": "pong"}
        return {"command": "error", "definition": definition, "streamId": message["streamId"], **fields}

    return answer


def test_what_may_succeed_later_is_asked_for_again(guests: Guests) -> None:
    """A playback of nothing is repeated three seconds after the first refusal, until it is stopped."""
    page = guests.open()
    server = PlayedServer(page, refuse("no_stream_exist"))
    stop_clock(page)
    page.evaluate(PLAY, {})
    server.wait_for("play")
    page.clock.run_for(2_500)
    assert len(server.commands("play")) == 1

    page.clock.run_for(1_000)
    server.wait_for("play", 2)
    page.evaluate("client.stop('stream1')")
    page.clock.run_for(10_000)

    assert len(server.commands("play")) == 2
    assert [state for state, _ in states(page)] == ["asking", "waiting", "asking", "waiting", "ended"]


def test_what_is_refused_again_and_again_is_asked_for_less_often(guests: Guests) -> None:
    """Each refusal in a row doubles the wait, up to half a minute: a page left open is no burden to the server."""
    page = guests.open()
    server = PlayedServer(page, refuse("no_stream_exist"))
    stop_clock(page)
    page.evaluate(PLAY, {})
    server.wait_for("play")

    for count, seconds in enumerate((3, 6, 12, 24, 30, 30), start=1):
        page.clock.run_for((seconds - 1) * 1_000)
        assert len(server.commands("play")) == count
        page.clock.run_for(1_500)
        server.wait_for("play", count + 1)
        until(page, "count => states.filter(([state]) => state === 'waiting').length > count", count)


def test_nothing_is_asked_for_before_the_server_says(guests: Guests) -> None:
    """A refusal that names a time is repeated then, whatever it is called."""
    page = guests.open()
    server = PlayedServer(page, refuse("user_blocked", retryAfterMs=20_000))
    stop_clock(page)
    page.evaluate(PLAY, {})
    server.wait_for("play")
    page.clock.run_for(19_000)
    assert len(server.commands("play")) == 1

    page.clock.run_for(1_500)

    server.wait_for("play", 2)
    assert states(page)[:2] == [["asking", ""], ["waiting", "user_blocked"]]


def test_a_server_that_will_stop_is_left_and_found_again(guests: Guests) -> None:
    """It is not kept waiting for its sessions; what was wanted is asked for on the next connection."""
    page = guests.open()
    server = PlayedServer(page, lambda message: None)
    stop_clock(page)
    page.evaluate(PLAY, {})
    server.wait_for("play")

    server.connections[0].send(json.dumps({"command": "notification", "definition": "server_will_stop"}))
    until(page, "() => states.length === 2")
    page.clock.run_for(1_000)

    server.wait_for("play", 2)
    assert len(server.connections) == 2
    assert states(page) == [["asking", ""], ["waiting", "server_will_stop"], ["asking", "disconnected"]]


def test_a_player_waits_for_what_starts_soon(guests: Guests) -> None:
    """The server offers when it is live, so nothing is asked for again."""
    page = guests.open()
    answers: dict[str, Message] = {
        "play": {"command": "notification", "definition": "streaming_starts_soon", "streamId": "stream1"},
        "ping": {"command": "pong"},
    }
    server = PlayedServer(page, lambda message: answers.get(message["command"]))
    stop_clock(page)
    page.evaluate(PLAY, {})
    until(page, "() => states.length === 2")
    for count in range(1, 6):
        page.clock.run_for(3_000)
        server.wait_for("ping", count)

    assert len(server.commands("play")) == 1
    assert states(page) == [["asking", ""], ["waiting", "streaming_starts_soon"]]


def test_what_is_refused_for_good_ends(guests: Guests) -> None:
    """A refusal that will not pass ends the playback, with its definition as the reason."""
    page = guests.open()
    server = PlayedServer(page, refuse("unauthorized_access"))
    stop_clock(page)
    page.evaluate(PLAY, {})
    server.wait_for("play")
    page.clock.run_for(10_000)

    assert len(server.commands("play")) == 1
    assert states(page) == [["asking", ""], ["ended", "unauthorized_access"]]


def test_a_client_pings_every_three_seconds(guests: Guests) -> None:
    """As the other clients of the protocol do; and a server that answers is left alone."""
    page = guests.open()
    server = PlayedServer(page, refuse("no_stream_exist"))
    stop_clock(page)
    page.evaluate(PLAY, {"retry": False})
    server.wait_for("play")

    for count in range(1, 6):
        page.clock.run_for(3_000)
        server.wait_for("ping", count)

    assert len(server.connections) == 1


def test_a_server_that_says_nothing_is_left(guests: Guests) -> None:
    """After three pings without any answer the connection is given up, and all is asked for on a new one."""
    page = guests.open()
    server = PlayedServer(page, lambda message: None)
    stop_clock(page)
    page.evaluate(PLAY, {})
    server.wait_for("play")
    page.clock.run_for(9_500)
    server.wait_for("ping", 3)
    assert len(server.connections) == 1

    page.clock.run_for(4_000)

    server.wait_for("play", 2)
    assert len(server.connections) == 2
    assert states(page) == [["asking", ""], ["waiting", "disconnected"], ["asking", "disconnected"]]


def test_nothing_is_opened_again_when_that_is_not_wanted(guests: Guests) -> None:
    """Without `reconnect`, a lost connection ends what was on it."""
    page = guests.open()
    server = PlayedServer(page, lambda message: None)
    stop_clock(page)
    page.evaluate(PLAY, {"reconnect": False})
    server.wait_for("play")

    server.connections[0].close()
    page.clock.run_for(30_000)

    assert len(server.connections) == 1
    assert states(page) == [["asking", ""], ["ended", "disconnected"]]


def test_the_operators_ice_server_is_used(guests: Guests) -> None:
    """A peer asks before it joins, and its connections use what the server names; an empty answer names nothing."""
    page = guests.open("?tab=peer&stream=call2")
    page.evaluate("""() => {
        window.configurations = [];
        const Native = window.RTCPeerConnection;
        window.RTCPeerConnection = class extends Native {
            constructor(configuration) {
                super({});
                configurations.push(configuration);
            }
        };
    }""")
    uri = "stun:192.0.2.1:3478"
    answers: dict[str, Message] = {
        "getIceServerConfig": {"command": "iceServerConfig", "stunServerUri": uri, "turnServerUsername": ""},
        "join": {"command": "start", "streamId": "call2"},
        "ping": {"command": "pong"},
    }
    server = PlayedServer(page, lambda message: answers.get(message["command"]))
    page.get_by_role("button", name="Join", exact=True).click()
    server.wait_for("takeConfiguration")

    assert page.evaluate("configurations") == [{"iceServers": [{"urls": uri}]}]
    assert [message["command"] for message in server.heard[:2]] == ["getIceServerConfig", "join"]


def test_candidates_may_come_before_their_description(guests: Guests) -> None:
    """A peer keeps candidates that are too early, and uses them: the two see each other."""
    first, second = (guests.open("?tab=peer&stream=call1") for _ in range(2))
    relay = HoldingRelay(first, second)
    for page in (first, second):
        page.get_by_role("button", name="Join", exact=True).click()
        page.wait_for_timeout(100)

    for page in (first, second):
        see_moving_picture(page, '#panel-peer figure[data-source="The other one"] video')
    assert relay.candidates_first > 0


class HoldingRelay:
    """A pair's server that lets descriptions wait until a candidate has gone ahead of them."""

    def __init__(self, *pages: Page) -> None:
        self.candidates_first = 0
        self._joined: list[WebSocketRoute] = []
        self._held: list[tuple[WebSocketRoute, str]] = []
        for page in pages:
            page.route_web_socket(SOCKET, self._connected)

    def _connected(self, connection: WebSocketRoute) -> None:
        connection.on_message(lambda text: self._hear(connection, str(text)))

    def _hear(self, connection: WebSocketRoute, text: str) -> None:
        message = cast(Message, json.loads(text))
        match message["command"]:
            case "getIceServerConfig":
                connection.send(json.dumps({"command": "iceServerConfig", "stunServerUri": ""}))
            case "join":
                self._joined.append(connection)
                if len(self._joined) == 2:
                    self._joined[0].send(json.dumps({"command": "start", "streamId": message["streamId"]}))
            case "takeConfiguration":
                self._held.append((self._other(connection), text))
            case "takeCandidate":
                self._other(connection).send(text)
                self.candidates_first += len(self._held)
                for other, held in self._held:
                    other.send(held)
                self._held.clear()
            case _:
                pass

    def _other(self, connection: WebSocketRoute) -> WebSocketRoute:
        return self._joined[1] if connection is self._joined[0] else self._joined[0]
