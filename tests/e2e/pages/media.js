/**
 * A page that speaks the protocol word by word, with as many clients as a test wants: each has a WebSocket of its own.
 *
 * The test says which command to send; what a browser must do by itself (offer, answer, candidates) is done here. What
 * counts is read from the browser's own statistics: frames decoded, their height, packets received.
 */

const SOCKET = `ws://${location.host}/live/websocket`;
const PICTURE = { width: { exact: 640 }, height: { exact: 360 }, frameRate: 15 };
/** The heights of these are 360 and 180. */
const LAYERS = [
  { rid: "h", scaleResolutionDownBy: 1, maxBitrate: 600_000 },
  { rid: "l", scaleResolutionDownBy: 2, maxBitrate: 120_000 },
];
/** Until a tone fills what is analysed of it. */
const TONE_MILLISECONDS = 1_500;
const LOOK_MILLISECONDS = 20;
const clients = new Map();
const drawings = new Map();
let captured = null;

/** One camera and one microphone for all who publish on this page. */
function capture() {
  captured ??= navigator.mediaDevices.getUserMedia({ video: PICTURE, audio: true });
  return captured;
}

/** A sound with something else in each of its two channels. */
function twoTones() {
  const context = new AudioContext();
  const both = new ChannelMergerNode(context, { numberOfInputs: 2 });
  for (const [input, frequency] of [330, 440].entries()) {
    const tone = new OscillatorNode(context, { frequency });
    tone.connect(both, 0, input);
    tone.start();
  }
  const output = new MediaStreamAudioDestinationNode(context, { channelCount: 2 });
  both.connect(output);
  return output.stream.getAudioTracks()[0];
}

/** A description that asks for two channels of sound, as pages do it: there is no other way. */
function inStereo(sdp) {
  return sdp.replace(/(a=fmtp:\d+ .*useinbandfec=1)/g, "$1;stereo=1;sprop-stereo=1");
}

/** The codecs of this browser with one put first. */
function preferring(name) {
  const { codecs } = RTCRtpSender.getCapabilities("video");
  const isWanted = ({ mimeType }) => mimeType.toLowerCase() === `video/${name}`.toLowerCase();
  if (!codecs.some(isWanted)) throw new Error(`this browser does not send ${name}`);
  return [...codecs.filter(isWanted), ...codecs.filter((codec) => !isWanted(codec))];
}

/** A picture that is drawn on the page, of any size and rate: bars that move over each other everywhere. */
function draw({ width, height, rate }) {
  const key = [width, height, rate].join();
  if (drawings.has(key)) return drawings.get(key);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const pen = canvas.getContext("2d", { alpha: false });
  const side = width / 40;
  let turn = 0;
  setInterval(() => {
    turn += 1;
    pen.fillStyle = "#234";
    pen.fillRect(0, 0, width, height);
    for (let bar = 0; bar < 48; bar += 1) {
      pen.fillStyle = `hsl(${(bar * 47) % 360} 70% 50%)`;
      pen.fillRect((bar * 131 + turn * (1 + (bar % 5)) * side * 0.1) % width, (bar * 89) % height, side, side);
    }
  }, 1_000 / rate);
  const [track] = canvas.captureStream().getVideoTracks();
  drawings.set(key, track);
  return track;
}

class Connection {
  constructor(client, streamId, options) {
    this.client = client;
    this.streamId = streamId;
    this.options = options;
    this.names = {};
    this.said = [];
    this.peer = new RTCPeerConnection({ iceServers: [] });
    this.peer.onicecandidate = ({ candidate }) => {
      // Behind a relay nobody may know where this browser is, or the packets would go past it.
      if (!candidate || options.relayPort) return;
      client.send({
        command: "takeCandidate",
        streamId,
        label: candidate.sdpMLineIndex,
        id: candidate.sdpMid,
        candidate: candidate.candidate,
      });
    };
    this.peer.ondatachannel = ({ channel }) => this.use(channel);
  }

  use(channel) {
    this.channel = channel;
    channel.binaryType = "arraybuffer";
    channel.onmessage = ({ data }) => {
      const heard = typeof data === "string" ? data : { bytes: [...new Uint8Array(data)] };
      this.client.hear({ channel: this.streamId, data: heard });
    };
    channel.onopen = () => this.client.hear({ opened: this.streamId });
  }

  async addOwn() {
    const own = await capture();
    const { video = true, audio = true, layers = false, cameras = 1, codec, hint, stereo, drawing } = this.options;
    const streams = [own];
    const picture = drawing ? draw(drawing) : own.getVideoTracks()[0];
    for (let camera = 0; video && camera < cameras; camera += 1) {
      const sendEncodings = Array.isArray(layers) ? layers : layers ? LAYERS : [{ maxBitrate: 600_000 }];
      const track = picture.clone();
      if (hint) track.contentHint = hint;
      const sent = this.peer.addTransceiver(track, { direction: "sendrecv", streams, sendEncodings });
      if (codec) sent.setCodecPreferences(preferring(codec));
    }
    const sound = stereo ? twoTones() : own.getAudioTracks()[0].clone();
    if (audio) this.peer.addTransceiver(sound, { direction: "sendrecv", streams });
  }

  async offer() {
    await this.addOwn();
    if (this.options.data) this.use(this.peer.createDataChannel(this.streamId));
    await this.describe();
  }

  async describe() {
    await this.peer.setLocalDescription(this.options.stereo ? await this.stereoDescription() : undefined);
    const { type, sdp } = this.peer.localDescription;
    const hidden = this.options.relayPort ? sdp.replace(/^a=candidate:.*\r\n/gm, "") : sdp;
    this.client.send({ command: "takeConfiguration", streamId: this.streamId, type, sdp: hidden });
  }

  async stereoDescription() {
    const { peer } = this;
    const { type, sdp } = await (peer.signalingState === "stable" ? peer.createOffer() : peer.createAnswer());
    return { type, sdp: inStereo(sdp) };
  }

  async take({ type, sdp, idMapping = {} }) {
    this.names = idMapping;
    if (type === "answer") {
      const limit = `a=max-message-size:${this.options.messageBytes}`;
      const taken = this.options.messageBytes ? sdp.replace(/^a=max-message-size:\d+/m, limit) : sdp;
      await this.peer.setRemoteDescription({ type, sdp: taken });
      return;
    }
    const path = this.options.relayPort ? await this.through(sdp) : sdp;
    await this.peer.setRemoteDescription({ type, sdp: path });
    if (this.options.both && !this.peer.getSenders().some((sender) => sender.track)) {
      const own = await capture();
      for (const track of own.getTracks()) this.peer.addTrack(track.clone(), own);
    }
    await this.describe();
  }

  /** Lead the way through the relay, once the test has told it where the server is. */
  async through(sdp) {
    const served = /^(a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1) (\d+)/gim;
    const [[, , port]] = sdp.matchAll(served);
    const relayed = new Promise((resolve) => { this.client.proceed = resolve; });
    this.client.hear({ relayed: this.streamId, port: Number(port) });
    await relayed;
    // A server may offer other addresses of this machine too, and each of them is a way past the relay.
    const others = /^a=candidate:(?!\S+ 1 udp \d+ 127\.0\.0\.1 ).*\r\n/gim;
    return sdp.replace(others, "").replace(served, `$1 ${this.options.relayPort}`);
  }
}

class Client {
  constructor() {
    this.heard = [];
    this.waiting = [];
    this.connections = new Map();
    this.options = new Map();
    this.queue = Promise.resolve();
    this.socket = new WebSocket(SOCKET);
    this.socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      // In order: an offer that comes while the last one is being answered waits for it.
      this.queue = this.queue.then(() => this.follow(message)).then(() => this.hear(message));
    };
  }

  send(message) {
    this.socket.send(JSON.stringify(message));
  }

  hear(message) {
    const index = this.waiting.findIndex(({ wanted }) => matches(message, wanted));
    if (index < 0) this.heard.push(message);
    else this.waiting.splice(index, 1)[0].resolve(message);
  }

  connection(streamId) {
    const found = this.connections.get(streamId);
    if (found && found.peer.signalingState !== "closed") return found;
    const made = new Connection(this, streamId, this.options.get(streamId) ?? {});
    this.connections.set(streamId, made);
    return made;
  }

  async follow(message) {
    const { command, definition, streamId } = message;
    if (command === "start") await this.connection(streamId).offer();
    else if (command === "takeConfiguration") await this.connection(streamId).take(message);
    else if (command === "takeCandidate") await this.connection(streamId).peer.addIceCandidate({
      sdpMLineIndex: message.label,
      sdpMid: message.id,
      candidate: message.candidate,
    });
    else if (definition === "publish_finished" || definition === "play_finished") {
      this.connections.get(streamId)?.peer.close();
      this.connections.delete(streamId);
    }
  }
}

function matches(message, wanted) {
  return Object.entries(wanted).every(([key, value]) => message[key] === value);
}

/** Where a message that nobody has asked for yet fits. */
function findHeard(client, wanted) {
  return client.heard.findIndex((message) => matches(message, wanted));
}

window.media = {
  /** Open a client, by a name of the test's. */
  open(name) {
    const client = new Client();
    clients.set(name, client);
    return new Promise((resolve, reject) => {
      client.socket.onopen = () => resolve();
      client.socket.onerror = () => reject(new Error("no WebSocket"));
    });
  },

  /** Close a client's connections and its WebSocket. */
  close(name) {
    const client = clients.get(name);
    for (const { peer } of client.connections.values()) peer.close();
    client.socket.close();
    clients.delete(name);
  },

  /** Send a command; the options say how the connection is to be made that comes of it. */
  say(name, message, options) {
    const client = clients.get(name);
    if (options) client.options.set(message.streamId, options);
    client.send(message);
  },

  /** Let a client connect: the relay knows where the server is. */
  proceed(name) {
    clients.get(name).proceed();
  },

  /** Wait for a message that has all of these properties and that nobody has asked for yet. */
  until(name, wanted, milliseconds) {
    const client = clients.get(name);
    const index = findHeard(client, wanted);
    if (index >= 0) return Promise.resolve(client.heard.splice(index, 1)[0]);
    return new Promise((resolve, reject) => {
      const one = { wanted, resolve };
      client.waiting.push(one);
      setTimeout(() => {
        if (!client.waiting.includes(one)) return;
        client.waiting.splice(client.waiting.indexOf(one), 1);
        const heard = client.heard.map(({ command, definition, channel }) => definition ?? command ?? channel);
        reject(new Error(`${name}: no ${JSON.stringify(wanted)}; heard: ${heard.join(", ")}`));
      }, milliseconds);
    });
  },

  /** How many messages with these properties nobody has asked for. */
  count(name, wanted) {
    return clients.get(name).heard.filter((message) => matches(message, wanted)).length;
  },

  /** Forget the messages with these properties. */
  forget(name, wanted) {
    const client = clients.get(name);
    client.heard = client.heard.filter((message) => !matches(message, wanted));
  },

  /** What the browser has received on a connection: one entry for each section, by the name its offer gave it. */
  async received(name, streamId) {
    const { peer, names } = clients.get(name).connections.get(streamId);
    const found = {};
    const report = await peer.getStats();
    for (const entry of report.values()) {
      if (entry.type !== "inbound-rtp") continue;
      found[names[entry.mid] ?? entry.kind] = {
        kind: entry.kind,
        packets: entry.packetsReceived,
        bytes: entry.bytesReceived,
        frames: entry.framesDecoded ?? 0,
        height: entry.frameHeight ?? 0,
        width: entry.frameWidth ?? 0,
        lost: entry.packetsLost,
        freezes: entry.freezeCount ?? 0,
        frozen: entry.totalFreezesDuration ?? 0,
        keyframes: entry.keyFramesDecoded ?? 0,
        at: entry.timestamp,
        codec: report.get(entry.codecId)?.mimeType.split("/")[1] ?? "",
        lost: entry.packetsLost,
        freezes: entry.freezeCount ?? 0,
        keyframes: entry.keyFramesDecoded ?? 0,
      };
    }
    return found;
  },

  /** The remote description of a connection, as the browser took it. */
  remote(name, streamId) {
    return clients.get(name).connections.get(streamId).peer.remoteDescription.sdp;
  },

  /** Send a command that switches a picture on for a player; give the milliseconds until a frame of it is decoded. */
  async resume(name, message, player, streamId, track, milliseconds) {
    const before = (await this.received(player, streamId))[track].frames;
    const begun = performance.now();
    clients.get(name).send(message);
    while ((await this.received(player, streamId))[track].frames === before) {
      if (performance.now() - begun > milliseconds) throw new Error(`${track} is not back`);
      await new Promise((resolve) => { setTimeout(resolve, LOOK_MILLISECONDS); });
    }
    return performance.now() - begun;
  },

  /** Send a command that changes what a player is shown; give the milliseconds until it decodes that height. */
  async change(name, message, player, streamId, track, height, milliseconds) {
    const begun = performance.now();
    clients.get(name).send(message);
    while ((await this.received(player, streamId))[track]?.height !== height) {
      if (performance.now() - begun > milliseconds) throw new Error(`${track} is not of height ${height}`);
      await new Promise((resolve) => { setTimeout(resolve, LOOK_MILLISECONDS); });
    }
    return performance.now() - begun;
  },

  /** Say something on a connection's data channel: a text, or a list of bytes. */
  speak(name, streamId, data) {
    const { channel } = clients.get(name).connections.get(streamId);
    channel.send(typeof data === "string" ? data : new Uint8Array(data));
  },

  /** The loudest tone in each of the two channels of a received sound, in hertz. */
  async tones(name, streamId) {
    const { peer } = clients.get(name).connections.get(streamId);
    const { track } = peer.getReceivers().find((receiver) => receiver.track.kind === "audio");
    const stream = new MediaStream([track]);
    // Chromium decodes a received sound only for an element that plays it.
    const element = Object.assign(new Audio(), { srcObject: stream, muted: true });
    await element.play();
    const context = new AudioContext();
    const channels = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
    new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(channels);
    const analysers = [0, 1].map((output) => {
      const analyser = new AnalyserNode(context, { fftSize: 8192 });
      channels.connect(analyser, output);
      return analyser;
    });
    await new Promise((resolve) => { setTimeout(resolve, TONE_MILLISECONDS); });
    const tones = analysers.map((analyser) => {
      const loudness = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(loudness);
      return (loudness.indexOf(Math.max(...loudness)) * context.sampleRate) / analyser.fftSize;
    });
    await context.close();
    return tones;
  },

  /** Let the picture that a connection sends be of another size from now on. */
  async resize(name, streamId, width, height) {
    const { peer } = clients.get(name).connections.get(streamId);
    const { track } = peer.getSenders().find((sender) => sender.track?.kind === "video");
    await track.applyConstraints({ width: { exact: width }, height: { exact: height }, frameRate: 15 });
  },

  /** Stop every packet of what a connection sends, and leave the connection as it is. */
  async hush(name, streamId) {
    const { peer } = clients.get(name).connections.get(streamId);
    await Promise.all(peer.getSenders().map((sender) => sender.replaceTrack(null)));
  },
};

document.documentElement.dataset.ready = "yes";
