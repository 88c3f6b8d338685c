/**
 * The four panels of the page: publish, play, peer to peer, conference. Each has a client, and so a session, of its
 * own.
 *
 * @module panels
 */

import { SignalreelClient } from "./signalreel.js";
import { Tiles, describeRate } from "./tiles.js";

/** How often a conference with one connection for each stream asks who is there. */
const ROOM_POLL_INTERVAL_MS = 3_000;

/** How often a player asks which sizes there are, with each measurement of its network, unless it knows so many. */
const QUALITY_QUESTIONS_MAX = 4;
const SIZES_MAX = 3;

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
class Panel {
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

/** Publish one stream. */
export class PublishPanel extends Panel {
  get liveWords() {
    return `Live: ${this.subject} is being published.`;
  }

  async start() {
    const stream = await this.openCamera();
    const subject = this.subject;
    this.tiles.show(subject, stream, { name: subject, own: true, stats: () => this.client.getStats(subject) });
    this.client.publish(subject, stream, { simulcast: this.field("simulcast").checked });
  }

  stop() {
    this.client.stop(this.subject);
  }
}

/** Play one stream, with what a player can ask of the server. */
export class PlayPanel extends Panel {
  #questions = 0;

  /**
   * @param {HTMLElement} root
   * @param {string} name
   * @param {Page} page
   */
  constructor(root, name, page) {
    super(root, name, page);
    this.options = /** @type {HTMLElement} */ (root.querySelector(".options"));
    this.network = /** @type {HTMLElement} */ (root.querySelector(".network"));
    this.quality = /** @type {HTMLSelectElement} */ (root.querySelector("select"));
    for (const kind of ["video", "audio"]) {
      this.button(kind).addEventListener("click", () => this.#toggle(kind));
    }
    this.quality.addEventListener("change", () =>
      this.client.forceStreamQuality(this.subject, Number(this.quality.value)),
    );
  }

  get liveWords() {
    return `Playing ${this.subject}.`;
  }

  /** @param {SignalreelClient} client */
  listen(client) {
    super.listen(client);
    on(client, "sourceadded", ({ streamId, sourceId, stream }) =>
      this.tiles.show(sourceId, stream, { name: sourceId, stats: () => client.getStats(streamId) }),
    );
    on(client, "sourceremoved", ({ sourceId }) => this.tiles.hide(sourceId));
    on(client, "streamInformation", ({ streamInfo }) => this.#offerQualities(streamInfo));
    on(client, "bitrateMeasurement", (measured) => {
      this.#showNetwork(measured);
      this.#askQualities();
    });
    on(client, "play_started", () => {
      this.options.hidden = false;
      this.#askQualities();
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
    for (const kind of ["video", "audio"]) this.button(kind).setAttribute("aria-pressed", "true");
    this.network.textContent = "";
    this.#questions = 0;
    this.#offerQualities([]);
  }

  /** @param {string} kind */
  #toggle(kind) {
    const button = this.button(kind);
    const enabled = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(enabled));
    if (kind === "video") this.client.toggleVideo(this.subject, this.subject, enabled);
    else this.client.toggleAudio(this.subject, this.subject, enabled);
  }

  /** Ask which sizes there are; a publisher that sends several needs some seconds until all of them flow. */
  #askQualities() {
    if (this.#questions >= QUALITY_QUESTIONS_MAX || this.quality.length > SIZES_MAX) return;
    this.#questions += 1;
    this.client.getStreamInfo(this.subject);
  }

  /** @param {{streamWidth: number, streamHeight: number, videoBitrate: number}[]} renditions */
  #offerQualities(renditions) {
    const options = renditions.map(({ streamWidth, streamHeight, videoBitrate }) => {
      const rate = videoBitrate ? `, ${describeRate(videoBitrate)}` : "";
      return new Option(`${streamWidth} x ${streamHeight}${rate}`, String(streamHeight));
    });
    const chosen = this.quality.value;
    this.quality.replaceChildren(new Option("Automatic", "0"), ...options);
    this.quality.value = options.some((option) => option.value === chosen) ? chosen : "0";
    // A choice of one is none.
    /** @type {HTMLElement} */ (this.quality.parentElement).hidden = renditions.length < 2;
  }

  /** @param {{targetBitrate: number, videoBitrate: number, audioBitrate: number}} measured */
  #showNetwork({ targetBitrate, videoBitrate, audioBitrate }) {
    const enough = targetBitrate >= videoBitrate + audioBitrate;
    const verdict = enough ? "enough" : "too little";
    this.network.textContent = `Network: ${describeRate(targetBitrate)}, ${verdict} for the stream`;
    this.network.dataset.state = enough ? "live" : "waiting";
  }
}

/** A call of two. */
export class PeerPanel extends Panel {
  get liveWords() {
    return "Connected, from browser to browser.";
  }

  /** @param {SignalreelClient} client */
  listen(client) {
    super.listen(client);
    on(client, "sourceadded", ({ streamId, stream }) =>
      this.tiles.show("other", stream, { name: "The other one", stats: () => client.getStats(streamId) }),
    );
    on(client, "sourceremoved", () => this.tiles.hide("other"));
  }

  async start() {
    const stream = await this.openCamera();
    const subject = this.subject;
    this.tiles.show("own", stream, { name: subject, own: true, stats: () => this.client.getStats(subject) });
    // Peers may be on different networks, where only an ICE server brings them together. It is told before `start`.
    this.client.getIceServerConfig();
    this.client.join(subject, stream);
  }

  stop() {
    this.client.leave(this.subject);
  }
}

/** A room. */
export class ConferencePanel extends Panel {
  #own = "";
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #poll = undefined;
  /** @type {Set<string>} */
  #played = new Set();

  get liveWords() {
    return `In the room ${this.subject} as ${this.#own}.`;
  }

  get #isLegacy() {
    return this.field("mode").value === "legacy";
  }

  /** @param {string} streamId */
  concerns(streamId) {
    return streamId === this.#own || streamId === this.subject;
  }

  /** @param {SignalreelClient} client */
  listen(client) {
    super.listen(client);
    on(client, "joinedTheRoom", ({ streamId, streams }) => this.#entered(streamId, streams));
    on(client, "roomInformation", ({ streams }) => this.#isLegacy && this.#sync(streams));
    on(client, "refused", ({ room }) => room === this.subject && !this.#own && this.finish());
    on(client, "sourceadded", ({ streamId, sourceId, stream }) =>
      this.tiles.show(sourceId, stream, { name: sourceId, stats: () => client.getStats(streamId) }),
    );
    on(client, "sourceremoved", ({ sourceId }) => this.tiles.hide(sourceId));
  }

  async start() {
    this.#stream = await this.openCamera();
    const name = this.field("name").value.trim();
    this.client.joinRoom(this.subject, {
      mode: this.#isLegacy ? "legacy" : "multitrack",
      ...(name && { streamId: name }),
    });
  }

  stop() {
    this.client.leaveFromRoom(this.subject);
    this.say("You have left the room.", "idle");
    this.finish();
  }

  /**
   * The status follows one's own stream; that a playback of the room waits is no news.
   *
   * @param {import("./signalreel.js").State} state
   * @param {string} reason
   */
  show(state, reason) {
    if (state === "ended" && reason === "stopped") return;
    super.show(state, reason);
  }

  finish() {
    super.finish();
    clearInterval(this.#poll);
    this.#own = "";
    this.#stream = null;
    this.#played.clear();
  }

  /**
   * @param {string} own
   * @param {string[]} streams
   */
  #entered(own, streams) {
    // The client comes back into the room by itself when it lost the server; all it played is asked for by it as well.
    if (this.#own || !this.#stream) return;
    this.#own = own;
    const room = this.subject;
    this.tiles.show(own, this.#stream, { name: own, own: true, stats: () => this.client.getStats(own) });
    if (this.#isLegacy) {
      this.client.publish(own, this.#stream);
      this.#sync(streams);
      this.#poll = setInterval(() => this.client.getRoomInfo(room, own), ROOM_POLL_INTERVAL_MS);
    } else {
      this.client.publish(own, this.#stream, { mainTrack: room });
      this.client.play(room, { room, userPublishId: own });
    }
  }

  /**
   * Play what is new in the room, stop what is gone.
   *
   * @param {string[]} streams
   */
  #sync(streams) {
    for (const streamId of this.#played) {
      if (streams.includes(streamId)) continue;
      this.#played.delete(streamId);
      this.client.stop(streamId);
    }
    for (const streamId of streams) {
      if (this.#played.has(streamId) || streamId === this.#own) continue;
      this.#played.add(streamId);
      this.client.play(streamId, { room: this.subject });
    }
  }
}

/**
 * @param {EventTarget} client
 * @param {string} name
 * @param {(detail: any) => void} handler
 */
function on(client, name, handler) {
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
