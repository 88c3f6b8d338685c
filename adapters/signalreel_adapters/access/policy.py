"""The access policy of a registered stream: which kinds of credential it takes, in place of what its app takes.

    policy = PolicyGate(gate, {Credential.TOKEN: one_time, Credential.JWT: web_tokens})
    async with Runtime(reel, gate=policy) as runtime:
        policy.look_at(runtime.engine)

A stream whose policy is empty, or that is not registered, is left to the app's own gate. What is published in a room
obeys the room's policy when it has none itself, also when it is there because it is registered for the room. A kind
that the server has no gate for lets nobody in.

A policy is about what is asked for by its name: who may play a room is shown all that is published in it, whatever the
policies of those streams. Whoever wants a stream kept apart does not let it be published in a room.
"""

from collections.abc import Mapping

from signalreel.commands import AnyCommand
from signalreel.engine import Engine
from signalreel.registered import Credential, Purpose
from signalreel_adapters.access.chain import FirstThatKnows
from signalreel_adapters.access.rights import Check, NoRooms, Rooms, Wish, wish_of
from signalreel_adapters.ports import Gate, SessionInfo, Verdict

__all__ = ("PolicyGate",)


class PolicyGate:
    """Decides by the policy of the stream that a command is about, and else leaves it to another gate.

    Until it knows the engine it refuses what needs access: a policy that cannot be looked up must let nobody in.
    """

    def __init__(self, access: Gate, checks: Mapping[Credential, Check], *, rooms: Rooms | None = None) -> None:
        self._access = access
        self._checks = dict(checks)
        self._rooms: Rooms = rooms if rooms is not None else NoRooms()
        self._engine: Engine | None = None

    def look_at(self, engine: Engine) -> None:
        """Take the engine whose registry is to be asked."""
        self._engine = engine

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Decide by the kinds that the stream takes, if it says which."""
        wish = wish_of(command)
        if wish is None:
            return await self._access.decide(command, session)
        if self._engine is None:
            return Verdict.refuse()
        kinds = self._kinds_for(self._engine, wish, session)
        if not kinds:
            return await self._access.decide(command, session)
        return await FirstThatKnows(*(self._checks[kind] for kind in kinds if kind in self._checks)).decide(
            command, session
        )

    def _kinds_for(self, engine: Engine, wish: Wish, session: SessionInfo) -> tuple[Credential, ...]:
        own = engine.registry.stream(session.app, wish.stream_id)
        room = wish.room if wish.places else self._rooms.room_of(session, wish.stream_id)
        room = room or (own.main_track if own is not None else "")
        of_room = engine.registry.stream(session.app, room) if room else None
        for stream in (own, of_room):
            kinds = () if stream is None else _of(stream.publish_access, stream.play_access, wish.purpose)
            if kinds:
                return kinds
        return ()


def _of(publish: tuple[Credential, ...], play: tuple[Credential, ...], purpose: Purpose) -> tuple[Credential, ...]:
    return publish if purpose is Purpose.PUBLISH else play
