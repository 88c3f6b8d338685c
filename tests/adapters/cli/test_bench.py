"""`signalreel_adapters.cli.bench`; what is measured is tested beside the benchmarks."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Final

import msgspec
import pytest

from signalreel.settings import Settings
from signalreel_adapters.bench.debug import DebugFigures
from signalreel_adapters.bench.engine import EngineFigures
from signalreel_adapters.bench.mix import make_mix
from signalreel_adapters.bench.record import RecordFigures
from signalreel_adapters.bench.replay import ReplayFigures
from signalreel_adapters.bench.simulate import SimulateFigures
from signalreel_adapters.bench.source import Peer, Source, write_reel
from signalreel_adapters.cli import main
from signalreel_adapters.media.aiortc.measuring.figures import MediaFigures, MediaRun, PeerFigures, Progress


class Figures(msgspec.Struct):
    """What a benchmark gives."""

    records_per_s: int


NAMED: Final = {
    ReplayFigures: {"records_per_s", "records", "peers"},
    RecordFigures: {"records_per_s", "p99_ms", "durability", "peers"},
    DebugFigures: {"open_s", "scrub_ms", "bisect_s", "shrink_s", "shrunk_records", "records"},
    Peer: {"missing", "records_per_s"},
    EngineFigures: {"records_per_s", "us_per_record", "records", "machines"},
    SimulateFigures: {"inputs_per_s", "seeds_per_s", "times_real_time", "peers"},
    MediaFigures: {"runs", "peers"},
    PeerFigures: {"missing", "runs"},
    MediaRun: {"viewers", "packets_per_s", "cpu_us_per_packet", "loss", "p50_ms", "p99_ms"},
}
"""Under which names figures are compared over time."""

MORE: Final = {
    ReplayFigures: {"us_per_record", "memory_records_per_s", "runs"},
    RecordFigures: {"durabilities", "records", "in_flight", "in_flight_most", "runs"},
    DebugFigures: {"scrub_max_ms", "found_at", "shrink_records", "runs"},
    Peer: {"records", "version", "setting", "cpu_us_per_record", "batched_records_per_s", "messages_per_s"},
    SimulateFigures: {
        "inputs_and_pings_per_s",
        "unchecked_inputs_per_s",
        "messages_per_s",
        "seeds",
        "inputs",
        "pings",
        "virtual_seconds",
        "violations",
        "runs",
    },
    EngineFigures: {"decode_and_apply_records_per_s", "decode_and_apply_us_per_record", "runs"},
    MediaFigures: {"fan_out", "transport", "interface", "cores", "packets_per_s", "window_s", "seconds"},
    MediaRun: {
        "picture_p50_ms",
        "picture_p99_ms",
        "server_cpu",
        "other_cpu",
        "join_cpu_ms",
        "kib_per_viewer",
        "windows",
        "spread",
        "ratio",
    },
    PeerFigures: {"version", "setting", "ended"},
}
"""What else is printed."""


@pytest.mark.parametrize("figures", NAMED)
def test_figures_keep_their_names(figures: type[msgspec.Struct]) -> None:
    """Whoever compares results over time finds each figure, and every other one is meant to be there."""
    printed = set(figures.__struct_encode_fields__)

    assert NAMED[figures] <= printed
    assert printed - NAMED[figures] == MORE[figures]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a benchmark that takes no time in the place of the real one."""
    module = ModuleType("signalreel_adapters.bench.engine")

    def bench_engine(progress: object, *, reel: object) -> Figures:
        assert callable(progress)
        assert reel is None
        progress("half done")
        return Figures(7)

    vars(module)["bench_engine"] = bench_engine
    monkeypatch.setitem(sys.modules, "signalreel_adapters.bench.engine", module)


@pytest.mark.parametrize(("options", "printed"), [(["--json"], '{"records_per_s":7}'), ([], "records_per_s  7")])
def test_figures_go_to_stdout_and_progress_to_stderr(
    quick: None, capsys: pytest.CaptureFixture[str], options: list[str], printed: str
) -> None:
    """What is measured can be piped; how far it is, is for the person who waits."""
    with pytest.raises(SystemExit) as left:
        main(["bench", "engine", *options])
    captured = capsys.readouterr()

    assert left.value.code == 0
    assert " ".join(captured.out.split()) == " ".join(printed.split())
    assert "half done" in captured.err
    if options:
        assert json.loads(captured.out) == {"records_per_s": 7}


class MeasurementFailed(Exception):
    """The benchmark's own, for when it comes to no end."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the media benchmark was asked for; one that takes no time is in the place of the real one."""
    options: dict[str, object] = {}
    module = ModuleType("signalreel_adapters.bench.media")

    def bench_media(progress: Callable[[Progress], None], **given: object) -> MediaFigures:
        options.update(given)
        progress(Progress("half done", 1, 2))
        if given["quick"]:
            raise MeasurementFailed("it broke")
        return MediaFigures(
            runs=[],
            peers={"pion": PeerFigures(missing="left out")},
            fan_out="raw",
            transport="one-port",
            interface="veth",
            cores=2,
            packets_per_s=212.0,
            window_s=3.0,
            seconds=1.0,
        )

    vars(module).update(
        bench_media=bench_media, PEERS=("janus", "pion", "aiortc_relay"), MeasurementFailed=MeasurementFailed
    )
    monkeypatch.setitem(sys.modules, "signalreel_adapters.bench.media", module)
    return options


def run(*options: str) -> int:
    """Run `signalreel bench media` and give its exit code."""
    with pytest.raises(SystemExit) as left:
        main(["bench", "media", *options])
    return int(left.value.code or 0)


def test_media_is_asked_for_what_the_options_say(asked: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    """Figures go to stdout, in one object or as a table; how far it is to stderr."""
    assert run("--peers", "pion", "--viewers", "300,100", "--pairs", "3", "--fan-out", "raw", "--json") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["peers"] == {"pion": {"missing": "left out"}}
    assert "half done" in captured.err
    assert asked == {
        "peers": ("pion",),
        "viewers": (300, 100),
        "pairs": 3,
        "fan_out": "raw",
        "transport": "one-port",
        "quick": False,
    }
    assert run("--peers", "none") == 0
    assert asked["peers"] == ()
    assert "pion: not measured: left out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--peers", "kurento"], "kurento is no server to compare with: janus, pion, aiortc_relay, or none"),
        (["--viewers", "many"], "--viewers takes numbers from 1 to 5000"),
        (["--viewers", "0"], "--viewers takes numbers from 1 to 5000"),
        (["--pairs", "101"], "--pairs takes a number up to 100"),
        (["--quick", "--peers", "none"], "the measurement did not come to its end: it broke"),
    ],
)
def test_what_cannot_be_measured_is_told(
    asked: dict[str, object], capsys: pytest.CaptureFixture[str], options: list[str], told: str
) -> None:
    """As a mistake, and not as a traceback."""
    assert run(*options) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("command", ["replay", "record"])
def test_any_reel_can_be_measured(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In place of the mix: every figure has a line, those of the others with their names before them."""
    write_reel(tmp_path / "small.reel", Source(Settings(), [], make_mix(1)[0][:20], 20))
    with pytest.raises(SystemExit) as left:
        main(["bench", command, "--reel", str(tmp_path / "small.reel")])
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())

    assert left.value.code == 0
    assert int(lines["records_per_s"]) > 0
    assert int(lines["records"]) == 20
    assert int(lines["peers.eventsourcing.records_per_s"]) > 0


def test_debugging_is_measured_with_any_reel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What goes wrong on it has to be said, and has to go wrong."""
    file = tmp_path / "small.reel"
    write_reel(file, Source(Settings(), [], make_mix(1)[0][:20], 20))

    def debugged(*options: str) -> int:
        with pytest.raises(SystemExit) as left:
            main(["bench", "debug", "--reel", str(file), *options])
        return int(left.value.code or 0)

    assert debugged("--if", "input == 'publish'", "--json") == 0
    assert json.loads(capsys.readouterr().out)["shrunk_records"] == 1
    assert debugged() == 2
    assert "--reel and --if go together" in capsys.readouterr().err
    assert debugged("--if", "input == 'nothing'") == 2
    assert debugged("--if", "input ==") == 2
