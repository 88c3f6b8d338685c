"""The command line: `signalreel`, one file per group of commands."""

from signalreel_adapters.cli.main import main

__all__ = ("main",)
