/**
 * What the server measures of a player's network, now and over the last minute: figures and a small picture.
 *
 * @module meters
 */

import { describeRate } from "./tiles.js";

/** As many measurements as the picture is wide. The server takes one every three seconds. */
const MEASUREMENTS_MAX = 20;

/** The picture's own units; it is stretched to whatever room there is. */
const WIDTH = 400;
const HEIGHT = 60;

/** Room above the highest line, so that it is not cut. */
const HEADROOM = 1.1;

/** @typedef {{targetBitrate: number, videoBitrate: number, audioBitrate: number}} Measurement */

/** One player's meters. */
export class Meters {
  /** @type {Measurement[]} the latest last */
  #measurements = [];

  /** @param {HTMLElement} root a list with a figure for each of `target`, `video` and `audio`, and an image */
  constructor(root) {
    this.root = root;
    this.image = /** @type {SVGSVGElement} */ (root.querySelector("svg"));
    this.verdict = /** @type {HTMLElement} */ (root.querySelector(".network"));
    this.image.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.clear();
  }

  /** @param {Measurement} measured */
  add(measured) {
    this.#measurements.push(measured);
    if (this.#measurements.length > MEASUREMENTS_MAX) this.#measurements.shift();
    this.root.hidden = false;
    const { targetBitrate, videoBitrate, audioBitrate } = measured;
    for (const [name, rate] of Object.entries({ target: targetBitrate, video: videoBitrate, audio: audioBitrate })) {
      const figure = /** @type {HTMLElement} */ (this.root.querySelector(`[data-meter="${name}"] dd`));
      figure.textContent = describeRate(rate);
    }
    const enough = targetBitrate >= videoBitrate + audioBitrate;
    this.verdict.textContent = enough ? "The network is enough for the stream." : "The network is too slow for the stream.";
    this.verdict.dataset.state = enough ? "live" : "waiting";
    this.#draw();
  }

  /** Forget everything: another playback begins. */
  clear() {
    this.#measurements.length = 0;
    this.root.hidden = true;
    this.verdict.textContent = "";
    this.#draw();
  }

  /** Draw what is sent as filled steps, audio on top of video, and what the network carries as a line over them. */
  #draw() {
    const video = this.#measurements.map(({ videoBitrate }) => videoBitrate);
    const sent = this.#measurements.map(({ videoBitrate, audioBitrate }) => videoBitrate + audioBitrate);
    const target = this.#measurements.map(({ targetBitrate }) => targetBitrate);
    const highest = Math.max(1, ...sent, ...target) * HEADROOM;
    this.#trace(".sent-audio", filled(sent, highest));
    this.#trace(".sent-video", filled(video, highest));
    this.#trace(".target", steps(target, highest));
    this.image.setAttribute("aria-label", inWords(sent, target));
  }

  /**
   * @param {string} selector
   * @param {string} path
   */
  #trace(selector, path) {
    /** @type {SVGPathElement} */ (this.image.querySelector(selector)).setAttribute("d", path);
  }
}

/**
 * A path of steps: what is measured is an average of three seconds, and the latest one ends at the right edge.
 *
 * @param {number[]} rates
 * @param {number} highest
 */
function steps(rates, highest) {
  const step = WIDTH / MEASUREMENTS_MAX;
  const begin = WIDTH - rates.length * step;
  return rates
    .map((rate, index) => {
      const x = begin + index * step;
      const y = HEIGHT * (1 - rate / highest);
      return `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}H${(x + step).toFixed(1)}`;
    })
    .join("");
}

/**
 * The same, filled down to the ground.
 *
 * @param {number[]} rates
 * @param {number} highest
 */
function filled(rates, highest) {
  if (!rates.length) return "";
  const begin = WIDTH - (rates.length * WIDTH) / MEASUREMENTS_MAX;
  return `${steps(rates, highest)}V${HEIGHT}H${begin.toFixed(1)}Z`;
}

/**
 * The picture for those who do not see it.
 *
 * @param {number[]} sent
 * @param {number[]} target
 */
function inWords(sent, target) {
  if (!sent.length) return "Nothing measured yet";
  const between = (/** @type {number[]} */ rates) =>
    `${describeRate(Math.min(...rates))} to ${describeRate(Math.max(...rates))}`;
  return `Over the last minute: ${between(sent)} received, network ${between(target)}`;
}
