/* Making elements, and telling times and ids. Texts of a reel become text nodes and nothing else. */

const SVG = "http://www.w3.org/2000/svg";

function filled(made, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

/** Make an HTML element: `element("p", { class: "quiet" }, "text", other)`. */
export function element(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** Make an SVG element likewise. */
export function drawn(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

/** Tell a time of the reel, which is in microseconds. */
export function toldTime(microseconds) {
  const seconds = microseconds / 1e6;
  if (seconds < 60) return `${seconds.toFixed(3)} s`;
  const minutes = Math.floor(seconds / 60);
  const rest = (seconds % 60).toFixed(3).padStart(6, "0");
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

/** Shorten an id that is too long for its place, in the middle, where random ids differ least usefully. */
export function shortened(text, length = 18) {
  if (text.length <= length) return text;
  const tail = Math.floor(length / 3);
  return `${text.slice(0, length - tail - 1)}…${text.slice(-tail)}`;
}

/** Shorten a session's id: its beginning, as every command of the debugger shows it, and its end, for ids that count. */
export function shortSession(session) {
  return session.length <= 14 ? session : `${session.slice(0, 8)}…${session.slice(-3)}`;
}

/** Shorten the session in a playback's id to what tells two apart. */
export function shortId(id, length = 26) {
  const slash = id.indexOf("/");
  return shortened(slash > 8 ? `${id.slice(0, 8)}…${id.slice(slash)}` : id, length);
}

/** Give the place of the last entry that is not greater, in a sorted list; -1 when there is none. */
export function lastNotAfter(sorted, value, read = (entry) => entry) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (read(sorted[middle]) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Tell a value of the state in words: fields of a branch with their names, nothing for what is empty. */
export function toldTree(value) {
  if (value === undefined || value === null || value === "") return "nothing";
  if (Array.isArray(value)) return value.length ? value.map(toldTree).join(", ") : "none";
  if (typeof value !== "object") return String(value);
  const fields = Object.entries(value).filter(([, one]) => one !== "" && one !== null && one !== 0 && !(Array.isArray(one) && !one.length));
  return fields.map(([name, one]) => (typeof one === "object" ? `${name} (${toldTree(one)})` : `${name} ${one}`)).join(", ") || "none";
}
