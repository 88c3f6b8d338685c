"""How Janus is configured, and what is told where it is not there."""

from pathlib import Path

import pytest

from signalreel_adapters.media.aiortc.measuring.servers.janus import Janus, configuration
from signalreel_adapters.media.aiortc.measuring.servers.server import ServerFailed, Setting, Unavailable

pytestmark = pytest.mark.anyio


def test_its_best_setting_and_its_default_differ_in_one_line() -> None:
    """Everything else is the same, so that the one line is what is compared."""
    best = configuration("10.99.0.1", 1, Path("api"))
    default = configuration("10.99.0.1", 0, Path("api"))

    assert best["janus.jcfg"].replace("\tevent_loops = 1\n", "") == default["janus.jcfg"]
    assert {name: text for name, text in best.items() if name != "janus.jcfg"} == {
        name: text for name, text in default.items() if name != "janus.jcfg"
    }
    assert 'ice_enforce_list = "10.99.0.1"' in best["janus.jcfg"]
    assert 'path = "api"' in best["janus.transport.pfunix.jcfg"]


async def test_without_the_program_it_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing was started that would have to be stopped."""
    monkeypatch.setenv("PATH", str(tmp_path))
    janus = Janus(Setting("10.99.0.1", None, tmp_path), event_loops=1)
    with pytest.raises(Unavailable, match="Debian: janus"):
        await janus.start()
    with pytest.raises(ServerFailed, match="was not started"):
        assert janus.process
    with pytest.raises(ServerFailed, match="ended"):
        await janus.play()
    await janus.stop()


async def test_a_janus_that_will_not_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is started several times, because it may fail by chance; then that is it."""
    program = tmp_path / "janus"
    program.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    janus = Janus(Setting("10.99.0.1", None, tmp_path / "here"), event_loops=0)
    (tmp_path / "here").mkdir()
    with pytest.raises(Unavailable, match="did not start"):
        await janus.start()
    await janus.stop()
