/**
 * The pictures of a panel, each with a name and what the browser measures of it.
 *
 * @module tiles
 */

const MEASURE_INTERVAL_MS = 1_000;

/** A grid of videos; one for oneself and one for each source. */
export class Tiles {
  /** @type {Map<string, Tile>} */
  #tiles = new Map();

  /** @param {Element} place */
  constructor(place) {
    this.place = place;
  }

  /**
   * Show a stream. `key` names the tile; showing another stream under it replaces the first one.
   *
   * @param {string} key
   * @param {MediaStream} stream
   * @param {{name: string, own?: boolean, stats?: () => Promise<RTCStatsReport | null>}} options
   */
  show(key, stream, options) {
    this.hide(key);
    const tile = new Tile(stream, options);
    this.#tiles.set(key, tile);
    this.place.append(tile.figure);
  }

  /** @param {string} key */
  hide(key) {
    this.#tiles.get(key)?.remove();
    this.#tiles.delete(key);
  }

  clear() {
    for (const key of [...this.#tiles.keys()]) this.hide(key);
  }
}

class Tile {
  /** @type {{bytes: number, time: number} | null} */
  #before = null;

  /**
   * @param {MediaStream} stream
   * @param {{name: string, own?: boolean, stats?: () => Promise<RTCStatsReport | null>}} options
   */
  constructor(stream, { name, own = false, stats }) {
    this.stream = stream;
    this.own = own;
    this.figure = document.createElement("figure");
    this.figure.dataset.source = name;
    this.figure.classList.toggle("own", own);

    this.video = document.createElement("video");
    this.video.autoplay = true;
    this.video.playsInline = true;
    this.video.muted = own;
    this.video.controls = !own;
    this.video.setAttribute("aria-label", own ? `Your own picture, ${name}` : name);
    this.video.srcObject = stream;
    // A browser may refuse to play sound before a click; without sound it plays.
    this.video.play().catch(() => {
      this.video.muted = true;
      this.video.play().catch(() => {});
    });

    const caption = document.createElement("figcaption");
    const label = document.createElement("strong");
    label.textContent = own ? `${name} (you)` : name;
    this.figures = document.createElement("span");
    caption.append(label, this.figures);
    this.figure.append(this.video, caption);
    if (stats) this.timer = setInterval(() => this.#measure(stats), MEASURE_INTERVAL_MS);
  }

  remove() {
    clearInterval(this.timer);
    this.video.srcObject = null;
    this.figure.remove();
  }

  /** @param {() => Promise<RTCStatsReport | null>} stats */
  async #measure(stats) {
    const report = await stats();
    if (report) this.figures.textContent = this.#summary(report);
  }

  /** @param {RTCStatsReport} report */
  #summary(report) {
    const tracks = new Set(this.stream.getTracks().map((track) => track.id));
    let bytes = 0;
    let time = 0;
    let rate = 0;
    const codecs = new Set();
    const sizes = new Map();
    for (const entry of report.values()) {
      const shown = this.own ? entry.type === "outbound-rtp" : tracks.has(entry.trackIdentifier);
      if (!shown || !entry.type.endsWith("-rtp")) continue;
      bytes += entry.bytesReceived ?? entry.bytesSent ?? 0;
      time = entry.timestamp;
      if (entry.kind !== "video") continue;
      if (entry.frameHeight) sizes.set(entry.frameHeight, `${entry.frameWidth} x ${entry.frameHeight}`);
      const codec = report.get(entry.codecId)?.mimeType.split("/")[1];
      if (codec) codecs.add(codec);
      rate = Math.max(rate, Math.round(entry.framesPerSecond ?? 0));
    }
    const largestFirst = [...sizes].sort(([one], [other]) => other - one).map(([, size]) => size);
    const parts = [...codecs];
    if (largestFirst.length) parts.push(largestFirst.join(" + "));
    if (rate) parts.push(`${rate} fps`);
    if (this.#before && time > this.#before.time) {
      const bitsPerSecond = ((bytes - this.#before.bytes) * 8_000) / (time - this.#before.time);
      parts.push(describeRate(Math.max(0, bitsPerSecond)));
    }
    this.#before = { bytes, time };
    return parts.join(" \u00b7 ");
  }
}

/**
 * @param {number} bitsPerSecond
 * @returns {string}
 */
export function describeRate(bitsPerSecond) {
  if (bitsPerSecond >= 1e6) return `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`;
  return `${Math.round(bitsPerSecond / 1e3)} kbit/s`;
}
