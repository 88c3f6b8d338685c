"""The gate for JSON web tokens (RFC 7519), signed with HMAC-SHA256 and a shared secret.

Algorithm and key type are fixed here and never read from the token: a token that names another algorithm, none, a key
of its own or a critical extension is no token of ours (RFC 8725, sections 3.1 to 3.3). The library verifies the
signature; the claims are checked below, because verifying alone would accept an expired token.

Claims: `streamId` (a stream, a peer pair or a room), `type` (`publish` or `play`) and `exp`; `sub` names the
subscriber, `roomId` a room in which the stream may be published.
"""

from typing import Annotated, Final, TypeVar

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from msgspec import Meta, Struct

from signalreel.commands import AnyCommand
from signalreel.registered import Purpose
from signalreel_adapters.access.rights import NoRooms, Right, Rooms, Wish, covers, decide_by, identity_of, rooms_of
from signalreel_adapters.access.tags import Tags
from signalreel_adapters.access.times import SECOND, kept_until, seconds
from signalreel_adapters.ports import Clock, SessionInfo, Verdict
from signalreel_adapters.runtime import SystemClock

__all__ = (
    "JWT_KEY_BYTES_MIN",
    "LEEWAY_S_MAX",
    "TOKEN_CHARACTERS_MAX",
    "JwtGate",
    "UnfitKey",
    "issuer_of",
    "signing_key",
    "web_token",
)

JWT_KEY_BYTES_MIN: Final = 32
"""RFC 7518, section 3.2: a key for HS256 has at least the 256 bits of the hash."""

LEEWAY_S_MAX: Final = 60
"""How far the clocks of whoever issues and whoever checks may differ, in seconds. More would soften `exp`."""

TOKEN_CHARACTERS_MAX: Final = 4_096
"""Longer texts are not even looked at."""

_ALGORITHM: Final = "HS256"
_SEPARATORS: Final = 2
_ARMOUR: Final = (b"-----BEGIN", b"ssh-", b"ecdsa-")

_LATEST: Final = 2**53
"""The largest time that is read: no infinity, and nothing that a record could not hold."""

_Time = Annotated[float, Meta(ge=0, le=_LATEST)] | None
_Name = Annotated[str, Meta(max_length=255)]


class _Times(Struct, frozen=True, rename="camel", kw_only=True):
    """What is read of every token: who issued it, and when it is good."""

    iss: str = ""
    exp: _Time = None
    nbf: _Time = None


_T = TypeVar("_T", bound=_Times)


class _Claims(_Times, frozen=True, rename="camel", kw_only=True):
    """What is read of a token. Other claims are ignored (RFC 7519, section 4)."""

    stream_id: Annotated[str, Meta(min_length=1, max_length=255)]
    type: Purpose
    room_id: _Name = ""
    sub: _Name = ""
    jti: _Name = ""
    aud: str | list[str] | None = None


class UnfitKey(ValueError):
    """The key cannot be the secret of a token. Give at least 32 random octets, and no public key in a text armour.

    Whoever knows a public key could sign with its text; so a key that looks like one is refused, whatever its length.
    """

    def __init__(self) -> None:
        super().__init__(f"the key for web tokens must be a secret of at least {JWT_KEY_BYTES_MIN} octets, and no PEM")


class JwtGate:
    """Accepts a web token for the stream, the purpose or the room that a command asks for. Both a `Gate` and a `Check`.

    `issuer` and `audience`, when given, must stand in the token; a token for some audience is refused without them
    (RFC 7519, section 4.1.3). `exp` must be there, unless `allow_without_expiry` is set for issuers who leave it out.
    With `single_use` each token needs a `jti` and an `exp`, and is good for one session.
    """

    def __init__(
        self,
        key: bytes | str,
        *,
        tags: Tags,
        issuer: str = "",
        audience: str = "",
        leeway_s: int = LEEWAY_S_MAX,
        allow_without_expiry: bool = False,
        single_use: bool = False,
        rooms: Rooms | None = None,
        clock: Clock | None = None,
    ) -> None:
        if not 0 <= leeway_s <= LEEWAY_S_MAX:
            raise ValueError(f"the leeway is {leeway_s} s; it must be from 0 to {LEEWAY_S_MAX}")
        if single_use and allow_without_expiry:
            raise ValueError(
                "a token for single use needs an expiry, else its use would have to be remembered for ever"
            )
        self._key = signing_key(key)
        self._tags = tags
        self._issuer = issuer
        self._audience = audience
        self._leeway_s = leeway_s
        self._allow_without_expiry = allow_without_expiry
        self._single_use = single_use
        self._rooms: Rooms = rooms if rooms is not None else NoRooms()
        self._clock: Clock = clock if clock is not None else SystemClock()

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Decide by the command's token."""
        return await decide_by(self, command, session)

    async def examine(self, wish: Wish, session: SessionInfo) -> Verdict | None:
        """Decide about a token of three parts; None for any other."""
        if wish.token.count(".") != _SEPARATORS:
            return None
        claims = _verified(self._key, wish.token, _Claims)
        if claims is None or not self._is_current(claims) or not self._is_for_us(claims):
            return Verdict.refuse()
        right = Right(claims.stream_id, claims.type, claims.room_id)
        if not covers(right, wish, session, self._rooms):
            return Verdict.refuse()
        identity = identity_of(self._tags, claims.sub, session, wish, claims.stream_id)
        if not self._single_use:
            return Verdict.allow(identity, rooms=rooms_of(right, wish))
        if not claims.jti or claims.exp is None:
            return Verdict.refuse()
        # By the claim and never by the token's text, of which one token can have several.
        once = self._tags.tag("jwt", claims.iss, claims.jti)
        until = kept_until((claims.exp + self._leeway_s) * SECOND)
        return Verdict.allow(identity, once=once, until=until, rooms=rooms_of(right, wish))

    def _is_current(self, claims: _Claims) -> bool:
        return _is_current(claims, self._clock.wall(), self._leeway_s, self._allow_without_expiry)

    def _is_for_us(self, claims: _Claims) -> bool:
        if self._issuer and claims.iss != self._issuer:
            return False
        audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        return self._audience in audiences if audiences is not None else not self._audience


def web_token(
    key: bytes | str, stream_id: str, purpose: Purpose, expires_at: int, *, room: str = "", subscriber_id: str = ""
) -> str:
    """Sign a token that `JwtGate` accepts under the same key, until a time in seconds since 1970.

    Raises `UnfitKey`. Whoever issues tokens elsewhere needs nothing of this server but the key.
    """
    claims: dict[str, str | int] = {"streamId": stream_id, "type": purpose.value, "exp": expires_at}
    if room:
        claims["roomId"] = room
    if subscriber_id:
        claims["sub"] = subscriber_id
    return jwt.encode({"alg": _ALGORITHM}, dict(claims), signing_key(key))


def issuer_of(
    key: OctKey, token: str, *, now: int, leeway_s: int = LEEWAY_S_MAX, allow_without_expiry: bool = False
) -> str:
    """Give who issued a token, when its signature and its times are good at `now` (microseconds since 1970).

    Empty for everything else: a token that names no issuer proves nothing here.
    """
    if token.count(".") != _SEPARATORS:
        return ""
    claims = _verified(key, token, _Times)
    if claims is None or not _is_current(claims, now, leeway_s, allow_without_expiry):
        return ""
    return claims.iss


def _verified(key: OctKey, token: str, kind: type[_T]) -> _T | None:
    """Give the claims of a token with a good signature, and None for everything else."""
    if len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
        return None
    try:
        decoded = jwt.decode(token, key, algorithms=[_ALGORITHM])
        if "crit" in decoded.header:  # We understand no extension, not even those that the library does.
            return None
        return msgspec.convert(decoded.claims, kind)
    except (JoseError, ValueError, RecursionError):
        return None


def _is_current(claims: _Times, now: int, leeway_s: int, allow_without_expiry: bool) -> bool:
    time = seconds(now)
    if claims.nbf is not None and not claims.nbf <= time + leeway_s:
        return False
    if claims.exp is None:
        return allow_without_expiry
    return time < claims.exp + leeway_s


def signing_key(key: bytes | str) -> OctKey:
    """Make the one kind of key there is: octets. Raises `UnfitKey`."""
    octets = key.encode() if isinstance(key, str) else key
    if len(octets) < JWT_KEY_BYTES_MIN or octets.lstrip().startswith(_ARMOUR):
        raise UnfitKey
    return OctKey.import_key(octets)
