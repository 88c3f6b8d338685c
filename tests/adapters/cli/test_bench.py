"""`signalreel_adapters.cli.bench`; what is measured is tested beside the benchmarks."""

import json
import sys
from types import ModuleType
from typing import Final

import msgspec
import pytest

from signalreel_adapters.bench.engine import EngineFigures
from signalreel_adapters.bench.media import MediaFigures
from signalreel_adapters.cli import main
from signalreel_adapters.media.aiortc.measuring.load import MediaRun


class Figures(msgspec.Struct):
    """What a benchmark gives."""

    records_per_s: int


NAMED: Final = {
    EngineFigures: {"records_per_s", "us_per_record", "records", "machines"},
    MediaFigures: {"runs", "peers"},
    MediaRun: {"viewers", "packets_per_s", "cpu_us_per_packet", "loss", "p50_ms", "p99_ms"},
}
"""Under which names figures are compared over time."""

MORE: Final = {
    EngineFigures: {"decode_and_apply_records_per_s", "decode_and_apply_us_per_record", "runs"},
    MediaFigures: {"fan_out", "transport", "cores"},
    MediaRun: {"server_cpu", "join_cpu_ms"},
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

    def bench_engine(progress: object) -> Figures:
        assert callable(progress)
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
