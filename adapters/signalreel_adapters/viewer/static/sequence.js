/* The sequence diagram: one line for each record and for everything it caused, in words on the left, and on the right
 * the same as arrows between lifelines: sessions, the server, machines. A list of told records is drawn as it is given;
 * whoever has a long one gives what is in view. Lifelines keep their place for as long as they are in view. */

import { drawn, element, shortId, shortSession, shortened, toldTime } from "./dom.js";

export const LINE_PIXELS = 22;
export const RECORD_LINES_MAX = 12;

const WIDE_LANE = 74;
const NARROW_LANE = 15;
const LANE_MAX = 132;
const HEAD_PIXELS = 96;
const SERVER_LANE = 64;

/** Where each session and machine has its lifeline. */
export class Lanes {
  constructor() {
    this.sessions = [];
    this.machines = [];
  }

  /** Give those that are in view a lane, and free the lanes of the others. */
  settle(records) {
    const sessions = new Set();
    const machines = new Set();
    for (const record of records) {
      if (record.session) sessions.add(record.session);
      for (const message of record.messages ?? []) sessions.add(message.session);
      for (const move of record.transitions ?? []) machines.add(laneOf(move.kind, move.id));
    }
    Lanes.seat(this.sessions, sessions);
    Lanes.seat(this.machines, machines);
  }

  static seat(lanes, wanted) {
    for (const [place, name] of lanes.entries()) {
      if (wanted.has(name)) wanted.delete(name);
      else lanes[place] = null;
    }
    for (const name of wanted) {
      const free = lanes.indexOf(null);
      if (free < 0) lanes.push(name);
      else lanes[free] = name;
    }
    while (lanes.length > 0 && lanes.at(-1) === null) lanes.pop();
  }
}

function laneOf(kind, id) {
  return `${kind} ${id}`;
}

/** The lines of one record: its input, then what it caused, cut where there is too much. */
function linesOf(record) {
  const lines = [{ sort: "input", record }];
  for (const move of record.transitions ?? []) lines.push({ sort: "transition", record, move });
  for (const message of record.messages ?? []) lines.push({ sort: "message", record, message });
  const all = Math.max(lines.length, record.lines ?? 0);
  while (lines.length < Math.min(all, RECORD_LINES_MAX)) lines.push({ sort: "coming", record });
  if (lines.length > RECORD_LINES_MAX) {
    const left = lines.length - RECORD_LINES_MAX + 1 + (record.leftOut ?? 0);
    lines.splice(RECORD_LINES_MAX - 1, lines.length, { sort: "more", record, left });
  }
  return lines;
}

function wordsOf(line) {
  const { record } = line;
  switch (line.sort) {
    case "input":
      return [
        element("span", { class: "seq" }, String(record.seq)),
        element("span", { class: "time" }, toldTime(record.time)),
        element("span", { class: `who ${record.origin}`, title: record.session }, record.session ? shortSession(record.session) : record.origin),
        element("span", { class: "input" }, record.input),
        element("span", { class: "about" }, (record.about ?? []).join("  ")),
        record.refused ? element("span", { class: "refused" }, record.refused) : null,
        record.divergence ? element("span", { class: "diverged" }, "diverged") : null,
        record.notes?.length ? element("span", { class: "noted" }, record.notes.map((note) => note.what).join(", ")) : null,
      ];
    case "transition": {
      const { move } = line;
      return [
        element("span", { class: `kind ${move.kind}` }, move.kind),
        element("span", { class: "id", title: `${move.app}/${move.id}` }, shortId(move.id)),
        element("span", { class: "move" }, move.source === move.target ? `stays ${move.target}` : `${move.source} → ${move.target}`),
      ];
    }
    case "message":
      return [
        element("span", { class: "to", title: line.message.session }, `to ${shortSession(line.message.session)}`),
        element("span", { class: "what" }, line.message.what),
      ];
    case "more":
      return [element("span", { class: "quiet" }, `and ${line.left} more`)];
    default:
      return [element("span", { class: "quiet" }, "…")];
  }
}

function arrow(from, to, y, sort) {
  const towards = to > from ? 1 : -1;
  const tip = to - towards * 2;
  return [
    drawn("path", { class: `arrow ${sort}`, d: `M${from} ${y}H${tip - towards * 5}` }),
    drawn("polygon", { class: `tip ${sort}`, points: `${tip},${y} ${tip - towards * 7},${y - 3.5} ${tip - towards * 7},${y + 3.5}` }),
  ];
}

function label(text, from, to, y) {
  const room = Math.floor((Math.abs(to - from) - 14) / 5.6);
  if (room < 4) return [];
  return [drawn("text", { class: "label", x: (from + to) / 2, y: y - 4, "text-anchor": "middle" }, shortened(text, room))];
}

function drawLine(line, y, at) {
  const { record } = line;
  const middle = y + LINE_PIXELS / 2 + 3;
  if (line.sort === "input") {
    const refused = record.refused ? "refused" : "";
    if (record.session && record.origin === "client") {
      const from = at.session(record.session);
      return [...arrow(from, at.server, middle, `asks ${refused}`), ...label(record.input, from, at.server, middle)];
    }
    return [
      drawn("circle", { class: `spot ${record.origin} ${refused}`, cx: at.server, cy: middle, r: 4 }),
      ...label(record.input, at.server, at.server - 90, middle),
    ];
  }
  if (line.sort === "transition") {
    const { move } = line;
    const x = at.machine(laneOf(move.kind, move.id));
    const stays = move.source === move.target;
    return [
      drawn("path", { class: "concerns", d: `M${at.server} ${middle}H${x}` }),
      drawn("circle", { class: `state ${move.kind}`, cx: x, cy: middle, r: stays ? 3 : 5 }),
      ...(stays ? [] : label(move.target, at.server, x, middle)),
    ];
  }
  if (line.sort === "message") {
    const to = at.session(line.message.session);
    const sort = line.message.what.startsWith("error") ? "tells refused" : "tells";
    return [...arrow(at.server, to, middle, sort), ...label(line.message.what, at.server, to, middle)];
  }
  return [];
}

function head(x, text, lane, sort) {
  const room = lane >= WIDE_LANE ? Math.floor(lane / 6.4) : 13;
  const name = sort === "session" ? shortened(shortSession(text), room) : shortId(text, room);
  const turned = lane >= WIDE_LANE ? {} : { transform: `rotate(-90 ${x} ${HEAD_PIXELS - 8})` };
  const anchor = lane >= WIDE_LANE ? "middle" : "start";
  const place = lane >= WIDE_LANE ? { x, y: HEAD_PIXELS - 10 } : { x: x + 2, y: HEAD_PIXELS - 5 };
  return drawn("text", { class: `head ${sort}`, "text-anchor": anchor, ...place, ...turned }, drawn("title", {}, text), name);
}

function places(lanes, width) {
  const count = lanes.sessions.length + lanes.machines.length;
  const lane = Math.max(NARROW_LANE, Math.min(LANE_MAX, (width - SERVER_LANE) / Math.max(1, count)));
  const server = lanes.sessions.length * lane + SERVER_LANE / 2;
  return {
    lane,
    server,
    width: Math.max(width, count * lane + SERVER_LANE),
    session: (name) => (lanes.sessions.indexOf(name) + 0.5) * lane,
    machine: (name) => server + SERVER_LANE / 2 + (lanes.machines.indexOf(name) + 0.5) * lane,
  };
}

function headsOf(lanes, at) {
  const heads = drawn("svg", { class: "heads", width: at.width, height: HEAD_PIXELS, "aria-hidden": "true" });
  for (const name of lanes.sessions) if (name) heads.append(head(at.session(name), name, at.lane, "session"));
  heads.append(drawn("text", { class: "head server", "text-anchor": "middle", x: at.server, y: HEAD_PIXELS - 10 }, "server"));
  for (const name of lanes.machines) {
    if (!name) continue;
    const [kind] = name.split(" ", 1);
    heads.append(head(at.machine(name), name.slice(kind.length + 1), at.lane, kind));
  }
  return heads;
}

function lifelines(lanes, at, height) {
  const line = (x, sort) => drawn("path", { class: `lifeline ${sort}`, d: `M${x} 0V${height}` });
  return [
    ...lanes.sessions.filter(Boolean).map((name) => line(at.session(name), "session")),
    line(at.server, "server"),
    ...lanes.machines.filter(Boolean).map((name) => line(at.machine(name), name.split(" ", 1)[0])),
  ];
}

/** Draw records, one below the other. Gives `{ heads, body }`; `width` is what there is for the lifelines.
 *  `chosen` is a seq; `choose(seq)` is called when a record is clicked. */
export function drawSequence(records, { lanes = new Lanes(), width = 600, chosen, choose = () => {}, matches = () => false } = {}) {
  lanes.settle(records);
  const at = places(lanes, width);
  const words = element("div", { class: "words" });
  const marks = [];
  let y = 0;
  for (const record of records) {
    const lines = linesOf(record);
    const row = element("div", {
      class: `record${record.seq === chosen ? " chosen" : ""}${record.refused ? " is-refused" : ""}${record.divergence ? " is-diverged" : ""}${matches(record.seq) ? " matches" : ""}`,
      "data-seq": record.seq,
      onclick: () => choose(record.seq),
    });
    if (record.seq === chosen) marks.unshift(drawn("rect", { class: "chosen", x: 0, y, width: at.width, height: lines.length * LINE_PIXELS }));
    for (const line of lines) {
      row.append(element("div", { class: `line ${line.sort}` }, ...wordsOf(line)));
      marks.push(...drawLine(line, y, at));
      y += LINE_PIXELS;
    }
    words.append(row);
  }
  const picture = drawn("svg", { class: "lifelines", width: at.width, height: y, "aria-hidden": "true" });
  picture.append(...lifelines(lanes, at, y), ...marks);
  return { heads: headsOf(lanes, at), body: element("div", { class: "drawn" }, words, picture) };
}
