/* What is told beside the sequence: one record in full, what of the tables was seen, and the reel itself. */

import { element, shortId, shortSession, shortened, toldTime, toldTree } from "./dom.js";

const EARLIER_LISTED = 5;

function section(title, ...children) {
  return children.length ? [element("h3", {}, title), ...children] : [];
}

function changeLine(change) {
  const [kind, name, ...path] = change.path;
  const short = name?.includes("/") ? name.slice(name.indexOf("/") + 1) : name;
  const place = element("td", {}, element("span", { class: `kind ${kind}` }, kind), " ", element("span", { title: name }, shortId(short ?? "", 24)), path.length ? element("b", {}, ` ${path.join(".")}`) : null);
  const before = change.before === undefined ? element("td", { class: "quiet" }, "is new") : element("td", { class: "before" }, shortened(toldTree(change.before), 160));
  const after = change.after === undefined ? element("td", { class: "quiet" }, "is gone") : element("td", { class: "after" }, shortened(toldTree(change.after), 160));
  return element("tr", {}, place, before, after);
}

function rowLine(row) {
  const cell = row.kind === "route" ? "no machine" : `${row.kind} ${row.state} × ${row.input} row ${row.row}`;
  return element("li", {}, element("code", {}, cell), ": ", element("b", {}, row.what || "nothing more"), row.machine ? element("span", { class: "quiet", title: row.machine }, ` ${shortId(row.machine)}`) : null);
}

function isChange(row) {
  return row.state !== row.next;
}

/** What brought the machines of a record where it found them: their last transitions before it. */
function earlier(columns, place, go) {
  const seq = columns.seq(place);
  return columns.touched[place].slice(0, 4).flatMap((number) => {
    const life = columns.lives[number];
    const before = columns.movesOf[number].filter((move) => columns.moveSeqs[move] < seq);
    const changed = before.filter((move) => isChange(columns.about.rows[columns.moveRows[move]]));
    const moves = (changed.length ? changed : before).slice(-EARLIER_LISTED);
    if (!moves.length) return [];
    const list = element("ol", { class: "history" });
    for (const move of moves) {
      const row = columns.about.rows[columns.moveRows[move]];
      const at = columns.moveSeqs[move];
      const cause = columns.input(at - columns.first);
      const session = columns.name(columns.sessions[at - columns.first]);
      list.append(
        element("li", {}, element("button", { class: "link", onclick: () => go(at - columns.first) }, String(at)), " ",
          element("b", {}, row.state === row.next ? `stays ${row.next}` : `${row.state} → ${row.next}`),
          ` by ${cause.input}`, session ? ` of ${shortSession(session)}` : ` (${cause.origin})`),
      );
    }
    return [element("p", { class: "of" }, element("span", { class: `kind ${life.kind}` }, life.kind), " ", element("span", { title: life.id }, shortId(life.id))), list];
  });
}

/** Tell one record in full. */
export function showRecord(host, record, { columns, place, go, look }) {
  const divergence = record.divergence;
  const machines = columns.touched[place].slice(0, 12).map((number) => {
    const life = columns.lives[number];
    return element("button", { class: `chip ${life.kind}`, title: `${life.app}/${life.id}`, onclick: () => look(number) }, `${life.kind} ${shortId(life.id)}`, element("small", {}, columns.stateAt(number, record.seq)));
  });
  host.replaceChildren(
    element("h2", {}, `${record.seq} `, element("span", { class: "input" }, record.input), " ", element("span", { class: "about" }, (record.about ?? []).join("  "))),
    element("p", { class: "quiet" }, `at ${toldTime(record.time)}, by ${record.origin}`, record.session ? element("span", {}, " ", element("code", {}, record.session)) : null),
    ...(record.refused ? [element("p", { class: "banner refused" }, "refused: ", element("b", {}, record.refused))] : []),
    ...(divergence
      ? [element("div", { class: "banner diverged" }, element("b", {}, `diverged: ${divergence.what}`), element("dl", { class: "fields" }, element("dt", {}, "recorded"), element("dd", {}, divergence.recorded), element("dt", {}, "computed"), element("dd", {}, divergence.computed)))]
      : []),
    ...section("Machines", ...(machines.length ? [element("p", { class: "chips" }, ...machines)] : [])),
    ...section("Rows that fired", ...(record.rows?.length ? [element("ul", { class: "rows" }, ...record.rows.map(rowLine))] : [])),
    ...section("What changed", ...(record.changes?.length ? [element("table", { class: "changes" }, element("tbody", {}, ...record.changes.map(changeLine)))] : [])),
    ...section("Messages", ...(record.messages?.length ? [element("ul", {}, ...record.messages.map((message) => element("li", {}, element("code", { title: message.session }, shortSession(message.session)), ` ${message.what}`)))] : [])),
    ...section("Notes", ...(record.notes?.length ? [element("ul", { class: "notes" }, ...record.notes.map((note) => element("li", {}, note.what, note.session ? element("code", {}, ` ${shortSession(note.session)}`) : null)))] : [])),
    ...section("How it came to this", ...earlier(columns, place, go)),
    ...(record.leftOut ? [element("p", { class: "quiet" }, `${record.leftOut} more rows, transitions and messages are not listed.`)] : []),
  );
}

/** Show which cells of the tables were seen in this reel, and how often. */
export function showCoverage(host, columns) {
  const fired = columns.rowsFired();
  const cells = new Map();
  for (const [number, row] of columns.about.rows.entries()) {
    const name = `${row.kind} ${row.input} ${row.state}`;
    const cell = cells.get(name) ?? { count: 0, rows: 0, seen: 0, unreachable: true };
    cell.count += fired[number];
    cell.rows += 1;
    cell.seen += fired[number] > 0 ? 1 : 0;
    cell.unreachable &&= row.isUnreachable;
    cells.set(name, cell);
  }
  const pieces = Object.entries(columns.about.kinds).flatMap(([kind, { states, finals }]) => {
    const living = states.filter((state) => !finals.includes(state));
    const inputs = [...new Set(columns.about.rows.filter((row) => row.kind === kind).map((row) => row.input))];
    const own = [...cells].filter(([name, cell]) => name.startsWith(`${kind} `) && !cell.unreachable);
    const seen = own.filter(([, cell]) => cell.count > 0).length;
    const body = inputs.map((input) =>
      element("tr", {}, element("th", { scope: "row" }, input), ...living.map((state) => {
        const cell = cells.get(`${kind} ${input} ${state}`);
        const sort = cell.count ? (cell.seen < cell.rows ? "some" : "seen") : cell.unreachable ? "cannot" : "never";
        return element("td", { class: sort, title: `${cell.seen} of ${cell.rows} rows` }, cell.count ? String(cell.count) : "");
      })));
    return [
      element("h3", {}, `${kind}: ${seen} of ${own.length} cells (${Math.round((100 * seen) / own.length)} %)`),
      element("table", { class: "coverage" }, element("thead", {}, element("tr", {}, element("td", {}), ...living.map((state) => element("th", { scope: "col" }, element("span", {}, state))))), element("tbody", {}, ...body)),
    ];
  });
  host.replaceChildren(element("p", { class: "quiet" }, "How often each input met each state. Pale: some of the cell's rows; hatched: nothing reaches it."), ...pieces);
}

/** Say what the reel is. */
export function showReel(host, columns, { damaged } = {}) {
  const { about } = columns;
  const refusals = new Map();
  for (const number of columns.refused) if (number) refusals.set(columns.name(number), (refusals.get(columns.name(number)) ?? 0) + 1);
  const facts = [
    ["reel", about.name],
    ["records", `${columns.count} read of ${about.records}, from ${about.first} on`],
    ["lasts", toldTime(columns.times.at(-1) ?? 0)],
    ["began", about.startedAt ? new Date(about.startedAt / 1000).toISOString() : "not said"],
    ["engine", about.engineVersion],
    ["shown", about.redacted ? "redacted: names and addresses are replaced" : "as recorded, without descriptions, candidates and tokens"],
  ];
  host.replaceChildren(
    element("dl", { class: "fields" }, ...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))])),
    ...(damaged ? [element("p", { class: "banner refused" }, damaged)] : []),
    ...section("Refusals", ...(refusals.size ? [element("ul", {}, ...[...refusals].sort((one, other) => other[1] - one[1]).map(([name, count]) => element("li", {}, `${count} × `, element("code", {}, name))))] : [])),
    element("h3", {}, "Keys"),
    element("dl", { class: "fields" }, ...[
      ["← → ↑ ↓", "the record before, the next"],
      ["PgUp PgDn", "twenty records"],
      ["Home End", "the first, the last"],
      ["/", "search; Enter goes to the next, Shift+Enter to the one before"],
      ["r, R", "the next refusal, the one before"],
      ["1 – 4", "the panels"],
    ].flatMap(([key, what]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, what)])),
  );
}
