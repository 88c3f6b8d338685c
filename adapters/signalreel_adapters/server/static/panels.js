/**
 * Three of the panels of the page: publish, peer to peer, conference. Each has a client, and so a session, of its own.
 *
 * @module panels
 */

import { Panel, on } from "./panel.js";

/** How often a conference with one connection for each stream asks who is there. */
const ROOM_POLL_INTERVAL_MS = 3_000;

/** What servers of the protocol forward; of these the browser offers what it can send. */
const VIDEO_CODECS = ["VP8", "H264", "VP9", "AV1"];

/** Publish one stream. */
export class PublishPanel extends Panel {
  /**
   * @param {HTMLElement} root
   * @param {string} name
   * @param {import("./panel.js").Page} page
   */
  constructor(root, name, page) {
    super(root, name, page);
    const sent = RTCRtpSender.getCapabilities("video")?.codecs.map(({ mimeType }) => mimeType.toLowerCase()) ?? [];
    const codecs = VIDEO_CODECS.filter((codec) => sent.includes(`video/${codec}`.toLowerCase()));
    this.field("codec").append(...codecs.map((codec) => new Option(codec, codec)));
  }

  get liveWords() {
    return `Live: ${this.subject} is being published.`;
  }

  async start() {
    const stream = await this.openCamera();
    const subject = this.subject;
    this.tiles.show(subject, stream, { name: subject, own: true, stats: () => this.client.getStats(subject) });
    this.client.publish(subject, stream, {
      simulcast: this.field("simulcast").checked,
      videoCodec: this.field("codec").value,
    });
  }

  stop() {
    this.client.stop(this.subject);
  }
}

/** A call of two. */
export class PeerPanel extends Panel {
  get liveWords() {
    return "Connected, from browser to browser.";
  }

  /** @param {import("./signalreel.js").SignalreelClient} client */
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

  /** @param {import("./signalreel.js").SignalreelClient} client */
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
