"""`signalreel_adapters.flows.script`: what a flow needs of a server."""

import pytest

from signalreel_adapters.flows import needs_of, parse_flow


@pytest.mark.parametrize(
    ("lines", "needs"),
    [
        (["anna > {}"], ()),
        (["media: any", "anna > {}"], ()),
        (["media: fake", "anna > {}"], ("fake media",)),
        (["media: refuses local", "anna > {}"], ("a server of its own",)),
        (["media: fake", 'settings: {"viewersMax": 1}', "anna > {}"], ("fake media", "a server of its own")),
        (["access: on", "anna > {}"], ("a server of its own",)),
        (['refuse: {"play": "unauthorized_access"}', "anna > {}"], ("a server of its own",)),
        (["server stops"], ("a hand on the server",)),
    ],
)
def test_needs_follow_from_the_header_and_the_lines(lines: list[str], needs: tuple[str, ...]) -> None:
    """Signaling alone runs anywhere; the rest says why it does not."""
    assert needs_of(parse_flow("\n".join(["flow: x", *lines]), file="a.flow", app="a")) == needs
