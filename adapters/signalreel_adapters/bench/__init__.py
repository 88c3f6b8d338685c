"""Benchmarks that ship with the product: what they measure is what `signalreel bench` prints.

They measure and never judge; machines differ too much for a test to. Compare two figures of one run only.
"""

__all__ = ()
