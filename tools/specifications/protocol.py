"""The pages about words: what clients and the server say, what else stands on a reel, errors and settings."""

import inspect
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from signalreel import commands, events, grants, host, messages, refusals, registered, settings
from tools.specifications.answers import ANSWERS, NOTIFICATIONS
from tools.specifications.writing import default_of, notes_of, page, paragraph, table_of, words

__all__ = ("answered", "errors", "grants_page", "inputs", "protocol", "retry", "setting_pages")

REGISTERED: Final[dict[str, type[Struct]]] = {
    kind.__name__: kind
    for kind in (
        registered.RegisteredStream,
        registered.RegisteredRoom,
        registered.IssuedToken,
        registered.Subscriber,
    )
}
"""What stands in the orders that register something."""


def retry(refusal: refusals.Refusal) -> str:
    """Say whether the same command may succeed later, and when."""
    if not refusal.retryable:
        return "no"
    return f"yes, after {refusal.retry_after_ms} ms" if refusal.retry_after_ms else "yes"


def errors() -> str:
    """Write the catalogue of error definitions."""

    def section(title: str, *, on_page: bool) -> Iterator[str]:
        yield f"## {title}"
        yield ""
        yield from table_of(
            ("definition", "cause", "may succeed later", "what to do", "`information`"),
            (
                (f"`{one.definition}`", one.cause, retry(one), one.advice, one.information)
                for one in refusals.REFUSALS.values()
                if one.page is on_page
            ),
        )

    body = [
        'A client receives an error as `{"command": "error", "definition": …}`, with `streamId` where there is one,',
        "and `room` where it is about a room. `information` is a sentence for a person. `retryAfterMs` says how long",
        "to wait before another try is worth it: as written below, or computed where the server knows when.",
        "",
        *section("On the protocol page", on_page=True),
        *section("Known to clients besides", on_page=False),
        "## Reserved",
        "",
        "Definitions that other servers send. This one has no cause for them and never sends them:",
        ", ".join(f"`{name}`" for name in refusals.RESERVED) + ".",
        "",
        "Pictures of a room are not composed and its sounds are not mixed here: who joins it with the mode `mcu` or",
        "`amcu` is answered as with `multitrack`.",
    ]
    return page("Errors", "`signalreel.refusals`", body)


def grants_page() -> str:
    """Write which grant each command needs, or why none."""
    body = [
        (inspect.getdoc(grants) or "").partition("\n\n")[2],
        "",
        *table_of(
            ("command", "grant", "because it"),
            (
                (f"`{kind.__struct_config__.tag}`", "" if need.grant is grants.Grants.NONE else need.grant, need.why)
                for kind, need in grants.GRANTS.items()
            ),
        ),
        "A grant to `publish or play` is to play for a peer that joins with the mode `play`, else to publish. To",
        "`enter` a room, a grant to play what is in it will do, or one to publish in it. A `push` grant is a web token",
        "of the subscriber, which opens nothing else.",
    ]
    return page("Grants", "`signalreel.grants`", body)


def answered(name: str) -> str:
    """Say what answers a command."""
    answers = ", ".join(f"`{answer.removeprefix('notification.')}`" for answer in ANSWERS.get(name, ()))
    return f"Answered by {answers}." if answers else "Nothing answers it when all is well."


def protocol() -> str:
    """Write what clients say and what the server says."""
    on_the_wire = {name: kind for name, kind in messages.MESSAGES.items() if kind is not messages.CloseSession}
    body = [
        "Each is one JSON object in one text frame. Fields that the server does not know are ignored.",
        "The same for programs is the AsyncAPI document beside this page, `asyncapi.json`.",
        "",
        "## Commands",
        "",
        *words(commands.COMMANDS, {name: answered(name) for name in commands.COMMANDS}),
        "## Messages",
        "",
        *words(on_the_wire),
        "## Notifications",
        "",
        *table_of(
            ("definition", "to", "when", "fields"),
            (
                (
                    f"`{definition}`",
                    one.to,
                    one.when,
                    ", ".join(
                        [*(f"`{name}`" for name in one.fields), *(f"`{name}` in a room" for name in one.sometimes)]
                    ),
                )
                for definition, one in NOTIFICATIONS.items()
            ),
        ),
    ]
    return page("Protocol", "`signalreel.commands` and `signalreel.messages`", body)


def inputs() -> str:
    """Write what else stands on a reel."""
    body = [
        "Besides the commands of clients, a reel holds what the world reported and what the host ordered.",
        "",
        "## Events",
        "",
        *words(events.EVENTS),
        "## Host commands",
        "",
        "An order that is refused is refused with a definition of the [catalogue](errors.md), or with one of these:",
        "",
        *table_of(
            ("definition", "cause", "may succeed later"),
            (
                (f"`{one.definition}`", one.cause, "yes" if one.retryable else "no")
                for one in host.HOST_REFUSALS.values()
            ),
        ),
        *words(host.HOST_COMMANDS),
        "## What is registered",
        "",
        *words(REGISTERED),
    ]
    return page("Other inputs", "`signalreel.events`, `signalreel.host` and `signalreel.registered`", body)


def setting_pages() -> str:
    """Write the settings that the machines obey."""
    notes = notes_of(settings.Settings)
    page_names = {name: on_page for on_page, name in settings.PAGE_NAMES.items()}
    body = [
        paragraph(settings.Settings),
        "",
        *table_of(
            ("setting", "default", "meaning", "name on the protocol page"),
            (
                (
                    f"`{field.encode_name}`",
                    default_of(field),
                    notes.get(field.name, ""),
                    f"`{page_names[field.name]}`" if field.name in page_names else "",
                )
                for field in msgspec.structs.fields(settings.Settings)
            ),
        ),
    ]
    return page("Settings", "`signalreel.settings`", body)
