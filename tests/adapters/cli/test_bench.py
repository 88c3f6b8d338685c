"""`signalreel_adapters.cli.bench`; what is measured is tested beside the benchmarks."""

import json
import sys
from types import ModuleType

import msgspec
import pytest

from signalreel_adapters.cli import main


class Figures(msgspec.Struct):
    """What a benchmark gives."""

    records_per_s: int


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
