/**
 * A page without opinions around the official SDK: the test says what to call, and asks what was called back.
 *
 * It finds its WebSocket with the SDK's own helper, as the sample pages do: the first part of the page's path is the
 * app.
 */

import { WebRTCAdaptor } from "../node_modules/@antmedia/webrtc_adaptor/dist/es/index.js";
import { getWebSocketURL } from "../node_modules/@antmedia/webrtc_adaptor/dist/es/utility.js";

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
  const entries = Object.entries(about).filter(([, value]) => !(value instanceof Object) || Array.isArray(value));
  return JSON.parse(JSON.stringify(Object.fromEntries(entries)));
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
      mediaConstraints: { video: true, audio: true },
      peerconnection_config: { iceServers: [] },
      sdp_constraints: { OfferToReceiveAudio: false, OfferToReceiveVideo: false },
      localVideoId: "local",
      debug: false,
      ...options,
      callback: (name, about) => {
        if (name === "newTrackAvailable") show(about);
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
