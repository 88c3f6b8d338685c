/**
 * What one sends: the camera and microphone, or a test picture with a tone for machines that have neither.
 *
 * @module camera
 */

const WIDTH = 640;
const HEIGHT = 360;
const FRAMES_PER_SECOND = 30;

/** The beep that sounds once a second, together with a flash in the picture. */
const BEEP_HERTZ = 440;
const BEEP_SECONDS = 0.08;
const BEEP_GAIN = 0.15;

/**
 * The media of this page, shared by all of its panels: opened by the first one that needs it, closed by the last.
 *
 * While it is in use its form is disabled.
 */
export class Camera {
  /** @type {Promise<MediaStream> | null} */
  #stream = null;
  /** @type {() => void} */
  #stop = () => {};
  #users = 0;

  /** @param {HTMLFieldSetElement} form with the inputs `source`, `video` and `audio` */
  constructor(form) {
    this.form = form;
  }

  /**
   * Open it, or share it if it is open already. Each call needs a {@link release}, also when it fails.
   *
   * @returns {Promise<MediaStream>}
   */
  acquire() {
    this.#users += 1;
    this.form.disabled = true;
    this.#stream ??= this.#open();
    return this.#stream;
  }

  /** Give it back. */
  release() {
    this.#users -= 1;
    if (this.#users > 0) return;
    const stream = this.#stream;
    this.#stream = null;
    this.form.disabled = false;
    stream?.then((open) => open.getTracks().forEach((track) => track.stop())).catch(() => {});
    this.#stop();
    this.#stop = () => {};
  }

  async #open() {
    const video = this.#checked("video");
    const audio = this.#checked("audio");
    if (!video && !audio) throw new Error("Choose video, audio or both to send.");
    if (this.#checked("camera")) return openDevices(video, audio);
    const test = new TestPicture(video, audio);
    this.#stop = () => test.stop();
    return test.stream;
  }

  /** @param {string} name a checkbox's name, or a source */
  #checked(name) {
    const input = this.form.querySelector(`input[name="${name}"], input[value="${name}"]`);
    return input instanceof HTMLInputElement && input.checked;
  }
}

/**
 * @param {boolean} video
 * @param {boolean} audio
 * @returns {Promise<MediaStream>}
 */
async function openDevices(video, audio) {
  if (!navigator.mediaDevices) {
    throw new Error(
      "Browsers give the camera only to pages from https or localhost. The test picture works everywhere.",
    );
  }
  const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: FRAMES_PER_SECOND } };
  try {
    return await navigator.mediaDevices.getUserMedia({ video: video && size, audio });
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "NotAllowedError") throw new Error("The browser did not allow the camera or microphone.");
    if (name === "NotFoundError") throw new Error("There is no camera or microphone. Choose the test picture instead.");
    throw error;
  }
}

/** A picture that moves, with a frame counter, a clock and a beep each second. Every page has a colour of its own. */
class TestPicture {
  #frame = 0;
  #hue = Math.floor(Math.random() * 360);
  #canvas = document.createElement("canvas");
  #worker = new Worker(new URL("./ticker.js", import.meta.url), { type: "module" });
  /** @type {AudioContext | null} */
  #audio = null;

  /**
   * @param {boolean} video
   * @param {boolean} audio
   */
  constructor(video, audio) {
    this.stream = new MediaStream();
    if (video) this.#startVideo();
    if (audio) this.#startAudio();
  }

  /** End the worker and the tone. */
  stop() {
    this.#worker.terminate();
    this.#audio?.close();
  }

  #startVideo() {
    this.#canvas.width = WIDTH;
    this.#canvas.height = HEIGHT;
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d", { alpha: false }));
    this.#draw(context);
    this.#worker.addEventListener("message", () => this.#draw(context));
    this.#worker.postMessage(1_000 / FRAMES_PER_SECOND);
    for (const track of this.#canvas.captureStream(FRAMES_PER_SECOND).getTracks()) this.stream.addTrack(track);
  }

  #startAudio() {
    this.#audio = new AudioContext();
    const tone = new OscillatorNode(this.#audio, { frequency: BEEP_HERTZ });
    const gain = new GainNode(this.#audio, { gain: 0 });
    const output = this.#audio.createMediaStreamDestination();
    tone.connect(gain).connect(output);
    tone.start();
    // One second of envelope, repeated: a timer would drift away from the picture.
    const envelope = new AudioBuffer({ length: this.#audio.sampleRate, sampleRate: this.#audio.sampleRate });
    envelope.getChannelData(0).fill(BEEP_GAIN, 0, Math.floor(BEEP_SECONDS * this.#audio.sampleRate));
    const loop = new AudioBufferSourceNode(this.#audio, { buffer: envelope, loop: true });
    loop.connect(gain.gain);
    loop.start();
    for (const track of output.stream.getTracks()) this.stream.addTrack(track);
  }

  /** @param {CanvasRenderingContext2D} context */
  #draw(context) {
    const frame = this.#frame++;
    const seconds = frame / FRAMES_PER_SECOND;
    const hue = this.#hue + 12 * Math.sin(seconds / 3);

    const sky = context.createLinearGradient(0, 0, WIDTH, HEIGHT);
    sky.addColorStop(0, `hsl(${hue} 65% 38%)`);
    sky.addColorStop(1, `hsl(${hue + 50} 70% 22%)`);
    context.fillStyle = sky;
    context.fillRect(0, 0, WIDTH, HEIGHT);

    for (let index = 0; index < 5; index += 1) {
      const turn = seconds * (0.5 + index * 0.13) + index * 1.7;
      const x = WIDTH / 2 + Math.cos(turn) * (WIDTH * 0.42) * Math.sin(turn * 0.31 + index);
      const y = HEIGHT / 2 + Math.sin(turn) * (HEIGHT * 0.4);
      context.fillStyle = `hsl(${hue + 120 + index * 40} 85% 62% / 0.55)`;
      context.beginPath();
      context.arc(x, y, 26 + index * 9, 0, Math.PI * 2);
      context.fill();
    }

    // A hand that goes round once a second, and a flash at the moment of the beep.
    const centre = { x: WIDTH - 64, y: 64 };
    context.fillStyle = seconds % 1 < BEEP_SECONDS ? "#fff" : "rgb(255 255 255 / 0.18)";
    context.beginPath();
    context.arc(centre.x, centre.y, 36, 0, Math.PI * 2);
    context.fill();
    context.strokeStyle = seconds % 1 < BEEP_SECONDS ? "#222" : "#fff";
    context.lineWidth = 4;
    context.lineCap = "round";
    const angle = (seconds % 1) * Math.PI * 2 - Math.PI / 2;
    context.beginPath();
    context.moveTo(centre.x, centre.y);
    context.lineTo(centre.x + Math.cos(angle) * 28, centre.y + Math.sin(angle) * 28);
    context.stroke();

    context.fillStyle = "#fff";
    context.font = "600 56px system-ui, sans-serif";
    context.fillText(String(frame).padStart(6, "0"), 28, HEIGHT - 66);
    context.font = "400 24px system-ui, sans-serif";
    context.fillText(new Date().toLocaleTimeString(), 30, HEIGHT - 30);
  }
}
