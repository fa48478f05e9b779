/** A key with its value. */
interface Leaf<Value> {
  readonly kind: 'leaf';
  readonly hash: number;
  readonly key: string;
  readonly value: Value;
}

/** Keys of the same hash. */
interface Collision<Value> {
  readonly kind: 'collision';
  readonly hash: number;
  readonly leaves: readonly Leaf<Value>[];
}

/** Up to 32 children, by five bits of the hash. A bit is set for each child that is there. */
interface Branch<Value> {
  readonly kind: 'branch';
  readonly bits: number;
  readonly children: readonly Node<Value>[];
}

type Node<Value> = Leaf<Value> | Collision<Value> | Branch<Value>;

const LEVEL_BITS = 5;
const LEVEL_MASK = 31;

/** FNV-1a over the units of a part of a text, mixed at the end. Keys come from the configuration: nobody gains by making them collide. */
function hashOf(text: string, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

const bitOf = (hash: number, shift: number): number => 1 << ((hash >>> shift) & LEVEL_MASK);

/** How many bits below `bit` are set: where its child stands. */
function rank(bits: number, bit: number): number {
  let count = bits & (bit - 1);
  count -= (count >>> 1) & 0x55555555;
  count = (count & 0x33333333) + ((count >>> 2) & 0x33333333);
  return Math.imul((count + (count >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

const isKey = (key: string, text: string, from: number, to: number): boolean =>
  key.length === to - from && text.startsWith(key, from);

/**
 * An immutable map from texts (a hash array mapped trie). A map with one entry changed shares all the others with the one before: that
 * costs a few dozen steps with thousands of entries, where copying a `Map` costs one for each. Looking up needs no substring.
 */
export class PersistentMap<Value> implements ReadonlyMap<string, Value> {
  static readonly #empty = new PersistentMap<unknown>(null, 0);

  readonly size: number;
  readonly #root: Node<Value> | null;

  private constructor(root: Node<Value> | null, size: number) {
    this.#root = root;
    this.size = size;
  }

  static empty<Value>(): PersistentMap<Value> {
    return PersistentMap.#empty as PersistentMap<Value>;
  }

  static #of<Value>(root: Node<Value> | null, size: number): PersistentMap<Value> {
    return size === 0 ? PersistentMap.empty() : new PersistentMap(root, size);
  }

  get(key: string): Value | undefined {
    return this.getPart(key, 0, key.length);
  }

  /** The value of the key that stands in `text` at `from` up to `to`. */
  getPart(text: string, from: number, to: number): Value | undefined {
    let node = this.#root;
    if (node === null) return undefined;
    const hash = hashOf(text, from, to);
    for (let shift = 0; node.kind === 'branch'; shift += LEVEL_BITS) {
      const bit = bitOf(hash, shift);
      if ((node.bits & bit) === 0) return undefined;
      node = node.children[rank(node.bits, bit)];
    }
    if (node.kind === 'leaf') return isKey(node.key, text, from, to) ? node.value : undefined;
    return node.leaves.find(({ key }) => isKey(key, text, from, to))?.value;
  }

  /** The same with this entry, in place of one of the same key. */
  with(key: string, value: Value): PersistentMap<Value> {
    const leaf: Leaf<Value> = { kind: 'leaf', hash: hashOf(key, 0, key.length), key, value };
    const grown = this.get(key) === undefined ? 1 : 0;
    return PersistentMap.#of(this.#root === null ? leaf : put(this.#root, leaf, 0), this.size + grown);
  }

  /** The same without the entry of this key. */
  without(key: string): PersistentMap<Value> {
    if (this.#root === null || this.get(key) === undefined) return this;
    return PersistentMap.#of(take(this.#root, key, hashOf(key, 0, key.length), 0), this.size - 1);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** Goes over all entries, in no particular order; quicker than iterating. */
  forEach(visit: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    if (this.#root !== null) visitAll(this.#root, (leaf) => visit(leaf.value, leaf.key, this));
  }

  entries(): MapIterator<[string, Value]> {
    return this.#list((leaf): [string, Value] => [leaf.key, leaf.value]).values();
  }

  keys(): MapIterator<string> {
    return this.#list(({ key }) => key).values();
  }

  values(): MapIterator<Value> {
    return this.#list(({ value }) => value).values();
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.entries();
  }

  #list<Item>(itemOf: (leaf: Leaf<Value>) => Item): Item[] {
    const items: Item[] = [];
    if (this.#root !== null) visitAll(this.#root, (leaf) => items.push(itemOf(leaf)));
    return items;
  }
}

function visitAll<Value>(node: Node<Value>, visit: (leaf: Leaf<Value>) => void): void {
  if (node.kind === 'leaf') visit(node);
  else if (node.kind === 'branch') for (const child of node.children) visitAll(child, visit);
  else for (const leaf of node.leaves) visit(leaf);
}

function put<Value>(node: Node<Value>, leaf: Leaf<Value>, shift: number): Node<Value> {
  if (node.kind === 'branch') {
    const bit = bitOf(leaf.hash, shift);
    const at = rank(node.bits, bit);
    const children = [...node.children];
    if ((node.bits & bit) === 0) children.splice(at, 0, leaf);
    else children[at] = put(children[at], leaf, shift + LEVEL_BITS);
    return { kind: 'branch', bits: node.bits | bit, children };
  }
  if (node.hash !== leaf.hash) {
    const bit = bitOf(node.hash, shift);
    return put({ kind: 'branch', bits: bit, children: [node] }, leaf, shift);
  }
  const others = (node.kind === 'leaf' ? [node] : node.leaves).filter(({ key }) => key !== leaf.key);
  return others.length === 0 ? leaf : { kind: 'collision', hash: leaf.hash, leaves: [...others, leaf] };
}

/** The node without a key that is in it; null if it was that leaf. A branch has two entries at least: with one left it becomes that. */
function take<Value>(node: Node<Value>, key: string, hash: number, shift: number): Node<Value> | null {
  if (node.kind === 'leaf') return null;
  if (node.kind === 'collision') {
    const leaves = node.leaves.filter((leaf) => leaf.key !== key);
    return leaves.length === 1 ? leaves[0] : { kind: 'collision', hash, leaves };
  }
  const bit = bitOf(hash, shift);
  const at = rank(node.bits, bit);
  const rest = take(node.children[at], key, hash, shift + LEVEL_BITS);
  const children = [...node.children];
  if (rest === null) children.splice(at, 1);
  else children[at] = rest;
  if (children.length === 1 && children[0].kind !== 'branch') return children[0];
  return { kind: 'branch', bits: rest === null ? node.bits & ~bit : node.bits, children };
}
