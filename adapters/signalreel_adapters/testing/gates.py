"""The contract of a gate, as a suite that every gate passes.

    async def test_my_gate() -> None:
        await check_gate(
            make_gate,
            admitted=[Asked(Publish(stream_id="a", token=good), session)],
            refused=[Asked(Publish(stream_id="b", token=good), session)],
        )

`make_gate` gives a fresh gate. What it is to let in and to keep out only you can say; that it stays so when a
credential is forged, when it is asked twice, and when many ask at once, is tried by the suite.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, cast

import anyio
from msgspec import Struct, structs

from signalreel.commands import AnyCommand
from signalreel.decoding import without_secrets
from signalreel.grants import GATED
from signalreel.record import Grant
from signalreel_adapters.ports import Gate, SessionInfo, Verdict
from signalreel_adapters.testing.promises import hold

__all__ = ("Asked", "check_gate")

_PATIENCE_S: Final = 5
_SHORT: Final = 4
"""Characters below which a credential may well stand in a tag by chance."""

_HOSTILE: Final = ("", " ", "\x00", "é" * 300, "a" * 10_000, "../..", "null", "{}", "..", "a.b.c", "0" * 64, "\ud800")
"""Texts that are no credential of anybody's."""


class Asked(Struct, frozen=True):
    """A command as a gate is asked about it, and the session that it comes from."""

    command: AnyCommand
    session: SessionInfo


async def check_gate(make_gate: Callable[[], Gate], *, admitted: Sequence[Asked], refused: Sequence[Asked]) -> None:
    """Hold a gate against every promise of `ports.Gate`. Raises `AssertionError` at the first it breaks."""
    if not refused:
        raise ValueError("say at least one command that the gate refuses: a gate that lets in everybody is none")
    await _lets_in_and_keeps_out(make_gate(), admitted, refused)
    await _only_verifies(make_gate(), admitted)
    await _shows_no_secret(make_gate(), admitted)
    await _says_how_long_a_use_is_remembered(make_gate(), admitted)
    await _refuses_what_is_forged(make_gate(), admitted)
    await _answers_anything(make_gate(), (*admitted, *refused))
    await _decides_side_by_side(make_gate, (*admitted, *refused))


async def _lets_in_and_keeps_out(gate: Gate, admitted: Sequence[Asked], refused: Sequence[Asked]) -> None:
    for asked in admitted:
        hold((await _decided(gate, asked)).allowed, f"{_name(asked)} that is to be let in is allowed")
    for asked in refused:
        hold(not (await _decided(gate, asked)).allowed, f"{_name(asked)} that is to be kept out is refused")


async def _only_verifies(gate: Gate, admitted: Sequence[Asked]) -> None:
    for asked in admitted:
        first, second = await _decided(gate, asked), await _decided(gate, asked)
        hold(first == second, f"{_name(asked)} is decided the same again: a use is the engine's to remember")


async def _shows_no_secret(gate: Gate, admitted: Sequence[Asked]) -> None:
    for asked in admitted:
        grant = await _decided(gate, asked)
        shown = (grant.identity, grant.once, grant.sealed)
        for secret in _secrets_of(asked.command).values():
            leaks = len(secret) >= _SHORT and any(secret in text for text in shown)
            hold(not leaks, f"what is granted to {_name(asked)} holds no credential, since it is recorded")


async def _says_how_long_a_use_is_remembered(gate: Gate, admitted: Sequence[Asked]) -> None:
    for asked in admitted:
        grant = await _decided(gate, asked)
        kept = grant.until >= 0 and (bool(grant.once) or not grant.until)
        hold(kept, f"{_name(asked)}: `until` says how long the use of a one-time credential is remembered")


async def _refuses_what_is_forged(gate: Gate, admitted: Sequence[Asked]) -> None:
    for asked in admitted:
        secrets = _secrets_of(asked.command)
        if not secrets:
            continue
        bare = Asked(without_secrets(asked.command), asked.session)
        if (await _decided(gate, bare)).allowed:
            continue  # It is let in for who it is, so a credential beside that decides nothing.
        for name, secret in secrets.items():
            for forged in _forgeries_of(secret):
                command = _with(asked.command, name, forged)
                grant = await _decided(gate, Asked(command, asked.session))
                hold(not grant.allowed, f"{_name(asked)} with a forged `{name}` is refused")


async def _answers_anything(gate: Gate, asked: Sequence[Asked]) -> None:
    for one in asked:
        texts = [name for name, value in structs.asdict(one.command).items() if isinstance(value, str)]
        for name in texts:
            for text in _HOSTILE:
                await _decided(gate, Asked(_with(one.command, name, text), one.session))
    session = asked[0].session
    for kind in GATED:
        command = cast(AnyCommand, kind())
        await _decided(gate, Asked(command, session))


async def _decides_side_by_side(make_gate: Callable[[], Gate], asked: Sequence[Asked]) -> None:
    gate = make_gate()
    alone = [await _decided(gate, one) for one in asked]
    together: dict[int, Grant] = {}
    gate = make_gate()

    async def decide(number: int, one: Asked) -> None:
        together[number] = await _decided(gate, one)

    async with anyio.create_task_group() as tasks:
        for number, one in enumerate(asked):
            tasks.start_soon(decide, number, one)
    same = all(together[number] == grant for number, grant in enumerate(alone))
    hold(same, "many that ask at once are told what each is told alone")


async def _decided(gate: Gate, asked: Asked) -> Grant:
    """Ask, as the runtime does; an exception, silence and what is no verdict break a promise."""
    verdict: object = None
    try:
        with anyio.move_on_after(_PATIENCE_S) as scope:
            verdict = await gate.decide(asked.command, asked.session)
    except Exception as error:
        raise AssertionError(f"broken promise: {_name(asked)} is decided without {type(error).__name__}") from error
    hold(not scope.cancelled_caught, f"{_name(asked)} is decided within {_PATIENCE_S} s")
    hold(isinstance(verdict, Verdict), f"{_name(asked)} is decided by a `Verdict`; it was {type(verdict).__name__}")
    return cast(Verdict, verdict).grant


def _name(asked: Asked) -> str:
    """Name a command without showing what it carries."""
    return type(asked.command).__name__


def _secrets_of(command: AnyCommand) -> dict[str, str]:
    """Give the credentials that a command carries: what never comes to stand on a reel."""
    bare = structs.asdict(without_secrets(command))
    return {
        name: value
        for name, value in structs.asdict(command).items()
        if isinstance(value, str) and value and value != bare[name]
    }


def _forgeries_of(secret: str) -> Iterator[str]:
    """Give texts that are nearly the credential."""
    middle = len(secret) // 2
    other = "A" if secret[middle] not in "Aa" else "B"
    yield secret[:middle]
    yield secret[middle:] if middle else "x"
    yield secret + secret
    yield secret[:middle] + other + secret[middle + 1 :]
    yield f" {secret}x"


def _with(command: AnyCommand, name: str, text: str) -> AnyCommand:
    return structs.replace(command, **{name: text})
