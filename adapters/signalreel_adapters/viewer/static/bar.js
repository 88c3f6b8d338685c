/* The scrub bar: the whole reel in one line, with how busy it was, and marks for refusals, divergences and notes. */

import { DIVERGED, NOTED } from "./columns.js";
import { element } from "./dom.js";

const MARKS = [
  ["--refuse", "refused"],
  ["--note", "noted"],
  ["--diverge", "diverged"],
];

export class ScrubBar {
  constructor(host, { columns, total, go }) {
    this.host = host;
    this.canvas = host.querySelector("canvas");
    this.columns = columns;
    this.total = total;
    this.go = go;
    this.chosen = 0;
    this.handle = element("div", { class: "handle" });
    host.append(this.handle);
    host.setAttribute("aria-valuemax", String(columns.first + total - 1));
    host.addEventListener("pointerdown", (event) => {
      host.setPointerCapture(event.pointerId);
      this.point(event);
    });
    host.addEventListener("pointermove", (event) => {
      if (host.hasPointerCapture(event.pointerId)) this.point(event);
    });
    new ResizeObserver(() => this.draw()).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  point(event) {
    const { left, width } = this.host.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - left) / width));
    this.go(Math.round(share * (this.total - 1)));
  }

  /** Show where one is. */
  place(chosen) {
    this.chosen = chosen;
    this.handle.style.left = `${(100 * chosen) / Math.max(1, this.total - 1)}%`;
    this.host.setAttribute("aria-valuenow", String(this.columns.seq(chosen)));
  }

  /** Draw everything but the handle: when more records have come, or the bar has another size. */
  draw() {
    const { clientWidth: width, clientHeight: height } = this.host;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(this.host);
    const buckets = this.buckets(Math.max(1, Math.floor(width)));
    const most = Math.max(1, ...buckets.lines);
    pen.fillStyle = style.getPropertyValue("--bar");
    for (let x = 0; x < width; x += 1) {
      const tall = ((height - 12) * buckets.lines[x]) / most;
      pen.fillRect(x, height - 2 - tall, 1, tall);
    }
    for (const [colour, mark] of MARKS) {
      pen.fillStyle = style.getPropertyValue(colour);
      for (let x = 0; x < width; x += 1) if (buckets[mark][x]) pen.fillRect(x - 1, 0, 2.5, 9);
    }
    pen.fillStyle = style.getPropertyValue("--unread");
    const read = (width * this.columns.count) / Math.max(1, this.total);
    pen.fillRect(read, 0, width - read, height);
  }

  buckets(width) {
    const found = { lines: new Array(width).fill(0) };
    for (const [, mark] of MARKS) found[mark] = new Array(width).fill(0);
    const { count, lines, refused, flags } = this.columns;
    for (let place = 0; place < count; place += 1) {
      const x = Math.min(width - 1, Math.floor((place * width) / this.total));
      found.lines[x] += lines[place];
      if (refused[place] > 0) found.refused[x] = 1;
      if (flags[place] & DIVERGED) found.diverged[x] = 1;
      if (flags[place] & NOTED) found.noted[x] = 1;
    }
    if (this.total < width) {
      // Fewer records than pixels: each fills its own stretch.
      found.lines = found.lines.map((_, x) => lines[Math.floor((x * this.total) / width)] ?? 0);
    }
    return found;
  }
}
