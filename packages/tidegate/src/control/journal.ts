import type { Buffer } from 'node:buffer';
import { type Limits, TidegateError } from '../kernel/index.ts';
import type { Log, TopicSpec } from '../log/index.ts';
import { decodeSnapshot, SNAPSHOT_KEY, type StoredSnapshot } from './change-set.ts';
import { type JournalRecord, PartJoiner, splitRecord } from './record-parts.ts';

/** The topic that stores the changes of resources. Its name marks it as the server's own: no channel leads there. */
export const RESOURCES_TOPIC = '_resources';

/**
 * How much of the past is kept, as a multiple of what all resources may take. Snapshots come so often that the newest one and
 * what follows it take at most three times that; the rest is history.
 */
const RETENTION_SHARE = 8;
const TOMBSTONE_RETENTION_MS = 86_400_000;
const READ_BYTES_MAX = 256 * 1024;
/** What is larger is stored in parts; the log takes no record beyond `limits.messageBytesMax`. */
const PART_BYTES_MAX = 64 * 1024;

/** Where reading begins, and what was there before. */
export interface JournalStart {
  readonly from: number;
  /** Null if the first record is still there and no snapshot comes before what is of interest. */
  readonly snapshot: StoredSnapshot | null;
}

/** The topic `_resources`: change sets in order, and now and then a snapshot of what they come to. */
export class Journal {
  readonly #log: Log;
  readonly #limits: Limits;

  constructor(log: Log, limits: Limits) {
    this.#log = log;
    this.#limits = limits;
  }

  /**
   * The newest snapshot.
   * @throws TidegateError resources_damaged, resources_version_unsupported
   */
  start(): JournalStart {
    if (!this.#log.topics.has(RESOURCES_TOPIC)) return { from: 0, snapshot: null };
    const { start, end } = this.#log.bounds(RESOURCES_TOPIC, 0);
    const snapshot = this.#snapshotAt(this.#log.offsetOfLast(RESOURCES_TOPIC, 0, 1, SNAPSHOT_KEY), end);
    const from = snapshot?.through ?? 0;
    // What is needed was dropped: nobody can know what was in it.
    if (from < start)
      throw new TidegateError('resources_damaged', `The topic ${RESOURCES_TOPIC} begins at offset ${start}.`);
    return { from, snapshot };
  }

  #snapshotAt(offset: number, end: number): StoredSnapshot | null {
    for (const { key, bytes } of this.records(offset, end))
      return key === SNAPSHOT_KEY ? decodeSnapshot(bytes, offset) : null;
    return null;
  }

  /** One past the last record. */
  get end(): number {
    return this.#log.topics.has(RESOURCES_TOPIC) ? this.#log.bounds(RESOURCES_TOPIC, 0).end : 0;
  }

  /**
   * What stands in `[from, to)`, in order.
   * @throws TidegateError resources_damaged
   */
  *records(from: number, to: number): Generator<JournalRecord> {
    const joiner = new PartJoiner();
    for (let next = from; next < to; ) {
      const request = { topic: RESOURCES_TOPIC, partition: 0, from: next, to, bytesMax: READ_BYTES_MAX };
      const result = this.#log.read(request);
      const damage = result.damaged[0];
      // Nothing of what comes after the damage is taken before it is told.
      const until = Math.min(to, damage?.from ?? to);
      for (const batch of result.batches) {
        for (
          let index = batch.lowerBound(next);
          index < batch.count && batch.offset(index) < until;
          index++
        ) {
          const record = joiner.take(batch, index);
          if (record !== null) yield record;
        }
      }
      if (damage !== undefined) {
        const range = `offsets ${damage.from} to ${damage.to - 1}`;
        throw new TidegateError(
          'resources_damaged',
          `The ${range} of the topic ${RESOURCES_TOPIC} are damaged.`,
        );
      }
      if (result.next <= next) break;
      next = result.next;
    }
    joiner.finish();
  }

  /**
   * Stores something as one, and waits until it is durable.
   * @throws TidegateError as `Log.append` and `Log.createTopic`
   */
  async append(key: string, bytes: Buffer): Promise<void> {
    if (!this.#log.topics.has(RESOURCES_TOPIC)) await this.#log.createTopic(this.#spec(0));
    const partBytesMax = Math.min(PART_BYTES_MAX, this.#limits.messageBytesMax);
    const records = splitRecord(key, bytes, partBytesMax);
    await new Promise<void>((resolve, reject) => {
      this.#log.append([{ topic: RESOURCES_TOPIC, records }], (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  /** Brings the retention into line with the limit, but never below what `storedBytes` of resources need. */
  async retain(storedBytes: number): Promise<void> {
    const topic = this.#log.topics.get(RESOURCES_TOPIC);
    const spec = this.#spec(storedBytes);
    if (topic !== undefined && topic.retentionBytes !== spec.retentionBytes) await this.#log.alterTopic(spec);
  }

  /** Calls `listener` when there is more to read; the returned function ends it. */
  onMore(listener: () => void): () => void {
    return this.#log.onTail((topic) => {
      if (topic.name === RESOURCES_TOPIC) listener();
    });
  }

  #spec(storedBytes: number): TopicSpec {
    return {
      name: RESOURCES_TOPIC,
      partitions: 1,
      durability: 'synced',
      retentionMs: null,
      retentionBytes: RETENTION_SHARE * Math.max(this.#limits.resourcesBytesMax, storedBytes),
      compacted: false,
      tombstoneRetentionMs: TOMBSTONE_RETENTION_MS,
      keyIndex: false,
    };
  }
}
