"""What should happen sometimes: events that a swarm of runs must reach now and then, or it proves little.

Each is the row of a table that fires, or a refusal that is given. A swarm that never reaches one says so.
"""

from typing import Final

from signalreel.step import Fired

__all__ = ("SOMETIMES", "count_sometimes")

SOMETIMES: Final[dict[str, tuple[str, str, str]]] = {
    "a stream came live": ("stream", "MediaConnected", "go_live"),
    "a stream was restored": ("stream", "Publish", "restore_stream"),
    "a stream was kept for its publisher": ("stream", "SessionClosed", "keep_for_publisher"),
    "a stream was paused when its media was lost": ("stream", "MediaLost", "pause"),
    "a kept stream was given up": ("stream", "DeadlineReached", "end"),
    "a publisher took too long": ("stream", "DeadlineReached", "give_up"),
    "a stream id was in use": ("stream", "Publish", "refuse streamIdInUse"),
    "a client published twice": ("stream", "Publish", "refuse already_publishing"),
    "a publish was not allowed": ("stream", "Publish", "refuse unauthorized_access"),
    "a subscriber was blocked": ("stream", "Publish", "refuse user_blocked"),
    "the host was overloaded": ("stream", "Publish", "refuse highResourceUsage"),
    "the licence was suspended": ("stream", "Publish", "refuse license_suspended_please_renew_license"),
    "a stream was not due yet": ("stream", "Publish", "refuse stream_not_active_or_expired"),
    "an offer could not be taken": ("stream", "DescriptionFailed", "tell_description_failed"),
    "a player waited for a stream": ("playback", "Play", "wait"),
    "a player took too long": ("playback", "DeadlineReached", "finish"),
    "a viewer limit was reached": ("playback", "Play", "refuse viewerLimitReached"),
    "a client played twice": ("playback", "Play", "refuse already_playing"),
    "a room was offered anew": ("playback", "RosterChanged", "tell_and_update"),
    "a room changed while it was offered": ("playback", "TakeConfiguration", "update"),
    "a third peer was refused": ("pair", "Join", "refuse NoSpaceForNewPeer"),
    "an answer was stale": ("pair", "TakeConfiguration", "count_answer"),
    "an offer replaced another": ("pair", "TakeConfiguration", "relay_newer_offer"),
    "nobody was there to answer": ("pair", "TakeConfiguration", "refuse no_peer_associated_before"),
    "a peer left the other": ("pair", "SessionClosed", "leave_other"),
    "a caller was sent elsewhere": ("pair", "Join", "connect_elsewhere"),
    "a room was closed by the host": ("room", "CloseRoom", "close"),
    "a member vanished": ("room", "SessionClosed", "vanish"),
    "a room was not due yet": ("room", "JoinRoom", "refuse room_not_active_or_expired"),
}
"""What should happen sometimes: the kind of machine, the input, and what the row does."""

_NAMES: Final = {row: name for name, row in SOMETIMES.items()}


def count_sometimes(fired: dict[Fired, int]) -> dict[str, int]:
    """Count, of the rows that fired, those that should fire sometimes. What did not happen is counted as nothing."""
    counts = dict.fromkeys(SOMETIMES, 0)
    for row, count in fired.items():
        name = _NAMES.get((row.kind, row.input, row.what))
        if name is not None:
            counts[name] += count
    return counts
