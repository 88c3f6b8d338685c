/**
 * The list of everything said between this page and the server.
 *
 * @module messages
 */

const ENTRIES_MAX = 400;
const SDP_SHOWN_LENGTH = 60;

/** What is said again and again as long as all is well. */
const ROUTINE = new Set([
  "ping",
  "pong",
  "bitrateMeasurement",
  "getStreamInfo",
  "streamInformation",
  "getRoomInfo",
  "roomInformation",
]);

/** A reader this close to the end is at the end. */
const AT_END_PIXELS = 40;

/** A log that a person reads while a call runs. It stays at its end unless the reader has scrolled away from it. */
export class MessageLog {
  /**
   * The last entry, if it is of candidates: a run of them is one entry, or they would bury everything else.
   *
   * @type {HTMLElement | null}
   */
  #candidates = null;

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} empty what to show instead of an empty list
   * @param {HTMLInputElement} routine whether to show what is said every few seconds
   */
  constructor(list, empty, routine) {
    this.list = list;
    this.empty = empty;
    routine.addEventListener("change", () => list.classList.toggle("with-routine", routine.checked));
  }

  /**
   * Write down everything a client sends and receives.
   *
   * @param {EventTarget} client
   * @param {string} panel who it is
   */
  follow(client, panel) {
    client.addEventListener("sent", (event) =>
      this.#add(panel, true, /** @type {CustomEvent} */ (event).detail.message),
    );
    client.addEventListener("received", (event) =>
      this.#add(panel, false, /** @type {CustomEvent} */ (event).detail.message),
    );
  }

  clear() {
    this.list.replaceChildren();
    this.#candidates = null;
    this.empty.hidden = false;
  }

  /**
   * @param {string} panel
   * @param {boolean} sent
   * @param {Record<string, any>} message
   */
  #add(panel, sent, message) {
    const atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < AT_END_PIXELS;
    this.empty.hidden = true;
    const group = `${panel} ${sent} ${message.streamId}`;
    if (message.command === "takeCandidate" && this.#candidates?.dataset.group === group) {
      addCandidate(this.#candidates, message);
    } else {
      const details = entry(panel, sent, message);
      this.list.append(details);
      this.#candidates = message.command === "takeCandidate" ? details : null;
      details.dataset.group = group;
    }
    while (this.list.childElementCount > ENTRIES_MAX) this.list.firstElementChild?.remove();
    if (atEnd) this.list.scrollTop = this.list.scrollHeight;
  }
}

/**
 * @param {string} panel
 * @param {boolean} sent
 * @param {Record<string, any>} message
 */
function entry(panel, sent, message) {
  const details = document.createElement("details");
  details.classList.add(sent ? "sent" : "received");
  if (message.command === "error") details.classList.add("refused");
  if (ROUTINE.has(message.definition ?? message.command)) details.classList.add("routine");

  const summary = document.createElement("summary");
  summary.append(
    cell("direction", sent ? "\u2192" : "\u2190", sent ? "sent" : "received"),
    cell(
      "name",
      message.command === "notification" || message.command === "error" ? message.definition : message.command,
    ),
    cell("about", about(message)),
    cell("panel", panel),
  );
  const whole = document.createElement("pre");
  whole.textContent = JSON.stringify(shortened(message), null, 2);
  details.append(summary, whole);
  return details;
}

/**
 * @param {HTMLElement} details an entry of a candidate
 * @param {Record<string, any>} message another one
 */
function addCandidate(details, message) {
  const whole = /** @type {HTMLElement} */ (details.querySelector("pre"));
  whole.textContent += `\n${JSON.stringify(message, null, 2)}`;
  const count = Number(details.dataset.count ?? 1) + 1;
  details.dataset.count = String(count);
  /** @type {HTMLElement} */ (details.querySelector(".about")).textContent =
    `${message.streamId} \u00b7 ${count} candidates`;
}

/**
 * @param {string} kind
 * @param {string} text
 * @param {string} [label] what a screen reader says instead
 */
function cell(kind, text, label) {
  const span = document.createElement("span");
  span.className = kind;
  span.textContent = text;
  if (label) {
    span.setAttribute("role", "img");
    span.setAttribute("aria-label", label);
  }
  return span;
}

/**
 * The few words that tell one message from another of its kind.
 *
 * @param {Record<string, any>} message
 */
function about(message) {
  const words = [message.streamId ?? message.room];
  if (message.command === "takeConfiguration") words.push(message.type);
  if (message.command === "takeCandidate") words.push(message.candidate.split(" ").slice(2, 6).join(" ") || "end");
  if (message.streams) words.push(`[${message.streams.join(", ")}]`);
  if (message.streamHeight !== undefined) words.push(`${message.streamHeight} p`);
  if (typeof message.enabled === "boolean") words.push(message.enabled ? "on" : "off");
  return words.filter(Boolean).join(" \u00b7 ");
}

/**
 * The message without the bulk of its description.
 *
 * @param {Record<string, any>} message
 */
function shortened(message) {
  if (typeof message.sdp !== "string") return message;
  const lines = [...message.sdp.matchAll(/^m=(\w+)/gm)].map((match) => match[1]);
  const start = message.sdp.slice(0, SDP_SHOWN_LENGTH);
  return { ...message, sdp: `${start}... (${message.sdp.length} characters: ${lines.join(", ")})` };
}
