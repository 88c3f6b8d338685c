"""How gates are put together: by kind of credential, all of them at once, by purpose and by app.

    gate = BlockGate(
        PerApp({
            "live": FirstThatKnows(JwtGate(key, tags=tags), OneTimeGate(tokens, tags=tags)),
            "open": OpenGate(tags=tags),
        }),
        blocks,
    )

Access comes first and blocks second, as the order of checks has it: whoever may not come in at all is not told that
somebody is blocked. Whatever is not configured is refused.
"""

from collections.abc import Mapping

from signalreel.commands import AnyCommand, RegisterPushToken, SendPush
from signalreel.errors import SignalreelError
from signalreel.refusals import AUTHENTICATION_TOKEN_NOT_VALID
from signalreel.registered import Purpose
from signalreel_adapters.access.rights import Check, Wish, wish_of
from signalreel_adapters.access.tags import Tags
from signalreel_adapters.ports import Gate, SessionInfo, Verdict

__all__ = ("AllOf", "ByPurpose", "ClosedGate", "FirstThatKnows", "OpenGate", "PerApp", "TwoUses")


class TwoUses(SignalreelError):
    """Two gates of an `AllOf` rest on a one-time credential each, and a grant can carry one. Put only one there."""

    def __init__(self) -> None:
        super().__init__("two one-time credentials for one command; a grant can carry one")


class OpenGate:
    """Lets everybody do everything, and records whom the host vouches for. For apps without access control."""

    def __init__(self, *, tags: Tags) -> None:
        self._tags = tags

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Allow everything but push commands: those reach people who are not there, and need a token everywhere."""
        if isinstance(command, RegisterPushToken | SendPush):
            return Verdict.refuse(AUTHENTICATION_TOKEN_NOT_VALID.definition)
        return Verdict.allow(self._tags.subscriber(session.identity) if session.identity else "")


class ClosedGate:
    """Lets nobody do anything."""

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Refuse."""
        return Verdict.refuse()


class FirstThatKnows:
    """Leaves the decision to the first check that knows the kind of credential shown; nobody asks a second one then.

    So any one of the kinds is enough. A command that shows none of them is refused.
    """

    def __init__(self, *checks: Check) -> None:
        self._checks = checks

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Decide by whichever credential there is."""
        wish = wish_of(command)
        verdict = None if wish is None else await self.examine(wish, session)
        return Verdict.refuse() if verdict is None else verdict

    async def examine(self, wish: Wish, session: SessionInfo) -> Verdict | None:
        """Give the verdict of the first that has one."""
        for check in self._checks:
            verdict = await check.examine(wish, session)
            if verdict is not None:
                return verdict
        return None


class AllOf:
    """Allows what every one of its gates allows, asked in their order; the first refusal is the answer.

    The identity is that of the first gate that gives one, the rooms are those that all of them are good for. At most
    one of them may rest on a one-time credential: otherwise deciding raises `TwoUses`, which refuses.
    """

    def __init__(self, first: Gate, *others: Gate) -> None:
        self._gates = (first, *others)

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Ask one after the other."""
        whole = Verdict.allow()
        identity, once, until = "", "", 0
        for gate in self._gates:
            verdict = await gate.decide(command, session)
            grant = verdict.grant
            if not grant.allowed:
                return verdict
            whole = whole.within(grant.rooms)
            identity = identity or grant.identity
            if grant.once and once:
                raise TwoUses
            if grant.once:
                once, until = grant.once, grant.until
        if not whole.grant.allowed:
            return whole
        return Verdict.allow(identity, once=once, until=until, rooms=whole.grant.rooms)


class ByPurpose:
    """Asks one gate about publishing and another about playing, as apps are often configured."""

    def __init__(self, *, publish: Gate, play: Gate) -> None:
        self._gates = {Purpose.PUBLISH: publish, Purpose.PLAY: play}

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Ask the gate of the command's purpose."""
        wish = wish_of(command)
        return Verdict.refuse() if wish is None else await self._gates[wish.purpose].decide(command, session)


class PerApp:
    """Asks the gate of the session's app; an app that is not configured is closed, unless `otherwise` says more."""

    def __init__(self, gates: Mapping[str, Gate], *, otherwise: Gate | None = None) -> None:
        self._gates = dict(gates)
        self._otherwise: Gate = otherwise if otherwise is not None else ClosedGate()

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Ask the gate of the app."""
        return await self._gates.get(session.app, self._otherwise).decide(command, session)
