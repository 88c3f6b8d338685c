/**
 * A client for the WebSocket protocol of the Ant Media server, as Signalreel speaks it. No dependencies.
 *
 * It is meant to be read: what a page needs of the protocol is a method whose comment shows what goes over the wire and
 * what comes back, and every message that answers it is described below; the rest goes through {@link say}. One client is one WebSocket, and may publish one
 * stream, play any number, and be a peer of any number of pairs.
 *
 *     const client = new SignalreelClient("ws://localhost:5080/live/websocket");
 *     client.addEventListener("sourceadded", ({ detail }) => { video.srcObject = detail.stream; });
 *     client.play("stream1");
 *
 * What a client says, in JSON, one object for each text frame:
 *
 *     publish  play  stop  join  leave  joinRoom  getRoomInfo  leaveFromRoom  takeConfiguration  takeCandidate
 *     toggleVideo  toggleAudio  enableTrack  forceStreamQuality  getStreamInfo  getTrackList  getIceServerConfig  ping
 *
 * There are no request ids: an answer is matched to its question by its stream id.
 *
 * The events of a client (`event.detail` in brackets):
 *
 * - `open`, `close` {willReconnect}: the WebSocket;
 * - `sent` {message}, `received` {message}: everything that goes over it;
 * - `state` {streamId, role, state, reason, waitMs}: how far a stream, playback or peer pair has come, see {@link State};
 *   `waitMs` is how long until it is asked for again, where that is known;
 * - `sourceadded`, `sourceremoved` {streamId, sourceId, stream}: what can be seen and heard, one MediaStream for each
 *   publisher. `streamId` is what was asked for (it may be a room), `sourceId` the stream it comes from;
 * - `data` {streamId, data}: a message on the data channel;
 * - `fault` {streamId, error}: the browser could not do what a description asked of it;
 * - every message of the server, under its `command`; a notification under its `definition` instead (`publish_started`,
 *   `joinedTheRoom` ...), an `error` under the name `refused`. The detail is the message.
 *
 * @module signalreel
 */

import { Connection } from "./connection.js";

/**
 * `asking`: the command is sent. `waiting`: for the other peer, or to ask again after a while. `connecting`:
 * descriptions are exchanged. `live`: media flows. `ended`: stopped, or refused for good; `reason` then says why.
 *
 * @typedef {"asking" | "waiting" | "connecting" | "live" | "ended"} State
 */

/** @typedef {"publisher" | "player" | "peer"} Role */

/**
 * `start`: go ahead and offer. Sent when a publish is accepted, and to the first peer when the second one joins.
 *
 * @typedef {{command: "start", streamId: string, subscriberId?: string}} StartMessage
 */

/**
 * `takeConfiguration`, in both directions: a description (SDP). A publisher offers and the server answers; to a player
 * the server offers, and offers anew whenever a room changes; peers get each other's. `idMapping` tells which stream
 * each media line of an offer belongs to: `{"0": "ARDAMSaX", "1": "ARDAMSvX"}` are audio and video of the stream `X`.
 *
 * @typedef {{command: "takeConfiguration", streamId: string, type: RTCSdpType, sdp: string,
 *            idMapping?: Record<string, string>}} ConfigurationMessage
 */

/**
 * `takeCandidate`, in both directions: an ICE candidate. `label` is the index of its media line, `id` that line's mid.
 * An empty `candidate` says that there are no more.
 *
 * @typedef {{command: "takeCandidate", streamId: string, label: number, id: string,
 *            candidate: string}} CandidateMessage
 */

/**
 * `stop` from the server: the other peer has gone. Only sent to peers.
 *
 * @typedef {{command: "stop", streamId: string}} StopMessage
 */

/**
 * `notification`: something happened. Definitions:
 *
 * - `publish_started`, `publish_finished`, `play_started`, `play_finished`: media flows, or does no longer;
 * - `session_restored`: the publisher came back in time, its viewers were kept;
 * - `joined`, `leaved`: of a peer pair;
 * - `joinedTheRoom` with `streamId` (ours in the room), `streams` (the live ones) and `streamList`; `leavedFromRoom`;
 * - `bitrateMeasurement` with `targetBitrate`, `videoBitrate`, `audioBitrate`: when the target is below the sum of the
 *   others, the viewer's network is too slow for what it plays;
 * - `resolutionChangeInfo` with `streamHeight`: the player gets another rendition;
 * - `streaming_starts_soon`: what is to be played is registered and not live yet; `streaming_started`: now it is;
 * - `server_will_stop`: this client leaves then, and comes back when the server does.
 *
 * @typedef {{command: "notification", definition: string, streamId?: string, room?: string, streams?: string[],
 *            streamList?: {streamId: string, streamName: string, metaData: string}[], streamHeight?: number,
 *            targetBitrate?: number, videoBitrate?: number, audioBitrate?: number}} NotificationMessage
 */

/**
 * `error`: a command was refused, or something failed. `information` is a sentence for a person, and `retryAfterMs` says
 * when the same command may succeed, if that can be said.
 *
 * @typedef {{command: "error", definition: string, streamId?: string, room?: string, information?: string,
 *            error_code?: string, retryAfterMs?: number}} ErrorMessage
 */

/**
 * `streamInformation`: the renditions of a stream, in pixels and bit/s.
 *
 * @typedef {{command: "streamInformation", streamId: string, streamInfo: {streamWidth: number, streamHeight: number,
 *            videoBitrate: number, audioBitrate: number, videoCodec: string}[]}} StreamInformationMessage
 */

/**
 * `roomInformation`: the live streams of a room, without the asker's own.
 *
 * @typedef {{command: "roomInformation", room: string, streams: string[]}} RoomInformationMessage
 */

/**
 * `trackList`: the tracks of a stream or room.
 *
 * @typedef {{command: "trackList", streamId: string, trackList: string[]}} TrackListMessage
 */

/**
 * `iceServerConfig`: the ICE server that the operator wants clients to use; an empty text is none.
 *
 * @typedef {{command: "iceServerConfig", stunServerUri: string, turnServerUsername: string,
 *            turnServerCredential: string}} IceServerConfigMessage
 */

/**
 * What access control may ask for; all of it optional.
 *
 * @typedef {{token?: string, subscriberId?: string, subscriberCode?: string}} Credentials
 */

/** How often a client says `ping`. Servers answer each with `pong`, and proxies keep the connection open for it. */
const PING_INTERVAL_MS = 3_000;

/** So many pings without any answer, and the connection is taken for dead. */
const PINGS_UNANSWERED_MAX = 3;

/**
 * The wait before a refused command is repeated; it doubles with each refusal in a row up to the maximum. A server that
 * says `retryAfterMs` is not asked before.
 */
const RETRY_DELAY_MS = 3_000;
const RETRY_DELAY_MAX_MS = 30_000;

/** No browser can wait longer at a time; a stream that is planned for later is asked for once more in between. */
const WAIT_MAX_MS = 2_147_483_647;

/** The wait before a lost WebSocket is opened again; it doubles with each failure up to the maximum. */
const RECONNECT_DELAY_MS = 500;
const RECONNECT_DELAY_MAX_MS = 10_000;

/** So many unsent messages are kept while the WebSocket opens. */
const OUTBOX_LENGTH_MAX = 256;

/** Refusals after which the same command may succeed with nothing changed. */
const RETRYABLE = new Set([
  "no_stream_exist",
  "streamIdInUse",
  "highResourceUsage",
  "viewerLimitReached",
  "publishTimeoutError",
  "data_store_not_available",
  "not_initialized_yet",
  "stream_not_active_or_expired",
  "noPacketReceivedForTimeoutDuration",
]);

/** Errors that end what they name however far it has come; all others answer a command that was just sent. */
const FATAL = new Set([
  "publishTimeoutError",
  "noPacketReceivedForTimeoutDuration",
  "notSetRemoteDescription",
  "notSetLocalDescription",
]);

/** What one asked for and still wants: it is asked for again after a refusal that may pass, and on a new WebSocket. */
class Wish {
  /**
   * @param {Role} role
   * @param {Record<string, any>} command what to send, and to send again
   * @param {MediaStream | null} local what to send as media
   * @param {import("./connection.js").Sending} [sending] how
   */
  constructor(role, command, local, sending = { simulcast: false, videoCodec: "" }) {
    this.role = role;
    this.command = command;
    this.local = local;
    this.sending = sending;
    this.retryDelay = RETRY_DELAY_MS;
    /** @type {State} */
    this.state = "asking";
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {Connection | null} */
    this.connection = null;
  }
}

/**
 * One session with the server.
 *
 * The WebSocket opens with the first command (or by {@link connect}) and, unless `reconnect` is off, is opened again
 * when it is lost; everything that was wanted is then asked for anew. Unless `retry` is off, a command that was refused
 * for a cause that may pass is repeated, and a playback that ended waits for its stream to come back.
 */
export class SignalreelClient extends EventTarget {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {object[]} */
  #outbox = [];
  /** @type {Map<string, Wish>} */
  #wishes = new Map();
  /** @type {Map<string, Record<string, any>>} */
  #rooms = new Map();
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #pingTimer = undefined;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #reconnectTimer = undefined;
  #reconnectDelay = RECONNECT_DELAY_MS;
  #unanswered = 0;
  #closed = false;
  /** Why the WebSocket is about to be lost, when the server has said so. */
  #leaving = "";

  /**
   * @param {string | URL} url `ws://HOST:PORT/APP/websocket`
   * @param {{iceServers?: RTCIceServer[], reconnect?: boolean, retry?: boolean}} [options] No ICE servers are asked
   *   unless they are named here: the media goes to the server that is signaled with.
   */
  constructor(url, { iceServers = [], reconnect = true, retry = true } = {}) {
    super();
    this.url = String(url);
    this.iceServers = iceServers;
    this.reconnect = reconnect;
    this.retry = retry;
  }

  /** Whether the WebSocket is open. */
  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Open the WebSocket. Every command does this by itself. */
  connect() {
    this.#closed = false;
    clearTimeout(this.#reconnectTimer);
    if (this.#socket) return;
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    socket.addEventListener("open", () => this.#opened());
    socket.addEventListener("message", ({ data }) => this.#received(data));
    socket.addEventListener("close", () => this.#lost(socket));
  }

  /** End everything and close the WebSocket. The server frees what this session held. */
  close() {
    this.#closed = true;
    this.#rooms.clear();
    for (const streamId of [...this.#wishes.keys()]) this.#end(streamId, "closed");
    this.#outbox.length = 0;
    const socket = this.#socket;
    if (socket) {
      this.#lost(socket);
      socket.close();
    }
  }

  // ---- Publishing and playing -----------------------------------------------------------------------------------

  /**
   * Publish a stream.
   *
   *     -> {"command": "publish", "streamId": "stream1", "video": true, "audio": true}
   *     <- {"command": "start", "streamId": "stream1"}                     now this client offers
   *     -> {"command": "takeConfiguration", "streamId": "stream1", "type": "offer", "sdp": "..."}
   *     <- {"command": "takeConfiguration", "streamId": "stream1", "type": "answer", "sdp": "..."}
   *     <- {"command": "notification", "definition": "publish_started", "streamId": "stream1"}
   *
   * Candidates go both ways meanwhile. Refused with `streamIdInUse`, `already_publishing` (one stream a session),
   * `unauthorized_access`, `highResourceUsage` and others; `publishTimeoutError` if no media arrives in time.
   *
   * @param {string} streamId
   * @param {MediaStream} local what to publish
   * @param {Credentials & {mainTrack?: string, streamName?: string, metaData?: string, role?: string,
   *   simulcast?: boolean, videoCodec?: string}} [options] `mainTrack` is the room to publish in; with `simulcast` the
   *   video is sent in several sizes; `videoCodec` (`VP8`, `H264`, `VP9`, `AV1`) is offered before the browser's others
   */
  publish(streamId, local, { simulcast = false, videoCodec = "", ...options } = {}) {
    const video = local.getVideoTracks().length > 0;
    const audio = local.getAudioTracks().length > 0;
    const command = { command: "publish", streamId, video, audio, ...options };
    this.#want(streamId, new Wish("publisher", command, local, { simulcast, videoCodec }));
  }

  /**
   * Play a stream, or every stream of a room.
   *
   *     -> {"command": "play", "streamId": "stream1"}
   *     <- {"command": "takeConfiguration", "streamId": "stream1", "type": "offer", "sdp": "...", "idMapping": {...}}
   *     -> {"command": "takeConfiguration", "streamId": "stream1", "type": "answer", "sdp": "..."}
   *     <- {"command": "notification", "definition": "play_started", "streamId": "stream1"}
   *
   * A room is played by its name: `play("lobby", {room: "lobby"})`. Whenever its streams change, the server offers
   * anew, and this client answers. Refused with `no_stream_exist` while nobody publishes, `already_playing`,
   * `viewerLimitReached` and others.
   *
   * @param {string} streamId
   * @param {Credentials & {room?: string, trackList?: string[], viewerInfo?: string, userPublishId?: string}} [options]
   *   `trackList` names what to play of a room; an entry that begins with `!` is left out instead
   */
  play(streamId, options = {}) {
    this.#want(streamId, new Wish("player", { command: "play", streamId, ...options }, null));
  }

  /**
   * Stop publishing or playing a stream.
   *
   *     -> {"command": "stop", "streamId": "stream1"}
   *     <- {"command": "notification", "definition": "publish_finished", "streamId": "stream1"}     or play_finished
   *
   * @param {string} streamId
   */
  stop(streamId) {
    if (this.isOpen) this.#send({ command: "stop", streamId });
    this.#end(streamId, "stopped");
  }

  /**
   * Stop or resume the video packets of one track to this player. There is no answer.
   *
   * @param {string} streamId what is played
   * @param {string} trackId the stream whose track is meant; the same as `streamId` unless a room is played
   * @param {boolean} enabled
   */
  toggleVideo(streamId, trackId, enabled) {
    this.#send({ command: "toggleVideo", streamId, trackId, enabled });
  }

  /**
   * Stop or resume the audio packets of one track to this player. There is no answer.
   *
   * @param {string} streamId
   * @param {string} trackId
   * @param {boolean} enabled
   */
  toggleAudio(streamId, trackId, enabled) {
    this.#send({ command: "toggleAudio", streamId, trackId, enabled });
  }

  /**
   * Switch a track on or off: for every viewer when its publisher says so, else for this player. There is no answer.
   *
   * @param {string} streamId
   * @param {string} trackId
   * @param {boolean} enabled
   */
  enableTrack(streamId, trackId, enabled) {
    this.#send({ command: "enableTrack", streamId, trackId, enabled });
  }

  /**
   * Pin the rendition of this height; 0 returns to the automatic choice. There is no answer, but
   * `resolutionChangeInfo` follows a change.
   *
   * @param {string} streamId
   * @param {number} streamHeight in pixels
   */
  forceStreamQuality(streamId, streamHeight) {
    this.#send({ command: "forceStreamQuality", streamId, streamHeight });
  }

  /**
   * Ask for the renditions of a live stream. Answered by a `streamInformation` event, or `no_stream_exist`.
   *
   * @param {string} streamId
   */
  getStreamInfo(streamId) {
    this.#send({ command: "getStreamInfo", streamId });
  }

  /**
   * Ask for the tracks of a live stream or room. Answered by a `trackList` event, or `no_stream_exist`.
   *
   * @param {string} streamId
   * @param {{token?: string}} [options]
   */
  getTrackList(streamId, options = {}) {
    this.#send({ command: "getTrackList", streamId, ...options });
  }

  // ---- Peer to peer ---------------------------------------------------------------------------------------------

  /**
   * Join a pair. Media goes from peer to peer; the server only carries descriptions and candidates.
   *
   *     -> {"command": "join", "streamId": "call1", "multiPeer": false, "mode": "both"}
   *     <- {"command": "notification", "definition": "joined", "streamId": "call1"}
   *     <- {"command": "start", "streamId": "call1"}                      to the first peer, when the second one joins
   *
   * The peer that gets `start` offers, the other answers. Refused with `NoSpaceForNewPeer` when two are there.
   *
   * @param {string} streamId
   * @param {MediaStream | null} local null only watches (`mode: "play"`)
   * @param {{token?: string}} [options]
   */
  join(streamId, local, options = {}) {
    const mode = local ? "both" : "play";
    this.#want(streamId, new Wish("peer", { command: "join", streamId, multiPeer: false, mode, ...options }, local));
  }

  /**
   * Leave a pair. Answered by `leaved`; the other peer gets `stop`.
   *
   * @param {string} streamId
   */
  leave(streamId) {
    if (this.isOpen) this.#send({ command: "leave", streamId });
    this.#end(streamId, "stopped");
  }

  /**
   * Ask which ICE server to use, for peers that are not on one network. Answered by an `iceServerConfig` event; what it
   * names is used for every connection made later.
   */
  getIceServerConfig() {
    this.#send({ command: "getIceServerConfig" });
  }

  // ---- Rooms ----------------------------------------------------------------------------------------------------

  /**
   * Enter a conference room.
   *
   *     -> {"command": "joinRoom", "room": "lobby", "mode": "multitrack"}
   *     <- {"command": "notification", "definition": "joinedTheRoom", "room": "lobby", "streamId": "...",
   *         "streams": ["...", ...]}
   *
   * Then there are two ways. `multitrack`: publish `streamId` with `mainTrack` set to the room, and play the room; one
   * connection carries all, and the server offers anew when somebody comes or goes. `legacy`: publish `streamId`, play
   * each of `streams` by itself, and ask {@link getRoomInfo} every few seconds which ones there are now.
   *
   * @param {string} room
   * @param {{streamId?: string, mode?: "legacy" | "multitrack", streamName?: string, token?: string}} [options]
   *   without a `streamId` the server makes one up
   */
  joinRoom(room, options = {}) {
    const command = { command: "joinRoom", room, mode: "multitrack", ...options };
    this.#rooms.set(room, command);
    this.#send(command);
  }

  /**
   * Ask which streams of a room are live. Answered by a `roomInformation` event, without one's own stream.
   *
   * @param {string} room
   * @param {string} streamId one's own in the room
   */
  getRoomInfo(room, streamId) {
    this.#send({ command: "getRoomInfo", room, streamId });
  }

  /**
   * Leave a room. The server ends what this session publishes and plays in it, and answers with `leavedFromRoom`.
   *
   * @param {string} room
   */
  leaveFromRoom(room) {
    if (this.isOpen) this.#send({ command: "leaveFromRoom", room });
    this.#leftRoom(room, "stopped");
  }

  // ---- The rest of the protocol ---------------------------------------------------------------------------------

  /**
   * Say anything else: `say("getBroadcastObject", { streamId })`. What comes back is an event, under its name.
   *
   * @param {string} command
   * @param {Record<string, unknown>} [fields]
   */
  say(command, fields = {}) {
    this.#send({ command, ...fields });
  }

  // ---- Beside the protocol --------------------------------------------------------------------------------------

  /**
   * Send text on the data channel of a stream, if it is open.
   *
   * @param {string} streamId
   * @param {string} text
   * @returns {boolean} whether it was sent
   */
  sendData(streamId, text) {
    return this.#wishes.get(streamId)?.connection?.sendData(text) ?? false;
  }

  /**
   * The browser's statistics of a stream, playback or peer, or null while it has no connection.
   *
   * @param {string} streamId
   * @returns {Promise<RTCStatsReport | null>}
   */
  async getStats(streamId) {
    return (await this.#wishes.get(streamId)?.connection?.peer.getStats()) ?? null;
  }

  // ---- The WebSocket --------------------------------------------------------------------------------------------

  #opened() {
    this.#reconnectDelay = RECONNECT_DELAY_MS;
    this.#unanswered = 0;
    this.#pingTimer = setInterval(() => this.#ping(), PING_INTERVAL_MS);
    this.#emit("open", {});
    for (const message of this.#outbox.splice(0)) this.#send(message);
  }

  #ping() {
    if (this.#unanswered >= PINGS_UNANSWERED_MAX) {
      // A connection that is only half there may take minutes to notice; what it held is asked for on a new one.
      const socket = /** @type {WebSocket} */ (this.#socket);
      this.#lost(socket);
      socket.close();
      return;
    }
    this.#unanswered += 1;
    this.#send({ command: "ping" });
  }

  /** @param {WebSocket} socket */
  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearInterval(this.#pingTimer);
    const willReconnect = this.reconnect && !this.#closed;
    const reason = this.#leaving || "disconnected";
    this.#leaving = "";
    this.#emit("close", { willReconnect });
    for (const [streamId, wish] of [...this.#wishes]) {
      if (!willReconnect) {
        this.#end(streamId, reason);
        continue;
      }
      clearTimeout(wish.timer);
      this.#disconnect(wish);
      this.#move(streamId, wish, "waiting", reason);
    }
    if (!willReconnect) return;
    clearTimeout(this.#reconnectTimer);
    this.#reconnectTimer = setTimeout(() => this.#reconnect(), this.#reconnectDelay);
    this.#reconnectDelay = Math.min(this.#reconnectDelay * 2, RECONNECT_DELAY_MAX_MS);
  }

  #reconnect() {
    // The order matters: a stream can only be published in a room that one is in.
    this.#outbox = [...this.#rooms.values()];
    for (const [streamId, wish] of this.#wishes) {
      this.#move(streamId, wish, "asking", "disconnected");
      this.#outbox.push(wish.command);
    }
    this.connect();
  }

  /** @param {object} message */
  #send(message) {
    if (this.isOpen) {
      /** @type {WebSocket} */ (this.#socket).send(JSON.stringify(message));
      this.#emit("sent", { message });
      return;
    }
    if (this.#outbox.length < OUTBOX_LENGTH_MAX) this.#outbox.push(message);
    this.connect();
  }

  /** @param {string} data */
  #received(data) {
    this.#unanswered = 0;
    const message = JSON.parse(data);
    this.#emit("received", { message });
    const wish = this.#wishes.get(message.streamId);
    switch (message.command) {
      case "start":
        if (wish) this.#start(message.streamId, wish);
        break;
      case "takeConfiguration":
        if (wish) this.#takeConfiguration(message, wish);
        break;
      case "takeCandidate":
        wish?.connection?.takeCandidate(message);
        break;
      case "stop":
        if (wish) this.#peerLeft(message.streamId, wish);
        break;
      case "iceServerConfig":
        this.#takeIceServer(message);
        break;
      case "error":
        if (wish) this.#refused(message, wish);
        this.#emit("refused", message);
        return;
      case "notification":
        this.#notified(message, wish);
        this.#emit(message.definition, message);
        return;
    }
    this.#emit(message.command, message);
  }

  // ---- What was wanted ------------------------------------------------------------------------------------------

  /**
   * @param {string} streamId
   * @param {Wish} wish
   */
  #want(streamId, wish) {
    const before = this.#wishes.get(streamId);
    if (before && before.role !== wish.role) {
      throw new Error(
        `This client is ${before.role} of ${streamId} already; use another client to be its ${wish.role}.`,
      );
    }
    this.#end(streamId, "replaced");
    this.#wishes.set(streamId, wish);
    this.#move(streamId, wish, "asking");
    this.#send(wish.command);
  }

  /**
   * @param {string} streamId
   * @param {string} reason
   */
  #end(streamId, reason) {
    const wish = this.#wishes.get(streamId);
    if (!wish) return;
    this.#wishes.delete(streamId);
    clearTimeout(wish.timer);
    this.#disconnect(wish);
    this.#move(streamId, wish, "ended", reason);
  }

  /**
   * @param {string} streamId
   * @param {Wish} wish
   * @param {State} state
   * @param {string} [reason]
   * @param {number} [waitMs]
   */
  #move(streamId, wish, state, reason = "", waitMs = undefined) {
    wish.state = state;
    if (state === "live") wish.retryDelay = RETRY_DELAY_MS;
    this.#emit("state", { streamId, role: wish.role, state, reason, waitMs });
  }

  /**
   * Ask again in a while, or give up.
   *
   * @param {string} streamId
   * @param {Wish} wish
   * @param {string} reason
   * @param {number} [notBeforeMs]
   */
  #later(streamId, wish, reason, notBeforeMs = 0) {
    const waitMs = Math.min(Math.max(wish.retryDelay, notBeforeMs), WAIT_MAX_MS);
    this.#disconnect(wish);
    this.#move(streamId, wish, "waiting", reason, waitMs);
    clearTimeout(wish.timer);
    wish.timer = setTimeout(() => {
      this.#move(streamId, wish, "asking", reason);
      this.#send(wish.command);
    }, waitMs);
    wish.retryDelay = Math.min(wish.retryDelay * 2, RETRY_DELAY_MAX_MS);
  }

  /**
   * @param {string} streamId
   * @param {Wish} wish
   */
  #connection(streamId, wish) {
    wish.connection ??= new Connection(
      streamId,
      wish.role,
      wish.local,
      { iceServers: this.iceServers },
      (message) => this.#send(message),
      (name, detail) => this.#emit(name, detail),
      (state) => this.#connectionMoved(streamId, wish, state),
      wish.sending,
    );
    return wish.connection;
  }

  /** @param {Wish} wish */
  #disconnect(wish) {
    wish.connection?.close();
    wish.connection = null;
  }

  // ---- What the server says -------------------------------------------------------------------------------------

  /**
   * @param {string} streamId
   * @param {Wish} wish
   */
  #start(streamId, wish) {
    this.#disconnect(wish);
    this.#move(streamId, wish, "connecting");
    this.#connection(streamId, wish).offer();
  }

  /**
   * @param {ConfigurationMessage} message
   * @param {Wish} wish
   */
  #takeConfiguration(message, wish) {
    if (message.type === "answer" && !wish.connection) return;
    if (wish.state !== "live") this.#move(message.streamId, wish, "connecting");
    this.#connection(message.streamId, wish).take(message);
  }

  /**
   * @param {string} streamId
   * @param {Wish} wish
   */
  #peerLeft(streamId, wish) {
    this.#disconnect(wish);
    this.#move(streamId, wish, "waiting", "left");
  }

  /** @param {IceServerConfigMessage} message */
  #takeIceServer({ stunServerUri, turnServerUsername, turnServerCredential }) {
    if (!/^(stun|turn)s?:/.test(stunServerUri)) return;
    const login = turnServerUsername ? { username: turnServerUsername, credential: turnServerCredential } : {};
    this.iceServers = [{ urls: stunServerUri, ...login }];
  }

  /**
   * @param {ErrorMessage} message
   * @param {Wish} wish
   */
  #refused(message, wish) {
    // A refusal names a stream, not a command. While nothing is asked it answers a question about the stream
    // (`getStreamInfo`, say) and changes nothing.
    if (wish.state !== "asking" && !FATAL.has(message.definition)) return;
    const streamId = /** @type {string} */ (message.streamId);
    const { definition, retryAfterMs } = message;
    // A server that says when knows that it may succeed then, whatever the refusal is called. But a call that is full is
    // not one to come into some minutes later, unasked.
    const mayPass = RETRYABLE.has(definition) || (retryAfterMs !== undefined && wish.role !== "peer");
    if (this.retry && mayPass) this.#later(streamId, wish, definition, retryAfterMs);
    else this.#end(streamId, definition);
  }

  /**
   * @param {NotificationMessage} message
   * @param {Wish | undefined} wish
   */
  #notified(message, wish) {
    const streamId = message.streamId ?? "";
    switch (message.definition) {
      case "joinedTheRoom":
        this.#named(message.room ?? "", streamId);
        break;
      case "leavedFromRoom":
        this.#leftRoom(message.room ?? "", message.definition);
        break;
      case "publish_started":
      case "play_started":
      case "session_restored":
        if (wish) this.#move(streamId, wish, "live");
        break;
      case "streaming_starts_soon":
        if (wish?.role === "player") this.#move(streamId, wish, "waiting", message.definition);
        break;
      case "server_will_stop":
        this.#withdraw(message.definition);
        break;
      case "joined":
        if (wish?.state === "asking") this.#move(streamId, wish, "waiting", "alone");
        break;
      case "publish_finished":
        if (wish?.role === "publisher") this.#end(streamId, message.definition);
        break;
      case "play_finished":
        if (wish?.role !== "player") break;
        if (this.retry) this.#later(streamId, wish, message.definition);
        else this.#end(streamId, message.definition);
        break;
    }
  }

  /**
   * Leave a server that asks for it: it waits for its sessions, and the next one can only be found without this one.
   *
   * @param {string} reason
   */
  #withdraw(reason) {
    const socket = this.#socket;
    if (!socket) return;
    this.#leaving = reason;
    this.#lost(socket);
    socket.close();
  }

  /**
   * End what was published and played in a room; the server does the same on its side.
   *
   * @param {string} room
   * @param {string} reason
   */
  #leftRoom(room, reason) {
    const own = this.#rooms.get(room)?.streamId;
    this.#rooms.delete(room);
    for (const [streamId, wish] of [...this.#wishes]) {
      if (streamId === own || wish.command.room === room) this.#end(streamId, reason);
    }
  }

  /**
   * Keep the name that the server gave in a room, to come back under it on another WebSocket.
   *
   * @param {string} room
   * @param {string} streamId
   */
  #named(room, streamId) {
    const command = this.#rooms.get(room);
    if (command) this.#rooms.set(room, { ...command, streamId });
  }

  /**
   * @param {string} streamId
   * @param {Wish} wish
   * @param {RTCPeerConnectionState} state
   */
  #connectionMoved(streamId, wish, state) {
    if (state === "connected" && wish.role === "peer") this.#move(streamId, wish, "live");
    if (state !== "failed") return;
    if (!this.retry) {
      this.#end(streamId, "connection failed");
      return;
    }
    this.#send({ command: wish.role === "peer" ? "leave" : "stop", streamId });
    this.#later(streamId, wish, "connection failed");
  }

  /**
   * @param {string} name
   * @param {object} detail
   */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
