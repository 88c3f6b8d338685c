"""Simulated runs by the thousand: in several processes, and the seeds that failed in a folder."""

__all__ = ()
