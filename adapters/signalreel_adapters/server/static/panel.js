/**
 * What the panels of the page have in common: a form, a line of status, tiles, and a client.
 *
 * @module panel
 */

import { SignalreelClient } from "./signalreel.js";
import { Tiles } from "./tiles.js";

/** What a state means to the person at the page. Reasons that are not here are shown as the server worded them. */
const REASONS = new Map([
  ["stopped", "Stopped."],
  ["disconnected", "The connection to the server was lost; trying again."],
  ["server_will_stop", "The server is stopping; this goes on when it is back."],
  ["streaming_starts_soon", "Nobody publishes this stream yet; it plays as soon as somebody does."],
  ["no_stream_exist", "Nobody publishes this stream yet; asking again every now and then."],
  ["play_finished", "The stream has ended; waiting for it to come back."],
  ["publish_finished", "The server has ended the stream."],
  ["connection failed", "The media connection failed; trying again."],
  ["alone", "Waiting for the other one to join."],
  ["left", "The other one has left; waiting for somebody to join."],
  ["leavedFromRoom", "You have left the room."],
]);

/**
 * What every panel is given by the page.
 *
 * @typedef {{
 *   url: () => string,
 *   camera: import("./camera.js").Camera,
 *   messages: import("./messages.js").MessageLog,
 *   linkTo: (tab: string, name: string) => string,
 * }} Page
 */

/** What the panels have in common: a form, a line of status, tiles, and a client, made when it is first needed. */
export class Panel {
  /** @type {SignalreelClient | null} */
  #client = null;
  /** @type {{streamId: string, state: string, waitMs?: number}} */
  #last = { streamId: "", state: "" };
  #holdsCamera = false;

  /**
   * @param {HTMLElement} root
   * @param {string} name
   * @param {Page} page
   */
  constructor(root, name, page) {
    this.root = root;
    this.name = name;
    this.page = page;
    this.form = /** @type {HTMLFormElement} */ (root.querySelector("form"));
    this.status = /** @type {HTMLElement} */ (root.querySelector(".status"));
    this.tiles = new Tiles(/** @type {HTMLElement} */ (root.querySelector(".tiles")));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#begin();
    });
    this.button("stop").addEventListener("click", () => this.stop());
  }

  /** What the person typed: the name of a stream, pair or room. */
  get subject() {
    return this.field("stream").value.trim();
  }

  get client() {
    if (!this.#client) {
      this.#client = new SignalreelClient(this.page.url());
      this.page.messages.follow(this.#client, this.name);
      this.listen(this.#client);
    }
    return this.#client;
  }

  /** @param {string} name */
  field(name) {
    return /** @type {HTMLInputElement} */ (this.form.elements.namedItem(name));
  }

  /**
   * @param {string} action
   * @returns {HTMLButtonElement}
   */
  button(action) {
    return /** @type {HTMLButtonElement} */ (this.root.querySelector(`[data-action="${action}"]`));
  }

  /**
   * Listen to a new client. Panels add to this what they show.
   *
   * @param {SignalreelClient} client
   */
  listen(client) {
    on(client, "state", ({ streamId, state, reason, waitMs }) => {
      if (!this.concerns(streamId)) return;
      this.#last = { streamId, state, waitMs };
      this.show(state, reason);
    });
    on(client, "refused", (message) => this.#refused(message));
    on(client, "fault", ({ error }) => this.say(String(error.message ?? error), "refused"));
  }

  /**
   * Whether a stream id is what this panel's status is about.
   *
   * @param {string} streamId
   */
  concerns(streamId) {
    return streamId === this.subject;
  }

  /** Begin what the panel does. */
  async start() {}

  /** End it. */
  stop() {}

  async #begin() {
    this.busy(true);
    this.say("One moment ...", "connecting");
    try {
      await this.start();
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error), "refused");
      this.finish();
    }
  }

  /**
   * Put a refusal into words. The client has decided already whether it asks again.
   *
   * @param {import("./signalreel.js").ErrorMessage} message
   */
  #refused({ streamId, definition, information }) {
    const words = information ? `${information} (${definition})` : definition;
    if (streamId === undefined) {
      this.say(words, "refused");
    } else if (streamId === this.#last.streamId) {
      if (this.#last.state === "ended") this.say(words, "refused");
      if (this.#last.state === "waiting")
        this.say(REASONS.get(definition) ?? `${words} Trying again${inWords(this.#last.waitMs)}.`, "waiting");
    }
  }

  /** Open the camera for this panel, until it finishes. */
  openCamera() {
    this.#holdsCamera = true;
    return this.page.camera.acquire();
  }

  /** Give back what the panel held and let the person begin anew. The status line stays. */
  finish() {
    this.busy(false);
    this.tiles.clear();
    if (this.#holdsCamera) this.page.camera.release();
    this.#holdsCamera = false;
  }

  /** @param {boolean} busy */
  busy(busy) {
    for (const element of this.form.elements) {
      const isStop = element instanceof HTMLElement && element.dataset.action === "stop";
      /** @type {HTMLInputElement} */ (element).disabled = isStop ? !busy : busy;
    }
    this.root.classList.toggle("busy", busy);
  }

  /**
   * @param {string} words
   * @param {string} state colours the line
   */
  say(words, state) {
    this.status.textContent = words;
    this.status.dataset.state = state;
  }

  /**
   * @param {import("./signalreel.js").State} state
   * @param {string} reason
   */
  show(state, reason) {
    const words = REASONS.get(reason) ?? reason;
    if (state === "ended") {
      // A refusal has been shown by its sentence already; its name alone would say less.
      if (REASONS.has(reason)) this.say(words, reason === "stopped" ? "idle" : "refused");
      this.finish();
    } else if (state === "waiting") {
      this.say(words, "waiting");
    } else if (state === "live") {
      this.say(this.liveWords, "live");
    } else if (!reason) {
      this.say(state === "asking" ? "Asking the server ..." : "Connecting ...", "connecting");
    }
  }

  get liveWords() {
    return "Live.";
  }
}

/**
 * @param {EventTarget} client
 * @param {string} name
 * @param {(detail: any) => void} handler
 */
export function on(client, name, handler) {
  client.addEventListener(name, (event) => handler(/** @type {CustomEvent} */ (event).detail));
}

/**
 * Say how long it is until something.
 *
 * @param {number | undefined} milliseconds
 */
function inWords(milliseconds) {
  if (milliseconds === undefined) return "";
  const seconds = Math.round(milliseconds / 1_000);
  if (seconds < 120) return ` in ${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? ` in ${minutes} min` : ` in ${Math.round(minutes / 60)} h`;
}
