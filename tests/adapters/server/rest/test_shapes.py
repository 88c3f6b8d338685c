"""`signalreel_adapters.server.rest.shapes`: how the objects are spelled."""

import msgspec

from signalreel_adapters.server.rest.shapes import AppStatistics, BroadcastChanges, Result, SimpleStat, ViewerStatistics


def test_a_result_has_all_its_fields() -> None:
    """Also those that say nothing: clients read them without asking."""
    assert msgspec.json.encode(Result(success=True)) == b'{"success":true,"message":"","dataId":null,"errorId":0}'


def test_statistics_are_spelled_as_clients_know_them() -> None:
    """Capitals in the middle of words included."""
    assert msgspec.to_builtins(ViewerStatistics(web_rtc=3)) == {
        "totalWebRTCWatchersCount": 3,
        "totalHLSWatchersCount": 0,
        "totalDASHWatchersCount": 0,
        "totalRTMPWatchersCount": 0,
    }
    assert msgspec.to_builtins(AppStatistics(live=2))["activeLiveStreamCount"] == 2
    assert msgspec.to_builtins(SimpleStat(1)) == {"number": 1}


def test_what_is_left_out_is_told_from_what_is_emptied() -> None:
    """Null is something that a client said."""
    changes = msgspec.json.decode(b'{"name":null,"unknown":1}', type=BroadcastChanges)

    assert changes.name is None
    assert changes.description is msgspec.UNSET
