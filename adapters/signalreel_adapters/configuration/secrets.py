"""Where a secret is to be found: in a file of its own, or in a variable of the environment. Never in the file itself.

A configuration is copied, shown and kept in repositories. So it names secrets and does not hold them, and what is wrong
with one is said without quoting it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from signalreel_adapters.access.keys import is_guessable
from signalreel_adapters.configuration.errors import Misconfigured

__all__ = ("SECRET_BYTES_MAX", "SecretSource", "Secrets")

SECRET_BYTES_MAX: Final = 4_096
"""No secret is longer; a file that is was not meant."""


class SecretSource(Struct, frozen=True, forbid_unknown_fields=True):
    """One of the two places."""

    file: str = ""  #: its octets, without the line end behind them
    env: str = ""  #: the name of a variable


class Secrets:
    """Reads secrets, and remembers those that somebody could guess. Files are looked for from `folder`."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self.guessable: list[str] = []
        """Where secrets stand in the configuration that nobody drew."""

    def read(self, source: SecretSource, place: str) -> bytes:
        """Give a secret; `place` is where the configuration names it. Raises `Misconfigured`."""
        if bool(source.file) == bool(source.env):
            raise Misconfigured(f'{place} names its secret once: {place}.file = "..." or {place}.env = "..."')
        secret = self._of_file(source.file, place) if source.file else self._of_environment(source.env, place)
        if not secret:
            raise Misconfigured(f"{place} is empty")
        if is_guessable(secret):
            self.guessable.append(place)
        return secret

    def text(self, source: SecretSource, place: str) -> str:
        """Give a secret that is text."""
        try:
            return self.read(source, place).decode()
        except UnicodeDecodeError:
            raise Misconfigured(f"{place} is no text (UTF-8)") from None

    def _of_file(self, name: str, place: str) -> bytes:
        try:
            with (self._folder / name).open("rb") as file:
                found = file.read(SECRET_BYTES_MAX + 1)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it has no such name"
            if isinstance(error, FileNotFoundError):
                why += "; draw a secret for it: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
            raise Misconfigured(f"{place}.file: cannot read {name}: {why}") from None
        if len(found) > SECRET_BYTES_MAX:
            raise Misconfigured(f"{place}.file: {name} has more than {SECRET_BYTES_MAX} bytes")
        return found.rstrip(b"\r\n")

    def _of_environment(self, name: str, place: str) -> bytes:
        try:
            return self._environment[name].encode("utf-8", "surrogateescape")
        except KeyError:
            raise Misconfigured(f"{place}.env: the environment has no {name}") from None
