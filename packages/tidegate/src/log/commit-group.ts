import type { Buffer } from 'node:buffer';
import type { TidegateError } from '../kernel/index.ts';
import type { BatchBuilder } from './batch-builder.ts';
import type { IdentityChunkBuilder } from './identity-chunk.ts';
import type { Partition, PartitionState } from './partition.ts';
import type { AppendCallback, AppendedTopic } from './port.ts';
import { StoredBatch, stampBatch } from './stored-batch.ts';
import type { TopicState } from './topic-state.ts';

/** What one group appends to one partition. */
export class PartitionAppend {
  readonly group: CommitGroup;
  readonly partition: Partition;
  readonly builder: BatchBuilder;
  /** Batches that are full, without offsets. */
  readonly sealed: Buffer[] = [];
  readonly sealedCounts: number[] = [];
  /** Records of this group in this partition: a record's number among them is its offset until the group is stamped. */
  count = 0;

  constructor(group: CommitGroup, partition: Partition, builder: BatchBuilder) {
    this.group = group;
    this.partition = partition;
    this.builder = builder;
  }

  seal(): void {
    if (this.builder.count === 0) return;
    this.sealedCounts.push(this.builder.count);
    this.sealed.push(this.builder.seal(this.partition.topic.topic.id, this.partition.index));
  }

  /** Gives the batches their offsets, from the partition's end on; with the state that the partition has after them. */
  stamp(): { readonly batches: readonly StoredBatch[]; readonly state: PartitionState } {
    this.seal();
    const { partition } = this;
    let { end, bytes } = partition;
    const batches = this.sealed.map((sealed, i) => {
      const base = end;
      end += this.sealedCounts[i];
      bytes += sealed.length;
      stampBatch(sealed, base, end);
      return new StoredBatch(sealed);
    });
    return { batches, state: partition.state({ end, bytes, records: partition.records + this.count }) };
  }
}

/** The outcome of one `TopicAppend`, filled in as it becomes known. */
export interface PendingTopic {
  readonly state: TopicState;
  readonly partitions: number[];
  /** Relative to the group until it is stamped, but for those in `settled`. */
  readonly offsets: number[];
  duplicates: Set<number> | null;
  /**
   * Duplicates of records of earlier groups: null if the offset was known already, otherwise the group that gives it its
   * base.
   */
  settled: Map<number, CommitGroup | null> | null;
}

export interface PendingAppend {
  readonly error: TidegateError | null;
  readonly topics: readonly PendingTopic[];
  readonly done: AppendCallback;
}

/** The appends that share one commit. */
export class CommitGroup {
  readonly appends: PendingAppend[] = [];
  readonly parts: PartitionAppend[] = [];
  readonly chunks: { readonly state: TopicState; readonly chunk: IdentityChunkBuilder }[] = [];
  /** Groups whose records this one's duplicates refer to: if one fails, so does this. */
  readonly dependsOn = new Set<CommitGroup>();
  /** Bytes that wait because of this group. */
  bytes = 0;
  failure: TidegateError | null = null;
  /** Where its partitions ended before it; null until it is stamped. */
  bases: Map<Partition, number> | null = null;

  /** Nothing joins any more. */
  close(): void {
    for (const part of this.parts) if (part.partition.open === part) part.partition.open = null;
  }

  stamp(): void {
    this.bases = new Map();
    for (const part of this.parts) this.bases.set(part.partition, part.partition.end);
  }
}

/** The outcome for the caller. The group is stamped, and its partitions stand where it began: turns numbers within the group into offsets. */
export function settledTopic(pending: PendingTopic): AppendedTopic {
  const { state, partitions, offsets, duplicates, settled } = pending;
  for (let i = 0; i < offsets.length; i++) {
    const partition = state.partitions[partitions[i]];
    const first = settled?.get(i);
    if (first === undefined) offsets[i] += partition.end;
    else if (first !== null) offsets[i] += first.bases!.get(partition)!;
  }
  return { topic: state.topic, partitions, offsets, duplicates };
}
