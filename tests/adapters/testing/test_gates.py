"""`signalreel_adapters.testing.gates`: our own gates pass, and the suite catches who breaks a promise."""

from collections.abc import Callable
from typing import cast

import anyio.lowlevel
import pytest

from signalreel.commands import AnyCommand, Join, Play, Publish
from signalreel.registered import Purpose
from signalreel_adapters import SessionInfo, Verdict
from signalreel_adapters.access.chain import ClosedGate, FirstThatKnows, OpenGate, PerApp
from signalreel_adapters.access.jwt import JwtGate
from signalreel_adapters.access.onetime import MemoryTokens, OneTimeGate
from signalreel_adapters.access.times import SECOND
from signalreel_adapters.ports import Gate
from signalreel_adapters.testing import Asked, ManualClock, check_gate
from tests.adapters.access.scenes import JWT_KEY, TAGS, session_of, signed

pytestmark = pytest.mark.anyio

NOW = ManualClock().wall() // SECOND
TOKEN = signed({"streamId": "a", "type": "publish", "exp": NOW + 300})
ANN = session_of(identity="ann")
ADMITTED = (Asked(Publish(stream_id="a", token=TOKEN), ANN),)
REFUSED = (Asked(Publish(stream_id="b", token=TOKEN), ANN), Asked(Play(stream_id="a"), ANN))


def web_tokens() -> JwtGate:
    """A gate that passes."""
    return JwtGate(JWT_KEY, tags=TAGS, clock=ManualClock())


async def test_web_tokens_pass() -> None:
    """Alone, and put together with others."""
    await check_gate(web_tokens, admitted=ADMITTED, refused=REFUSED)
    await check_gate(lambda: PerApp({"live": FirstThatKnows(web_tokens())}), admitted=ADMITTED, refused=REFUSED)


async def test_one_time_tokens_pass() -> None:
    """The gate does not burn them; the engine does."""
    clock = ManualClock()
    store = MemoryTokens(tags=TAGS, clock=clock)
    token = store.issue("live", "a", Purpose.PLAY, lifetime_s=60)

    await check_gate(
        lambda: OneTimeGate(store, tags=TAGS, clock=clock),
        admitted=[Asked(Play(stream_id="a", token=token), ANN)],
        refused=[Asked(Publish(stream_id="a", token=token), ANN), Asked(Play(stream_id="b", token=token), ANN)],
    )


async def test_open_and_closed_gates_pass() -> None:
    """Who keeps everybody out has nobody to let in; another app's door is closed."""
    await check_gate(ClosedGate, admitted=[], refused=[*ADMITTED, *REFUSED])
    await check_gate(
        lambda: PerApp({"live": OpenGate(tags=TAGS)}),
        admitted=[Asked(Join(stream_id="a"), ANN)],
        refused=[Asked(Join(stream_id="a"), session_of("other"))],
    )


async def test_something_must_be_refused() -> None:
    """A suite without that would pass a door that stands open."""
    with pytest.raises(ValueError, match="at least one"):
        await check_gate(web_tokens, admitted=ADMITTED, refused=[])


class Wrong:
    """A gate for web tokens with one mistake in it."""

    def __init__(self) -> None:
        self.good = web_tokens()
        self.asked = 0
        self.busy = False

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Decide as it should be."""
        return await self.good.decide(command, session)


class Open(Wrong):
    """Lets in whoever shows something."""

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Look at no token."""
        return Verdict.allow() if isinstance(command, Publish) else Verdict.refuse()


class Shut(Wrong):
    """Keeps out whom it should let in."""

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Refuse."""
        return Verdict.refuse()


class Burns(Wrong):
    """Lets each token in once."""

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Remember the token itself."""
        verdict = await super().decide(command, session)
        if verdict.grant.allowed:
            self.asked += 1
        return verdict if self.asked <= 1 else Verdict.refuse()


class Shows(Wrong):
    """Has the reel keep the token."""

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Take the token for who somebody is."""
        verdict = await super().decide(command, session)
        return Verdict.allow(f"token {getattr(command, 'token', '')}") if verdict.grant.allowed else verdict


class Forgets(Wrong):
    """Says until when, and not what."""

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Leave out the tag."""
        verdict = await super().decide(command, session)
        return Verdict.allow(until=5) if verdict.grant.allowed else verdict


class Trusts(Wrong):
    """Looks at how a token begins."""

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Compare a part of it."""
        begins = str(getattr(command, "token", "")).startswith(TOKEN[: len(TOKEN) // 4])
        return Verdict.allow() if begins and getattr(command, "stream_id", "") == "a" else Verdict.refuse()


class Raises(Wrong):
    """Does not expect what is no token."""

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Encode as what it is not always."""
        str(getattr(command, "token", "")).encode("ascii")
        return await super().decide(command, session)


class SaysYes(Wrong):
    """Gives no verdict."""

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Give what is true or not."""
        verdict = await super().decide(command, session)
        return cast(Verdict, verdict.grant.allowed)


@pytest.mark.parametrize(
    ("wrong", "promise"),
    [
        (Open, "kept out is refused"),
        (Shut, "let in is allowed"),
        (Burns, "decided the same again"),
        (Shows, "holds no credential"),
        (Forgets, "`until` says how long"),
        (Trusts, "with a forged `token` is refused"),
        (Raises, "without UnicodeEncodeError"),
        (SaysYes, "by a `Verdict`; it was bool"),
    ],
)
async def test_a_broken_promise_is_named(wrong: Callable[[], Gate], promise: str) -> None:
    """In its own words, without the credential."""
    with pytest.raises(AssertionError) as broken:
        await check_gate(wrong, admitted=ADMITTED, refused=REFUSED)

    assert promise in str(broken.value)
    assert TOKEN not in str(broken.value)


async def test_who_mixes_up_those_who_ask_at_once_is_caught() -> None:
    """A verdict for one is given to all who wait with it."""

    class Mixes(Wrong):
        latest: AnyCommand

        async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
            """Keep what it was asked where all can change it."""
            self.latest = command
            await anyio.lowlevel.checkpoint()
            return await self.good.decide(self.latest, session)

    with pytest.raises(AssertionError, match="many that ask at once"):
        await check_gate(Mixes, admitted=ADMITTED, refused=REFUSED)
