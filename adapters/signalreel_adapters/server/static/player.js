/**
 * The panel that plays: one stream, with what a player can ask of the server, and what the server says of its network.
 *
 * @module player
 */

import { Meters } from "./meters.js";
import { Panel, on } from "./panel.js";
import { describeRate } from "./tiles.js";

/**
 * How often a player asks which sizes there are: with each of its first measurements, because a publisher that sends
 * several needs some seconds until all of them flow; and with every tenth after that, because bitrates change.
 */
const QUESTIONS_AT_FIRST = 4;
const MEASUREMENTS_PER_QUESTION = 10;

/** Play one stream, with what a player can ask of the server. */
export class PlayPanel extends Panel {
  #measurements = 0;
  /** The height of the picture as it is shown now, in pixels. */
  #height = 0;

  /**
   * @param {HTMLElement} root
   * @param {string} name
   * @param {import("./panel.js").Page} page
   */
  constructor(root, name, page) {
    super(root, name, page);
    this.options = /** @type {HTMLElement} */ (root.querySelector(".options"));
    this.meters = new Meters(/** @type {HTMLElement} */ (root.querySelector(".meters")));
    this.quality = /** @type {HTMLSelectElement} */ (root.querySelector("select"));
    for (const kind of ["video", "audio"]) {
      this.button(kind).addEventListener("click", () => this.#toggle(kind));
    }
    this.quality.addEventListener("change", () => {
      this.client.forceStreamQuality(this.subject, Number(this.quality.value));
      this.#nameAutomatic();
    });
    // A picture says it itself when it has another size; that does not bubble, so it is caught on its way down.
    root.addEventListener("resize", ({ target }) => this.#resized(/** @type {HTMLVideoElement} */ (target)), true);
  }

  get liveWords() {
    return `Playing ${this.subject}.`;
  }

  /** @param {import("./signalreel.js").SignalreelClient} client */
  listen(client) {
    super.listen(client);
    on(client, "sourceadded", ({ streamId, sourceId, stream }) =>
      this.tiles.show(sourceId, stream, { name: sourceId, stats: () => client.getStats(streamId) }),
    );
    on(client, "sourceremoved", ({ sourceId }) => this.tiles.hide(sourceId));
    on(client, "streamInformation", ({ streamInfo }) => this.#offerQualities(streamInfo));
    on(client, "bitrateMeasurement", (measured) => this.#measured(measured));
    on(client, "play_started", () => {
      this.options.hidden = false;
      this.client.getStreamInfo(this.subject);
    });
  }

  async start() {
    this.client.play(this.subject);
  }

  stop() {
    this.client.stop(this.subject);
  }

  /**
   * Options are those of one playback: the next one begins with everything sent and nothing measured.
   *
   * @param {import("./signalreel.js").State} state
   * @param {string} reason
   */
  show(state, reason) {
    if (state !== "live") this.#forgetOptions();
    super.show(state, reason);
  }

  finish() {
    super.finish();
    this.#forgetOptions();
  }

  #forgetOptions() {
    this.options.hidden = true;
    for (const kind of ["video", "audio"]) this.#mark(kind, true);
    this.meters.clear();
    this.#measurements = 0;
    this.#height = 0;
    this.#offerQualities([]);
  }

  /** @param {string} kind */
  #toggle(kind) {
    const enabled = this.button(kind).getAttribute("aria-pressed") !== "true";
    this.#mark(kind, enabled);
    if (kind === "video") this.client.toggleVideo(this.subject, this.subject, enabled);
    else this.client.toggleAudio(this.subject, this.subject, enabled);
  }

  /**
   * @param {string} kind
   * @param {boolean} enabled
   */
  #mark(kind, enabled) {
    this.button(kind).setAttribute("aria-pressed", String(enabled));
    this.root.classList.toggle(`no-${kind}`, !enabled);
  }

  /** @param {import("./meters.js").Measurement} measured */
  #measured(measured) {
    this.meters.add(measured);
    const count = (this.#measurements += 1);
    if (count <= QUESTIONS_AT_FIRST || count % MEASUREMENTS_PER_QUESTION === 0) this.client.getStreamInfo(this.subject);
  }

  /** @param {HTMLVideoElement} video */
  #resized(video) {
    this.#height = video.videoHeight;
    this.#nameAutomatic();
    const heights = [...this.quality.options].map(({ value }) => Number(value));
    // One that was not told of is news of the stream itself.
    if (!this.options.hidden && !heights.includes(this.#height)) this.client.getStreamInfo(this.subject);
  }

  /**
   * Offer the sizes that there are, the largest first.
   *
   * @param {{streamWidth: number, streamHeight: number, videoBitrate: number}[]} renditions
   */
  #offerQualities(renditions) {
    const listed = renditions
      .filter(({ streamHeight }) => streamHeight)
      .sort((one, other) => other.streamHeight - one.streamHeight)
      .map(({ streamWidth, streamHeight, videoBitrate }) => {
        const rate = videoBitrate ? `, ${describeRate(videoBitrate)}` : "";
        return { value: String(streamHeight), text: `${streamWidth} x ${streamHeight}${rate}` };
      });
    const offered = [{ value: "0", text: "Automatic" }, ...listed];
    const chosen = this.quality.value;
    // A list that is open closes when it is made anew, so that is done only when there is something else to choose.
    const before = [...this.quality.options].map(({ value }) => value);
    if (String(before) !== String(offered.map(({ value }) => value)))
      this.quality.replaceChildren(...offered.map(({ value, text }) => new Option(text, value)));
    for (const [index, { text }] of offered.entries()) this.quality.options[index].text = text;
    this.quality.value = listed.some(({ value }) => value === chosen) ? chosen : "0";
    this.#nameAutomatic();
    // A choice of one is none.
    /** @type {HTMLElement} */ (this.quality.parentElement).hidden = listed.length < 2;
  }

  /** Say what the automatic choice is now, while it is the one. */
  #nameAutomatic() {
    const known = this.quality.value === "0" && this.#height;
    this.quality.options[0].text = known ? `Automatic: now ${this.#height}` : "Automatic";
  }
}
