import { Buffer } from 'node:buffer';
import { statSync } from 'node:fs';
import { type Clock, type Logger, TidegateError } from '../../kernel/index.ts';
import type { BatchCache } from '../batch-cache.ts';
import type { DiskSpace } from '../disk-space.ts';
import type { LogMetrics } from '../log-metrics.ts';
import type { Partition, PartitionState } from '../partition.ts';
import type { Changes, CommitCallback, Damage, KeySearch, NewBatch, Store, StoredChunk } from '../store.ts';
import type { StoredBatch } from '../stored-batch.ts';
import type { TailCache } from '../tail-cache.ts';
import type { StoredTopic } from '../topic-state.ts';
import { BatchReader } from './batch-reader.ts';
import type { Environment } from './environment.ts';
import { commitFailure } from './failure.ts';
import {
  batchKey,
  identityKey,
  indexKey,
  partitionKey,
  sequenceOfKey,
  topicKey,
  topicOfKey,
} from './keys.ts';
import { readBytes } from './read-bytes.ts';
import { keysFrom } from './seek.ts';
import { decodePartitionState, decodeTopic, encodePartitionState, encodeTopic } from './state-codec.ts';

/** What one step of the removal of a deleted topic takes away. */
const ERASED_PER_STEP_MAX = 256;
const NOTHING = Buffer.alloc(0);
const NEXT_TOPIC_ID = Buffer.from('next-topic-id');

/** Readers side by side are within a stretch of each other, and each reads one. */
const STRETCHES_CACHED = 2;

/** How much of the log one reading through the key index may pass over, where this cache is in front. */
export function stretchBytesOf(cache: BatchCache): number {
  return cache.bytesMax / STRETCHES_CACHED;
}

export interface LmdbStoreOptions {
  readonly environment: Environment;
  readonly tail: TailCache;
  readonly cache: BatchCache;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: LogMetrics;
  readonly diskSpace: DiskSpace;
}

/** Batches in an LMDB file. No read transaction is held beyond a call: an old one would pin the pages that commits free. */
export class LmdbStore implements Store {
  readonly sharedStretchBytes: number;
  readonly #environment: Environment;
  readonly #tail: TailCache;
  readonly #cache: BatchCache;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #diskSpace: DiskSpace;
  readonly #reader: BatchReader;

  constructor(options: LmdbStoreOptions) {
    this.sharedStretchBytes = stretchBytesOf(options.cache);
    this.#environment = options.environment;
    this.#tail = options.tail;
    this.#cache = options.cache;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#reader = new BatchReader({ ...options, isOutdated: isBeingRewritten });
    this.#diskSpace = options.diskSpace;
  }

  load(): { stored: StoredTopic; partitions: PartitionState[] }[] {
    const { topics, partitions, root } = this.#environment;
    const loaded: { stored: StoredTopic; partitions: PartitionState[] }[] = [];
    for (const { value } of topics.getRange({})) {
      const stored = decodeTopic(value);
      const states: PartitionState[] = [];
      for (let index = 0; index < stored.topic.partitions; index++) {
        states.push(decodePartitionState(partitions.getBinary(partitionKey(stored.topic.id, index))));
      }
      loaded.push({ stored, partitions: states });
    }
    root.resetReadTxn();
    return loaded;
  }

  /** The id that the next topic gets; never one that was used. */
  nextTopicId(): number {
    const bytes = readBytes(this.#environment.meta, NEXT_TOPIC_ID);
    this.endReading();
    return bytes === undefined ? 1 : topicOfKey(bytes);
  }

  locate(partition: Partition, offset: number): StoredBatch | Damage {
    return this.#reader.locate(partition, offset);
  }

  locateIndexed(partition: Partition, offset: number): StoredBatch | Damage {
    return this.#reader.locateIndexed(partition, offset);
  }

  baseOf(partition: Partition, offset: number): number {
    return this.#reader.baseOf(partition, offset);
  }

  basesOfKey(partition: Partition, search: KeySearch): readonly number[] | null {
    return this.#reader.basesOfKey(partition, search);
  }

  endReading(): void {
    this.#reader.endReading();
  }

  commit(changes: Changes, done: CommitCallback): void {
    let committed: Promise<boolean>;
    setRewriting(changes, 'begins');
    try {
      committed = this.#environment.root.batch(() => this.#write(changes));
    } catch (error) {
      setRewriting(changes, 'is over');
      done(new TidegateError('log_write_failed', '', { cause: error }));
      return;
    }
    committed.then(
      () => {
        this.#remember(changes);
        done(null);
      },
      (error: unknown) => {
        setRewriting(changes, 'is over');
        void commitFailure(error, this.#clock, this.#diskSpace).then((failure) => {
          this.#logger.error({ err: failure.cause, code: failure.code }, 'A commit to the log failed');
          done(failure);
        });
      },
    );
  }

  identityChunks(topicId: number, sequence: number, countMax: number): readonly StoredChunk[] {
    const start = identityKey(topicId, sequence);
    const end = identityKey(topicId + 1, 0);
    const chunks: StoredChunk[] = [];
    for (const { key, value } of this.#environment.identities.getRange({ start, end, limit: countMax })) {
      chunks.push({ sequence: sequenceOfKey(key), bytes: Buffer.from(value) });
    }
    this.#environment.root.resetReadTxn();
    return chunks;
  }

  identityChunk(topicId: number, sequence: number): Buffer | undefined {
    const bytes = readBytes(this.#environment.identities, identityKey(topicId, sequence));
    this.endReading();
    return bytes;
  }

  erase(stored: StoredTopic, done: (error: TidegateError | null, progress: 'more' | 'done') => void): void {
    const { root, batches, keys, identities, partitions, topics } = this.#environment;
    const prefix = topicKey(stored.topic.id);
    const tables = [batches, keys, identities, partitions];
    for (const table of tables) {
      const found = keysFrom(table, prefix, prefix.length, ERASED_PER_STEP_MAX);
      if (found.length === 0) continue;
      root.resetReadTxn();
      this.#commitRemovals(table, found, (error) => done(error, 'more'));
      return;
    }
    root.resetReadTxn();
    this.#commitRemovals(topics, [prefix], (error) => done(error, 'done'));
  }

  release(partition: Partition): void {
    this.#tail.forget(partition, Number.POSITIVE_INFINITY);
    partition.recent = null;
  }

  fileBytes(): number {
    return statSync(this.#environment.path).size;
  }

  /** Frees the places of readers whose process was killed; they would pin old pages for ever. */
  check(): void {
    const cleared = this.#environment.root.readerCheck();
    if (cleared > 0) this.#logger.info({ cleared }, 'Cleared the places of readers that died');
  }

  async close(): Promise<void> {
    await this.#environment.root.close();
  }

  #write(changes: Changes): void {
    const { batches, partitions, identities, topics } = this.#environment;
    for (const { partition, baseOffset, endOffset, batch } of changes.dropped ?? []) {
      const { id } = partition.topic.topic;
      if (batch === null) {
        const start = batchKey(id, partition.index, baseOffset);
        const end = batchKey(id, partition.index, endOffset);
        for (const key of [...batches.getKeys({ start, end })]) void batches.remove(key);
        this.endReading();
        continue;
      }
      void batches.remove(batchKey(id, partition.index, baseOffset));
      if (partition.topic.topic.keyIndex) this.#writeIndex(partition, batch, 'remove');
    }
    for (const { partition, batch } of changes.batches ?? []) {
      void batches.put(batchKey(batch.topicId, batch.partition, batch.baseOffset), batch.bytes);
      if (partition.topic.topic.keyIndex) this.#writeIndex(partition, batch, 'put');
    }
    for (const { partition, state } of changes.partitions ?? []) {
      void partitions.put(
        partitionKey(partition.topic.topic.id, partition.index),
        encodePartitionState(state),
      );
    }
    for (const { topicId, sequence, bytes } of changes.identities ?? []) {
      void identities.put(identityKey(topicId, sequence), bytes);
    }
    for (const { topicId, sequence } of changes.forgotten ?? []) {
      void identities.remove(identityKey(topicId, sequence));
    }
    if (changes.nextTopicId !== undefined)
      void this.#environment.meta.put(NEXT_TOPIC_ID, topicKey(changes.nextTopicId));
    for (const stored of changes.topics ?? [])
      void topics.put(topicKey(stored.topic.id), encodeTopic(stored));
  }

  #writeIndex(partition: Partition, batch: StoredBatch, action: 'put' | 'remove'): void {
    const { keys } = this.#environment;
    const { hash } = partition.topic;
    for (let i = 0; i < batch.keyCount; i++) {
      hash.of(batch.keyAt(i));
      const key = indexKey(batch.topicId, batch.partition, hash.high, hash.low, batch.baseOffset);
      if (action === 'put') void keys.put(key, NOTHING);
      else void keys.remove(key);
    }
  }

  #commitRemovals(table: Environment['batches'], keys: readonly Buffer[], done: CommitCallback): void {
    const committed = this.#environment.root.batch(() => {
      for (const key of keys) void table.remove(key);
    });
    committed.then(
      () => {
        done(null);
      },
      (error: unknown) => {
        void commitFailure(error, this.#clock, this.#diskSpace).then(done);
      },
    );
  }

  /** The changes are stored: brings the caches up to date in the same turn. */
  #remember(changes: Changes): void {
    setRewriting(changes, 'is over');
    for (const { partition, baseOffset, endOffset } of changes.dropped ?? []) {
      this.#cache.remove(partition, baseOffset);
      this.#tail.forget(partition, endOffset);
      partition.recent = null;
    }
    for (const { partition, batch, place } of (changes.batches ?? []) as readonly NewBatch[]) {
      if (place === 'end') this.#tail.add(partition, batch);
    }
  }
}

function isBeingRewritten({ rewriting }: Partition, offset: number): boolean {
  return rewriting !== null && offset >= rewriting.from && offset < rewriting.to;
}

/** Notes which offsets the merged batches of a commit stand for, from before it may be seen until memory has forgotten those that they replace. */
function setRewriting({ batches, dropped }: Changes, stage: 'begins' | 'is over'): void {
  // Appends drop nothing.
  if (batches === undefined || dropped === undefined) return;
  for (const { partition, batch, place } of batches) {
    if (place !== 'merged') continue;
    const { rewriting } = partition;
    partition.rewriting =
      stage === 'is over'
        ? null
        : {
            from: Math.min(batch.baseOffset, rewriting?.from ?? batch.baseOffset),
            to: Math.max(batch.endOffset, rewriting?.to ?? batch.endOffset),
          };
  }
}
