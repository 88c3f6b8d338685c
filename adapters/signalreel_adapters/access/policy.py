"""The access policy of a registered stream: which kinds of credential it takes, in place of what its app takes.

    policy = PolicyGate(gate, {Credential.TOKEN: one_time, Credential.JWT: web_tokens})
    async with Runtime(reel, gate=policy) as runtime:
        policy.look_at(runtime.engine)

A stream whose policy is empty, or that is not registered, is left to the app's own gate. What is published in a room
obeys the room's policy when it has none itself, and the verdict is good for no other room than the one looked at. A
kind that the server has no gate for lets nobody in.

A policy is about what is asked for by its name: who may play a room is shown all that is published in it, whatever the
policies of those streams. Whoever wants a stream kept apart does not let it be published in a room.
"""

from collections.abc import Mapping

from signalreel.commands import AnyCommand
from signalreel.engine import Engine
from signalreel.registered import Credential, Purpose
from signalreel_adapters.access.chain import FirstThatKnows
from signalreel_adapters.access.rights import Check, Rooms, room_in, wish_of
from signalreel_adapters.access.rooms import LiveRooms
from signalreel_adapters.ports import Gate, SessionInfo, Verdict

__all__ = ("PolicyGate",)


class PolicyGate:
    """Decides by the policy of the stream that a command is about, and else leaves it to another gate.

    Until it knows the engine it refuses what needs access: a policy that cannot be looked up must let nobody in.
    """

    def __init__(self, access: Gate, checks: Mapping[Credential, Check], *, rooms: Rooms | None = None) -> None:
        self._access = access
        self._checks = dict(checks)
        self._own_rooms = LiveRooms()
        self._rooms: Rooms = rooms if rooms is not None else self._own_rooms
        self._engine: Engine | None = None

    def look_at(self, engine: Engine) -> None:
        """Take the engine whose registry is to be asked."""
        self._engine = engine
        self._own_rooms.look_at(engine)

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Decide by the kinds that the stream takes, if it says which."""
        wish = wish_of(command)
        if wish is None:
            return await self._access.decide(command, session)
        if self._engine is None:
            return Verdict.refuse()
        own = _kinds_of(self._engine, session, wish.stream_id, wish.purpose)
        if own or wish.enters or wish.meets:
            return await self._by(own, command, session)
        room = room_in(wish, session, self._rooms)
        verdict = await self._by(_kinds_of(self._engine, session, room, wish.purpose), command, session)
        # A room of the stream's own name was looked at as well: that is how a whole room is played.
        return verdict.within(tuple(dict.fromkeys((room, wish.stream_id))))

    async def _by(self, kinds: tuple[Credential, ...], command: AnyCommand, session: SessionInfo) -> Verdict:
        if not kinds:
            return await self._access.decide(command, session)
        checks = [self._checks[kind] for kind in kinds if kind in self._checks]
        return await FirstThatKnows(*checks).decide(command, session)


def _kinds_of(engine: Engine, session: SessionInfo, id: str, purpose: Purpose) -> tuple[Credential, ...]:
    stream = engine.registry.stream(session.app, id) if id else None
    if stream is None:
        return ()
    return stream.publish_access if purpose is Purpose.PUBLISH else stream.play_access
