"""`signalreel reel ...`: what is done with a reel's file."""

from typing import Final

import cyclopts

from signalreel_adapters.cli.debug.keeping import backup, mend
from signalreel_adapters.cli.debug.show import show
from signalreel_adapters.cli.debug.verify import verify_reel

__all__ = ("reel",)

reel: Final = cyclopts.App(name="reel", help="Look at a reel's file, check it, copy it.")
reel.command(show)
reel.command(verify_reel, name="verify")
reel.command(backup)
reel.command(mend)
