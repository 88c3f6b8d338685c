"""`signalreel_adapters.configuration.secrets`."""

from pathlib import Path

import pytest

from signalreel_adapters.configuration import Misconfigured
from signalreel_adapters.configuration.secrets import SECRET_BYTES_MAX, Secrets, SecretSource

DRAWN = "0FtbV3hpCz-eT1Wj_7mYqQ"


def test_a_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    """Relative to the configuration's folder, or absolute; blanks inside stay."""
    (tmp_path / "a.key").write_text(f" {DRAWN} \r\n")
    secrets = Secrets(tmp_path, {})

    assert secrets.read(SecretSource(file="a.key"), "rest.key") == f" {DRAWN} ".encode()
    assert secrets.read(SecretSource(file=str(tmp_path / "a.key")), "rest.key") == f" {DRAWN} ".encode()
    assert secrets.guessable == []


def test_a_variable_is_read() -> None:
    """From the environment that was handed over."""
    assert Secrets(Path(), {"KEY": DRAWN}).text(SecretSource(env="KEY"), "rest.key") == DRAWN


def test_what_could_be_guessed_is_remembered() -> None:
    """By its place; whoever starts the server decides whether that is allowed."""
    secrets = Secrets(Path(), {"KEY": "changeme-changeme-changeme", "GOOD": DRAWN})
    secrets.read(SecretSource(env="GOOD"), "access.key")
    secrets.read(SecretSource(env="KEY"), "rest.key")

    assert secrets.guessable == ["rest.key"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (SecretSource(), "rest.key names its secret once"),
        (SecretSource(file="a", env="b"), "rest.key names its secret once"),
        (SecretSource(file="none"), "rest.key.file: cannot read none: No such file"),
        (SecretSource(file="."), "rest.key.file: cannot read .: Is a directory"),
        (SecretSource(file="a\x00b"), "it has no such name"),
        (SecretSource(file="empty"), "rest.key is empty"),
        (SecretSource(file="long"), f"has more than {SECRET_BYTES_MAX} bytes"),
        (SecretSource(env="NONE"), "rest.key.env: the environment has no NONE"),
        (SecretSource(env="EMPTY"), "rest.key is empty"),
    ],
)
def test_a_secret_that_is_not_there(tmp_path: Path, source: SecretSource, said: str) -> None:
    """Each way of having none is named."""
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "long").write_text("x" * (SECRET_BYTES_MAX + 1))

    with pytest.raises(Misconfigured) as caught:
        Secrets(tmp_path, {"EMPTY": ""}).read(source, "rest.key")
    assert said in str(caught.value)


def test_what_must_be_text_is_text(tmp_path: Path) -> None:
    """Octets that are no UTF-8 are refused, and not quoted."""
    (tmp_path / "a").write_bytes(b"\xff" * 20)

    with pytest.raises(Misconfigured, match=r"rest\.key is no text"):
        Secrets(tmp_path, {}).text(SecretSource(file="a"), "rest.key")
