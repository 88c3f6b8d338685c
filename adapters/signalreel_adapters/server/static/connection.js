/**
 * One RTCPeerConnection of a client: descriptions and candidates in their order, and who can be seen on it.
 *
 * Knows nothing of the WebSocket or of what was wanted; that is `signalreel.js`.
 *
 * @module connection
 */

/** So many candidates are kept for a description that has not come yet. */
const CANDIDATES_WAITING_MAX = 256;

/**
 * The sizes of a simulcast, the smallest first. A server can then give each viewer the one that it has the network for,
 * without making any itself.
 */
const SIZES = [
  { rid: "q", scaleResolutionDownBy: 4 },
  { rid: "h", scaleResolutionDownBy: 2 },
  { rid: "f", scaleResolutionDownBy: 1 },
];

/**
 * With these codecs browsers would rather put several sizes into one stream, of which a server can forward only the
 * whole. One layer for each size is what they are asked for then.
 */
const LAYERED_CODECS = new Set(["VP9", "AV1"]);

/** Below this height Chromium sends two sizes at most, and of three the full one is the one that it leaves out. */
const THREE_SIZES_HEIGHT_MIN = 540;

/**
 * How a publisher sends its video: in several sizes or in one, and by which codec, where the browser has it; without a
 * name the browser chooses.
 *
 * @typedef {{simulcast: boolean, videoCodec: string}} Sending
 */

/** What track names in `idMapping` begin with, before the stream's id. */
const TRACK_PREFIX = /^ARDAMS[av]/;

/**
 * One RTCPeerConnection and the order of what is done to it.
 *
 * Descriptions are taken one after the other, never two at a time: a room that changes quickly sends the next offer
 * while the browser still works on the last one.
 */
export class Connection {
  /** @type {RTCIceCandidateInit[]} */
  #candidates = [];
  /** @type {Promise<void>} */
  #work = Promise.resolve();
  /** @type {Record<string, string>} */
  #idMapping = {};
  /** @type {Map<string, MediaStream>} */
  #sources = new Map();
  /** @type {RTCDataChannel | null} */
  #channel = null;
  #closed = false;

  /**
   * @param {string} streamId
   * @param {import("./signalreel.js").Role} role
   * @param {MediaStream | null} local
   * @param {RTCConfiguration} configuration
   * @param {(message: object) => void} send
   * @param {(name: string, detail: object) => void} emit
   * @param {(state: RTCPeerConnectionState) => void} moved
   * @param {Sending} sending
   */
  constructor(streamId, role, local, configuration, send, emit, moved, sending) {
    this.streamId = streamId;
    this.role = role;
    this.send = send;
    this.emit = emit;
    this.peer = new RTCPeerConnection(configuration);
    this.peer.addEventListener("icecandidate", ({ candidate }) => this.#sendCandidate(candidate));
    this.peer.addEventListener("connectionstatechange", () => moved(this.peer.connectionState));
    this.peer.addEventListener("datachannel", ({ channel }) => this.#watch(channel));
    if (local && role !== "player") for (const track of local.getTracks()) this.#addTrack(track, local, sending);
  }

  /** Make an offer and send it. A peer asks to receive what it does not send itself; a publisher receives nothing. */
  offer() {
    if (this.role === "peer") {
      const kinds = this.peer.getTransceivers().map((transceiver) => transceiver.sender.track?.kind);
      for (const kind of ["audio", "video"]) {
        if (!kinds.includes(kind)) this.peer.addTransceiver(kind, { direction: "recvonly" });
      }
    }
    this.#watch(this.peer.createDataChannel(this.streamId));
    this.#enqueue(() => this.#describe());
  }

  /**
   * Take the other side's description; answer if it is an offer.
   *
   * @param {import("./signalreel.js").ConfigurationMessage} message
   */
  take(message) {
    this.#enqueue(async () => {
      await this.peer.setRemoteDescription({ type: message.type, sdp: message.sdp });
      if (message.type === "offer") {
        this.#idMapping = message.idMapping ?? {};
        await this.#describe();
      }
      for (const candidate of this.#candidates.splice(0)) await this.#addCandidate(candidate);
      this.#refreshSources();
    });
  }

  /**
   * Take the other side's candidate, or keep it until there is a description that it belongs to.
   *
   * @param {import("./signalreel.js").CandidateMessage} message
   */
  takeCandidate(message) {
    const candidate = {
      candidate: message.candidate,
      sdpMLineIndex: Number(message.label),
      sdpMid: message.id ?? null,
    };
    if (this.#candidates.length < CANDIDATES_WAITING_MAX) this.#candidates.push(candidate);
    this.#enqueue(async () => {
      if (!this.peer.remoteDescription) return;
      for (const waiting of this.#candidates.splice(0)) await this.#addCandidate(waiting);
    });
  }

  /**
   * Send a message on the data channel, if it is open.
   *
   * @param {string} data
   * @returns {boolean} whether it was sent
   */
  sendData(data) {
    if (this.#channel?.readyState !== "open") return false;
    this.#channel.send(data);
    return true;
  }

  /** End it. Every source that was there is told to be gone. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.peer.close();
    for (const sourceId of [...this.#sources.keys()]) this.#removeSource(sourceId);
  }

  /** @param {() => Promise<void>} action */
  #enqueue(action) {
    this.#work = this.#work.then(async () => {
      if (this.#closed) return;
      try {
        await action();
      } catch (error) {
        // Closing in the middle of an action makes it fail, and that is no fault.
        if (!this.#closed) this.emit("fault", { streamId: this.streamId, error });
      }
    });
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {MediaStream} stream
   * @param {Sending} sending
   */
  #addTrack(track, stream, { simulcast, videoCodec }) {
    if (this.role === "publisher") {
      const isVideo = track.kind === "video";
      const sendEncodings = simulcast && isVideo ? sizesOf(track, videoCodec) : [];
      const sent = this.peer.addTransceiver(track, { direction: "sendonly", streams: [stream], sendEncodings });
      if (isVideo && videoCodec) sent.setCodecPreferences?.(withFirst(videoCodec));
    } else {
      // A peer may have to answer, and only what is added this way takes a line of an offer (RFC 8829, section 5.10).
      this.peer.addTrack(track, stream);
    }
  }

  async #describe() {
    // Without an argument the browser makes an offer or an answer, whichever is due.
    await this.peer.setLocalDescription();
    const { type, sdp } = /** @type {RTCSessionDescription} */ (this.peer.localDescription);
    this.send({ command: "takeConfiguration", streamId: this.streamId, type, sdp });
  }

  /** @param {RTCIceCandidateInit} candidate */
  async #addCandidate(candidate) {
    try {
      await this.peer.addIceCandidate(candidate);
    } catch (error) {
      // One bad candidate costs nothing as long as another one works.
      if (!this.#closed) this.emit("fault", { streamId: this.streamId, error });
    }
  }

  /** @param {RTCIceCandidate | null} candidate */
  #sendCandidate(candidate) {
    if (!candidate) return;
    this.send({
      command: "takeCandidate",
      streamId: this.streamId,
      label: candidate.sdpMLineIndex,
      id: candidate.sdpMid,
      candidate: candidate.candidate,
    });
  }

  /** @param {RTCDataChannel} channel */
  #watch(channel) {
    channel.addEventListener("open", () => (this.#channel = channel));
    channel.addEventListener("message", ({ data }) => this.emit("data", { streamId: this.streamId, data }));
  }

  /**
   * Compare what is received now with what was before.
   *
   * The media lines are the truth, not the `track` events: a line that is given to another stream fires none.
   */
  #refreshSources() {
    /** @type {Map<string, MediaStreamTrack[]>} */
    const present = new Map();
    for (const transceiver of this.peer.getTransceivers()) {
      if (!transceiver.currentDirection?.includes("recv")) continue;
      const name = this.#idMapping[transceiver.mid ?? ""];
      const sourceId = name ? name.replace(TRACK_PREFIX, "") : this.streamId;
      present.set(sourceId, [...(present.get(sourceId) ?? []), transceiver.receiver.track]);
    }
    for (const sourceId of [...this.#sources.keys()]) if (!present.has(sourceId)) this.#removeSource(sourceId);
    for (const [sourceId, tracks] of present) this.#setSource(sourceId, tracks);
  }

  /**
   * @param {string} sourceId
   * @param {MediaStreamTrack[]} tracks
   */
  #setSource(sourceId, tracks) {
    const known = this.#sources.get(sourceId);
    const stream = known ?? new MediaStream();
    for (const track of stream.getTracks()) if (!tracks.includes(track)) stream.removeTrack(track);
    for (const track of tracks) stream.addTrack(track);
    if (known) return;
    this.#sources.set(sourceId, stream);
    this.emit("sourceadded", { streamId: this.streamId, sourceId, stream });
  }

  /** @param {string} sourceId */
  #removeSource(sourceId) {
    const stream = this.#sources.get(sourceId);
    this.#sources.delete(sourceId);
    this.emit("sourceremoved", { streamId: this.streamId, sourceId, stream });
  }
}

/**
 * The sizes in which a video is worth sending.
 *
 * @param {MediaStreamTrack} track
 * @param {string} codec
 */
function sizesOf(track, codec) {
  const sizes = (track.getSettings().height ?? 0) < THREE_SIZES_HEIGHT_MIN ? SIZES.slice(1) : SIZES;
  return LAYERED_CODECS.has(codec) ? sizes.map((size) => ({ ...size, scalabilityMode: "L1T1" })) : sizes;
}

/**
 * The codecs that this browser can send, one of them first: the server takes the first that it can forward.
 *
 * @param {string} codec
 */
function withFirst(codec) {
  const { codecs } = /** @type {RTCRtpCapabilities} */ (RTCRtpSender.getCapabilities("video"));
  const isFirst = (/** @type {RTCRtpCodec} */ { mimeType }) => mimeType.toLowerCase() === `video/${codec}`.toLowerCase();
  return [...codecs.filter(isFirst), ...codecs.filter((each) => !isFirst(each))];
}
