"""`signalreel open FILE`: a reel in pictures, in a browser on this machine or as one file to keep and send."""

import contextlib
import secrets
import socket
import sys
import webbrowser
from pathlib import Path
from typing import Final

import msgspec

from signalreel.debug.redact import redact
from signalreel.reel import Reel
from signalreel_adapters.cli.debug.reading import Switch, open_reel, print_json, with_progress
from signalreel_adapters.cli.debug.selecting import ALL
from signalreel_adapters.cli.media import Port
from signalreel_adapters.cli.mistakes import Mistake
from signalreel_adapters.viewer import TooLong, about_of, create_viewer, export_page, serve_viewer
from signalreel_adapters.viewer.about import CHUNK_RECORDS

__all__ = ("Exported", "Opened", "open_pictures")

_HOST: Final = "127.0.0.1"
_TOKEN_BYTES: Final = 18
_PIECES_BESIDES: Final = 4  #: of an exported file: before the data, the two about all of it, and after


class Opened(msgspec.Struct):
    """What `signalreel open --json` prints."""

    url: str
    records: int


class Exported(msgspec.Struct):
    """What `signalreel open --export FILE --json` prints."""

    file: str
    bytes: int
    records: int
    redacted: bool


def open_pictures(
    file: Path,
    /,
    *,
    export: Path | None = None,
    keep_names: Switch = False,
    as_recorded: Switch = False,
    port: Port = 0,
    no_browser: Switch = False,
    json: Switch = False,
) -> int:
    """Look at a reel in a browser: the sequence of messages, the machines and their states, what changed, and why.

    The page is served to this machine alone, under an address that nobody can guess, until Ctrl-C. With --export it
    becomes one file that opens anywhere and asks nothing of the network.

    Parameters
    ----------
    file
        The reel; it may be one that a server is writing, and is shown as far as it goes now.
    export
        Write one self-contained HTML file there instead. It is redacted, because it is for sharing.
    keep_names
        With --export: keep the names of streams and rooms.
    as_recorded
        With --export: redact nothing. There is no description, candidate or token in the file in any case.
    port
        Serve on this port; 0 takes a free one.
    no_browser
        Only print the address.
    json
        Print one JSON object: url and records, or file, bytes, records and redacted.
    """
    reel = open_reel(file)
    if export is not None:
        return _export(reel, file, export, keep_names=keep_names, as_recorded=as_recorded, json=json)
    if keep_names or as_recorded:
        raise Mistake("--keep-names and --as-recorded say what an exported file holds: give --export FILE too")
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with _listen(port) as bound:
        port = bound.getsockname()[1]
        url = f"http://{_HOST}:{port}/{token}/"
        viewer = create_viewer(reel, file.name, token=token, port=port)
        if json:
            print_json(Opened(url, about_of(reel, file.name).records))
        else:
            print(f"{url}\nThe page is for this machine alone. Ctrl-C ends it.")
        sys.stdout.flush()
        if not no_browser:
            webbrowser.open(url)
        with contextlib.suppress(KeyboardInterrupt):  # How one leaves it.
            serve_viewer(viewer, bound)
    return 0


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((_HOST, port))
    except OSError as error:
        raise Mistake(f"port {port} of this machine cannot be had: {error.strerror}") from error


def _export(reel: Reel, file: Path, export: Path, *, keep_names: bool, as_recorded: bool, json: bool) -> int:
    if keep_names and as_recorded:
        raise Mistake("--as-recorded keeps every name; --keep-names says which a redacted file keeps: give one of them")
    name = file.name if as_recorded else "A reel"
    try:
        shared = reel if as_recorded else redact(reel, ALL.key(), keep_names=keep_names)
        pieces = export_page(shared, name, redacted=not as_recorded)
        records = about_of(shared, name).records
        total = records // CHUNK_RECORDS + _PIECES_BESIDES
        with export.open("w", encoding="utf-8", newline="\n") as page:  # The policy names the script by its hash.
            for piece in with_progress(pieces, total, "writing"):
                page.write(piece)
        written = export.stat().st_size
    except TooLong as error:
        export.unlink(missing_ok=True)
        raise Mistake(str(error)) from error
    except OSError as error:
        raise Mistake(f"{export}: cannot be written: {error.strerror}") from error
    if json:
        print_json(Exported(str(export), written, records, not as_recorded))
    else:
        kept = "as recorded" if as_recorded else "redacted, with its names" if keep_names else "redacted"
        print(f"{export}: {records} records, {kept}, {written // 1024} KiB")
    return 0
