/* The viewer: puts a reel, its list, its bar and its panels together, and moves them all to one record at a time. */

import { ScrubBar } from "./bar.js";
import { Columns } from "./columns.js";
import { element, toldTime } from "./dom.js";
import { RecordList } from "./list.js";
import { MachinePanel } from "./machines.js";
import { showCoverage, showRecord, showReel } from "./panels.js";
import { openSource } from "./source.js";

const PAGE_RECORDS = 20;
const NAMES_OFFERED = 500;
const PANELS = ["record", "machine", "coverage", "reel"];

const byId = (id) => document.getElementById(id);

class Viewer {
  constructor(source, about) {
    this.columns = new Columns(about);
    this.chunks = source.chunks;
    this.chosen = 0;
    this.panel = "record";
    this.found = null;
    const go = (place = this.chosen) => this.go(place);
    this.list = new RecordList(byId("sequence"), { columns: this.columns, chunks: source.chunks, choose: go });
    this.bar = new ScrubBar(byId("bar"), { columns: this.columns, total: about.records, go });
    this.machine = new MachinePanel(byId("panel-machine"), { columns: this.columns, chunks: source.chunks, go });
    byId("name").textContent = about.name + (about.redacted ? " (redacted)" : "");
    document.title = `${about.name} – Signalreel`;
    this.listen();
  }

  // ---- reading

  async read(source) {
    try {
      for await (const part of source.parts()) {
        if (part.damaged) {
          this.damaged = part.damaged;
          break;
        }
        this.columns.add(part);
        this.refilter();
        this.bar.draw();
        byId("state").textContent = this.columns.count < this.columns.about.records ? `reading: ${this.columns.count} of ${this.columns.about.records}` : "";
        if (!this.begun && this.columns.count > 0) {
          this.begun = true;
          this.go(this.wished());
        } else if (this.waitsFor !== undefined && this.waitsFor < this.columns.count) this.go(this.waitsFor);
        await new Promise((resolve) => setTimeout(resolve));
      }
    } catch (error) {
      this.damaged = String(error.message ?? error);
    }
    byId("state").textContent = this.damaged ?? (this.columns.count === 0 ? "the reel is empty" : "");
    this.bar.total = Math.max(1, this.columns.count);
    this.bar.draw();
    this.offerNames();
    if (this.columns.count > 0) this.go(this.chosen);
    document.documentElement.dataset.read = String(this.columns.count);
  }

  /** The record that the address asks for: `#812`. */
  wished() {
    const seq = Number(location.hash.slice(1));
    return Number.isInteger(seq) && seq > 0 ? seq - this.columns.first : 0;
  }

  offerNames() {
    const { columns } = this;
    const sessions = [...new Set(columns.sessions)].filter((number) => number > 0).slice(0, NAMES_OFFERED);
    byId("sessions").replaceChildren(...sessions.map((number) => element("option", { value: columns.name(number) })));
    const machines = [...new Set(columns.lives.map((life) => `${life.kind} ${life.app}/${life.id}`))].slice(0, NAMES_OFFERED);
    byId("machines").replaceChildren(...machines.map((name) => element("option", { value: name })));
    const inputs = [...new Set(columns.inputs)].map((number) => columns.name(number)).sort();
    byId("of-input").replaceChildren(element("option", { value: "" }, "any"), ...inputs.map((name) => element("option", { value: name }, name.split(" ")[1])));
  }

  // ---- going

  async go(place) {
    const { columns } = this;
    if (columns.count === 0) return;
    const chosen = Math.min(Math.max(0, place), columns.count - 1);
    this.waitsFor = place > chosen && place < columns.about.records ? place : undefined; // It has not been read yet.
    this.chosen = chosen;
    this.bar.place(chosen);
    this.list.reveal(chosen);
    byId("where").replaceChildren("record ", element("b", {}, String(columns.seq(chosen))), ` of ${columns.first + columns.about.records - 1} · ${toldTime(columns.times[chosen])}`);
    const asked = performance.now();
    const record = await this.chunks.get(chosen).catch((error) => ({ error }));
    if (this.chosen !== chosen) return;
    if (record?.error) byId("state").textContent = String(record.error.message);
    else this.showPanel(record);
    document.documentElement.dataset.shown = String(columns.seq(chosen));
    document.documentElement.dataset.shownMs = (performance.now() - asked).toFixed(1);
  }

  showPanel(record) {
    const { columns, chosen } = this;
    const host = byId(`panel-${this.panel}`);
    if (this.panel === "record") {
      showRecord(host, record, { columns, place: chosen, go: (place) => this.go(place), look: (life) => this.look(life) });
    } else if (this.panel === "machine") {
      this.machine.show(chosen);
    }
  }

  /** Look at a machine in its panel. */
  look(life) {
    this.machine.choose(life);
    this.openPanel("machine");
  }

  openPanel(name) {
    this.panel = name;
    for (const one of PANELS) {
      const tab = byId(`tab-${one}`);
      tab.setAttribute("aria-selected", String(one === name));
      tab.tabIndex = one === name ? 0 : -1;
      byId(`panel-${one}`).hidden = one !== name;
    }
    if (name === "coverage") showCoverage(byId("panel-coverage"), this.columns);
    else if (name === "reel") showReel(byId("panel-reel"), this.columns, { damaged: this.damaged });
    else this.go(this.chosen);
  }

  /** Go so many records on or back, among those that are shown. */
  step(by) {
    const number = this.list.numberOf(this.chosen);
    const onIt = number >= 0 && this.list.place(number) === this.chosen;
    const target = onIt || by < 0 ? number + by + (onIt ? 0 : 1) : number + by;
    if (this.list.count > 0) this.go(this.list.place(Math.min(Math.max(0, target), this.list.count - 1)));
  }

  /** Go to the next record that passes a test, or the one before; round and round. */
  next(test, by) {
    const { list } = this;
    const from = list.numberOf(this.chosen);
    for (let tried = 1; tried <= list.count; tried += 1) {
      const number = (((from + tried * by) % list.count) + list.count) % list.count;
      if (test(list.place(number))) {
        this.go(list.place(number));
        return true;
      }
    }
    return false;
  }

  // ---- searching and filtering

  refilter() {
    this.list.show(this.columns.filtered(this.wanted()));
    const { count } = this.list;
    byId("found").textContent = this.list.shown === null ? "" : `${count} ${count === 1 ? "record" : "records"}`;
  }

  wanted() {
    return { session: byId("of-session").value.trim(), machine: byId("of-machine").value.trim(), input: byId("of-input").value, only: byId("only").value };
  }

  search(by) {
    const text = byId("search").value.trim();
    if (!text) return;
    if (/^\d+$/.test(text)) {
      this.go(Number(text) - this.columns.first);
      return;
    }
    byId("search").classList.toggle("missed", !this.next(this.columns.search(text), by));
  }

  mark() {
    const text = byId("search").value.trim();
    byId("search").classList.remove("missed");
    this.list.matches = text && !/^\d+$/.test(text) ? this.columns.search(text) : () => false;
    this.list.draw();
  }

  // ---- listening

  listen() {
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("filters").addEventListener("reset", () => setTimeout(() => {
      this.mark();
      this.refilter();
      this.go(this.chosen);
    }));
    for (const id of ["of-session", "of-machine"]) byId(id).addEventListener("input", () => this.picked());
    for (const id of ["of-input", "only"]) byId(id).addEventListener("change", () => this.picked());
    byId("search").addEventListener("input", () => this.mark());
    byId("search").addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.search(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") byId("sequence").focus();
    });
    for (const name of PANELS) byId(`tab-${name}`).addEventListener("click", () => this.openPanel(name));
    document.addEventListener("keydown", (event) => this.key(event));
  }

  picked() {
    this.refilter();
    const number = this.list.numberOf(this.chosen);
    if (this.list.count > 0) this.go(this.list.place(Math.max(0, number)));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    const onTab = event.target.closest('[role="tab"]');
    if (onTab && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
      const by = event.key === "ArrowRight" ? 1 : PANELS.length - 1;
      const name = PANELS[(PANELS.indexOf(this.panel) + by) % PANELS.length];
      this.openPanel(name);
      byId(`tab-${name}`).focus();
      event.preventDefault();
      return;
    }
    const refused = (place) => this.columns.refused[place] > 0;
    const keys = {
      ArrowDown: () => this.step(1),
      ArrowRight: () => this.step(1),
      ArrowUp: () => this.step(-1),
      ArrowLeft: () => this.step(-1),
      PageDown: () => this.step(PAGE_RECORDS),
      PageUp: () => this.step(-PAGE_RECORDS),
      Home: () => this.step(-this.columns.count),
      End: () => this.step(this.columns.count),
      "/": () => {
        byId("search").focus();
        byId("search").select();
      },
      r: () => this.next(refused, 1),
      R: () => this.next(refused, -1),
      1: () => this.openPanel("record"),
      2: () => this.openPanel("machine"),
      3: () => this.openPanel("coverage"),
      4: () => this.openPanel("reel"),
    };
    const act = keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  }
}

async function openViewer() {
  try {
    const source = openSource();
    const viewer = new Viewer(source, await source.about());
    await viewer.read(source);
  } catch (error) {
    byId("state").textContent = `cannot be shown: ${error.message}`;
  }
}

openViewer();
