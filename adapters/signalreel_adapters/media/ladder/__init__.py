"""The encoder of a ladder: a process beside the server that makes the lower renditions of one published picture.

Nothing here imports aiortc, which would take longer to load than all the rest that such a process needs: a viewer waits
for it. The server's half of a ladder is `signalreel_adapters.media.aiortc.ladder`.
"""

__all__ = ()
