import type { Buffer } from 'node:buffer';
import type { TidegateError } from '../../kernel/index.ts';
import type { Partition } from '../partition.ts';
import type { Changes, CommitCallback, Damage, Store, StoredChunk } from '../store.ts';
import type { StoredBatch } from '../stored-batch.ts';
import type { StoredTopic } from '../topic-state.ts';

/** Keeps batches in the partitions' rings, and nothing else. What is not in a ring is gone. */
export class MemoryStore implements Store {
  /** There is no index. */
  readonly sharedStretchBytes = Number.POSITIVE_INFINITY;
  readonly #identities = new Map<number, Map<number, Buffer>>();

  load(): [] {
    return [];
  }

  locate(partition: Partition, offset: number): StoredBatch | Damage {
    const batch = partition.ring.find(offset);
    if (batch !== undefined) return batch;
    throw new Error(
      `Offset ${offset} of ${partition.topic.topic.name} is within its bounds, and not in memory`,
    );
  }

  locateIndexed(partition: Partition, offset: number): StoredBatch | Damage {
    return this.locate(partition, offset);
  }

  baseOf(partition: Partition, offset: number): number {
    return partition.ring.find(offset)?.baseOffset ?? offset;
  }

  basesOfKey(): null {
    return null;
  }

  endReading(): void {}

  commit(changes: Changes, done: CommitCallback): void {
    for (const { partition, endOffset } of changes.dropped ?? []) {
      const { ring } = partition;
      while (ring.oldest !== undefined && ring.oldest.endOffset <= endOffset) {
        // What compaction merges stands further back, and is taken out with the merged batch's arrival.
        if (changes.batches !== undefined) break;
        ring.shift();
      }
    }
    for (const { partition, batch, place } of changes.batches ?? []) {
      if (place === 'end') partition.ring.push(batch);
      else partition.ring.replace(batch);
    }
    for (const { topicId, sequence, bytes } of changes.identities ?? []) {
      let chunks = this.#identities.get(topicId);
      if (chunks === undefined) {
        chunks = new Map();
        this.#identities.set(topicId, chunks);
      }
      chunks.set(sequence, bytes);
    }
    for (const { topicId, sequence } of changes.forgotten ?? [])
      this.#identities.get(topicId)?.delete(sequence);
    done(null);
  }

  /** Nothing is here from an earlier run. */
  identityChunks(): readonly StoredChunk[] {
    return [];
  }

  identityChunk(topicId: number, sequence: number): Buffer | undefined {
    return this.#identities.get(topicId)?.get(sequence);
  }

  erase(stored: StoredTopic, done: (error: TidegateError | null, progress: 'more' | 'done') => void): void {
    this.#identities.delete(stored.topic.id);
    done(null, 'done');
  }

  release(partition: Partition): void {
    partition.ring.clear();
  }

  fileBytes(): number {
    return 0;
  }

  check(): void {}

  async close(): Promise<void> {}
}
