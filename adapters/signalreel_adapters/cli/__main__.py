"""`python -m signalreel_adapters.cli`: the command line where its script is not on the path."""

from signalreel_adapters.cli.main import main

__all__ = ()

main()
