"""Carrying out a step: its messages to the sessions attached here, then the step to everyone who listens.

Nobody who listens can stop the loop: what a media adapter raises is logged and counted, a slow subscriber's queue is
bounded, and a session that does not read has a bounded outbox.
"""

from collections.abc import Mapping
from typing import Final

from signalreel.record import input_name
from signalreel.step import Step
from signalreel_adapters.ports import Media
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.log import Log
from signalreel_adapters.runtime.session import Session
from signalreel_adapters.runtime.subscriptions import Subscriptions

__all__ = ("Publisher",)

_log: Final = Log("signalreel.step")


class Publisher:
    """Sends, shows and logs steps."""

    def __init__(
        self, sessions: Mapping[str, Session], subscriptions: Subscriptions, media: Media | None, counters: Counters
    ) -> None:
        self._sessions = sessions
        self._subscriptions = subscriptions
        self._media = media
        self._counters = counters

    def publish(self, step: Step) -> None:
        """Carry out one step. A message for a session that is not attached here is not for us to send."""
        for session_id, message in step.messages:
            session = self._sessions.get(session_id)
            if session is not None:
                session.deliver(message)
        if self._media is not None:
            self._show(self._media, step)
        self._subscriptions.publish(step)
        if step.transitions or step.refused:
            _log_step(step)

    def _show(self, media: Media, step: Step) -> None:
        try:
            media.react(step)
        except Exception as error:  # noqa: BLE001 - an adapter's bug must not stop the order
            self._counters.media_failures += 1
            _log.failure("media adapter failed", error, seq=step.record.seq)


def _log_step(step: Step) -> None:
    """Write a line for each transition that leads elsewhere or asks adapters for something; candidates are too many.

    Never what the input carried: descriptions, candidates and addresses are personal.
    """
    record = step.record
    name = input_name(record)
    for transition in step.transitions:
        if transition.source == transition.target and transition.detail is None:
            continue
        machine = transition.machine
        _log.info(
            "transition",
            seq=record.seq,
            kind=str(machine.kind),
            app=machine.app,
            id=machine.id,
            source=transition.source,
            target=transition.target,
            input=name,
            session=record.session,
        )
    if step.refused:
        _log.info("refused", seq=record.seq, session=record.session, input=name, definition=step.refused)
