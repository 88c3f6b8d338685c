"""A network of its own, or why there is none."""

from pathlib import Path

import pytest

from signalreel_adapters.media.aiortc.measuring.namespace import inside, why_not


def test_a_command_is_run_where_everything_ends_with_it() -> None:
    """Killing the first process ends all others, and with them the network."""
    command = inside(["echo", "hello"])

    assert command[0] == "unshare"
    assert {"--net", "--pid", "--fork", "--kill-child"} <= set(command)
    assert command[-2:] == ["echo", "hello"]


def test_programs_that_are_not_there_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wants the network reads what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert why_not() == "needs unshare and ip (Debian: util-linux, iproute2)"


def test_a_system_that_does_not_allow_it_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried, and what the system says counts."""
    for name, status in (("unshare", 1), ("ip", 0)):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\nexit {status}\n", encoding="utf-8")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    assert why_not() == "needs a network namespace of its own, which only root may make here"
