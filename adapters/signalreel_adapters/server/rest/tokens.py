"""One-time tokens and web tokens: given out once, and looked at without being used."""

import secrets
from typing import Final

from signalreel.host import IssueToken, RevokeTokens
from signalreel.identifiers import is_valid_name
from signalreel.registered import IssuedToken, Purpose
from signalreel_adapters.access.onetime import TOKEN_LIFETIME_S_MAX, one_time_tag
from signalreel_adapters.server.rest.problems import RestProblem, bad_request, conflict
from signalreel_adapters.server.rest.services import Services
from signalreel_adapters.server.rest.shapes import Result, ShownToken, Token, TokenToValidate
from signalreel_adapters.server.rest.table import Call, Form, Operation, Parameter

__all__ = (
    "TOKENS",
    "issue_token",
    "issue_web_token",
    "list_tokens",
    "revoke_tokens",
    "validate_token",
)

_TOKEN_BYTES: Final = 24


async def issue_token(services: Services, call: Call) -> Token:
    """Issue a one-time token for a stream, a peer pair or a room. It is shown this once, and kept as a keyed tag."""
    tags = services.keyed()
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    issued = IssuedToken(
        one_time_tag(tags, token), call.text("id"), _purpose(call), _expiry(services, call), call.optional("room_id")
    )
    await services.order(IssueToken(token=issued), call.app)
    return Token(token, issued.stream_id, issued.expires_at, issued.purpose, issued.room or None)


async def issue_web_token(services: Services, call: Call) -> Token:
    """Sign a web token (JWT, HS256) with the app's key. It stands nowhere: it is good until it expires."""
    key = services.jwt_keys.get(call.app)
    if key is None:
        raise conflict("the app has no key for web tokens: give it one as apps.NAME.access.jwt.secret")
    from signalreel_adapters.access.jwt import web_token  # noqa: PLC0415 - needs an extra

    expires_at, purpose, room = _expiry(services, call), _purpose(call), call.optional("room_id")
    token = web_token(key, call.text("id"), purpose, expires_at, room=room)
    return Token(token, call.text("id"), expires_at, purpose, room or None)


async def validate_token(services: Services, call: Call) -> Result:
    """Say whether a one-time token is good for a stream and a purpose. Asking does not use it."""
    asked: TokenToValidate = call.body
    if not is_valid_name(asked.stream_id):
        raise bad_request("streamId must be a name of at most 255 characters: A-Z a-z 0-9 - _ .")
    tag = one_time_tag(services.keyed(), asked.token_id)
    issued = services.registry.token(call.app, tag)
    is_good = (
        issued is not None
        and (issued.stream_id, issued.purpose) == (asked.stream_id, asked.type)
        and services.now_s() < issued.expires_at
        and not services.engine.is_used(call.app, tag)
    )
    return Result(is_good, "" if is_good else "the token is not good for this")


async def revoke_tokens(services: Services, call: Call) -> Result:
    """Forget every one-time token of a stream or room. Whoever has come in by one stays."""
    try:
        await services.order(RevokeTokens(stream_id=call.text("id")), call.app)
    except RestProblem as problem:
        if problem.why != "not_registered":
            raise
        return Result(success=True, message="there were none", data_id=call.text("id"))
    return Result(success=True, data_id=call.text("id"))


async def list_tokens(services: Services, call: Call) -> list[ShownToken]:
    """List the one-time tokens of a stream or room that are neither used nor expired, without the tokens."""
    now = services.now_s()
    found = [
        ShownToken(one.tag, one.stream_id, one.expires_at, one.purpose, one.room or None)
        for one in services.registry.tokens(call.app, call.text("id"))
        if now < one.expires_at and not services.engine.is_used(call.app, one.tag)
    ]
    return found[call.page()]


def _purpose(call: Call) -> Purpose:
    return Purpose(call.text("type"))


def _expiry(services: Services, call: Call) -> int:
    expires_at, now = call.number("expire_date"), services.now_s()
    if not now < expires_at <= now + TOKEN_LIFETIME_S_MAX:
        days = TOKEN_LIFETIME_S_MAX // 86_400
        raise bad_request(f"expireDate must be in seconds since 1970, in the future, at most {days} days away")
    return expires_at


_ISSUED: Final = {
    "expire_date": Parameter("expireDate", Form.INTEGER, "Seconds since 1970.", required=True),
    "type": Parameter("type", Form.TEXT, "What for.", choices=tuple(Purpose), required=True),
    "room_id": Parameter("roomId", Form.NAME, "A room in which the stream may be published."),
}

TOKENS: Final = (
    Operation("GET", "broadcasts/{id}/token", issue_token, Token, query=_ISSUED, fails=(409,)),
    Operation("GET", "broadcasts/{id}/jwt-token", issue_web_token, Token, query=_ISSUED, fails=(409,)),
    Operation("POST", "broadcasts/validate-token", validate_token, Result, body=TokenToValidate, fails=(409,)),
    Operation("DELETE", "broadcasts/{id}/tokens", revoke_tokens, Result),
    Operation("GET", "broadcasts/{id}/tokens/list/{offset}/{size}", list_tokens, list[ShownToken]),
)
"""The operations on tokens."""
