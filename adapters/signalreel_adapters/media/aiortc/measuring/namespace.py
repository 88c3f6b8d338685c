"""A network of its own for a measurement: a namespace with one pair of virtual interfaces, and nothing behind them.

Janus and aiortc do not serve on loopback, so all servers are reached at one address of such an interface. The namespace
is that of one process and those that it starts: it is gone with them, however they end, and so are they with the first.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Final

__all__ = ("HOST", "inside", "make_interface", "why_not")

HOST: Final = "10.99.0.1"
"""The address of the one end; both ends are in the same namespace."""

_LINK: Final = "signalreel0"
_OTHER_END: Final = "signalreel1"
_PROGRAMS: Final = ("unshare", "ip")
_TIMEOUT: Final = 10.0

_ADD: Final = ("ip", "link", "add", _LINK, "type", "veth", "peer", "name", _OTHER_END)
_COMMANDS: Final = (
    ("ip", "link", "set", "lo", "up"),
    _ADD,
    ("ip", "address", "add", f"{HOST}/24", "dev", _LINK),
    ("ip", "link", "set", _LINK, "up"),
    ("ip", "link", "set", _OTHER_END, "up"),
)


def inside(arguments: Sequence[str]) -> list[str]:
    """Give the command that runs another one in a namespace of its own. When it is killed, all in there are.

    Who is not root is root in there only, where the system allows that.
    """
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *as_root, "--net", "--pid", "--fork", "--kill-child", "--mount-proc", *arguments]


def why_not() -> str:
    """Say why there can be no such network here; empty when there can."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"needs {' and '.join(missing)} (Debian: util-linux, iproute2)"
    try:
        # Fixed words, found on the PATH of whoever measures.
        tried = subprocess.run(inside(_ADD), capture_output=True, check=False, timeout=_TIMEOUT)  # noqa: S603
    except subprocess.TimeoutExpired:
        return "needs a network namespace of its own, and making one takes too long here"
    return "" if not tried.returncode else "needs a network namespace of its own, which only root may make here"


def make_interface() -> None:
    """Make the interface, in the namespace that this process is in."""
    for command in _COMMANDS:
        subprocess.run(command, check=True, timeout=_TIMEOUT, capture_output=True)  # noqa: S603 - fixed words
