"""What the adapter keeps for a live machine, on either side: a transport's life, from a description to its end.

Nothing here raises towards the adapter; whatever fails is an event.
"""

import asyncio
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable

from signalreel.events import AnyEvent, DescriptionFailed, MediaLost
from signalreel.identifiers import Reference
from signalreel_adapters.media.aiortc.actor import Actor, Job
from signalreel_adapters.media.aiortc.errors import (
    DescriptionImpossible,
    DescriptionRefused,
    MediaError,
    TransportFailed,
)
from signalreel_adapters.media.aiortc.failures import Failures
from signalreel_adapters.media.aiortc.filter import Candidate, CandidateGate
from signalreel_adapters.media.aiortc.noting import Flow
from signalreel_adapters.media.aiortc.peer import PeerTransport, Remote
from signalreel_adapters.media.aiortc.sdp import Description, LocalSection, LocalTransport, Section, parse, render
from signalreel_adapters.media.aiortc.settings import AiortcSettings

__all__ = ("MakeTransport", "Side")

MakeTransport = Callable[[bool], PeerTransport]
"""Makes the transport of one peer; the argument says whether we control ICE, as the end that offers does."""


def _ignore(layer: str, what: str) -> None:
    """Stand in where nobody takes notes."""


class Side(ABC):
    """One life of one machine, as media sees it. Work is done in order, in the background."""

    def __init__(
        self,
        machine: Reference,
        settings: AiortcSettings,
        make_transport: MakeTransport,
        report: Callable[[AnyEvent], None],
        failures: Failures,
    ) -> None:
        self.machine = machine
        self._settings = settings
        self._make_transport = make_transport
        self._report = report
        self._failures = failures
        self._actor = Actor(settings.inbox_max, failures)
        self.on_failure: Callable[[str, str], None] = _ignore  #: is told which layer failed, and what
        self._connected = False
        self._lost = False
        self._transport: PeerTransport | None = None
        self._local: LocalTransport | None = None
        self._gate = self._new_gate()
        self._early: list[Candidate] = []  # candidates that came before there was a transport
        self._connecting: asyncio.Task[None] | None = None
        self._remote_fragment = ""
        self._session_id = secrets.randbits(62)
        self._version = 0

    # ------------------------------------------------------------------------------------------- what each side adds

    @abstractmethod
    def _on_connected(self) -> None:
        """The transport is up."""

    @abstractmethod
    def flow(self) -> Flow | None:
        """Give how much flowed since the transport was up; None while it is not."""

    @abstractmethod
    async def _start_data(self, transport: PeerTransport, section: Section) -> None:
        """Start data channels over the connected transport; the section is the peer's."""

    # ----------------------------------------------------------------------------------------------------- in order

    def _describe(self, job: Job) -> None:
        """Have a description made, and see to it that its failure is reported."""

        async def guarded() -> None:
            try:
                await job()
            except DescriptionRefused as error:
                self.on_failure("description", error.reason)
                self._report(DescriptionFailed(self.machine, "remote", error.reason))
            except MediaError as error:
                self.on_failure("description", error.reason)
                self._report(DescriptionFailed(self.machine, "local", error.reason))
            except Exception as error:  # noqa: BLE001 - whatever it is, the engine must hear that there is none
                self._failures.note("description failed", error)
                self._report(DescriptionFailed(self.machine, "local", "an error of the media adapter"))

        if not self._actor.post(guarded):
            self._report(DescriptionFailed(self.machine, "local", "too much is waiting to be done for this peer"))

    def take_candidate(self, line: str) -> None:
        """Take a candidate of the client's, at any time. An empty one ends them, which changes nothing for us."""
        if line:
            self._actor.post(lambda: self._take_candidate(line))

    async def _take_candidate(self, line: str) -> None:
        candidate = self._gate.admit(line)
        if candidate is None:
            return
        if self._connecting is None:
            self._early.append(candidate)  # the gate bounds how many
        elif self._transport is not None:
            self._transport.add_candidate(candidate)

    def _new_gate(self) -> CandidateGate:
        return CandidateGate(
            count_max=self._settings.candidates_max,
            allow_loopback=self._settings.allow_loopback,
            allowed_networks=self._settings.allowed_networks,
        )

    # ------------------------------------------------------------------------------------------------- descriptions

    def _parse(self, text: str, sections_max: int) -> Description:
        description = parse(
            text,
            size_max=self._settings.description_bytes_max,
            sections_max=sections_max,
            codecs_max=self._settings.codecs_per_section_max,
        )
        if self._connecting is not None and description.transport.user_fragment != self._remote_fragment:
            raise DescriptionRefused("an ICE restart is not possible; make a new connection")
        return description

    def _render(self, setup: str, sections: list[LocalSection]) -> str:
        if self._local is None:
            raise DescriptionImpossible("the transport is not open")
        self._version += 1
        return render(self._local, setup, sections, session_id=self._session_id, version=self._version)

    # ------------------------------------------------------------------------------------------------ the transport

    async def _open(self, *, controlling: bool) -> PeerTransport:
        transport = self._make_transport(controlling)
        self._transport = transport
        self._lost = False
        transport.on_lost = self._lose
        self._local = await transport.gather()
        return transport

    def _connect(self, description: Description, *, dtls_client: bool) -> None:
        """Connect in the background; the next jobs of the machine do not wait for it."""
        transport, section = self._transport, description.transport
        if transport is None:
            raise DescriptionImpossible("the transport is not open")
        lines = [line for each in description.sections for line in each.candidates]
        candidates = [candidate for line in lines if (candidate := self._gate.admit(line)) is not None]
        remote = Remote(
            user_fragment=section.user_fragment,
            password=section.password,
            ice_lite=description.ice_lite,
            fingerprints=section.fingerprints,
            dtls_client=dtls_client,
            candidates=(*self._early, *candidates),
        )
        self._early.clear()
        self._remote_fragment = section.user_fragment
        data = next((each for each in description.sections if each.kind == "application" and not each.rejected), None)
        self._connecting = asyncio.get_running_loop().create_task(self._run_connect(transport, remote, data))

    async def _run_connect(self, transport: PeerTransport, remote: Remote, data: Section | None) -> None:
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                await transport.connect(remote)
                if data is not None:
                    await self._start_data(transport, data)
        except TransportFailed as error:
            self.on_failure(error.layer, error.reason)
            self._lose(error.reason)
        except TimeoutError:
            self.on_failure("ice", "the peer did not connect in time")
            self._lose("the peer did not connect in time")
        except Exception as error:  # noqa: BLE001 - whatever it is, the engine must hear that media is lost
            self._failures.note("connecting failed", error)
            self.on_failure("adapter", "an error of the media adapter")
            self._lose("an error of the media adapter")
        else:
            self._connected = True
            self._on_connected()

    def _lose(self, reason: str, *, silent: bool = False) -> None:
        """Report, once, that the transport is gone, or carries nothing. The machine decides what becomes of it."""
        self._connected = False
        if not self._lost:
            self._lost = True
            self._report(MediaLost(self.machine, reason, silent))

    def check_silence(self, now: float) -> None:
        """Give up a connected peer that has been silent for too long. To be called about once a second."""
        transport = self._transport
        if transport is not None and self._connected and now - transport.last_heard > self._settings.silence_timeout:
            self.on_failure("ice", "the peer fell silent")
            self._lose("the peer fell silent")

    async def _close_transport(self) -> None:
        transport, self._transport = self._transport, None
        connecting, self._connecting = self._connecting, None
        self._connected = False
        self._local = None
        if connecting is not None:
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
        if transport is not None:
            await transport.close()

    def _forget_candidates(self) -> None:
        """Begin a new connection's count of candidates."""
        self._early.clear()
        self._gate = self._new_gate()

    async def close(self) -> None:
        """Free everything."""
        await self._actor.close()
        await self._close_transport()
