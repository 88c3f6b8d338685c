"""`signalreel_adapters.access.jwt`: the corpus of forged tokens, and what a good one opens."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalreel.commands import AnyCommand, JoinRoom, Play, Publish
from signalreel.record import Grant
from signalreel_adapters import SessionInfo
from signalreel_adapters.access.jwt import (
    JWT_KEY_BYTES_MIN,
    LEEWAY_S_MAX,
    TOKEN_CHARACTERS_MAX,
    JwtGate,
    UnfitKey,
)
from signalreel_adapters.access.rights import wish_of
from signalreel_adapters.access.times import SECOND, kept_until
from signalreel_adapters.testing import ManualClock
from tests.adapters.access.scenes import JWT_KEY, TAGS, FixedRooms, session_of, signed, unsigned_part

pytestmark = pytest.mark.anyio

NOW = ManualClock().wall() // SECOND
GOOD = {"streamId": "a", "type": "publish", "exp": NOW + 300}
PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"


def gate(**options: Any) -> JwtGate:
    """A gate at the time `NOW`."""
    return JwtGate(JWT_KEY, tags=TAGS, clock=ManualClock(), **options)


async def grant_for(token: str, of: JwtGate | None = None, session: SessionInfo | None = None) -> Grant:
    """What publishing `a` with the token is granted."""
    verdict = await (of or gate()).decide(Publish(stream_id="a", token=token), session or session_of())
    return verdict.grant


def altered(token: str) -> str:
    """The token with one bit of its signature turned."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


async def test_a_good_token_is_accepted() -> None:
    """Algorithm, signature, stream, purpose and time are right. The identity is that of the stream's holder."""
    assert await grant_for(signed(GOOD)) == Grant(allowed=True, identity=TAGS.holder("a"), rooms=("",))


async def test_the_subscriber_of_a_token_is_its_identity() -> None:
    """`sub` is verified, unlike the name that a command claims."""
    assert (await grant_for(signed({**GOOD, "sub": "ann"}))).identity == TAGS.subscriber("ann")


FORGED = {
    "another key": signed(GOOD, key="another secret of thirty-two octets"),
    "altered signature": altered(signed(GOOD)),
    "no signature": signed(GOOD).rpartition(".")[0] + ".",
    "two parts": signed(GOOD).rpartition(".")[0],
    "four parts": signed(GOOD) + ".AAAA",
    "altered claims": ".".join(
        [signed(GOOD).split(".")[0], unsigned_part({**GOOD, "exp": NOW + 999}), signed(GOOD).split(".")[2]]
    ),
    "alg none": f"{unsigned_part({'alg': 'none'})}.{unsigned_part(GOOD)}.",
    "alg none, signed": signed(GOOD, header={"alg": "none"}),
    "alg NONE": signed(GOOD, header={"alg": "NONE"}),
    "alg HS512": signed(GOOD, header={"alg": "HS512"}, digest="sha512"),
    "alg HS384": signed(GOOD, header={"alg": "HS384"}, digest="sha384"),
    "alg RS256": signed(GOOD, header={"alg": "RS256"}),
    "alg ES256": signed(GOOD, header={"alg": "ES256"}),
    "alg missing": signed(GOOD, header={"typ": "JWT"}),
    "alg a number": signed(GOOD, header={"alg": 256}),
    "header no object": signed(GOOD, header="[]"),
    "header no JSON": signed(GOOD, header="{"),
    "unknown crit": signed(GOOD, header={"alg": "HS256", "crit": ["x"], "x": 1}),
    "known crit": signed(GOOD, header={"alg": "HS256", "crit": ["b64"], "b64": True}),
    "empty crit": signed(GOOD, header={"alg": "HS256", "crit": []}),
    "its own key": signed(
        GOOD, key="x" * 32, header={"alg": "HS256", "jwk": {"kty": "oct", "k": unsigned_part("x" * 32)}}
    ),
    "a key elsewhere": signed(GOOD, key="x" * 32, header={"alg": "HS256", "jku": "https://example.org/keys"}),
    "a public key as secret": signed(GOOD, key=PUBLIC_KEY),
    "expired": signed({**GOOD, "exp": NOW - LEEWAY_S_MAX}),
    "expires at infinity": signed(f'{{"streamId":"a","type":"publish","exp":{"9" * 400}}}'),
    "expires at no time": signed('{"streamId":"a","type":"publish","exp":NaN}'),
    "expires never, in words": signed('{"streamId":"a","type":"publish","exp":Infinity}'),
    "exp as text": signed({**GOOD, "exp": str(NOW + 300)}),
    "exp a boolean": signed({**GOOD, "exp": True}),
    "exp null": signed({**GOOD, "exp": None}),
    "no exp": signed({"streamId": "a", "type": "publish"}),
    "not yet": signed({**GOOD, "nbf": NOW + LEEWAY_S_MAX + 1}),
    "another stream": signed({**GOOD, "streamId": "b"}),
    "no stream": signed({"type": "publish", "exp": NOW + 300}),
    "empty stream": signed({**GOOD, "streamId": ""}),
    "many streams": signed({**GOOD, "streamId": ["a"]}),
    "another purpose": signed({**GOOD, "type": "play"}),
    "both purposes": signed({**GOOD, "type": "publish_play"}),
    "no purpose": signed({"streamId": "a", "exp": NOW + 300}),
    "for some audience": signed({**GOOD, "aud": "others"}),
    "claims no object": signed("[]"),
    "claims no JSON": signed("{"),
    "claims nested": signed("[" * 5_000),
    "too long": signed({**GOOD, "x": "y" * TOKEN_CHARACTERS_MAX}),
    "a line end": signed(GOOD) + "\n",
    "letters of another alphabet": signed(GOOD).replace("e", "\u0435", 1),
    "nothing": "",
    "dots": "..",
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
async def test_a_forged_token_is_refused(token: str) -> None:
    """Refused, never an exception, and nothing of it in the grant (OWASP ASVS 5.0, 9.1.2, 9.1.3 and 9.2)."""
    assert await grant_for(token) == Grant(allowed=False)


@given(st.text(max_size=200) | st.binary(max_size=60).map(lambda raw: f"{unsigned_part(raw.hex())}.."))
async def test_whatever_is_shown_is_decided(token: str) -> None:
    """No text makes the gate raise."""
    assert not (await grant_for(token)).allowed


@pytest.mark.parametrize(
    "key",
    ["x" * (JWT_KEY_BYTES_MIN - 1), "", PUBLIC_KEY, f"\n {PUBLIC_KEY}", "ssh-rsa " + "A" * 300, PUBLIC_KEY.encode()],
)
def test_a_key_that_others_know_is_refused(key: str | bytes) -> None:
    """A short secret, or the text of a public key: whoever has read it could sign. The error does not show it."""
    with pytest.raises(UnfitKey) as caught:
        JwtGate(key, tags=TAGS)

    assert "MFkw" not in str(caught.value)


async def test_expiry_has_the_leeway_and_no_more() -> None:
    """A token is good until its expiry and the leeway are over, to the microsecond."""
    clock = ManualClock()
    subject = JwtGate(JWT_KEY, tags=TAGS, clock=clock)
    token = signed({**GOOD, "exp": NOW})
    await clock.advance(LEEWAY_S_MAX * SECOND - 1)
    before = await grant_for(token, subject)
    await clock.advance(1)

    assert (before.allowed, (await grant_for(token, subject)).allowed) == (True, False)


@pytest.mark.parametrize("leeway_s", [-1, LEEWAY_S_MAX + 1])
def test_a_larger_leeway_cannot_be_had(leeway_s: int) -> None:
    """A minute at most, else expiry means little."""
    with pytest.raises(ValueError, match=str(LEEWAY_S_MAX)):
        gate(leeway_s=leeway_s)


async def test_a_token_without_expiry_needs_the_switch() -> None:
    """Off unless set; and even then an expiry that is there counts."""
    subject = gate(allow_without_expiry=True)

    assert (await grant_for(signed({"streamId": "a", "type": "publish"}), subject)).allowed
    assert not (await grant_for(FORGED["expired"], subject)).allowed


async def test_issuer_and_audience_must_fit() -> None:
    """When the gate is given them; an audience may be one of several."""
    subject = gate(issuer="us", audience="here")

    assert (await grant_for(signed({**GOOD, "iss": "us", "aud": "here"}), subject)).allowed
    assert (await grant_for(signed({**GOOD, "iss": "us", "aud": ["there", "here"]}), subject)).allowed
    for claims in ({}, {"iss": "us"}, {"aud": "here"}, {"iss": "us", "aud": "her"}, {"iss": "them", "aud": "here"}):
        assert not (await grant_for(signed({**GOOD, **claims}), subject)).allowed


async def test_a_conference_token_opens_the_room() -> None:
    """A token for a room publishes and plays in it, and in no other one."""
    subject = gate(rooms=FixedRooms({"r": ("b",)}))
    token = signed({**GOOD, "streamId": "r"})
    opened: list[AnyCommand] = [Publish(stream_id="c", main_track="r", token=token), JoinRoom(room="r", token=token)]
    opened += [Play(stream_id="r", room="r", token=token), Play(stream_id="b", room="r", token=token)]
    closed: list[AnyCommand] = [
        Publish(stream_id="c", main_track="q", token=token),
        Play(stream_id="c", room="r", token=token),
    ]

    assert [(await subject.decide(command, session_of())).grant.allowed for command in opened] == [True] * 4
    assert [(await subject.decide(command, session_of())).grant.allowed for command in closed] == [False] * 2


async def test_a_token_for_single_use_is_known_by_its_claim() -> None:
    """By `jti`, so that another spelling of the same token is the same token; without one it is refused."""
    subject = gate(single_use=True)
    first = await grant_for(signed({**GOOD, "jti": "1"}), subject)
    spelled = await grant_for(signed({"jti": "1", **GOOD}), subject)

    assert first.once == spelled.once != ""
    assert first.until == kept_until((NOW + 300 + LEEWAY_S_MAX) * SECOND)
    assert (await grant_for(signed({**GOOD, "jti": "2"}), subject)).once != first.once
    assert not (await grant_for(signed(GOOD), subject)).allowed
    assert not (await grant_for(signed({"streamId": "a", "type": "publish", "jti": "1"}), subject)).allowed
    with pytest.raises(ValueError, match="expiry"):
        gate(single_use=True, allow_without_expiry=True)


async def test_another_kind_of_token_is_left_to_others() -> None:
    """What has not three parts is no web token, which is not a refusal yet."""
    for token in ("", "abc", "a.b", "a.b.c.d"):
        wish = wish_of(Publish(stream_id="a", token=token))
        assert wish is not None
        assert await gate().examine(wish, session_of()) is None
