"""Subscribers: who may publish or play by time-based codes, and who is kept from it for a while.

A secret comes in, or is drawn and shown once; it is kept sealed, and never given out again.
"""

import base64
import secrets
from typing import Final

from signalreel.host import BlockSubscriber, RegisterSubscriber, UnregisterSubscriber
from signalreel.registered import BlockKind, Purpose, Subscriber
from signalreel_adapters.access.sealing import SUBSCRIBER_SECRET, Unsealable
from signalreel_adapters.access.totp import PERIOD_S, derived_secret, secret_octets, totp_code
from signalreel_adapters.server.rest.problems import RestProblem, bad_request, conflict, not_found
from signalreel_adapters.server.rest.services import Services
from signalreel_adapters.server.rest.shapes import (
    NewSubscriber,
    OneTimeCode,
    Result,
    SubscriberMade,
    SubscriberShown,
)
from signalreel_adapters.server.rest.table import Call, Form, Operation, Parameter

__all__ = (
    "SUBSCRIBERS",
    "add_subscriber",
    "block_subscriber",
    "delete_subscriber",
    "delete_subscribers",
    "list_subscribers",
    "present_code",
)

_SECRET_BYTES: Final = 20
"""What RFC 4226, section 4, recommends for a shared secret."""


async def add_subscriber(services: Services, call: Call) -> SubscriberMade:
    """Register a subscriber of a stream or room, or replace the one of that name. A drawn secret is shown this once."""
    asked: NewSubscriber = call.body
    sealing = services.sealed()
    drawn = "" if asked.b32_secret else base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    secret = asked.b32_secret or drawn
    try:
        secret_octets(secret)
    except ValueError:
        raise bad_request("b32Secret must be base 32: A-Z and 2-7") from None
    limit = asked.concurrent_connections_limit
    subscriber = Subscriber(
        call.text("id"),
        asked.subscriber_id,
        asked.type,
        sealing.seal(SUBSCRIBER_SECRET, secret),
        asked.totp_expiry_period_seconds or PERIOD_S,
        asked.subscriber_name or "",
        -1 if limit is None else limit,
    )
    await services.order(RegisterSubscriber(subscriber=subscriber), call.app)
    return SubscriberMade(success=True, data_id=asked.subscriber_id, b32_secret=drawn or None)


async def list_subscribers(services: Services, call: Call) -> list[SubscriberShown]:
    """List the subscribers of a stream or room, without their secrets."""
    found = services.registry.subscribers(call.app, call.text("id"))
    return [_shown(services, call.app, one) for one in found[call.page()]]


async def delete_subscriber(services: Services, call: Call) -> Result:
    """Forget a subscriber. What it holds goes on; a block would end it."""
    await services.order(
        UnregisterSubscriber(stream_id=call.text("id"), subscriber_id=call.text("subscriber_id")), call.app
    )
    return Result(success=True, data_id=call.text("subscriber_id"))


async def delete_subscribers(services: Services, call: Call) -> Result:
    """Forget every subscriber of a stream or room."""
    try:
        await services.order(UnregisterSubscriber(stream_id=call.text("id")), call.app)
    except RestProblem as problem:
        if problem.why != "not_registered":
            raise
        return Result(success=True, message="there were none", data_id=call.text("id"))
    return Result(success=True, data_id=call.text("id"))


async def present_code(services: Services, call: Call) -> OneTimeCode:
    """Give the present code of a subscriber, in `dataId`. It is good for one use, whoever shows it first."""
    id, name = call.text("id"), call.text("subscriber_id")
    registered = services.registry.subscriber(call.app, id, name)
    if registered is not None and registered.sealed_secret:
        try:
            secret = services.sealed().open(SUBSCRIBER_SECRET, registered.sealed_secret)
        except Unsealable:
            raise conflict("the secret was sealed with another key; register the subscriber again") from None
        period_s = registered.period_s
    else:
        shared = services.totp_secrets.get(call.app)
        if shared is None:
            raise not_found("not_registered")
        secret = derived_secret(shared, name, id, Purpose(call.optional("type") or Purpose.PLAY))
        period_s = PERIOD_S
    return OneTimeCode(success=True, data_id=totp_code(secret_octets(secret), services.now_s() // period_s))


async def block_subscriber(services: Services, call: Call) -> Result:
    """Keep a subscriber out for a while, and end what it holds of it now. It need not be registered."""
    name = call.text("subscriber_id")
    seconds = call.number("seconds")
    try:
        await services.order(
            BlockSubscriber(
                stream_id=call.text("id"),
                subscriber_id=name,
                identity=services.tags.subscriber(name) if services.tags is not None else "",
                kind=BlockKind(call.text("kind")),
                until=services.now_s() + seconds if seconds else 0,
            ),
            call.app,
        )
    except RestProblem as problem:
        if seconds or problem.why != "not_registered":
            raise
        return Result(success=True, message="there was no block", data_id=name)
    return Result(success=True, data_id=name)


def _shown(services: Services, app: str, one: Subscriber) -> SubscriberShown:
    now = services.now_s()
    blocks = {
        purpose: block.until
        for purpose in Purpose
        if (block := services.registry.block(app, one.stream_id, one.subscriber_id, purpose)) is not None
        and now < block.until
    }
    kind = None
    if blocks:
        kind = BlockKind.PUBLISH_PLAY.value if len(blocks) == len(Purpose) else next(iter(blocks)).value
    return SubscriberShown(
        one.subscriber_id,
        one.stream_id,
        one.purpose,
        one.name,
        one.period_s,
        one.connections_max,
        kind,
        max(blocks.values(), default=0),
    )


_TYPE: Final = {"type": Parameter("type", Form.TEXT, "Of a subscriber that is not registered.", choices=tuple(Purpose))}

SUBSCRIBERS: Final = (
    Operation("POST", "broadcasts/{id}/subscribers", add_subscriber, SubscriberMade, body=NewSubscriber, fails=(409,)),
    Operation("GET", "broadcasts/{id}/subscribers/list/{offset}/{size}", list_subscribers, list[SubscriberShown]),
    Operation("DELETE", "broadcasts/{id}/subscribers", delete_subscribers, Result),
    Operation("DELETE", "broadcasts/{id}/subscribers/{subscriber_id}", delete_subscriber, Result, fails=(404,)),
    Operation(
        "GET",
        "broadcasts/{id}/subscribers/{subscriber_id}/totp",
        present_code,
        OneTimeCode,
        query=_TYPE,
        fails=(404, 409),
    ),
    Operation(
        "PUT",
        "broadcasts/{id}/subscribers/{subscriber_id}/block/{seconds}/{kind}",
        block_subscriber,
        Result,
        fails=(409,),
    ),
)
"""The operations on subscribers."""
