/* A reel in memory: its columns, what was learnt from them, and which records a question picks. A record's place is its
 * number in the columns, from 0; its seq is that of the reel. */

export const DIVERGED = 1;
export const NOTED = 2;

const COLUMNS = ["times", "sessions", "inputs", "refused", "lines", "flags", "rows", "touched"];

export class Columns {
  constructor(about) {
    this.about = about;
    this.first = about.first;
    for (const name of COLUMNS) this[name] = [];
    this.names = [];
    this.lives = [];
    this.moveSeqs = [];
    this.moveLives = [];
    this.moveRows = [];
    this.movesOf = []; // of each life: places in the three above
    this.placesOf = []; // of each life: records that concerned it
  }

  get count() {
    return this.times.length;
  }

  seq(place) {
    return this.first + place;
  }

  /** Take a part in. */
  add(part) {
    const before = this.count;
    for (const name of COLUMNS) for (const value of part[name]) this[name].push(value);
    for (const name of part.names) this.names.push(name);
    for (const [kind, app, id, born, state] of part.lives) {
      this.lives.push({ number: this.lives.length, kind, app, id, born, state });
      this.movesOf.push([]);
      this.placesOf.push([]);
    }
    for (let at = 0; at < part.moves.length; at += 3) {
      const [seq, life, row] = part.moves.slice(at, at + 3);
      this.movesOf[life].push(this.moveSeqs.length);
      this.moveSeqs.push(seq);
      this.moveLives.push(life);
      this.moveRows.push(row);
    }
    for (let place = before; place < this.count; place += 1) {
      for (const life of this.touched[place]) this.placesOf[life].push(place);
    }
  }

  name(number) {
    return this.names[number];
  }

  /** Who put a record on the reel, and the input's own name. */
  input(place) {
    const [origin, input] = this.names[this.inputs[place]].split(" ");
    return { origin, input };
  }

  /** What is known of a record before it is fetched, in the shape of a told one. */
  outline(place) {
    return {
      ...this.input(place),
      seq: this.seq(place),
      time: this.times[place],
      session: this.names[this.sessions[place]],
      refused: this.names[this.refused[place]],
      lines: this.lines[place],
    };
  }

  /** The state of a life after a record; empty when it is not yet, or no more. */
  stateAt(life, seq) {
    const moves = this.movesOf[life];
    let state = this.lives[life].state;
    for (const move of moves) {
      if (this.moveSeqs[move] > seq) break;
      state = this.about.rows[this.moveRows[move]].next;
    }
    return state;
  }

  /** How often each way (`source target`) of a kind was taken up to a record; of one life only, when it is given. */
  waysTaken(kind, seq, life) {
    const taken = new Map();
    const moves = life === undefined ? this.moveSeqs.keys() : this.movesOf[life];
    for (const move of moves) {
      if (this.moveSeqs[move] > seq) break;
      const row = this.about.rows[this.moveRows[move]];
      if (row.kind !== kind) continue;
      const way = `${row.state} ${row.next}`;
      taken.set(way, (taken.get(way) ?? 0) + 1);
    }
    return taken;
  }

  /** How often each row fired. */
  rowsFired() {
    const fired = new Array(this.about.rows.length).fill(0);
    for (const rows of this.rows) for (const row of rows) if (row >= 0) fired[row] += 1;
    return fired;
  }

  matchingNames(text) {
    const wanted = text.toLowerCase();
    return this.names.map((name) => name.toLowerCase().includes(wanted));
  }

  matchingLives(text) {
    const wanted = text.toLowerCase();
    return this.lives.map((life) => `${life.kind} ${life.app}/${life.id}`.toLowerCase().includes(wanted));
  }

  /** Say of each record whether a text is in one of its names. */
  search(text) {
    const names = this.matchingNames(text);
    const lives = this.matchingLives(text);
    return (place) =>
      names[this.inputs[place]] ||
      names[this.sessions[place]] ||
      (this.refused[place] > 0 && names[this.refused[place]]) ||
      this.touched[place].some((life) => lives[life]);
  }

  /** The places of the records that a filter leaves, or null for all of them. */
  filtered({ session = "", machine = "", input = "", only = "" }) {
    const tests = [];
    if (session) {
      const names = this.matchingNames(session);
      tests.push((place) => this.sessions[place] > 0 && names[this.sessions[place]]);
    }
    if (machine) {
      const lives = this.matchingLives(machine);
      tests.push((place) => this.touched[place].some((life) => lives[life]));
    }
    if (input) {
      const number = this.names.indexOf(input);
      tests.push((place) => this.inputs[place] === number);
    }
    if (only === "refused") tests.push((place) => this.refused[place] > 0);
    if (only === "diverged") tests.push((place) => (this.flags[place] & DIVERGED) !== 0);
    if (only === "noted") tests.push((place) => (this.flags[place] & NOTED) !== 0);
    if (only === "moved") tests.push((place) => this.rows[place].some((row) => row >= 0 && this.about.rows[row].next));
    if (tests.length === 0) return null;
    const found = [];
    for (let place = 0; place < this.count; place += 1) if (tests.every((test) => test(place))) found.push(place);
    return found;
  }
}
