"""A line and a browser at its end, simulated packet by packet, for the automatic choice of layers.

The browser estimates as Chromium was seen to: REMB falls to 0.85 of what arrived in the last second when a queue grows,
and grows by 8 % a second up to one and a half times that. Reports come five times a second. Everything else is chance,
from a seed.
"""

import random
from collections import deque
from typing import Final

from signalreel_adapters.media.aiortc.choice import Choice
from signalreel_adapters.media.aiortc.estimate import Heard
from signalreel_adapters.media.aiortc.quality import Picture, Rung

__all__ = ("RUNGS", "WIDE", "Line", "World")

WIDE: Final = 20_000_000
RUNGS: Final = (Rung(180, 150_000), Rung(360, 450_000), Rung(720, 1_500_000))
SOUND: Final = 32_000
STEP: Final = 0.005
PACKET_BITS: Final = 9_600
FRAME_SECONDS: Final = 1 / 30
SOUND_SECONDS: Final = 0.02
REPORT_SECONDS: Final = 0.2
LOOK_SECONDS: Final = 1.0
KEYFRAME_SECONDS: Final = 0.03  # until a publisher has sent one
KEYFRAME: Final = 4  # times an ordinary picture


class Line:
    """So many bit/s behind a queue of 0.4 s, a delay, and loss by chance."""

    def __init__(self, capacity: int, *, delay: float = 0.01, loss: float = 0.0, seed: int = 0) -> None:
        self.capacity = capacity
        self.delay = delay
        self.loss = loss
        self.queue_max = 0.4
        self._chance = random.Random(seed)
        self._free_at = 0.0

    def queue(self, now: float) -> float:
        """Seconds until what is sent now would leave."""
        return max(0.0, self._free_at - now)

    def send(self, bits: int, now: float) -> float | None:
        """Give when a packet arrives; `None` when it does not."""
        if self._chance.random() < self.loss or self.queue(now) > self.queue_max:
            return None
        self._free_at = max(self._free_at, now) + bits / self.capacity
        return self._free_at + self.delay + self._chance.uniform(0, 0.003)


class Browser:
    """What arrives, and what is said about it."""

    def __init__(self) -> None:
        self.remb = 2_000_000.0
        self.highest = 0
        self.arrived: deque[tuple[float, int, float]] = deque()  # when, bits, how long it was on its way
        self.pictures = 0  # packets of pictures since the last report
        self.reported = 0

    def take(self, at: float, bits: int, took: float) -> None:
        """Take a packet."""
        self.arrived.append((at, bits, took))

    def estimate(self, now: float) -> int:
        """Give REMB."""
        while self.arrived and self.arrived[0][0] < now - 1:
            self.arrived.popleft()
        rate = sum(bits for _, bits, _ in self.arrived)
        before = [took for at, _, took in self.arrived if now - 0.4 <= at < now - REPORT_SECONDS]
        after = [took for at, _, took in self.arrived if at >= now - REPORT_SECONDS]
        grown = sum(after) / len(after) - sum(before) / len(before) if before and after else 0.0
        if grown > 0.03:
            self.remb = min(self.remb, 0.85 * rate)
        else:
            limit = 1.5 * rate + 10_000
            self.remb = max(self.remb, min(self.remb * 1.08**REPORT_SECONDS, limit))
        return int(self.remb)


class World:
    """One viewer of one picture, followed through time."""

    def __init__(self, line: Line, *, seed: int = 0, height: int = 720, pinned: bool = False) -> None:
        self.line = line
        self.browser = Browser()
        self.choice = Choice()
        self.height = height
        self.pinned = pinned
        self.now = 1_000.0
        self.changes: list[tuple[float, int]] = []
        self.queue_max = 0.0
        self.padding = self.media = 0  # bits
        self.dropped: list[float] = []  # when a packet of a picture was sent that did not arrive
        self._chance = random.Random(seed)
        self._sequence = 0
        self._sent_at: dict[int, float] = {}
        self._flying: list[tuple[float, int, int, float]] = []  # arrival, sequence or 0, bits, when it was sent
        self._asked: list[tuple[float, float, bool]] = []  # sender reports: arrival, when sent, behind a cluster
        self._due: dict[str, float] = dict.fromkeys(("frame", "sound", "report", "look"), self.now)
        self._cluster: tuple[float, float, int] | None = None  # since, seconds, bits
        self._sent_before = 0
        self._waits_until = 0.0  # for the keyframe of a new layer
        self._frame = KEYFRAME

    def run(self, seconds: float) -> "World":
        """Let time pass."""
        end = self.now + seconds
        self.queue_max = 0.0
        while self.now < end:
            self.now += STEP
            self._send()
            self._arrive()
            self.queue_max = max(self.queue_max, self.line.queue(self.now))
            if self._is_due("report", REPORT_SECONDS):
                self._report()
            if self._is_due("look", LOOK_SECONDS):
                self._send_report(behind_cluster=False)
                self._look()
        return self

    def _is_due(self, what: str, interval: float) -> bool:
        if self.now < self._due[what]:
            return False
        self._due[what] += interval
        return True

    def _send(self) -> None:
        if self._is_due("sound", SOUND_SECONDS):
            self._send_packet(int(SOUND * SOUND_SECONDS), 0)
        if self._is_due("frame", FRAME_SECONDS) and self.now >= self._waits_until:
            nominal = next(rung.bitrate for rung in RUNGS if rung.height == self.height)
            bits = int(nominal * FRAME_SECONDS * self._chance.uniform(0.7, 1.1) * self._frame)
            self._frame = 1
            self.media += bits
            while bits > 0:
                self._sequence += 1
                self._sent_at[self._sequence] = self.now
                self._send_packet(min(bits, PACKET_BITS), self._sequence)
                bits -= PACKET_BITS
        if self._cluster is not None:
            self._send_padding(*self._cluster)

    def _send_padding(self, since: float, seconds: float, bits: int) -> None:
        due = int(bits * min(1.0, (self.now - since) / seconds))
        while self.media + self.padding - self._sent_before < due:
            self._send_packet(PACKET_BITS, 0)
            self.padding += PACKET_BITS
        sent = self.media + self.padding - self._sent_before
        if sent >= bits:
            self._cluster = None
            self.choice.cluster_ended(sent, self.now - since, self.now)
            self._send_report(behind_cluster=True)

    def _send_packet(self, bits: int, sequence: int) -> None:
        at = self.line.send(bits, self.now)
        if at is not None:
            self._flying.append((at, sequence, bits, self.now))
        elif sequence:
            self.dropped.append(self.now)

    def _send_report(self, *, behind_cluster: bool) -> None:
        at = self.line.send(800, self.now)
        if at is not None:
            self._asked.append((at, self.now, behind_cluster))

    def _arrive(self) -> None:
        self._flying.sort()
        while self._flying and self._flying[0][0] <= self.now:
            at, sequence, bits, sent_at = self._flying.pop(0)
            self.browser.take(at, bits, at - sent_at)
            if sequence:
                self.browser.pictures += 1
                self.browser.highest = max(self.browser.highest, sequence)

    def _report(self) -> None:
        browser, choice = self.browser, self.choice
        for asked in [each for each in self._asked if each[0] <= self.now]:
            self._asked.remove(asked)
            choice.take_round_trip(asked[0] - asked[1], self.now, behind_cluster=asked[2])
        expected = browser.highest - browser.reported
        lost = max(0.0, 1 - browser.pictures / expected) if expected else 0.0
        before, after = self._sent_at.get(browser.highest), self._sent_at.get(browser.highest + 1)
        heard = Heard(
            browser.highest,
            lost,
            PACKET_BITS * 2 // 3,
            self.now - after if after is not None else None,
            in_flight=after is not None,
            way=self.now - before if before is not None else None,
        )
        browser.reported, browser.pictures = browser.highest, 0
        choice.take_report(1, heard, self.now)
        choice.estimate.take_remb(browser.estimate(self.now), self.now)
        if choice.urgent(self.now):
            self._look()

    def _look(self) -> None:
        nominal = next(rung.bitrate for rung in RUNGS if rung.height == self.height)
        pictures = {1: Picture(RUNGS, self.height, nominal, self.pinned)}
        change = self.choice.look(pictures, SOUND, self.now)
        if change is not None:
            self.height = change.height
            self.changes.append((self.now, change.height))
            self._waits_until = self.now + change.rest + KEYFRAME_SECONDS
            self._frame = KEYFRAME
        elif self._cluster is None:
            cluster = self.choice.cluster(pictures, self.now)
            if cluster is not None:
                self._cluster = self.now, cluster.seconds, cluster.bits
                self._sent_before = self.media + self.padding
