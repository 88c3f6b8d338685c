"""What is registered: kept, bounded, found again, and part of the state."""

from collections.abc import Iterable

import pytest

from signalreel.engine import Engine
from signalreel.events import ClockAdjusted
from signalreel.host import (
    NO_SUBSCRIBER_NAMED,
    NOT_REGISTERED,
    TOO_MANY_REGISTERED,
    AnyRegistryCommand,
    BlockSubscriber,
    IssueToken,
    RegisterRoom,
    RegisterStream,
    RegisterSubscriber,
    RevokeTokens,
    UnregisterPushes,
    UnregisterRoom,
    UnregisterStream,
    UnregisterSubscriber,
)
from signalreel.identifiers import Kind
from signalreel.machines.registry import Registered, Registration, Registry, RegistryLimits
from signalreel.messages import Notification
from signalreel.refusals import (
    INVALID_STREAM_NAME,
    NO_ROOM_SPECIFIED,
    NO_STREAM_NAME_SPECIFIED,
    STREAM_ID_IN_USE,
    Refusal,
)
from signalreel.registered import (
    BlockKind,
    IssuedToken,
    Purpose,
    PushRegistration,
    RegisteredRoom,
    RegisteredStream,
    Subscriber,
)
from signalreel.replay import Cursor
from tests.engine.world import APP, World, told

S = 1_000_000


def stream(id: str = "s1", *, viewers_max: int = -1, created_at: int = 0) -> RegisterStream:
    """Register a stream."""
    return RegisterStream(app=APP, stream=RegisteredStream(id, viewers_max=viewers_max, created_at=created_at))


def token(tag: str, id: str = "s1", *, expires_at: int = 100) -> IssueToken:
    """Issue a token."""
    return IssueToken(app=APP, token=IssuedToken(tag, id, Purpose.PLAY, expires_at))


def subscriber(name: str, id: str = "s1") -> RegisterSubscriber:
    """Register a subscriber."""
    return RegisterSubscriber(app=APP, subscriber=Subscriber(id, name))


def block(name: str = "ann", id: str = "s1", *, until: int = 100, kind: str = "publish_play") -> BlockSubscriber:
    """Block a subscriber."""
    return BlockSubscriber(
        app=APP, stream_id=id, subscriber_id=name, identity=f"tag-of-{name}", kind=BlockKind(kind), until=until
    )


def filled(registry: Registry, orders: Iterable[AnyRegistryCommand], *, now: int = 0) -> Registry:
    """A registry to which orders were given that it took."""
    assert [registry.apply(APP, order, now) for order in orders if registry.apply(APP, order, now)] == []
    return registry


def test_what_is_registered_is_found_by_its_app_and_name() -> None:
    """Contract 1: apps do not see one another's registrations."""
    registry = filled(
        Registry(), [stream("b"), stream("a"), RegisterRoom(app=APP, room=RegisteredRoom("r"))], now=7_000
    )

    assert registry.registrations(APP) == [Registration(RegisteredStream(id, created_at=7)) for id in ("a", "b")]
    assert registry.stream(APP, "a") == RegisteredStream("a", created_at=7)
    assert [sorted(registry.stream_ids(app)) for app in (APP, "other")] == [["a", "b"], []]
    assert [registry.room_names(app) for app in (APP, "other")] == [["r"], []]
    assert registry.rooms(APP) == [registry.room(APP, "r")]
    assert (registry.stream("other", "a"), registry.registrations("other"), registry.rooms("other")) == (None, [], [])


def test_a_replaced_stream_keeps_when_it_was_created_and_what_became_of_it() -> None:
    """Registering again changes what is said of a stream, not its history; a time that is given is taken."""
    registry = filled(Registry(), [stream()], now=7_000)
    registry.finish(APP, "s1")
    registry.apply(APP, stream(viewers_max=3), 9_000)
    replaced = registry.registration(APP, "s1")
    registry.apply(APP, stream(created_at=5), 9_000)

    assert replaced == Registration(RegisteredStream("s1", viewers_max=3, created_at=7), is_finished=True)
    assert registry.stream(APP, "s1") == RegisteredStream("s1", created_at=5)


@pytest.mark.parametrize(
    ("order", "refusal"),
    [
        (stream(""), NO_STREAM_NAME_SPECIFIED),
        (stream("a/b"), INVALID_STREAM_NAME),
        (RegisterStream(app=APP, stream=RegisteredStream("s", main_track="a b")), INVALID_STREAM_NAME),
        (RegisterStream(app=APP, stream=RegisteredStream("s", main_track="s")), STREAM_ID_IN_USE),
        (UnregisterStream(app=APP, stream_id="s1"), NOT_REGISTERED),
        (RegisterRoom(app=APP, room=RegisteredRoom("")), NO_ROOM_SPECIFIED),
        (RegisterRoom(app=APP, room=RegisteredRoom("..")), INVALID_STREAM_NAME),
        (UnregisterRoom(app=APP, room="r"), NOT_REGISTERED),
        (token("t", "a/b"), INVALID_STREAM_NAME),
        (RevokeTokens(app=APP, stream_id="s1"), NOT_REGISTERED),
        (subscriber("ann", ""), NO_STREAM_NAME_SPECIFIED),
        (subscriber(""), NO_SUBSCRIBER_NAMED),
        (UnregisterSubscriber(app=APP, stream_id="s1", subscriber_id="ann"), NOT_REGISTERED),
        (UnregisterSubscriber(app=APP, stream_id="s1"), NOT_REGISTERED),
        (block(""), NO_SUBSCRIBER_NAMED),
        (block(id="a/b"), INVALID_STREAM_NAME),
        (block(until=0), NOT_REGISTERED),
    ],
)
def test_an_order_about_nothing_is_refused(order: AnyRegistryCommand, refusal: Refusal) -> None:
    """What names nothing, or names it wrongly, changes nothing and says why."""
    world = World()
    before = world.engine.registry.all()

    step = world.order(order)

    assert step.refused == refusal.definition
    assert (step.messages, world.engine.registry.all()) == ([], before)


@pytest.mark.parametrize(
    ("first", "again", "second"),
    [
        (stream("s1"), stream("s1", viewers_max=2), stream("s2")),
        (
            RegisterRoom(app=APP, room=RegisteredRoom("r1")),
            RegisterRoom(app=APP, room=RegisteredRoom("r1", mode="mcu")),
            RegisterRoom(app=APP, room=RegisteredRoom("r2")),
        ),
        (token("t1"), token("t1", expires_at=200), token("t2")),
        (subscriber("ann"), subscriber("ann"), subscriber("ben")),
        (block(kind="play"), block(until=200, kind="play"), block("ben", kind="play")),
    ],
)
def test_every_kind_has_a_bound_for_each_app(
    first: AnyRegistryCommand, again: AnyRegistryCommand, second: AnyRegistryCommand
) -> None:
    """One too many is refused; replacing one that is there, and another app, are not touched by that."""
    registry = Registry(RegistryLimits(1, 1, 1, 1, 1, 1))

    answers = [registry.apply(APP, order, 0) for order in (first, again, second)]

    assert answers == [None, None, TOO_MANY_REGISTERED]
    assert registry.apply("other", second, 0) is None


def test_what_has_run_out_makes_place() -> None:
    """A token or block that is over is forgotten before the bound is held against the next."""
    registry = filled(Registry(RegistryLimits(tokens_max=1, blocks_max=2)), [token("t1"), block()])

    assert registry.apply(APP, token("t2"), 99 * S) is TOO_MANY_REGISTERED
    assert registry.apply(APP, token("t2", expires_at=300), 100 * S) is None
    assert registry.apply(APP, block("ben", until=300), 100 * S) is None
    assert [one.tag for one in registry.tokens(APP, "s1")] == ["t2"]
    assert {one.subscriber_id for one in registry.blocks(APP)} == {"ben"}


def test_one_that_was_made_longer_does_not_run_out_early() -> None:
    """What was replaced is no longer what its first time was noted for, however often that happens."""
    registry = filled(Registry(), [block(until=100 + n) for n in range(3_000)])

    registry.apply(APP, token("t", expires_at=9_000), 500 * S)

    assert registry.block(APP, "s1", "ann", Purpose.PLAY) is not None
    assert len(registry._expiring) < 1_200


def test_revoking_forgets_the_tokens_of_one_stream() -> None:
    """Those of another stream stay."""
    registry = filled(Registry(), [token("t1"), token("t2"), token("t3", "s2")])

    assert registry.apply(APP, RevokeTokens(app=APP, stream_id="s1"), 0) is None
    assert (registry.token(APP, "t1"), registry.tokens(APP, "s1")) == (None, [])
    assert registry.token(APP, "t3") is not None


def test_a_stream_takes_its_tokens_and_subscribers_along() -> None:
    """Whoever registers the id again does not let in those whom somebody else had let in; blocks stay."""
    registry = filled(Registry(), [stream(), token("t1"), subscriber("ann"), subscriber("ben", "s2"), block()])

    assert registry.apply(APP, UnregisterStream(app=APP, stream_id="s1"), 0) is None
    assert (registry.stream(APP, "s1"), registry.tokens(APP, "s1"), registry.subscribers(APP, "s1")) == (None, [], [])
    assert registry.subscriber(APP, "s2", "ben") is not None
    assert len(registry.blocks(APP)) == 2


def test_subscribers_are_forgotten_one_by_one_or_all_at_once() -> None:
    """An order that names none is about all of the stream."""
    registry = filled(Registry(), [subscriber("ann"), subscriber("ben"), subscriber("cid")])

    assert registry.apply(APP, UnregisterSubscriber(app=APP, stream_id="s1", subscriber_id="ben"), 0) is None
    assert [one.subscriber_id for one in registry.subscribers(APP, "s1")] == ["ann", "cid"]
    assert registry.apply(APP, UnregisterSubscriber(app=APP, stream_id="s1"), 0) is None
    assert registry.subscribers(APP, "s1") == []


@pytest.mark.parametrize(
    ("names", "identity", "ids", "purpose", "now", "blocked"),
    [
        (("ann",), "", ("s1",), "play", 0, True),
        (("ben", "ann"), "", ("s1",), "play", 0, True),
        ((), "tag-of-ann", ("s0", "s1"), "publish", 0, True),
        (("ben",), "tag-of-ann", ("s1",), "play", 99 * S, True),
        (("ann",), "tag-of-ann", ("s1",), "play", 100 * S, False),
        (("ann",), "tag-of-ann", ("s2",), "play", 0, False),
        (("ben",), "tag-of-ben", ("s1",), "play", 0, False),
        (("cid",), "", ("whatever",), "play", 0, True),
        (("cid",), "", ("whatever",), "publish", 0, False),
    ],
)
def test_a_block_holds_for_a_name_and_for_a_tag(
    names: tuple[str, ...], identity: str, ids: tuple[str, ...], purpose: str, now: int, blocked: bool
) -> None:
    """In the streams it is about, or in all, for its purpose, until its time: neither name nor tag gets around it."""
    registry = filled(Registry(), [block(), block("cid", "", kind="play")])

    assert registry.is_blocked(APP, names, identity, ids, Purpose(purpose), now) is blocked
    assert not registry.is_blocked("other", names, identity, ids, Purpose(purpose), now)


def test_a_block_is_lifted_for_its_purpose() -> None:
    """A time that is past lifts; what it does not speak of stays."""
    registry = filled(Registry(), [block()])

    assert registry.apply(APP, block(until=1, kind="play"), 5 * S) is None
    assert registry.block(APP, "s1", "ann", Purpose.PLAY) is None
    assert registry.block(APP, "s1", "ann", Purpose.PUBLISH) is not None


def test_a_push_address_replaces_the_one_before() -> None:
    """One for each subscriber and type of service."""
    registry = Registry(RegistryLimits(pushes_max=2))
    first, again, other = (PushRegistration("ann", *rest) for rest in (("fcm", "a"), ("fcm", "b"), ("apn", "c")))

    assert [registry.take_push(APP, push) for push in (first, again, other)] == [None, None, None]
    assert registry.pushes(APP, "ann") == [other, again]
    assert registry.take_push(APP, PushRegistration("ben", "fcm", "d")) is TOO_MANY_REGISTERED


def test_push_addresses_are_forgotten_for_one_subscriber_or_for_all() -> None:
    """That makes place for others: they never run out by themselves."""
    registry = Registry(RegistryLimits(pushes_max=3))
    pushes = [PushRegistration(*rest) for rest in (("ann", "fcm", "a"), ("ann", "apn", "b"), ("ben", "fcm", "c"))]
    for push in pushes:
        registry.take_push(APP, push)
    registry.take_push("other", pushes[0])

    assert registry.take_push(APP, PushRegistration("cid", "fcm", "d")) is TOO_MANY_REGISTERED
    assert registry.take_push(APP, PushRegistration("ben", "fcm", "e")) is None
    assert registry.pushes(APP) == [pushes[1], pushes[0], PushRegistration("ben", "fcm", "e")]
    assert registry.apply(APP, UnregisterPushes(app=APP, subscriber_id="ann"), 0) is None
    assert registry.take_push(APP, PushRegistration("cid", "fcm", "d")) is None
    assert [push.subscriber_id for push in registry.pushes(APP)] == ["ben", "cid"]
    assert registry.apply(APP, UnregisterPushes(app=APP), 0) is None
    assert (registry.pushes(APP), registry.pushes("other")) == ([], [pushes[0]])
    assert registry.apply(APP, UnregisterPushes(app=APP, subscriber_id="ann"), 0) is NOT_REGISTERED


# ---------------------------------------------------------------- as part of an engine


def test_it_is_part_of_the_state_and_of_its_digest() -> None:
    """Contract 8: a snapshot brings it back, and two engines that differ in it alone have different digests."""
    world, other = World(), World()
    orders: list[AnyRegistryCommand] = [stream(), token("t"), subscriber("ann"), block()]
    digests = [world.order(order).state_digest for order in orders]
    for order in orders[:3]:
        other.order(order)
    restored = Engine(state_digest_every=1)
    restored.restore(world.engine.snapshot())

    assert len(set(digests)) == 4
    assert restored._state_digest() == world.engine._state_digest() != other.engine._state_digest()
    assert restored.registry.all() == world.engine.registry.all()


def test_it_replays() -> None:
    """Contract 8: a reel gives the same registry again."""
    world = World()
    for order in (stream(), subscriber("ann"), UnregisterSubscriber(app=APP, stream_id="s1"), block()):
        world.order(order)
    cursor = Cursor(world.reel())

    assert [one.divergence for one in cursor] == [None] * 4
    assert cursor.engine.registry.all() == world.engine.registry.all()


def test_a_registered_stream_outlives_its_calls() -> None:
    """Contract 14: its id is free when it ends, what is registered stays and says that it is over."""
    world = World()
    world.open("ann")
    world.order(stream())
    world.publish("ann", "s1")
    during = world.engine.registry.registration(APP, "s1")
    world.close("ann")
    after = world.engine.registry.registration(APP, "s1")

    assert during is not None
    assert after is not None
    assert (during.is_finished, after.is_finished) == (False, True)
    assert world.lives() == []


def test_unregistering_a_live_stream_ends_it() -> None:
    """As on real servers: its publisher is told, and the id is free."""
    world = World()
    world.open("ann")
    world.order(stream())
    world.publish("ann", "s1")

    step = world.order(UnregisterStream(app=APP, stream_id="s1"))

    assert told(step, "ann") == [Notification("publish_finished", stream_id="s1", subscriber_id="")]
    assert world.state(Kind.STREAM, "s1") == ""
    assert world.engine.registry.all() == Registered()


def test_unregistering_a_room_with_members_closes_it() -> None:
    """Everyone is told, and nobody is left."""
    world = World()
    world.open("ann")
    world.order(RegisterRoom(app=APP, room=RegisteredRoom("r")))
    world.publish("ann", "s1", room="r")

    step = world.order(UnregisterRoom(app=APP, room="r"))

    assert [getattr(message, "definition", "") for message in told(step, "ann")] == [
        "leavedFromRoom",
        "publish_finished",
    ]
    assert world.lives() == []


def test_dates_are_those_of_the_wall_clock() -> None:
    """What is created is dated by the header's start and the time since, or by the clock as it was set later."""
    world = World()
    world.engine = Engine(world.initial_settings, started_at=1_700_000_000 * S)
    world.order(stream("s1"))
    world.report(ClockAdjusted(1_700_000_100 * S))
    world.order(stream("s2"))

    assert [one.stream.created_at for one in world.engine.registry.registrations(APP)] == [
        1_700_000_000_001,
        1_700_000_100_003,
    ]


def test_unregistering_a_main_track_closes_its_room() -> None:
    """Newer clients make a room by registering a stream of its name, so removing that removes the room."""
    world = World()
    world.open("a")
    world.order(RegisterStream(app=APP, stream=RegisteredStream("r")))
    world.publish("a", "s", room="r")

    step = world.order(UnregisterStream(app=APP, stream_id="r"))

    assert (step.refused, world.lives()) == ("", [])
    assert told(step, "a")[0] == Notification("leavedFromRoom", room_name="r", room="r")
