/* The sequence diagram of a whole reel: only what is in view is drawn, however long it is. */

import { element, lastNotAfter } from "./dom.js";
import { LINE_PIXELS, Lanes, drawSequence } from "./sequence.js";

const HEIGHT_MAX = 8_000_000; // Browsers draw no element that is much taller; beyond it, scrolling goes faster.

export class RecordList {
  constructor(host, { columns, chunks, choose }) {
    this.host = host;
    this.columns = columns;
    this.chunks = chunks;
    this.choose = choose;
    this.lanes = new Lanes();
    this.shown = null; // places of the records that a filter left; null: all
    this.starts = new Uint32Array(1); // the line that each begins with, and the line behind the last
    this.chosen = 0;
    this.matches = () => false;
    this.heads = element("div", { class: "head-row" });
    this.view = element("div", { class: "view" });
    this.tall = element("div", { class: "tall" }, this.view);
    host.replaceChildren(this.heads, this.tall);
    host.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(host);
  }

  get count() {
    return this.shown === null ? this.columns.count : this.shown.length;
  }

  place(number) {
    return this.shown === null ? number : this.shown[number];
  }

  /** The number, among the shown, of the last record that is not after a place. */
  numberOf(place) {
    return this.shown === null ? Math.min(place, this.count - 1) : lastNotAfter(this.shown, place);
  }

  /** Show these records, after a filter or when more have come. */
  show(shown) {
    this.shown = shown;
    const starts = new Uint32Array(this.count + 1);
    for (let number = 0; number < this.count; number += 1) {
      starts[number + 1] = starts[number] + this.columns.lines[this.place(number)];
    }
    this.starts = starts;
    const height = starts[this.count] * LINE_PIXELS;
    this.scale = Math.max(1, height / HEIGHT_MAX);
    this.tall.style.height = `${Math.min(height, HEIGHT_MAX)}px`;
    this.draw();
  }

  get room() {
    return this.host.clientHeight - this.heads.offsetHeight;
  }

  /** Bring a record into view. */
  reveal(place) {
    this.chosen = place;
    const number = this.numberOf(place);
    if (number >= 0) {
      const top = (this.starts[number] * LINE_PIXELS) / this.scale;
      const bottom = (this.starts[number + 1] * LINE_PIXELS) / this.scale;
      if (top < this.host.scrollTop) this.host.scrollTop = top - this.room / 3;
      else if (bottom > this.host.scrollTop + this.room) this.host.scrollTop = bottom - (this.room * 2) / 3;
    }
    this.draw();
  }

  /** Draw at the next frame; asked twice, it is drawn once. */
  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.drawNow();
    });
  }

  drawNow() {
    const top = this.host.scrollTop * this.scale;
    let number = Math.max(0, lastNotAfter(this.starts, top / LINE_PIXELS));
    const first = number;
    const records = [];
    for (let y = this.starts[first] * LINE_PIXELS; number < this.count && y < top + this.room; number += 1) {
      records.push(this.record(this.place(number)));
      y = this.starts[number + 1] * LINE_PIXELS;
    }
    const wordsWidth = this.host.clientWidth < 640 ? this.host.clientWidth : Math.max(430, this.host.clientWidth * 0.46);
    const { heads, body } = drawSequence(records, {
      lanes: this.lanes,
      width: this.host.clientWidth - wordsWidth,
      chosen: this.columns.seq(this.chosen),
      choose: (seq) => this.choose(seq - this.columns.first),
      matches: (seq) => this.matches(seq - this.columns.first),
    });
    this.heads.replaceChildren(heads);
    this.view.replaceChildren(body);
    this.view.style.transform = `translateY(${this.host.scrollTop - (top - this.starts[first] * LINE_PIXELS)}px)`;
    this.host.toggleAttribute("data-drawn", true);
  }

  record(place) {
    return this.chunks.at(place, () => this.draw()) ?? this.columns.outline(place);
  }
}
