"""The server of a measurement is the product's own engine and adapter behind a pipe."""

import multiprocessing
import threading
from typing import Any

from signalreel.commands import Publish
from signalreel.messages import Start
from signalreel_adapters.media.aiortc.measuring.server import serve
from tests.adapters.media.aiortc.peers import SETTINGS


def test_a_command_is_answered_through_the_pipe() -> None:
    """Sessions are opened, commands applied, messages and CPU time told, and it ends when it is told to."""
    pipe: Any = multiprocessing.Pipe()
    ours, theirs = pipe
    server = threading.Thread(target=serve, args=(theirs, SETTINGS, None))
    server.start()
    assert ours.recv() == ("ready", "")
    ours.send(("open", "a"))
    ours.send(("say", ("a", Publish(stream_id="s1"))))
    word, (session, message) = ours.recv()
    assert (word, session, type(message)) == ("message", "a", Start)
    ours.send(("cpu", ""))
    assert ours.recv()[0] == "cpu"
    ours.send(("end", ""))
    server.join(10)

    assert not server.is_alive()
