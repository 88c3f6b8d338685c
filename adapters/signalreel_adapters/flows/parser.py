"""Reading a `.flow` file. Pure: text in, a `Flow` out, or a `FlowSyntaxError` that names the line.

The format is described for its writers in `docs/reference/flows.md`.
"""

import re
from collections.abc import Callable
from typing import Any, Final, cast, get_args

import msgspec

from signalreel.errors import SignalreelError
from signalreel.events import AnyEvent
from signalreel.host import AnyHostCommand
from signalreel.identifiers import is_valid_name
from signalreel.refusals import ACCESS_REFUSALS
from signalreel.settings import PAGE_NAMES, Settings
from signalreel_adapters.conformance import ITEMS, Need
from signalreel_adapters.flows.given import GIVEN
from signalreel_adapters.flows.matcher import Mismatch, fill
from signalreel_adapters.flows.patterns import (
    Pattern,
    PatternError,
    PatternUnfinished,
    Text,
    names_in,
    read_pattern,
)
from signalreel_adapters.flows.script import (
    Allow,
    AnyOrder,
    Connect,
    Flow,
    Hear,
    IsClosed,
    Issue,
    Leave,
    MediaWish,
    Order,
    Report,
    Say,
    Silence,
    Step,
)
from signalreel_adapters.flows.server_lines import FORMS, server_step

__all__ = ("FLOW_BYTES_MAX", "FlowSyntaxError", "parse_flow")

FLOW_BYTES_MAX: Final = 4_194_304
"""The largest file that is read. A recorded conference with its descriptions is well below."""

_HEADER: Final = re.compile(r"(flow|app|media|settings|access|refuse):\s*(.*)")
_LINE: Final = re.compile(r"([A-Za-z][\w-]*)\s+(>|<\?|<|connects\b|leaves\b|is closed\b)\s*(.*)")
_SERVER: Final = re.compile(r"server\s+(.*)")
_CODE: Final = re.compile(r"\d{4}|\*")
_SILENCE: Final = re.compile(r"nothing\s*(\[[^\]]*\])?\s*(?:#.*)?")
_PROVES: Final = re.compile(r"\[([^\]]*)\]\s*(?:#.*)?")
_SETTINGS: Final = {
    on_page: field.encode_name
    for on_page, name in PAGE_NAMES.items()
    for field in msgspec.structs.fields(Settings)
    if field.name == name
}
"""What the settings are called that the protocol page knows by names of its own."""

_GROUP: Final = "in any order"


class FlowSyntaxError(SignalreelError):
    """A file is no flow. The message begins with the place, as `file:line`."""

    def __init__(self, file: str, line: int, what: str) -> None:
        self.file = file
        self.line = line
        super().__init__(f"{file}:{line}: {what}")


def parse_flow(text: str, *, file: str, app: str) -> Flow:
    """Read a flow. `file` is named in errors; `app` is where its clients connect unless it says otherwise.

    Raises `FlowSyntaxError`.
    """
    return _Parser(text, file, app).flow()


class _Parser:
    """Reads one file from top to bottom, knowing who is connected and which names have been heard."""

    def __init__(self, text: str, file: str, app: str) -> None:
        self._lines = text.splitlines()
        self._file = file
        self._number = 0
        self._header: dict[str, str] = {}
        self._app = app
        self._steps: list[Step] = []
        self._connected: dict[str, bool] = {}
        self._known = set(GIVEN)

    def flow(self) -> Flow:
        while self._number < len(self._lines):
            line = self._next()
            bare = line.strip()
            if not bare or bare.startswith("#"):
                continue
            if line[0].isspace():
                raise self._wrong(f"an indented line stands below `{_GROUP}`")
            header = None if self._steps else _HEADER.fullmatch(bare)
            if header is not None:
                self._read_header(header[1], header[2])
            else:
                self._read_step(bare)
        if "flow" not in self._header:
            raise FlowSyntaxError(self._file, 1, "a flow begins with a line `flow: what it shows`")
        if not self._steps:
            raise self._wrong("nothing happens in this flow")
        return Flow(
            file=self._file,
            title=self._header["flow"],
            app=self._app,
            media=cast(MediaWish, self._header.get("media", "any")),
            settings=self._converted("settings", Settings),
            access="access" in self._header,
            refuse=self._converted("refuse", dict[str, str]) or {},
            steps=tuple(self._steps),
        )

    # ---- header

    def _read_header(self, key: str, value: str) -> None:
        if key in self._header:
            raise self._wrong(f"`{key}:` stands twice in the header")
        if not value:
            raise self._wrong(f"nothing stands after `{key}:`")
        self._header[key] = value
        if key == "app":
            self._app = self._app_name(value)
        elif key == "media" and value not in get_args(MediaWish):
            raise self._wrong(f"media is one of: {', '.join(get_args(MediaWish))}")
        elif key == "access" and value != "on":
            raise self._wrong("access control is `on` where the header speaks of it")
        elif key == "settings":
            self._converted(key, Settings)
        elif key == "refuse":
            known = {refusal.definition for refusal in ACCESS_REFUSALS}
            wished = cast(dict[str, str], self._converted(key, dict[str, str]))
            if not set(wished.values()) <= known:
                raise self._wrong(f"access control refuses with one of: {', '.join(sorted(known))}")

    def _converted(self, key: str, kind: type[Any]) -> Any:  # noqa: ANN401 - an instance of `kind`
        if key not in self._header:
            return None
        try:
            value = msgspec.json.decode(self._header[key], type=dict[str, object])
            return msgspec.convert({_SETTINGS.get(name, name): field for name, field in value.items()}, kind)
        except msgspec.DecodeError as error:
            raise self._wrong(f"`{key}:` does not hold what it should: {error}") from error

    def _app_name(self, name: str) -> str:
        if not is_valid_name(name):
            raise self._wrong(f"{name!r} cannot be the name of an app")
        return name

    # ---- steps

    def _read_step(self, line: str) -> None:
        if line == _GROUP:
            self._steps.append(self._group())
        elif (server := _SERVER.fullmatch(line)) is not None:
            self._steps.append(self._server_step(server[1], line))
        else:
            self._steps.append(self._client_step(line))

    def _group(self) -> AnyOrder:
        start = self._number
        hears: list[Hear] = []
        while self._number < len(self._lines):
            line = self._lines[self._number]
            bare = line.strip()
            if bare and not line[0].isspace() and not bare.startswith("#"):
                break
            self._next()
            if not bare or bare.startswith("#"):
                continue
            step = self._client_step(bare)
            if not isinstance(step, Hear):
                raise self._wrong(f"only what is heard (`<`) stands below `{_GROUP}`")
            hears.append(step)
        if not hears:
            raise FlowSyntaxError(self._file, start, f"indented lines with `<` are missing below `{_GROUP}`")
        return AnyOrder(line=start, source=_GROUP, hears=tuple(hears))

    def _client_step(self, line: str) -> Step:
        found = _LINE.fullmatch(line)
        if found is None:
            raise self._wrong(
                "a line is `name > …`, `name < …`, `name <? …`, `name connects`, `name leaves`, "
                f"`name is closed CODE`, `server …` or `{_GROUP}`"
            )
        client, verb, rest = found.groups()
        number = self._number
        if verb in {">", "<", "<?"}:
            self._see(client, line)
            silence = _SILENCE.fullmatch(rest) if verb == "<" else None
            if silence is not None:
                proves = self._proves(silence[1] or "")
                return Silence(line=number, source=f"{client} < nothing", client=client, proves=proves)
            return self._with_pattern(client, verb, rest, line)
        rest = _without_comment(rest)
        if verb == "connects":
            return self._connect(client, rest, line)
        self._see(client, line)
        self._connected[client] = False
        if verb == "is closed":
            if _CODE.fullmatch(rest) is None:
                raise self._wrong("a close code of four digits, or `*` for any, stands after `is closed`")
            return IsClosed(line=number, source=line, client=client, code=None if rest == "*" else int(rest))
        if rest:
            raise self._wrong("nothing stands after `leaves`")
        return Leave(line=number, source=line, client=client)

    def _connect(self, client: str, rest: str, line: str) -> Connect:
        if self._connected.get(client):
            raise self._wrong(f"{client} is connected already")
        self._connected[client] = True
        words = rest.split()
        match words:
            case []:
                app = self._app
            case ["to", name]:
                app = self._app_name(name)
            case _:
                raise self._wrong("it is `connects` or `connects to APP`")
        return Connect(line=self._number, source=line, client=client, app=app)

    def _see(self, client: str, line: str) -> None:
        """Connect a client at its first line; see to it that one who left says so before it comes back."""
        if client not in self._connected:
            self._connected[client] = True
            self._steps.append(Connect(line=self._number, source=line, client=client, app=self._app))
        elif not self._connected[client]:
            raise self._wrong(f"{client} has left; `{client} connects` brings it back")

    def _with_pattern(self, client: str, verb: str, text: str, line: str) -> Step:
        number = self._number
        pattern, source, rest = self._pattern(text)
        source = f"{client} {verb} {source}"
        proves = self._proves(rest)
        if proves and verb != "<":
            raise self._wrong("items stand behind what is heard (`<`)")
        unknown = [name for name in names_in(pattern) if name not in self._known]
        if verb == "<":
            self._known.update(unknown)
            return Hear(line=number, source=source, client=client, pattern=pattern, proves=proves)
        if unknown:
            raise FlowSyntaxError(self._file, number, f"nothing was heard yet that {{{unknown[0]}}} stands for")
        if verb == "<?":
            return Allow(line=number, source=source, client=client, pattern=pattern)
        try:
            fill(pattern, dict.fromkeys(self._known, ""))
        except Mismatch as error:
            raise FlowSyntaxError(self._file, number, error.why) from error
        return Say(line=number, source=source, client=client, pattern=pattern)

    def _proves(self, rest: str) -> tuple[str, ...]:
        """Read the items behind a message, as `[PUB-5 PUB-7]`."""
        found = _PROVES.fullmatch(rest)
        if found is None:
            return ()
        items = found[1].split()
        if not items:
            raise self._wrong("the items that this line proves stand between the brackets")
        for item in items:
            if item not in ITEMS:
                raise self._wrong(f"there is no item {item}")
            if ITEMS[item].need is Need.MEDIA:
                raise self._wrong(f"{item} needs media, which no flow can show")
        return tuple(items)

    def _pattern(self, text: str) -> tuple[Pattern, str, str]:
        """Read a pattern that may go on over further lines; give it, its text, and what stands behind it."""
        start = self._number
        text = text.strip()
        while True:
            try:
                pattern, rest = read_pattern(text)
            except PatternUnfinished as error:
                if self._number == len(self._lines):
                    raise FlowSyntaxError(self._file, start, "the message that begins here has no end") from error
                text = f"{text}\n{self._next().strip()}".rstrip(" ")
            except PatternError as error:
                line = start + text.count("\n", 0, error.at)
                raise FlowSyntaxError(self._file, line, f"{error}, at {text[error.at : error.at + 20]!r}") from error
            else:
                if rest and not rest.startswith("#") and _PROVES.fullmatch(rest) is None:
                    raise self._wrong(f"this stands after the end of the message: {rest[:20]!r}")
                if isinstance(pattern, Text) and names_in(pattern):
                    raise self._wrong("a raw text holds no names")
                return pattern, " ".join(text[: len(text) - len(rest)].split()), rest

    def _server_step(self, rest: str, line: str) -> Step:
        number = self._number
        word, _, text = rest.partition(" ")
        if word == "reports":
            event = self._decoded(text, lambda value: msgspec.convert(value, cast(Any, AnyEvent)))
            return Report(line=number, source=line, event=event)
        if word == "orders":
            order = self._decoded(text, lambda value: msgspec.convert(value, cast(Any, AnyHostCommand)))
            return Order(line=number, source=line, order=order)
        step = server_step(_without_comment(rest), line=number, source=line)
        if step is None:
            raise self._wrong(f"the server `reports {{…}}`, `orders {{…}}`, `{'`, `'.join(FORMS)}`")
        if isinstance(step, Issue):
            if "access" not in self._header:
                raise self._wrong("the server issues nothing unless the header says `access: on`")
            self._known.add(step.name)
        return step

    def _decoded(self, text: str, convert: Callable[[object], Any]) -> Any:  # noqa: ANN401 - what `convert` gives
        pattern, _, rest = self._pattern(text)
        if self._proves(rest):
            raise self._wrong("items stand behind what is heard (`<`)")
        try:
            return convert(fill(pattern, {}))
        except (msgspec.ValidationError, Mismatch) as error:
            raise self._wrong(f"this is nothing that could stand on a reel: {error}") from error

    # ---- lines

    def _next(self) -> str:
        line = self._lines[self._number]
        self._number += 1
        return line

    def _wrong(self, what: str) -> FlowSyntaxError:
        return FlowSyntaxError(self._file, max(self._number, 1), what)


def _without_comment(text: str) -> str:
    return "" if text.startswith("#") else text.partition(" #")[0].strip()
