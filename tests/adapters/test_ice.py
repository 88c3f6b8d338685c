"""`signalreel_adapters.ice`: whom clients are told of, and that nobody else learns the password."""

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any, Final

import pytest
from structlog.testing import capture_logs

from signalreel.identifiers import App, SessionId
from signalreel.settings import Settings
from signalreel_adapters import (
    IceServer,
    MemoryClient,
    Runtime,
    SessionInfo,
    SqliteReel,
    StaticIceServers,
    TurnRest,
)
from signalreel_adapters.ice import LIFETIME_S_MAX, SpreadIceServers
from signalreel_adapters.testing import ManualClock
from signalreel_adapters.testing.clock import SECOND
from tests.adapters.servers import served
from tests.evidence import EvidenceNotes

pytestmark = pytest.mark.anyio

SECRET: Final = "canary-of-the-turn-server"
URI: Final = "turn:turn.example.org:3478"
ASKED: Final = {"command": "getIceServerConfig"}


def session(id: str = "s") -> SessionInfo:
    """A session of this id."""
    return SessionInfo(SessionId(id), App("live"))


def kept(folder: Path) -> bytes:
    """Everything that is in the files of a folder."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


class TestTurn:
    """Passwords of a TURN server that shares a secret with this one."""

    def test_the_password_belongs_to_the_username(self) -> None:
        """Known from coturn: base64 of the HMAC-SHA1 of the username, which begins with the time it ends at."""
        clock = ManualClock()
        server = TurnRest(URI, SECRET, clock=clock).for_session(session())
        password = base64.b64encode(hmac.new(SECRET.encode(), server.username.encode(), hashlib.sha1).digest())

        assert (server.uri, server.credential) == (URI, password.decode())
        assert int(server.username.partition(":")[0]) == clock.wall() // SECOND + 300

    async def test_it_ends(self) -> None:
        """The time in it moves with the clock and with the lifetime, so that what was told yesterday is no use."""
        clock = ManualClock()
        short, long = (TurnRest(URI, SECRET, lifetime_s=one, clock=clock) for one in (60, LIFETIME_S_MAX))
        before = short.for_session(session())
        await clock.advance(60 * SECOND)
        after = short.for_session(session())
        ends = [int(server.username.partition(":")[0]) for server in (before, after, long.for_session(session()))]

        assert [end - clock.wall() // SECOND for end in ends] == [0, 60, LIFETIME_S_MAX]
        assert before.credential != after.credential

    def test_each_session_has_its_own(self) -> None:
        """Two sessions are told apart by the TURN server, which does not learn their ids."""
        turn = TurnRest(URI, SECRET, clock=ManualClock())
        one, same, other = (turn.for_session(session(id)).username for id in ("one", "one", "other"))

        assert one == same != other
        assert "one" not in one

    def test_the_secret_is_read_from_a_file(self, tmp_path: Path) -> None:
        """The line break that an editor leaves at the end is not part of it."""
        file = tmp_path / "turn.secret"
        file.write_text(SECRET + "\n")
        clock = ManualClock()

        assert (
            TurnRest.from_file(URI, file, clock=clock).for_session(session()).credential
            == TurnRest(URI, SECRET, clock=clock).for_session(session()).credential
        )

    @pytest.mark.parametrize("lifetime_s", [0, -1, LIFETIME_S_MAX + 1])
    def test_the_lifetime_is_bounded(self, lifetime_s: int) -> None:
        """A day is the most."""
        with pytest.raises(ValueError, match="1 to 86400 seconds"):
            TurnRest(URI, SECRET, lifetime_s=lifetime_s)

    def test_a_short_secret_is_refused_and_not_quoted(self) -> None:
        """It could be found from any password, and an error text is no place for it."""
        with pytest.raises(ValueError, match="fewer than 16 bytes") as error:
            TurnRest(URI, "canary")
        assert "canary" not in str(error.value)

    @pytest.mark.parametrize(
        "uri", ["", "turn.example.org", "https://turn.example.org", "turn:", "turn:a b", "turns:a:1", "turn:h:3478\n"]
    )
    def test_an_address_that_is_none_is_refused(self, uri: str) -> None:
        """Clients would leave it out without a word."""
        with pytest.raises(ValueError, match="turn:host:port"):
            TurnRest(uri, SECRET)
        with pytest.raises(ValueError, match="turn:host:port"):
            StaticIceServers(uri)

    def test_a_stun_server_has_no_passwords(self) -> None:
        """It would be asked for them in vain."""
        with pytest.raises(ValueError, match="begins with turn:"):
            TurnRest("stun:stun.example.org:3478", SECRET)


class TestStatic:
    """The same for everybody."""

    @pytest.mark.parametrize(
        "uri", ["stun:stun.example.org", "turn:[2001:db8::1]:3478", "turn:h:3478?transport=tcp", "stun:192.0.2.1:19302"]
    )
    def test_it_is_told_as_it_was_given(self, uri: str) -> None:
        """Whatever address it has."""
        given = StaticIceServers(uri, username="u", credential="c").for_session(session())

        assert given == IceServer(uri, "u", "c")

    def test_its_text_shows_no_credential(self) -> None:
        """A log that shows the value shows no password."""
        assert repr(IceServer(URI, "canary", "canary")) == f"IceServer(uri='{URI}')"


class TestTelling:
    """What a client is told, and nobody else."""

    async def test_the_password_reaches_the_client_and_nothing_else(
        self, tmp_path: Path, evidence: EvidenceNotes
    ) -> None:
        """Not a byte of secret, username or password is on the reel, in a step or in a log line (Contract 11)."""
        path = tmp_path / "calls.reel"
        with capture_logs() as lines:
            async with Runtime(SqliteReel(path), ice=TurnRest(URI, SECRET)) as runtime:
                steps = runtime.steps()
                async with MemoryClient(runtime) as client:
                    await client.send(ASKED)
                    told = await client.receive()
            seen = [repr(step) async for step in steps]
        evidence.tick("REAL-15", transport="memory", captured=told, said=ASKED)

        assert (told["command"], told["stunServerUri"]) == ("iceServerConfig", URI)
        for canary in (SECRET, told["turnServerUsername"], told["turnServerCredential"]):
            assert len(canary) > 16
            assert canary.encode() not in kept(tmp_path)
            assert canary not in "".join(seen)
            assert canary not in repr(lines)

    async def test_without_ice_servers_the_settings_are_told(self) -> None:
        """As they stand on the reel."""
        async with Runtime(settings=Settings(stun_server="stun:h")) as runtime, MemoryClient(runtime) as client:
            await client.send(ASKED)

            assert await client.receive() == {
                "command": "iceServerConfig",
                "stunServerUri": "stun:h",
                "turnServerUsername": "",
                "turnServerCredential": "",
            }

    async def test_one_that_fails_stops_nothing(self) -> None:
        """It is counted, the client is told what the settings say, and nothing of the error is logged but its type."""

        class Broken:
            def for_session(self, session: SessionInfo) -> IceServer:
                raise LookupError("canary")

        with capture_logs() as lines:
            async with Runtime(ice=Broken()) as runtime, MemoryClient(runtime) as client:
                await client.send(ASKED)
                told = await client.receive()

        assert (told["stunServerUri"], runtime.counters.ice_failures) == ("", 1)
        assert "canary" not in repr(lines)

    @pytest.mark.parametrize("anyio_backend", ["asyncio"])
    async def test_over_a_websocket(self, evidence: EvidenceNotes) -> None:
        """Two clients are told two passwords of the same server."""
        told: list[dict[str, Any]] = []
        async with served(ice=TurnRest(URI, SECRET)) as server, server.client() as one, server.client() as other:
            for client in (one, other):
                await client.send(ASKED)
                told.append(await client.expect("iceServerConfig"))
        evidence.tick("REAL-15", transport="websocket", captured=told[0], said=ASKED)

        assert [message["stunServerUri"] for message in told] == [URI, URI]
        assert told[0]["turnServerCredential"] != told[1]["turnServerCredential"]


def test_sessions_are_spread_over_several_servers() -> None:
    """A session keeps to its own, however often it asks; without any server there is nothing to be told."""
    spread = SpreadIceServers([StaticIceServers(f"stun:{number}.example") for number in range(3)])
    sessions = [SessionInfo(SessionId(f"session-{number}"), App("live")) for number in range(300)]
    told = [spread.for_session(session).uri for session in sessions]

    assert told == [spread.for_session(session).uri for session in sessions]
    assert all(50 < told.count(f"stun:{number}.example") < 150 for number in range(3))
    with pytest.raises(ValueError, match="no server"):
        SpreadIceServers([])
