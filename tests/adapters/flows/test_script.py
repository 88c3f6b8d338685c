"""`signalreel_adapters.flows.script`: what a flow needs of a server."""

import pytest

from signalreel_adapters.flows import needs_of, parse_flow
from signalreel_adapters.flows.script import SEVERAL_APPS


@pytest.mark.parametrize(
    ("lines", "needs"),
    [
        (["anna > {}"], ()),
        (["media: any", "anna > {}"], ()),
        (["media: fake", "anna > {}"], ("fake media",)),
        (["media: refuses local", "anna > {}"], ("media that fails",)),
        (["media: fake", 'settings: {"viewersMax": 1}', "anna > {}"], ("fake media", "settings of its own")),
        (["access: on", "anna > {}"], ("access control of its own",)),
        (['refuse: {"play": "unauthorized_access"}', "anna > {}"], ("access control of its own",)),
        (["anna > {}", "ben connects to b"], (SEVERAL_APPS,)),
        (["anna > {}", "ben connects to a"], ()),
        (["media: silent", "server stops"], ("media that fails", "a hand on the server")),
    ],
)
def test_needs_follow_from_the_header_and_the_lines(lines: list[str], needs: tuple[str, ...]) -> None:
    """Signaling alone runs anywhere; the rest says why it does not."""
    assert needs_of(parse_flow("\n".join(["flow: x", *lines]), file="a.flow", app="a")) == needs
