"""Push notifications: where a subscriber's devices can be reached is kept, and what is to be sent is accepted.

Both commands are answered by a notification that says whether they succeeded, under the command's own name or under
that of the refusal, as real servers do. Nothing is sent from here: whoever delivers reads the accepted step.

Only a gate can have seen the tokens, so only a gate can vouch for either command; without one both are refused.
"""

from typing import Final

from signalreel.commands import RegisterPushToken, SendPush
from signalreel.machines.context import Context
from signalreel.messages import Notification
from signalreel.refusals import AUTHENTICATION_TOKEN_NOT_VALID, HIGH_RESOURCE_USAGE, MISSING_PARAMETER, Refusal
from signalreel.registered import LABEL_LENGTH_MAX, PushRegistration

__all__ = ("PNS_TYPES", "answer_push")

PNS_TYPES: Final = ("fcm", "apn")
"""The push services that clients name."""

_TAKEN: Final = "The device will be notified."
_HANDED_ON: Final = "The notification was handed on."


def answer_push(context: Context, command: RegisterPushToken | SendPush) -> None:
    """Take a push command, or say why not."""
    refusal = _missing(command) or _unproved(context) or _kept(context, command)
    if refusal is None:
        definition = str(type(command).__struct_config__.tag)
        information = _TAKEN if isinstance(command, RegisterPushToken) else _HANDED_ON
        answer = Notification(definition, success=True, information=information)
    else:
        context.refused = refusal.definition
        answer = Notification(refusal.definition, success=False, information=refusal.information)
    context.send(context.session, answer)


def _missing(command: RegisterPushToken | SendPush) -> Refusal | None:
    """Look for what can be seen to lack; a gate looks for the tokens, which never come this far."""
    whole = 0 < len(command.subscriber_id) <= LABEL_LENGTH_MAX
    match command:
        case RegisterPushToken():
            whole = whole and command.pns_type in PNS_TYPES
        case SendPush():
            content = command.push_notification_content
            receivers = command.subscriber_ids_to_notify or command.topic or command.push_notification_topic
            whole = whole and type(content) is dict and content != {} and bool(receivers)
    return None if whole else MISSING_PARAMETER


def _unproved(context: Context) -> Refusal | None:
    grant = context.record.grant
    if grant is not None and grant.allowed:
        return None
    is_missing = grant is not None and grant.refusal == MISSING_PARAMETER.definition
    return MISSING_PARAMETER if is_missing else AUTHENTICATION_TOKEN_NOT_VALID


def _kept(context: Context, command: RegisterPushToken | SendPush) -> Refusal | None:
    """Keep where a device can be reached, as the gate sealed it."""
    if isinstance(command, SendPush):
        return None
    grant = context.record.grant
    if grant is None or not grant.sealed:
        return MISSING_PARAMETER
    push = PushRegistration(command.subscriber_id, command.pns_type, grant.sealed)
    return HIGH_RESOURCE_USAGE if context.registry.take_push(context.app, push) is not None else None
