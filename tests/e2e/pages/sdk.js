/**
 * A page without opinions around the official SDK: the test says what to call, and asks what was called back.
 *
 * `?sdk=2.4.2` takes an older one. The page finds its WebSocket with the SDK's own helper, as the sample pages do: the
 * first part of the page's path is the app. Older SDKs have none, and their samples do the same by hand.
 */

/** Where each SDK is, and where its helper. */
const SDKS = {
  "2.16.2": ["@antmedia/webrtc_adaptor/dist/es/index.js", "@antmedia/webrtc_adaptor/dist/es/utility.js"],
  "2.4.2": ["webrtc_adaptor-2.4.2/js/webrtc_adaptor.js", null],
};

/** Enough to be seen, and little enough for a machine that encodes and decodes for every page of a conference. */
const CAMERA = { width: 320, height: 240 };

const [code, helper] = SDKS[new URLSearchParams(location.search).get("sdk") ?? "2.16.2"];
if (!helper) await load("../node_modules/webrtc_adaptor-2.4.2/js/external/adapter-latest.js");
const { WebRTCAdaptor } = await import(`../node_modules/${code}`);
const { getWebSocketURL } = helper
  ? await import(`../node_modules/${helper}`)
  : { getWebSocketURL: () => `ws://${location.host}/${location.pathname.split("/")[1]}/websocket` };

/** Load what the older samples have in a script of its own, and the older SDK takes to be there. */
function load(src) {
  return new Promise((resolve, reject) => {
    document.head.append(Object.assign(document.createElement("script"), { src, onload: resolve, onerror: reject }));
  });
}

/** What was called back and no test has asked for yet, in its order. */
const heard = [];
/** Those who wait for something to be called back. */
const waiting = [];
let adaptor = null;

function hear(name, about) {
  const entry = { name, about: plain(about) };
  const index = waiting.findIndex((one) => one.name === name);
  if (index < 0) heard.push(entry);
  else waiting.splice(index, 1)[0].resolve(entry.about);
}

/** What of an object can leave the page. */
function plain(about) {
  if (typeof about !== "object" || about === null) return about;
  const entries = Object.entries(about)
    .map(([key, value]) => [key, value instanceof ArrayBuffer ? told(value) : value])
    .filter(([, value]) => !(value instanceof Object) || Array.isArray(value));
  return JSON.parse(JSON.stringify(Object.fromEntries(entries)));
}

/** Bytes in words: how many they are, and their sum. */
function told(buffer) {
  const bytes = new Uint8Array(buffer);
  return `${bytes.length} bytes, sum ${bytes.reduce((sum, byte) => sum + byte, 0)}`;
}

/** Show a track's stream in a video of its own: the track is named after the stream it comes from. */
function show({ trackId, stream }) {
  const id = `player-${trackId.replace(/^ARDAMS[av]/, "")}`;
  let video = document.getElementById(id);
  if (!video) {
    video = Object.assign(document.createElement("video"), { id, autoplay: true, muted: true, width: 160 });
    document.getElementById("players").append(video);
  }
  video.srcObject = stream;
}

window.sdk = {
  /** Make the SDK's object; the call is over when its WebSocket is open. */
  open(options) {
    adaptor = new WebRTCAdaptor({
      websocket_url: getWebSocketURL(location),
      mediaConstraints: { video: CAMERA, audio: true },
      peerconnection_config: { iceServers: [] },
      sdp_constraints: { OfferToReceiveAudio: false, OfferToReceiveVideo: false },
      localVideoId: "local",
      debug: false,
      ...options,
      callback: (name, about) => {
        if (name === "newTrackAvailable" || (name === "newStreamAvailable" && about.trackId)) show(about);
        hear(name, about);
      },
      callbackError: (name, about) => hear(`error ${name}`, about),
    });
    return window.sdk.until("initialized", 10_000);
  },

  /** Call a method of the SDK. */
  call(method, ...parameters) {
    adaptor[method](...parameters);
  },

  /** Send so many bytes on the data channel, counting up; give what the other side must get, in words. */
  sendBytes(streamId, length) {
    const { buffer } = Uint8Array.from({ length }, (_, index) => index);
    adaptor.sendData(streamId, buffer);
    return told(buffer);
  },

  /** Wait for a callback that nobody has asked for yet, and give what it was about. Errors are `error NAME`. */
  until(name, milliseconds) {
    const index = heard.findIndex((entry) => entry.name === name);
    if (index >= 0) return Promise.resolve(heard.splice(index, 1)[0].about);
    return new Promise((resolve, reject) => {
      const one = { name, resolve };
      waiting.push(one);
      setTimeout(() => {
        if (!waiting.includes(one)) return;
        waiting.splice(waiting.indexOf(one), 1);
        reject(new Error(`no ${name}; heard: ${heard.map((entry) => entry.name).join(", ")}`));
      }, milliseconds);
    });
  },

  /** How often something was called back that nobody has asked for. */
  count(name) {
    return heard.filter((entry) => entry.name === name).length;
  },
};

document.documentElement.dataset.ready = "yes";
