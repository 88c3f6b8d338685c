"""Which grant each command needs: complete, and what the machines go by."""

from signalreel.commands import COMMANDS, GetIceServerConfig, Ping, RegisterPushToken, SendPush
from signalreel.engine import TABLES
from signalreel.grants import GATED, GRANTS, Grants, Need
from signalreel.machines.checks import access_denied


def test_every_command_is_decided() -> None:
    """In the order of the commands, each with a reason."""
    assert list(GRANTS) == list(COMMANDS.values())
    assert [need for need in GRANTS.values() if not need.why] == []
    assert GRANTS[Ping] == GRANTS[GetIceServerConfig] == Need(Grants.NONE, "is about the server alone")


def test_the_machines_heed_the_grants_that_are_needed() -> None:
    """Whatever needs a grant is refused without it, in a table; push commands are answered beside the tables."""
    heeding = {row.input for table in TABLES.values() for row in table.rows if access_denied in row.conditions}

    assert heeding == set(GATED) - {RegisterPushToken, SendPush}
