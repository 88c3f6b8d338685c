/**
 * The server's state machines, moving: a row for each, with the state it is in and the way it came there.
 *
 * The server tells its transitions as Server-Sent Events at `/transitions`, to browsers on its own machine. Each is
 * JSON: either `{seq, time, kind, app, id, source, target, input, session}` (time in microseconds) or, for an input
 * that was refused, `{seq, session, input, refused}`, with the `app` and `id` that the input named where the server
 * tells them. First comes a line without an input for each machine that lives.
 *
 * @module machines
 */

const MACHINES_MAX = 40;
const STATES_SHOWN_MAX = 8;
const REFUSALS_MAX = 5;
const SESSION_SHOWN_LENGTH = 6;

/** States in which all is as it was wanted, in which somebody is waited for, and after which there is nothing. */
const SETTLED = new Set(["broadcasting", "playing", "connected", "open"]);
const WAITING = new Set(["waiting", "restoring"]);
const FINAL = new Set(["finished", "dissolved", "closed"]);

/**
 * @typedef {{seq: number, time: number, kind: string, app: string, id: string, source: string, target: string,
 *            input: string, session: string}} TransitionLine
 * @typedef {{seq: number, session: string, input: string, refused: string, app?: string, id?: string}} RefusalLine
 */

/** The list of an app's machines, newest first; those that ended sink to the bottom. */
export class MachineList {
  /** @type {Map<string, Machine>} */
  #machines = new Map();

  /**
   * @param {string} app
   * @param {{list: HTMLElement, empty: HTMLElement, refusals: HTMLElement, count: HTMLElement}} places
   */
  constructor(app, places) {
    this.app = app;
    this.places = places;
  }

  /**
   * Follow a server for ever; the browser comes back by itself after a loss.
   *
   * @param {string | URL} url
   * @param {(link: "open" | "lost" | "refused") => void} moved
   */
  follow(url, moved) {
    const source = new EventSource(url);
    source.addEventListener("open", () => {
      // The server begins with all that lives, so what was known before can only be stale.
      this.clear();
      moved("open");
    });
    source.addEventListener("error", () => moved(source.readyState === EventSource.CLOSED ? "refused" : "lost"));
    source.addEventListener("message", ({ data }) => this.take(JSON.parse(data)));
  }

  /** @param {TransitionLine | RefusalLine} line */
  take(line) {
    if (line.app !== undefined && line.app !== this.app) return;
    if ("refused" in line) this.#refuse(line);
    else this.#move(line);
  }

  clear() {
    this.#machines.clear();
    this.places.list.replaceChildren();
    this.places.refusals.replaceChildren();
    this.#summarise();
  }

  /** @param {TransitionLine} line */
  #move(line) {
    const key = `${line.kind}/${line.app}/${line.id}`;
    let machine = this.#machines.get(key);
    if (!machine || machine.isFinal) {
      machine?.row.remove();
      machine = new Machine(line);
      this.#machines.set(key, machine);
      this.places.list.prepend(machine.row);
    }
    machine.take(line);
    if (machine.isFinal) this.places.list.append(machine.row);
    while (this.places.list.childElementCount > MACHINES_MAX) this.#forget(this.places.list.lastElementChild);
    this.#summarise();
  }

  /** @param {Element | null} row */
  #forget(row) {
    for (const [key, machine] of this.#machines) if (machine.row === row) this.#machines.delete(key);
    row?.remove();
  }

  /**
   * Show a refusal; one like another that is shown still is counted with it, since clients repeat themselves.
   *
   * @param {RefusalLine} line
   */
  #refuse(line) {
    const group = `${line.input} ${line.id ?? ""} ${line.refused}`;
    const rows = /** @type {HTMLElement[]} */ ([...this.places.refusals.children]);
    const known = rows.find((row) => row.dataset.group === group);
    const row = known ?? document.createElement("li");
    const count = Number(row.dataset.count ?? 0) + 1;
    row.dataset.group = group;
    row.dataset.count = String(count);
    const what = [text("code", line.input), ...(line.id ? [" ", text("span", line.id, "id")] : [])];
    row.replaceChildren(...what, " refused: ", text("strong", line.refused));
    if (count > 1) row.append(text("span", ` ${count} times`, "times"));
    this.places.refusals.prepend(row);
    while (this.places.refusals.childElementCount > REFUSALS_MAX) this.places.refusals.lastElementChild?.remove();
    this.places.empty.hidden = true;
  }

  #summarise() {
    const live = [...this.#machines.values()].filter((machine) => !machine.isFinal).length;
    this.places.count.textContent = live ? `${live} live` : "";
    this.places.empty.hidden = this.#machines.size > 0 || this.places.refusals.childElementCount > 0;
  }
}

/** One life of one machine. */
class Machine {
  /** Reel time of the last change of state, in microseconds. */
  #since = 0;
  #stays = 0;

  /** @param {TransitionLine} line the first one seen */
  constructor(line) {
    this.state = line.source;
    this.#since = line.time;
    this.row = document.createElement("li");
    this.row.dataset.kind = line.kind;
    this.row.dataset.machine = line.id;

    const head = document.createElement("div");
    head.className = "head";
    const name = text("span", shortName(line.id), "id");
    name.title = `${line.id} in ${line.app}`;
    this.chip = text("span", "", "chip");
    head.append(text("span", line.kind, "kind"), name, this.chip);
    this.trail = document.createElement("ol");
    this.trail.append(step(line.source, "", ""));
    this.row.append(head, this.trail);
  }

  get isFinal() {
    return FINAL.has(this.state);
  }

  /** @param {TransitionLine} line */
  take(line) {
    // A listener that is too slow misses lines: then the way here has a gap.
    if (line.source !== this.state) this.#go({ ...line, target: line.source, input: "..." });
    if (line.target !== this.state) this.#go(line);
    else if (line.input) this.#stay(line);
    this.row.dataset.state = line.target;
    this.row.dataset.mood = mood(line.target);
    this.chip.textContent = line.target;
    restart(this.chip);
  }

  /** @param {TransitionLine} line */
  #stay(line) {
    this.#stays += 1;
    const last = /** @type {HTMLElement} */ (this.trail.lastElementChild);
    const state = /** @type {HTMLElement} */ (last.querySelector(".state"));
    const count = state.querySelector(".stays") ?? state.appendChild(text("span", "", "stays"));
    count.textContent = `+${this.#stays}`;
    last.title = `${this.#stays} more inputs taken without leaving, the last one ${line.input}`;
  }

  /** @param {TransitionLine} line */
  #go(line) {
    const first = this.trail.childElementCount === 1;
    this.trail.append(step(line.target, line.input, first ? "" : elapsed(line.time - this.#since)));
    while (this.trail.childElementCount > STATES_SHOWN_MAX) this.trail.firstElementChild?.remove();
    this.state = line.target;
    this.#since = line.time;
    this.#stays = 0;
  }
}

/**
 * @param {string} state
 * @param {string} input what led to it
 * @param {string} after how long after the state before
 */
function step(state, input, after) {
  const item = document.createElement("li");
  item.append(text("span", state, "state"));
  if (input) item.append(text("span", input, "input"), text("span", after, "after"));
  return item;
}

/**
 * A playback's id is its session's and its stream's, joined by a slash; of the session a few letters will do.
 *
 * @param {string} id
 */
function shortName(id) {
  const [session, stream] = id.split("/");
  return stream ? `${stream} for ${session.slice(0, SESSION_SHOWN_LENGTH)}` : id;
}

/** @param {string} state */
function mood(state) {
  if (FINAL.has(state)) return "final";
  if (SETTLED.has(state)) return "settled";
  return WAITING.has(state) ? "waiting" : "moving";
}

/** @param {number} microseconds */
function elapsed(microseconds) {
  if (microseconds < 1_000_000) return `${Math.round(microseconds / 1_000)} ms`;
  return `${(microseconds / 1_000_000).toFixed(1)} s`;
}

/**
 * Let an element's animation run again.
 *
 * @param {HTMLElement} element
 */
function restart(element) {
  for (const animation of element.getAnimations()) {
    animation.cancel();
    animation.play();
  }
}

/**
 * @param {string} tag
 * @param {string} content
 * @param {string} [className]
 */
function text(tag, content, className = "") {
  const element = document.createElement(tag);
  element.textContent = content;
  if (className) element.className = className;
  return element;
}
