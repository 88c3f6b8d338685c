"""Chromium, the pages opened in it, and what can be seen on them.

Frames are what counts: a page can be told that all is well and still show nothing. So a picture is believed when the
browser has decoded frames of its track and two looks at the pixels differ.
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self, cast

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Playwright, Request, ViewportSize

from tests.e2e.wire import Wire

__all__ = (
    "BROWSER_TEST_SECONDS_MAX",
    "CHROMIUM_VARIABLE",
    "OLD_SAMPLES",
    "OLD_SDK",
    "Figures",
    "Guests",
    "SdkPage",
    "find_chromium",
    "hear_silence",
    "hear_sound",
    "launch",
    "see_moving_picture",
    "see_still_picture",
    "until",
)

CHROMIUM_VARIABLE: Final = "SIGNALREEL_CHROMIUM"
"""Names the browser to use, when it is not one of the usual names on the PATH."""

CHROMIUM_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")

CHROMIUM_FLAGS: Final = (
    # A camera and microphone that exist on every machine, and need nobody to allow them.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    # A machine without a network has no other address, and Chromium leaves it out unless told.
    "--allow-loopback-in-peer-connection",
    # Nothing but what the page asks for.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--disable-quic",
    "--disable-default-apps",
    "--no-default-browser-check",
    "--no-first-run",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
    # Machines that build are often root, without a graphics card, and with a small shared memory.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
)

VIEWPORT: Final[ViewportSize] = {"width": 960, "height": 640}
"""Small, because a machine without a graphics card paints every pixel of every page by hand."""

SDK: Final = Path(__file__).parent / "node_modules" / "@antmedia" / "webrtc_adaptor"
"""The npm package, as it was published."""

OLD_SAMPLES: Final = SDK.parents[1] / "webrtc_adaptor-2.4.2"
"""The npm package of the old SDK, with its sample pages."""

OLD_SDK: Final = "?sdk=2.4.2"
"""Asks the page for the SDK as it was when the protocol page was written."""

PROBE: Final = Path(__file__).with_name("probe.js")

BROWSER_TEST_SECONDS_MAX: Final = 120
"""A browser test waits for many things; each wait has a deadline of its own, and this is for all of them together."""

PICTURE_SECONDS_MAX: Final = 30.0
CALLBACK_SECONDS_MAX: Final = 20.0
UNTIL_SECONDS_MAX: Final = 30.0
LOOK_MILLISECONDS: Final = 100
FRAMES_MIN: Final = 10
PACKETS_MIN: Final = 10
BRIGHT_MIN: Final = 0.5
STILL_MILLISECONDS: Final = 1_000


def find_chromium() -> str:
    """Find the browser, or fail with what to do about it: a missing browser is no reason to leave tests out."""
    named = os.environ.get(CHROMIUM_VARIABLE)
    found = named if named and Path(named).is_file() else None
    if not named:
        found = next((path for path in map(shutil.which, CHROMIUM_NAMES) if path), None)
    assert found, (
        f"no Chromium: {named or ', '.join(CHROMIUM_NAMES)} not found. Install the package `chromium`, "
        f"or name the program in {CHROMIUM_VARIABLE}."
    )
    return found


def launch(playwright: Playwright) -> Browser:
    """Start Chromium without a window."""
    return playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_FLAGS))


class Guests:
    """The pages of one test, in one browser profile, and everything on them that should not have been.

    At the end `check` fails on a script's error, an error on the console, or a request to anywhere but the server.
    """

    def __init__(self, browser: Browser, server_url: str, sdk_url: str) -> None:
        self._server_url = server_url
        self._sdk_url = sdk_url
        self._context: BrowserContext = browser.new_context(permissions=["camera", "microphone"], viewport=VIEWPORT)
        self._context.add_init_script(path=PROBE)
        self.complaints: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self._context.close()

    def open(self, place: str = "") -> Page:
        """Open the server's own page, with a query perhaps, or another one of the server's."""
        page = self._context.new_page()
        self._go(page, self._server_url + place)
        return page

    def open_sdk(self, query: str = "", **options: object) -> "SdkPage":
        """Open a page with the official SDK, connected; `OLD_SDK` as the query takes an older one."""
        assert SDK.is_dir(), f"the official SDK is not there: run `npm ci --ignore-scripts` in {SDK.parents[2]}"
        page = self._context.new_page()
        opened = SdkPage(page, Wire(page))
        self._go(page, self._sdk_url + query)
        page.locator("html[data-ready]").wait_for(state="attached")
        page.evaluate("options => sdk.open(options)", options)
        return opened

    def check(self, *, only: tuple[str, ...] = ("",)) -> None:
        """Fail on anything that no page should do; or on some of it, by what its complaint begins with."""
        complaints = [complaint for complaint in self.complaints if complaint.startswith(only)]
        assert not complaints, complaints

    def _go(self, page: Page, url: str) -> None:
        page.on("console", self._hear_console)
        page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        page.on("dialog", self._hear_dialog)
        page.on("request", self._hear_request)
        page.goto(url)

    def _hear_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")

    def _hear_dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _hear_request(self, request: Request) -> None:
        if not request.url.startswith((self._server_url, "data:", "blob:")):
            self.complaints.append(f"request elsewhere: {request.url}")


class SdkPage:
    """A page around the official SDK, and what goes over its WebSocket."""

    def __init__(self, page: Page, wire: Wire) -> None:
        self.page = page
        self.wire = wire

    def call(self, method: str, *parameters: object) -> None:
        """Call a method of the SDK."""
        self.page.evaluate("([method, parameters]) => sdk.call(method, ...parameters)", [method, parameters])

    def send_bytes(self, stream_id: str, length: int) -> str:
        """Send bytes on the data channel, and give in words what the other side must get."""
        return cast(str, self.page.evaluate("parameters => sdk.sendBytes(...parameters)", [stream_id, length]))

    def until(self, name: str, seconds: float = CALLBACK_SECONDS_MAX) -> dict[str, Any]:
        """Wait for the next callback of this name that was not asked for yet; `error NAME` for an error."""
        about = self.page.evaluate("([name, ms]) => sdk.until(name, ms)", [name, seconds * 1_000])
        return cast(dict[str, Any], about)

    def count(self, name: str) -> int:
        """How many callbacks of this name wait to be asked for."""
        return cast(int, self.page.evaluate("name => sdk.count(name)", name))

    def close(self) -> None:
        """Close the tab, as a person does: without a word to the server."""
        self.page.close()


def until(page: Page, expression: str, arg: object = None, seconds: float = UNTIL_SECONDS_MAX) -> None:
    """Look again and again until a function of the page gives true.

    The looking is done from outside: Playwright's own wait makes the function anew inside the page, which a page that
    forbids `eval` refuses as soon as the first look fails.
    """
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression, arg):
        assert time.monotonic() < deadline, f"{expression} with {arg!r} is not true after {seconds} s"
        page.wait_for_timeout(LOOK_MILLISECONDS)


Figures = dict[str, float]
"""What was seen or heard, in the words of evidence: `frames_decoded`, `width`, `height`, `packets`."""

Look = dict[str, float]


def _look(page: Page, selector: str) -> Look | None:
    return cast(Look | None, page.evaluate("selector => probe.look(selector)", selector))


def _look_until(page: Page, selector: str, seen: Callable[[Look], bool]) -> Look:
    """Look again and again until what is seen will do."""
    deadline = time.monotonic() + PICTURE_SECONDS_MAX
    look: Look | None = None
    while time.monotonic() < deadline:
        look = _look(page, selector)
        if look is not None and seen(look):
            return look
        page.wait_for_timeout(LOOK_MILLISECONDS)
    raise AssertionError(f"{selector}: last seen {look} after {PICTURE_SECONDS_MAX} s")


def see_moving_picture(page: Page, selector: str) -> Figures:
    """See a received video move: frames are decoded, the pixels are not black, and they change."""
    first = _look_until(page, selector, lambda look: look["frames"] > 0 and look["bright"] >= BRIGHT_MIN)
    last = _look_until(
        page,
        selector,
        lambda look: (
            look["frames"] >= first["frames"] + FRAMES_MIN
            and look["bright"] >= BRIGHT_MIN
            and look["sum"] != first["sum"]
        ),
    )
    return {"frames_decoded": last["frames"], "width": last["width"], "height": last["height"]}


def see_still_picture(page: Page, selector: str) -> None:
    """See a received video stop: for a while no further frame of it is decoded."""
    _until_still(page, selector, lambda: (_look(page, selector) or {}).get("frames"))


def hear_sound(page: Page, selector: str) -> Figures:
    """Hear that the packets of a received video's sound go on coming."""
    first = _packets(page, selector)
    deadline = time.monotonic() + PICTURE_SECONDS_MAX
    while time.monotonic() < deadline:
        page.wait_for_timeout(LOOK_MILLISECONDS)
        packets = _packets(page, selector)
        if packets is not None and packets >= (first or 0) + PACKETS_MIN:
            return {"packets": packets}
    raise AssertionError(f"{selector}: no sound after {PICTURE_SECONDS_MAX} s")


def hear_silence(page: Page, selector: str) -> None:
    """Hear the sound of a received video stop: for a while no further packet of it comes."""
    _until_still(page, selector, lambda: _packets(page, selector))


def _packets(page: Page, selector: str) -> float | None:
    heard = cast(Look | None, page.evaluate("selector => probe.listen(selector)", selector))
    return None if heard is None else heard["packets"]


def _until_still(page: Page, selector: str, count: Callable[[], float | None]) -> None:
    deadline = time.monotonic() + PICTURE_SECONDS_MAX
    while time.monotonic() < deadline:
        before = count()
        page.wait_for_timeout(STILL_MILLISECONDS)
        if before is not None and before == count():
            return
    raise AssertionError(f"{selector}: it goes on")
