/**
 * A worker that ticks. Browsers slow the timers of a page nobody looks at down to one a second, but not a worker's, and
 * the test picture has to go on moving in a tab behind another one.
 *
 * @module ticker
 */

self.addEventListener("message", ({ data }) => setInterval(() => self.postMessage(null), data));
