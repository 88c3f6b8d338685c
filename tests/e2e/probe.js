/**
 * What a test can see that a page does not show: runs in every page before the page's own scripts, and leaves them
 * alone.
 */
(() => {
  const connections = [];
  const WIDTH = 64;
  const HEIGHT = 36;
  /** A sum of the three colours from which on a pixel is not black; encoders make black a little grey. */
  const BRIGHT = 48;

  // Samples name a STUN server in the world outside, which no test asks anything of.
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(configuration, ...others) {
      super({ ...configuration, iceServers: [] }, ...others);
      connections.push(this);
    }
  };

  /** A figure of what is received of a track, such as the frames decoded, over all connections that are still open. */
  async function received(track, figure) {
    let sum = 0;
    for (const connection of connections) {
      if (connection.signalingState === "closed") continue;
      for (const entry of (await connection.getStats()).values()) {
        if (entry.type === "inbound-rtp" && entry.trackIdentifier === track.id) sum += entry[figure] ?? 0;
      }
    }
    return sum;
  }

  /** What a video element shows now: the share of pixels that are not black, and a sum that tells pictures apart. */
  function picture(video) {
    const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(video, 0, 0, WIDTH, HEIGHT);
    const { data } = context.getImageData(0, 0, WIDTH, HEIGHT);
    let bright = 0;
    let sum = 0;
    for (let index = 0; index < data.length; index += 4) {
      const light = data[index] + data[index + 1] + data[index + 2];
      if (light >= BRIGHT) bright += 1;
      sum = (sum * 31 + light) % 2_147_483_647;
    }
    return { bright: bright / (WIDTH * HEIGHT), sum };
  }

  window.probe = {
    /** Look at a video element: frames decoded so far, and the picture. Null while there is nothing to see. */
    async look(selector) {
      const video = document.querySelector(selector);
      const track = video?.srcObject?.getVideoTracks()[0];
      if (!track || !video.videoWidth) return null;
      const frames = await received(track, "framesDecoded");
      return { frames, width: video.videoWidth, height: video.videoHeight, ...picture(video) };
    },

    /** Listen to a video element: packets of its sound that have come so far. Null while there is no sound to it. */
    async listen(selector) {
      const track = document.querySelector(selector)?.srcObject?.getAudioTracks()[0];
      return track ? { packets: await received(track, "packetsReceived") } : null;
    },
  };
})();
