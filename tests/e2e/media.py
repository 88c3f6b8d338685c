"""A page whose clients speak the protocol word by word, and what its browser has received.

A message says what the server believes; that media flows is believed when the browser has decoded more frames, or
received more packets, than at the look before.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from tests.e2e.bottleneck import Line
from tests.e2e.browser import CALLBACK_SECONDS_MAX, Guests
from tests.e2e.server import PAGES_PREFIX

__all__ = ("Clients", "MediaPage", "Received", "Scripted", "amount_of")

LOOK_MILLISECONDS: Final = 100
MORE_MIN: Final = 3
STILL_MILLISECONDS: Final = 700
"""How long nothing more must arrive to be taken for still: ten pictures, and fourteen packets of sound."""

Command = dict[str, Any]
Received = dict[str, Any]
"""What has arrived of one track: kind, packets, bytes, frames, width, height, codec, lost, freezes,
keyframes."""


class Scripted(Protocol):
    """A page of any browser, as far as its clients need it."""

    def evaluate(self, expression: str, arg: object = None, /) -> object:
        """Call a function of one parameter on the page."""
        ...

    def wait_for_timeout(self, timeout: float, /) -> None:
        """Let so many milliseconds pass, and the page go on."""
        ...


class Clients:
    """The clients on a page that speaks the protocol, in whichever browser it is open."""

    PLACE: Final = f"{PAGES_PREFIX}/media.html"
    """Where the page is on a server."""

    def __init__(self, page: Scripted) -> None:
        self.page = page

    def open(self, *clients: str) -> None:
        """Open clients: a WebSocket each."""
        for client in clients:
            self.page.evaluate("name => media.open(name)", client)

    def close(self, *clients: str) -> None:
        """Close clients with all that they have."""
        for client in clients:
            self.page.evaluate("name => media.close(name)", client)

    def say(self, client: str, command: str, options: dict[str, Any] | None = None, /, **fields: object) -> Command:
        """Send a command, and give it. The options say how a connection is to be made that comes of it."""
        message = {"command": command, **fields}
        self.page.evaluate(
            "([name, message, options]) => media.say(name, message, options)", [client, message, options]
        )
        return message

    def until(self, client: str, **wanted: object) -> dict[str, Any]:
        """Wait for the next message that has all of these and was not asked for yet."""
        milliseconds = CALLBACK_SECONDS_MAX * 1_000
        return cast(
            dict[str, Any],
            self.page.evaluate("([name, wanted, ms]) => media.until(name, wanted, ms)", [client, wanted, milliseconds]),
        )

    def notified(self, client: str, definition: str, **wanted: object) -> dict[str, Any]:
        """Wait for a notification."""
        return self.until(client, command="notification", definition=definition, **wanted)

    def count(self, client: str, **wanted: object) -> int:
        """How many messages with these nobody has asked for."""
        return cast(int, self.page.evaluate("([name, wanted]) => media.count(name, wanted)", [client, wanted]))

    def forget(self, client: str, **wanted: object) -> None:
        """Forget the messages with these."""
        self.page.evaluate("([name, wanted]) => media.forget(name, wanted)", [client, wanted])

    def publish(self, client: str, stream: str, *, main_track: str = "", **options: object) -> dict[str, Any]:
        """Publish until it is live; gives the notification of it."""
        fields = {"mainTrack": main_track} if main_track else {}
        self.say(client, "publish", options, streamId=stream, **fields)
        return self.notified(client, "publish_started", streamId=stream)

    def play(
        self, client: str, stream: str, *, line: Line | None = None, stereo: bool = False, **fields: object
    ) -> dict[str, Any]:
        """Play until that has started; gives the notification of it. With a line, all packets go through it."""
        options = {"relayPort": line.port if line is not None else 0, "stereo": stereo}
        self.say(client, "play", options, streamId=stream, **fields)
        if line is not None:
            line.lead_to(self.until(client, relayed=stream)["port"])
            self.page.evaluate("name => media.proceed(name)", client)
        return self.notified(client, "play_started", streamId=stream)

    def resume(self, client: str, command: Command, player: str, stream: str, track: str) -> float:
        """Send a command that switches a picture on; gives the seconds until a player has decoded a frame of it."""
        milliseconds = CALLBACK_SECONDS_MAX * 1_000
        parameters = [client, command, player, stream, track, milliseconds]
        return cast(float, self.page.evaluate("parameters => media.resume(...parameters)", parameters)) / 1_000

    def change(self, client: str, command: Command, player: str, stream: str, track: str, height: int) -> float:
        """Send a command that changes what a player is shown; gives the seconds until it decodes that height."""
        milliseconds = CALLBACK_SECONDS_MAX * 1_000
        parameters = [client, command, player, stream, track, height, milliseconds]
        return cast(float, self.page.evaluate("parameters => media.change(...parameters)", parameters)) / 1_000

    def speak(self, client: str, stream: str, data: str | list[int]) -> None:
        """Say something on a data channel."""
        self.page.evaluate("([name, stream, data]) => media.speak(name, stream, data)", [client, stream, data])

    def resize(self, client: str, stream: str, width: int, height: int) -> None:
        """Let the picture that a client publishes be of another size."""
        self.page.evaluate("parameters => media.resize(...parameters)", [client, stream, width, height])

    def tones(self, client: str, stream: str) -> tuple[float, float]:
        """Hear the loudest tone in the left and in the right channel of what a client plays, in hertz."""
        left, right = cast(
            list[float], self.page.evaluate("([name, stream]) => media.tones(name, stream)", [client, stream])
        )
        return left, right

    def hush(self, client: str, stream: str) -> None:
        """Stop every packet of what a client publishes; its connection stays."""
        self.page.evaluate("([name, stream]) => media.hush(name, stream)", [client, stream])

    def received(self, client: str, stream: str) -> dict[str, Received]:
        """What the browser has received on a connection so far, by the names of the tracks."""
        return cast(
            dict[str, Received],
            self.page.evaluate("([name, stream]) => media.received(name, stream)", [client, stream]),
        )

    def remote_description(self, client: str, stream: str) -> str:
        """The description that the browser took from the server."""
        return cast(str, self.page.evaluate("([name, stream]) => media.remote(name, stream)", [client, stream]))

    def see(self, client: str, stream: str, seen: Callable[[dict[str, Received]], bool]) -> dict[str, Received]:
        """Look until what has been received will do."""
        received: dict[str, Received] = {}
        for _ in range(int(CALLBACK_SECONDS_MAX * 1_000 / LOOK_MILLISECONDS)):
            received = self.received(client, stream)
            if seen(received):
                return received
            self.page.wait_for_timeout(LOOK_MILLISECONDS)
        raise AssertionError(f"{client}: last received {received} after {CALLBACK_SECONDS_MAX} s")

    def see_flowing(self, client: str, stream: str, *tracks: str) -> dict[str, Received]:
        """See more of each of these tracks arrive: frames of a picture, packets of a sound."""
        before = self.see(client, stream, lambda received: set(tracks) <= set(received))
        return self.see(
            client,
            stream,
            lambda received: all(amount_of(received[track]) >= amount_of(before[track]) + MORE_MIN for track in tracks),
        )

    def see_height(self, client: str, stream: str, track: str, height: int) -> Received:
        """See the frames of a picture decoded at this height."""
        received = self.see(client, stream, lambda tracks: tracks.get(track, {"height": 0})["height"] == height)
        return received[track]

    def see_still(self, client: str, stream: str, track: str, *flowing: str) -> Received:
        """See one track stop while the others go on; gives what had arrived of it by then."""
        flows: list[str] = []
        for _ in range(int(CALLBACK_SECONDS_MAX * 1_000 / STILL_MILLISECONDS)):
            before = self.received(client, stream)
            self.page.wait_for_timeout(STILL_MILLISECONDS)
            after = self.received(client, stream)
            flows = [each for each in after if each in before and amount_of(after[each]) > amount_of(before[each])]
            if track not in flows and set(flowing) <= set(flows):
                return after[track]
        raise AssertionError(f"{client}: last seen to flow {flows}, and not {track} alone to stand still")


class MediaPage(Clients):
    """One page of Chromium with several clients."""

    def __init__(self, guests: Guests, server_url: str) -> None:
        opened = guests.open(self.PLACE)
        opened.locator("html[data-ready]").wait_for(state="attached")
        super().__init__(opened)


def amount_of(received: Received) -> int:
    """How much has arrived of a track: frames of a picture, packets of a sound."""
    return int(received["frames"] if received["kind"] == "video" else received["packets"])
