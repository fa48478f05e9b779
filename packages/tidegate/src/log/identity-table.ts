const CAPACITY_MIN = 256;
/** Marks an entry whose group failed. */
const NO_SEQUENCE = 0;

/** What is remembered of an id, besides its text. */
export interface IdentityEntry {
  readonly high: number;
  readonly low: number;
  /** The chunk that holds the text, and the entry's place in it. */
  readonly sequence: number;
  readonly inChunk: number;
  readonly partition: number;
  readonly offset: number;
}

/**
 * Entries numbered in the order of arrival, in a ring of typed arrays (26 bytes each, and 8 of hash table), because a
 * million strings in a Map would take ten times that. They are found by hash, and go from the front.
 */
export class IdentityTable {
  #capacity = CAPACITY_MIN;
  #high = new Uint32Array(CAPACITY_MIN);
  #low = new Uint32Array(CAPACITY_MIN);
  #sequence = new Uint32Array(CAPACITY_MIN);
  #inChunk = new Uint32Array(CAPACITY_MIN);
  #partition = new Uint16Array(CAPACITY_MIN);
  #offset = new Float64Array(CAPACITY_MIN);
  /** Open addressing, linear probing: ring index + 1, or 0. */
  #table = new Int32Array(CAPACITY_MIN * 2);
  #oldest = 0;
  #next = 0;

  /** The number of the oldest entry. */
  get oldest(): number {
    return this.#oldest;
  }

  /** The number that the next entry gets. */
  get next(): number {
    return this.#next;
  }

  push(entry: IdentityEntry): void {
    if (this.#next - this.#oldest === this.#capacity) this.#grow();
    const at = this.#next % this.#capacity;
    this.#high[at] = entry.high;
    this.#low[at] = entry.low;
    this.#sequence[at] = entry.sequence;
    this.#inChunk[at] = entry.inChunk;
    this.#partition[at] = entry.partition;
    this.#offset[at] = entry.offset;
    this.#next++;
    this.#link(at);
  }

  /** The first entry of these hashes that `isIt` confirms, or -1. */
  find(high: number, low: number, isIt: (sequence: number, inChunk: number) => boolean): number {
    const mask = this.#table.length - 1;
    for (let slot = low & mask; this.#table[slot] !== 0; slot = (slot + 1) & mask) {
      const at = this.#table[slot] - 1;
      if (this.#high[at] !== high || this.#low[at] !== low) continue;
      if (isIt(this.#sequence[at], this.#inChunk[at])) return this.#numberOf(at);
    }
    return -1;
  }

  entry(number: number): IdentityEntry {
    const at = number % this.#capacity;
    return {
      high: this.#high[at],
      low: this.#low[at],
      sequence: this.#sequence[at],
      inChunk: this.#inChunk[at],
      partition: this.#partition[at],
      offset: this.#offset[at],
    };
  }

  setOffset(number: number, offset: number): void {
    this.#offset[number % this.#capacity] = offset;
  }

  /** The entry is not found any more; it keeps its place until it is the oldest. */
  void(number: number): void {
    const at = number % this.#capacity;
    this.#unlink(at);
    this.#sequence[at] = NO_SEQUENCE;
  }

  dropOldest(): void {
    const at = this.#oldest % this.#capacity;
    if (this.#sequence[at] !== NO_SEQUENCE) this.#unlink(at);
    this.#oldest++;
  }

  #numberOf(at: number): number {
    return this.#oldest + ((at - (this.#oldest % this.#capacity) + this.#capacity) % this.#capacity);
  }

  #link(at: number): void {
    const mask = this.#table.length - 1;
    let slot = this.#low[at] & mask;
    while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
    this.#table[slot] = at + 1;
  }

  /** Takes an entry out of the table, and moves up what its place had pushed aside. */
  #unlink(at: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let hole = this.#low[at] & mask;
    while (table[hole] !== at + 1) {
      if (table[hole] === 0) return;
      hole = (hole + 1) & mask;
    }
    for (let slot = (hole + 1) & mask; table[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#low[table[slot] - 1] & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        table[hole] = table[slot];
        hole = slot;
      }
    }
    table[hole] = 0;
  }

  #grow(): void {
    const before = this.#capacity;
    const capacity = before * 2;
    const move = <T extends Uint32Array | Uint16Array | Float64Array>(from: T, to: T): T => {
      for (let entry = this.#oldest; entry < this.#next; entry++) to[entry % capacity] = from[entry % before];
      return to;
    };
    this.#high = move(this.#high, new Uint32Array(capacity));
    this.#low = move(this.#low, new Uint32Array(capacity));
    this.#sequence = move(this.#sequence, new Uint32Array(capacity));
    this.#inChunk = move(this.#inChunk, new Uint32Array(capacity));
    this.#partition = move(this.#partition, new Uint16Array(capacity));
    this.#offset = move(this.#offset, new Float64Array(capacity));
    this.#capacity = capacity;
    this.#table = new Int32Array(capacity * 2);
    // Entries of failed groups are in the ring still, and must not come back into the table.
    for (let entry = this.#oldest; entry < this.#next; entry++) {
      if (this.#sequence[entry % capacity] !== NO_SEQUENCE) this.#link(entry % capacity);
    }
  }
}
