"""The tables for people."""

from signalreel_adapters.cli.figures import media_lines
from signalreel_adapters.media.aiortc.measuring.figures import MediaFigures, PeerFigures, summarise
from tests.adapters.media.aiortc.measuring.test_figures import window


def test_a_table_for_each_number_of_viewers_and_a_row_for_each_server() -> None:
    """Medians with their spread, the ratio beside the server it is to, and who is missing and why."""
    ours, theirs = [window(0.01), window(0.03)], [window(0.04), window(0.04, arrived=500)]
    figures = MediaFigures(
        runs=[summarise(ours, join_cpu_ms=3.0, kib_per_viewer=200.0)],
        peers={
            "janus": PeerFigures(
                version="1.1.2",
                setting="as it is",
                runs=[summarise(theirs, join_cpu_ms=3.0, kib_per_viewer=200.0, ours=ours)],
            ),
            "pion": PeerFigures(missing="needs Go"),
        },
        fan_out="raw",
        transport="one-port",
        interface="veth",
        cores=2,
        packets_per_s=212.0,
        window_s=3.0,
        seconds=60.0,
    )
    lines = list(media_lines(figures))

    assert lines[0] == "10 viewers"
    assert " ".join(lines[2].split()) == (
        "signalreel 20.0 (10.0-30.0) 1.00 (1.00-1.00) 4.0 (4.0-4.0) - 0.00% (0.00%) 1% 3.0 200"
    )
    assert " ".join(lines[3].split()[7:]) == "0.31 (0.25-0.38) 25.00% (50.00%) 2% 3.0 200"
    assert len({len(line) for line in lines[1:4]}) == 1
    assert lines[-2:] == ["janus 1.1.2: as it is", "pion: not measured: needs Go"]
