/**
 * The inspector: what lives on the server, what happens, one session's sequence diagram, and why it was refused.
 *
 * The operator's key is kept in this page's memory alone and sent in a header. Texts become text nodes and nothing else.
 *
 * @module inspect
 */

import { element, shortId, shortSession } from "./viewer/dom.js";
import { drawSequence } from "./viewer/sequence.js";

const POLL_MS = 1_500;
const ROWS_SHOWN_MAX = 250;
const MOVES_SHOWN_MAX = 400;
const MOVES_HELD_MAX = 4_000;
const RETRY_MS = 2_000;
const SEQUENCE_RECORDS_MAX = 300;

let key = "";
let kind = "session";
let state = { seq: -1, totals: {}, rows: {}, isRecorded: true };
let open = { session: "", source: "" };
let paused = false;
let held = [];
const moves = [];

const byId = (id) => document.getElementById(id);

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Ask the server, with the key where there is one. */
async function ask(path) {
  const answer = await fetch(path, { headers: key ? { Authorization: `Bearer ${key}` } : {}, cache: "no-store" });
  if (answer.ok || answer.status === 304) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, said.message ?? `The server answered ${answer.status}.`);
}

function showLink(told, mood) {
  byId("link").textContent = told;
  byId("link").dataset.state = mood;
}

function askForKey(why) {
  byId("key-why").textContent = why;
  byId("key-form").hidden = false;
  byId("inspector").hidden = true;
  showLink("Refused", "refused");
}

/* ---- what lives ---- */

function told(ms) {
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`;
  return ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

function sessionButton(session) {
  return element("button", { type: "button", class: "text", title: session, onclick: () => showSession(session) }, shortSession(session));
}

function rowOf(row) {
  const save = element("button", { type: "button", class: "text", title: "The reel of this call, with names and addresses replaced",
    onclick: () => saveCall(kind, row.id, row.app) }, "Download");
  return element("tr", {},
    element("td", { class: "id", title: row.id }, shortId(row.id, 40)),
    element("td", {}, row.state ? element("span", { class: "chip" }, row.state) : ""),
    element("td", { class: "age" }, row.state ? told(row.stateMs ?? 0) : ""),
    element("td", {}, row.app),
    element("td", { class: "about" }, row.about ?? ""),
    element("td", {}, ...(row.sessions ?? []).map(sessionButton)),
    element("td", {}, state.isRecorded && kind !== "playback" ? save : ""),
  );
}

function matchesIn(text) {
  const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  return (said) => words.every((word) => said.toLowerCase().includes(word));
}

function showRows() {
  for (const tab of document.querySelectorAll(".tabs button")) {
    const selected = tab.dataset.kind === kind;
    tab.setAttribute("aria-selected", String(selected));
    tab.tabIndex = selected ? 0 : -1;
    tab.querySelector("b").textContent = String(state.totals[tab.dataset.kind] ?? 0);
  }
  const rows = state.rows[kind] ?? [];
  const matches = matchesIn(byId("search").value);
  const found = rows.filter((row) => matches(`${row.id} ${row.state ?? ""} ${row.app} ${row.about ?? ""} ${(row.sessions ?? []).join(" ")}`));
  const shown = found.slice(-ROWS_SHOWN_MAX).reverse();
  byId("rows").replaceChildren(...shown.map(rowOf));
  byId("shown").textContent = found.length > shown.length ? `the newest ${shown.length} of ${found.length}` : "";
  byId("none").hidden = shown.length > 0;
  byId("none").textContent = rows.length ? "Nothing here matches the search." : "There is nothing of this kind now.";
}

async function poll() {
  try {
    const answer = await ask(`inspect/state?seen=${state.seq}`);
    if (answer.status !== 304) {
      state = await answer.json();
      showRows();
    }
    showLink(`Record ${state.seq}${state.isRecorded ? "" : ", nothing is kept"}`, "live");
  } catch (error) {
    if (error instanceof Refused && [401, 403].includes(error.status)) return askForKey(error.message);
    showLink("Server not reached; trying again", "waiting");
  }
  setTimeout(poll, POLL_MS);
}

/* ---- what happens ---- */

function moveOf(line) {
  const who = line.session ? [sessionButton(line.session)] : [];
  if (line.refused) {
    return element("div", { class: "refusal" }, element("span", { class: "seq" }, String(line.seq)),
      element("span", {}, `${line.input} ${line.id ?? ""}`), element("b", {}, line.refused), ...who,
      element("button", { type: "button", class: "text", onclick: () => explain(line) }, "Why?"));
  }
  return element("div", {}, element("span", { class: "seq" }, String(line.seq)),
    element("span", { class: `kind ${line.kind}` }, line.kind), element("b", { title: line.id }, shortId(line.id)),
    element("span", {}, `${line.source} → ${line.target}`), element("span", { class: "quiet" }, line.input), ...who);
}

function wantsMove(line) {
  return matchesIn(byId("filter").value)(`${line.seq} ${line.kind ?? ""} ${line.id ?? ""} ${line.source ?? ""} ${line.target ?? ""} ${line.input} ${line.session} ${line.refused ?? ""}`);
}

function showMoves() {
  byId("moves").replaceChildren(...moves.filter(wantsMove).slice(-MOVES_SHOWN_MAX).reverse().map(moveOf));
}

function takeMove(line) {
  // What lives already is told first, without an input; it stands in the tables.
  if (!line.input) return;
  if (paused) {
    held.push(line);
    if (held.length > MOVES_HELD_MAX) held.shift();
    byId("pause").textContent = `Go on (${held.length})`;
    return;
  }
  moves.push(line);
  if (moves.length > MOVES_HELD_MAX) moves.shift();
  if (!wantsMove(line)) return;
  const list = byId("moves");
  list.prepend(moveOf(line));
  if (list.childElementCount > MOVES_SHOWN_MAX) list.lastElementChild.remove();
}

async function listen() {
  try {
    const answer = await ask("transitions");
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      text += piece.value;
      const events = text.split("\n\n");
      text = events.pop();
      for (const event of events) if (event.startsWith("data: ")) takeMove(JSON.parse(event.slice(6)));
    }
  } catch (error) {
    if (error instanceof Refused && [401, 403].includes(error.status)) return;
  }
  setTimeout(listen, RETRY_MS);
}

/* ---- one session, why, and its reel ---- */

async function showSession(session, from = "") {
  open = { session, from };
  byId("diagram").hidden = false;
  byId("diagram-title").textContent = `Session ${session}`;
  byId("diagram-source").textContent = "…";
  try {
    const found = await (await ask(`inspect/sessions/${encodeURIComponent(session)}${from ? "?from=reel" : ""}`)).json();
    if (open.session !== session) return;
    if (!found.isWhole && !from && state.isRecorded) return showSession(session, "reel");
    const records = found.records.slice(-SEQUENCE_RECORDS_MAX);
    const { heads, body } = drawSequence(records, { width: Math.max(420, byId("sequence").clientWidth * 0.52),
      choose: (seq) => { const record = records.find((each) => each.seq === seq); if (record?.refused) explain(record); } });
    byId("sequence").replaceChildren(element("div", { class: "head-row" }, heads), body);
    const part = records.length < found.records.length || !found.isWhole ? ", the end of it" : "";
    byId("diagram-source").textContent = `${records.length} records from ${found.source === "reel" ? "the reel" : "memory"}${part}`;
    byId("diagram-whole").hidden = !state.isRecorded || found.source === "reel";
    byId("diagram-save").hidden = !state.isRecorded;
  } catch (error) {
    byId("sequence").replaceChildren();
    byId("diagram-source").textContent = error.message;
  }
  byId("diagram").scrollIntoView({ block: "nearest" });
}

async function explain({ seq, refused, input }) {
  const place = byId("why-told");
  byId("why").hidden = false;
  byId("why-title").textContent = `Why was this refused? Record ${seq}: ${input}, ${refused}`;
  place.replaceChildren(element("p", { class: "quiet" }, "Reading the reel…"));
  try {
    const why = await (await ask(`inspect/why/${seq}`)).json();
    place.replaceChildren(...(why.sentences ?? []).flatMap((sentence) => [
      element("p", {}, sentence.told),
      ...(sentence.advice ? [element("p", { class: "advice" }, sentence.advice)] : []),
    ]), ...(why.told ? [element("p", {}, why.told)] : []));
  } catch (error) {
    place.replaceChildren(element("p", {}, error.message));
  }
  byId("why").scrollIntoView({ block: "nearest" });
}

async function saveCall(of, id, app) {
  showLink("Making the reel…", "live");
  try {
    const answer = await ask(`inspect/reel?${new URLSearchParams({ [of]: id, app })}`);
    const url = URL.createObjectURL(await answer.blob());
    element("a", { href: url, download: "call.reel" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    showLink("Downloaded", "live");
  } catch (error) {
    showLink(error.message, "refused");
  }
}

function begin() {
  const tabs = [...document.querySelectorAll(".tabs button")];
  for (const [place, tab] of tabs.entries()) {
    tab.addEventListener("click", () => { kind = tab.dataset.kind; showRows(); });
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(place + step + tabs.length) % tabs.length];
      kind = next.dataset.kind;
      showRows();
      next.focus();
    });
  }
  byId("search").addEventListener("input", showRows);
  byId("filter").addEventListener("input", showMoves);
  byId("pause").addEventListener("click", () => {
    paused = !paused;
    byId("pause").setAttribute("aria-pressed", String(paused));
    byId("pause").textContent = paused ? "Go on" : "Pause";
    if (!paused) {
      moves.push(...held.splice(0));
      moves.splice(0, Math.max(0, moves.length - MOVES_HELD_MAX));
      showMoves();
    }
  });
  byId("why-close").addEventListener("click", () => { byId("why").hidden = true; });
  byId("diagram-close").addEventListener("click", () => { byId("diagram").hidden = true; open = { session: "" }; });
  byId("diagram-whole").addEventListener("click", () => showSession(open.session, "reel"));
  byId("diagram-save").addEventListener("click", () => saveCall("session", open.session, ""));
  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    key = byId("key").value;
    byId("key").value = "";
    byId("key-form").hidden = true;
    byId("inspector").hidden = false;
    poll();
    listen();
  });
  showRows();
  poll();
  listen();
}

begin();
