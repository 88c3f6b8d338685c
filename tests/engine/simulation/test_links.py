"""A link: order, what arrives after its end, and each end's view."""

from random import Random

from signalreel.commands import AnyCommand, Join, Ping
from signalreel.messages import AnyMessage, Pong
from signalreel.simulation.agenda import MS, Agenda
from signalreel.simulation.links import NORMAL, VANISHED, ClientEnd, Link
from signalreel.simulation.luck import Luck
from signalreel.simulation.paths import Path


class Ends:
    """Both ends of a link; what happens to them is noted."""

    def __init__(self, *, accepts: bool = True) -> None:
        self.app, self.identity, self.tag, self.is_thief = "live", "", "", False
        self.accepts = accepts
        self.seen: list[object] = []

    def hear(self, message: AnyMessage) -> None:
        """Note a message."""
        self.seen.append(message)

    def lost(self, link: Link, code: int) -> None:
        """Note the end of the connection, as the client sees it."""
        self.seen.append(("client", code))

    def accept(self, link: Link, client: ClientEnd) -> bool:
        """Note that a connection came."""
        link.server_open = self.accepts
        self.seen.append("accepted")
        return self.accepts

    def receive(self, link: Link, command: AnyCommand) -> None:
        """Note a command."""
        self.seen.append(command)

    def closed(self, link: Link, code: int) -> None:
        """Note the end of the connection, as the server sees it."""
        self.seen.append(("server", code))


def path_of(agenda: Agenda) -> Path:
    """A path on which nothing goes wrong."""
    return Path(agenda, Luck(Random(1), {}), 10 * MS)


def opened() -> tuple[Agenda, Ends, Link]:
    """A link that the server has accepted."""
    agenda, ends = Agenda(), Ends()
    link = Link(agenda, path_of(agenda), ends, ends)
    agenda.run_until(10 * MS)
    return agenda, ends, link


def test_what_is_sent_arrives_after_the_connection_and_in_order() -> None:
    """A client may send before the server has accepted; it arrives behind that."""
    agenda, ends = Agenda(), Ends()
    link = Link(agenda, path_of(agenda), ends, ends)
    link.say(Join("p1"))
    link.say(Ping())
    agenda.run_until(9 * MS)
    assert ends.seen == []
    agenda.run_until(10 * MS)

    assert ends.seen == ["accepted", Join("p1"), Ping()]


def test_the_server_hears_of_the_end_after_what_was_sent() -> None:
    """A client that leaves has said what it has said; what the server says then goes nowhere."""
    agenda, ends, link = opened()
    link.say(Ping())
    link.leave(NORMAL)
    link.say(Join("p1"))
    link.tell(Pong())
    agenda.run_until(100 * MS)

    assert ends.seen == ["accepted", Ping(), ("server", NORMAL)]


def test_the_client_hears_of_the_end_after_what_it_was_told() -> None:
    """The server's last words arrive, and its own end ends a round trip later."""
    agenda, ends, link = opened()
    link.tell(Pong())
    link.dismiss(1008)
    agenda.run_until(100 * MS)

    assert ends.seen == ["accepted", Pong(), ("client", 1008), ("server", 1008)]


def test_a_client_that_is_turned_away_hears_so() -> None:
    """A server that does not accept leaves nobody waiting."""
    agenda, ends = Agenda(), Ends(accepts=False)
    Link(agenda, path_of(agenda), ends, ends)
    agenda.run_until(100 * MS)

    assert ends.seen == ["accepted", ("client", VANISHED)]


def test_a_client_that_was_gone_before_it_came_is_never_there() -> None:
    """Its connection was still under way when it vanished: there is nobody to shake hands with, now or later."""
    agenda, ends = Agenda(), Ends()
    link = Link(agenda, path_of(agenda), ends, ends)
    link.vanish()
    agenda.run_until(10 * 60_000 * MS)

    assert ends.seen == []
    assert not link.server_open
