import type { RecordBatch } from '../log/index.ts';
import type { ChannelMap } from './channel-map.ts';
import { hasWildcard } from './channel-name.ts';

/** How many keys a selector remembers having decided on. */
const DECISIONS_MAX = 4096;

/** Which records of one topic a subscription wants. */
export class Selector {
  readonly #map: ChannelMap;
  readonly #topic: string;
  readonly #keys = new Set<string | null>();
  readonly #patterns: string[] = [];
  // Made when first needed: most subscriptions are of a single channel.
  #decisions: Map<string | null, boolean> | null = null;
  /** Every record is wanted. */
  readonly all: boolean;

  constructor(map: ChannelMap, topic: string, channels: readonly string[]) {
    this.#map = map;
    this.#topic = topic;
    for (const channel of channels) {
      if (hasWildcard(channel)) this.#patterns.push(channel);
      else this.#keys.add(map.addressOf(channel).key);
    }
    this.all = this.#patterns.some((pattern) => map.coversTopic(pattern, topic));
  }

  /** Wants the records of one key of another topic: what `default` holds of a channel that got its own topic later. */
  static ofKeys(
    map: ChannelMap,
    topic: string,
    keys: readonly string[],
    patterns: readonly string[],
  ): Selector {
    const selector = new Selector(map, topic, patterns);
    for (const key of keys) selector.#keys.add(key);
    return selector;
  }

  /** The key, if the records of just one are wanted: an index can find them. */
  get onlyKey(): string | undefined {
    if (this.all || this.#patterns.length > 0 || this.#keys.size !== 1) return undefined;
    const [key] = this.#keys;
    return key ?? undefined;
  }

  accepts(key: string | null): boolean {
    if (this.all || this.#keys.has(key)) return true;
    if (this.#patterns.length === 0) return false;
    this.#decisions ??= new Map();
    const decided = this.#decisions.get(key);
    if (decided !== undefined) return decided;
    const accepted = this.#patterns.some((pattern) => this.#map.matches(pattern, this.#topic, key));
    if (this.#decisions.size >= DECISIONS_MAX) this.#decisions.clear();
    this.#decisions.set(key, accepted);
    return accepted;
  }

  /** Calls `found` with the index of each wanted record of a batch from index `from` on, in order, until it returns false. */
  forEach(batch: RecordBatch, from: number, found: (index: number) => boolean): void {
    if (from >= batch.count) return;
    const { onlyKey } = this;
    if (onlyKey !== undefined) {
      const keyIndex = batch.indexOfKey(onlyKey);
      if (keyIndex === -1) return;
      if (batch.keyCount === 1 && batch.keyIndex(from) === 0 && batch.keyIndex(batch.count - 1) === 0) {
        // Likely a batch of this channel alone; each record is still checked below.
      } else {
        const { first, next } = recordsByKey(batch);
        for (let index = first[keyIndex]; index !== -1; index = next[index]) {
          if (index >= from && !found(index)) return;
        }
        return;
      }
    }
    const accepted = new Array<boolean>(batch.keyCount);
    for (let keyIndex = 0; keyIndex < batch.keyCount; keyIndex++)
      accepted[keyIndex] = this.accepts(batch.keyAt(keyIndex));
    const acceptsNone = this.accepts(null);
    for (let index = from; index < batch.count; index++) {
      const keyIndex = batch.keyIndex(index);
      if ((keyIndex === -1 ? acceptsNone : accepted[keyIndex]) && !found(index)) return;
    }
  }
}

/** The records of each key of a batch, as linked lists of indexes in ascending order; -1 ends a list. */
interface RecordsByKey {
  readonly first: Int32Array;
  readonly next: Int32Array;
}

// Thousands of subscribers of different channels that resume over the same batches each want a few of its records: linking
// them once per batch saves each from looking at all.
const linked = new WeakMap<RecordBatch, RecordsByKey>();

function recordsByKey(batch: RecordBatch): RecordsByKey {
  const known = linked.get(batch);
  if (known !== undefined) return known;
  const first = new Int32Array(batch.keyCount).fill(-1);
  const next = new Int32Array(batch.count);
  for (let index = batch.count - 1; index >= 0; index--) {
    const keyIndex = batch.keyIndex(index);
    if (keyIndex === -1) continue;
    next[index] = first[keyIndex];
    first[keyIndex] = index;
  }
  const links = { first, next };
  linked.set(batch, links);
  return links;
}
