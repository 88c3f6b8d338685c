"""The configuration of the ready server: a TOML file, read whole and checked whole before anything is done.

    [server]
    host = "0.0.0.0"
    media = "fake"

    [access]
    key.file = "tags.key"

    [apps.live.access]
    publish = "token"
    play = "open"

Whatever the file says that is not understood is a mistake that names it, because a limit or a lock that is spelled
wrongly would otherwise be none. Secrets do not stand in it: it says in which file or variable they are.
"""

from signalreel_adapters.configuration.errors import Misconfigured
from signalreel_adapters.configuration.file import Configuration, load

__all__ = ("Configuration", "Misconfigured", "load")
