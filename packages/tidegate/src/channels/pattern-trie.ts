import { ALL_SEGMENTS, ONE_SEGMENT } from './channel-name.ts';

interface Node<Value> {
  readonly children: Map<string, Node<Value>>;
  /** The values of patterns that end at this node. */
  readonly values: Set<Value>;
  /** The values of patterns that go on with a final `#`. */
  readonly rest: Set<Value>;
}

const newNode = <Value>(): Node<Value> => ({ children: new Map(), values: new Set(), rest: new Set() });

/**
 * Many patterns, matched against one channel at a time: the work grows with the segments of the channel and the `+`
 * branches on its way, not with the number of patterns. Agrees with `matchesPattern`, which a test checks.
 */
export class PatternTrie<Value> {
  readonly #root: Node<Value> = newNode();
  #size = 0;

  /** The number of pattern and value pairs. */
  get size(): number {
    return this.#size;
  }

  add(pattern: string, value: Value): void {
    const set = this.#setOf(pattern, 'create') as Set<Value>;
    if (set.has(value)) return;
    set.add(value);
    this.#size++;
  }

  delete(pattern: string, value: Value): void {
    if (this.#setOf(pattern, 'find')?.delete(value) !== true) return;
    this.#size--;
    this.#prune(this.#root, pattern.split('/'), 0);
  }

  /** Calls `found` for each value whose pattern matches; more than once if several patterns of one value match. */
  match(channel: string, found: (value: Value) => void): void {
    if (this.#size > 0) this.#matchFrom(this.#root, channel.split('/'), 0, found);
  }

  #matchFrom(
    node: Node<Value>,
    segments: readonly string[],
    depth: number,
    found: (value: Value) => void,
  ): void {
    for (const value of node.rest) found(value);
    if (depth === segments.length) {
      for (const value of node.values) found(value);
      return;
    }
    const literal = node.children.get(segments[depth]);
    if (literal !== undefined) this.#matchFrom(literal, segments, depth + 1, found);
    const wildcard = node.children.get(ONE_SEGMENT);
    if (wildcard !== undefined && wildcard !== literal) this.#matchFrom(wildcard, segments, depth + 1, found);
  }

  #setOf(pattern: string, mode: 'find' | 'create'): Set<Value> | undefined {
    const segments = pattern.split('/');
    const open = segments[segments.length - 1] === ALL_SEGMENTS;
    let node = this.#root;
    for (let i = 0; i < segments.length - (open ? 1 : 0); i++) {
      let child = node.children.get(segments[i]);
      if (child === undefined) {
        if (mode === 'find') return undefined;
        child = newNode();
        node.children.set(segments[i], child);
      }
      node = child;
    }
    return open ? node.rest : node.values;
  }

  /** Removes the nodes on the way of a deleted pattern that nothing uses any more; returns whether `node` is one. */
  #prune(node: Node<Value>, segments: readonly string[], depth: number): boolean {
    const child = depth < segments.length ? node.children.get(segments[depth]) : undefined;
    if (child !== undefined && this.#prune(child, segments, depth + 1)) node.children.delete(segments[depth]);
    return node.children.size === 0 && node.values.size === 0 && node.rest.size === 0;
  }
}
