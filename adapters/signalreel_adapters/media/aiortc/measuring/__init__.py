"""Measuring what forwarding costs: a server in a process of its own, and real peers in another.

Nothing in the product uses it but the benchmark.
"""

__all__ = ()
