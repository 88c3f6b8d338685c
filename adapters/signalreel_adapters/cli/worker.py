"""A media worker of `signalreel serve`: it logs as the server does. Run as a program: `python -m … FD STYLE`."""

import sys
from typing import cast

from signalreel_adapters.cli.logs import LogFormat, configure_logs
from signalreel_adapters.media.workers.worker import main

__all__ = ()

if __name__ == "__main__":
    configure_logs(cast(LogFormat, sys.argv[2]))
    main()
