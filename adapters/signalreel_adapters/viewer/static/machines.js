/* The picture of a machine with its state lit, its history, and its fields. The pictures are the server's own SVG. */

import { element, shortId, toldTime, toldTree } from "./dom.js";

const LIVES_LISTED = 40;

/** Light a picture: the current state, the ways taken with how often, and the way of the record in view. */
export function litPicture(svg, { current = "", taken = new Map(), now = [] } = {}) {
  const picture = document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true);
  for (const state of picture.querySelectorAll(".state")) {
    state.classList.toggle("current", state.dataset.state === current);
  }
  for (const way of picture.querySelectorAll(".way")) {
    const name = `${way.dataset.source} ${way.dataset.target}`;
    const count = taken.get(name) ?? 0;
    way.classList.toggle("taken", count > 0);
    way.classList.toggle("now", now.includes(name));
    way.querySelector(".count").textContent = count > 0 ? `×${count}` : "";
  }
  return picture;
}

function fieldsOf(fields) {
  const shown = Object.entries(fields).filter(([, value]) => value !== "" && value !== 0 && value !== null && !(Array.isArray(value) && value.length === 0));
  return element("dl", { class: "fields" }, ...shown.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, toldTree(value))]));
}

/** The last told state of a life at a record: found in the last record that concerned and changed it. */
async function stateOf(columns, chunks, life, place) {
  const about = columns.lives[life];
  const places = columns.placesOf[life];
  for (let at = places.length - 1; at >= 0; at -= 1) {
    if (places[at] > place) continue;
    const record = await chunks.get(places[at]);
    const state = (record.states ?? []).find((one) => one.kind === about.kind && one.app === about.app && one.id === about.id);
    if (state) return state.fields;
  }
  return null;
}

export class MachinePanel {
  constructor(host, { columns, chunks, go }) {
    this.host = host;
    this.columns = columns;
    this.chunks = chunks;
    this.go = go;
    this.life = undefined;
    this.whole = false;
  }

  /** Look at a life until another is chosen. */
  choose(life) {
    this.life = life;
  }

  /** Show the chosen machine, or the first one that the record concerns, as it is after the record. */
  async show(place) {
    const { columns } = this;
    const concerned = columns.touched[place] ?? [];
    if (this.life === undefined || (concerned.length > 0 && !concerned.includes(this.life) && !this.kept)) this.life = concerned[0] ?? this.life;
    if (this.life === undefined) {
      this.host.replaceChildren(element("p", { class: "quiet" }, "This record concerns no machine."));
      return;
    }
    const life = columns.lives[this.life];
    const seq = columns.seq(place);
    const current = columns.stateAt(this.life, seq);
    const now = columns.movesOf[this.life].filter((move) => columns.moveSeqs[move] === seq).map((move) => this.way(move));
    const taken = columns.waysTaken(life.kind, seq, this.whole ? undefined : this.life);
    const holder = element("div", { class: "fields-of" });
    this.host.replaceChildren(
      this.chooser(concerned),
      element("p", { class: "state-line" }, "after record ", element("b", {}, String(seq)), ": ", element("b", { class: "state-name" }, current || "not there yet")),
      element("div", { class: "picture" }, litPicture(columns.about.kinds[life.kind].svg, { current, taken, now })),
      this.counting(life.kind),
      element("h3", {}, "Its fields"),
      holder,
      element("h3", {}, "Its history"),
      this.history(seq),
    );
    const shown = (this.asked = {});
    const fields = await stateOf(columns, this.chunks, this.life, place).catch(() => null);
    if (this.asked === shown) holder.replaceChildren(fields ? fieldsOf(fields) : element("p", { class: "quiet" }, "No record up to here changed it."));
  }

  way(move) {
    const row = this.columns.about.rows[this.columns.moveRows[move]];
    return `${row.state} ${row.next}`;
  }

  chooser(concerned) {
    const { lives } = this.columns;
    const listed = [...new Set([this.life, ...concerned])].slice(0, LIVES_LISTED);
    const select = element("select", {
      "aria-label": "Machine",
      onchange: (event) => {
        this.life = Number(event.target.value);
        this.go();
      },
    });
    for (const number of listed) {
      const life = lives[number];
      select.append(element("option", { value: String(number), selected: number === this.life }, `${life.kind} ${life.app}/${shortId(life.id, 40)} (since ${life.born})`));
    }
    const keep = element("input", {
      type: "checkbox",
      onchange: (event) => {
        this.kept = event.target.checked;
      },
    });
    keep.checked = this.kept === true;
    return element("p", { class: "chooser" }, select, element("label", {}, keep, " keep it in view"));
  }

  counting(kind) {
    const box = element("input", {
      type: "checkbox",
      onchange: (event) => {
        this.whole = event.target.checked;
        this.go();
      },
    });
    box.checked = this.whole;
    return element("p", {}, element("label", {}, box, ` count every ${kind} of the reel up to here`));
  }

  history(seq) {
    const { columns } = this;
    const list = element("ol", { class: "history" });
    for (const move of columns.movesOf[this.life].slice(0, 500)) {
      const row = columns.about.rows[columns.moveRows[move]];
      const at = columns.moveSeqs[move];
      const change = row.state === row.next ? `stays ${row.next}` : `${row.state} → ${row.next}`;
      list.append(
        element("li", { class: at === seq ? "now" : at > seq ? "later" : "" },
          element("button", { class: "link", onclick: () => this.go(at - columns.first) }, String(at)),
          ` ${toldTime(columns.times[at - columns.first] ?? 0)} `, element("b", {}, change), ` ${row.input}`),
      );
    }
    return list;
  }
}
