"""What people say besides coming and going."""

from random import Random

from signalreel.commands import COMMANDS, Ping, Publish, RegisterPushToken, SendPush, Stop
from signalreel.simulation.chatter import anything, chat


def test_a_hostile_client_says_every_command_sooner_or_later() -> None:
    """But pings, which every client sends, and those that reach push services."""
    random = Random(1)
    said = {type(anything(["s0", "r0"], random)) for _ in range(3_000)}

    assert said == set(COMMANDS.values()) - {Ping, RegisterPushToken, SendPush}


def test_chatting_ends_nothing_and_begins_nothing() -> None:
    """What somebody is there for is theirs to begin and to end."""
    random = Random(1)

    assert not {type(chat(["s0"], random)) for _ in range(1_000)} & {Publish, Stop}
