/* Where a reel comes from: asked of the server that serves this page, or read out of the page itself. Both give the
 * same: what the reel is, its columns in parts, and chunks of records told in full. */

const CHUNK = 200;
const KEPT_CHUNKS = 60;

class Chunks {
  constructor(load) {
    this.load = load;
    this.kept = new Map();
  }

  /** Give a record if it is there, and have it fetched if it is not; `then` is called when it has come. */
  at(place, then) {
    const number = Math.floor(place / CHUNK);
    const chunk = this.kept.get(number);
    if (Array.isArray(chunk)) return chunk[place - number * CHUNK];
    if (chunk === undefined) {
      const coming = this.load(number).then((records) => {
        this.kept.set(number, records);
        this.forget(number);
        return records;
      });
      coming.catch(() => this.kept.delete(number));
      this.kept.set(number, coming);
    }
    if (then) this.kept.get(number).then(then, () => {});
    return undefined;
  }

  /** Give a record once it is there. */
  async get(place) {
    const found = this.at(place);
    if (found) return found;
    const number = Math.floor(place / CHUNK);
    const records = await this.kept.get(number);
    return records[place - number * CHUNK];
  }

  forget(newest) {
    for (const number of this.kept.keys()) {
      if (this.kept.size <= KEPT_CHUNKS) return;
      if (number !== newest && Array.isArray(this.kept.get(number))) this.kept.delete(number);
    }
  }
}

async function asked(path) {
  const response = await fetch(path, { cache: "no-store" });
  if (response.status === 204) return null;
  if (!response.ok) throw new Error((await response.json().catch(() => ({}))).error ?? `the server answers ${response.status}`);
  return response.json();
}

function servedSource() {
  return {
    about: () => asked("about"),
    async *parts() {
      for (let number = 0; ; number += 1) {
        const part = await asked(`parts/${number}`);
        if (part === null) return;
        yield part;
      }
    },
    chunks: new Chunks((number) => asked(`records/${number}`)),
  };
}

async function unpacked(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

function embeddedSource() {
  return {
    about: () => unpacked("data-about"),
    async *parts() {
      yield* await unpacked("data-parts");
    },
    chunks: new Chunks((number) => unpacked(`data-records-${number}`)),
  };
}

/** Find out where the reel of this page comes from. */
export function openSource() {
  return document.getElementById("data-about") ? embeddedSource() : servedSource();
}
