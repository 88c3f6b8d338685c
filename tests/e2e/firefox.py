"""Firefox, as far as the tests need it: pages that run scripts, driven over WebDriver BiDi.

It is Debian's own, which the driver of the other tests cannot start: that one needs a build of its own. What is used of
the protocol is a session, a tab and a script in it (W3C, WebDriver BiDi, sections 7.1, 7.3 and 7.6).
"""

import json
import os
import shutil
import subprocess
import time
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import Any, Final, Self, cast

from websockets.sync.client import ClientConnection, connect

__all__ = ("FIREFOX_VARIABLE", "Firefox", "FirefoxPage", "find_firefox")

FIREFOX_VARIABLE: Final = "SIGNALREEL_FIREFOX"
"""Names the browser to use, when it is not one of the usual names on the PATH."""

FIREFOX_NAMES: Final = ("firefox-esr", "firefox")

PREFERENCES: Final[dict[str, bool | int | str]] = {
    # A camera and microphone that exist on every machine, and need nobody to allow them.
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    # Without a default route Firefox finds no address that it would rather use, and then uses none.
    "media.peerconnection.ice.default_address_only": False,
    # Nothing but what the page asks for: no updates, no plug-ins, no reports, no probes for a network.
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "browser.search.update": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "media.gmp-provider.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.prefetch-next": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}

START_SECONDS_MAX: Final = 40.0
ANSWER_SECONDS_MAX: Final = 60.0
STOP_SECONDS_MAX: Final = 10.0
POLL_SECONDS: Final = 0.1
MESSAGE_BYTES_MAX: Final = 16_777_216


def find_firefox() -> str:
    """Find the browser, or fail with what to do about it: a missing browser is no reason to leave tests out."""
    named = os.environ.get(FIREFOX_VARIABLE)
    found = named if named and Path(named).is_file() else None
    if not named:
        found = next((path for path in map(shutil.which, FIREFOX_NAMES) if path), None)
    assert found, (
        f"no Firefox: {named or ', '.join(FIREFOX_NAMES)} not found. Install the package `firefox-esr`, "
        f"or name the program in {FIREFOX_VARIABLE}."
    )
    return found


class Firefox:
    """A browser with a profile of its own in an empty folder. Leaving it ends it."""

    def __init__(self, folder: Path) -> None:
        self._home = folder
        self._profile = folder / "profile"
        self._profile.mkdir()
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
        (self._profile / "user.js").write_text("".join(lines), encoding="utf-8")
        self._log = folder / "firefox.log"
        self._told = 0
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            self._process = self._start()
            exits.callback(self._end)
            self._socket = exits.enter_context(self._connect())
            self._ask("session.new", {"capabilities": {}})
            exits.callback(self._close)
            self._exits = exits.pop_all()
        return self

    def __exit__(self, *details: object) -> None:
        self._exits.close()

    def open(self, url: str) -> "FirefoxPage":
        """Open a page in a tab of its own, until it is loaded."""
        context = self._ask("browsingContext.create", {"type": "tab"})["context"]
        self._ask("browsingContext.navigate", {"context": context, "url": url, "wait": "complete"})
        return FirefoxPage(self, context)

    def evaluate(self, context: str, function: str, parameter: object) -> object:
        """Call a function of one parameter on a page, and give what it returns or resolves to, by way of JSON."""
        expression = f"Promise.resolve(({function})({json.dumps(parameter)})).then((value) => JSON.stringify(value))"
        called = self._ask(
            "script.evaluate", {"expression": expression, "target": {"context": context}, "awaitPromise": True}
        )
        assert called["type"] == "success", called["exceptionDetails"]["text"]
        result = called["result"]
        return json.loads(result["value"]) if result["type"] == "string" else None

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [find_firefox(), "--headless", "--no-remote", "--remote-debugging-port=0", "--profile"]
        # A home of its own: it writes there too, and may not be able to where tests run.
        environment = os.environ | {"HOME": str(self._home), "MOZ_CRASHREPORTER_DISABLE": "1"}
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*command, str(self._profile)], stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment
            )

    def _connect(self) -> AbstractContextManager[ClientConnection]:
        """Connect to where it says that it listens: in a file of its profile."""
        told = self._profile / "WebDriverBiDiServer.json"
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"Firefox ended while starting\n{self._last_words()}"
            with suppress(OSError, ValueError, KeyError):  # Not written yet, or not whole.
                at = json.loads(told.read_text(encoding="utf-8"))
                url = f"ws://{at['ws_host']}:{at['ws_port']}/session"
                return connect(url, max_size=MESSAGE_BYTES_MAX, proxy=None)
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"Firefox was not ready within {START_SECONDS_MAX} s\n{self._last_words()}")

    def _close(self) -> None:
        """Ask it to end. However it answers, it is ended."""
        with suppress(Exception):
            self._ask("browser.close", {})

    def _ask(self, method: str, parameters: dict[str, object]) -> dict[str, Any]:
        """Send one command and wait for its answer."""
        self._told += 1
        self._socket.send(json.dumps({"id": self._told, "method": method, "params": parameters}))
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while True:
            answer = cast(dict[str, Any], json.loads(self._socket.recv(timeout=deadline - time.monotonic())))
            if answer.get("id") == self._told:
                assert answer["type"] == "success", f"{method}: {answer.get('message')}"
                return cast(dict[str, Any], answer["result"])

    def _end(self) -> None:
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _last_words(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-2_000:]


class FirefoxPage:
    """A page in it."""

    def __init__(self, browser: Firefox, context: str) -> None:
        self._browser = browser
        self._context = context

    def evaluate(self, expression: str, arg: object = None) -> object:
        """Call a function of one parameter."""
        return self._browser.evaluate(self._context, expression, arg)

    def wait_for_timeout(self, timeout: float) -> None:
        """Let so many milliseconds pass."""
        time.sleep(timeout / 1_000)
