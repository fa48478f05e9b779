import { BatchRing } from './batch-ring.ts';
import type { PartitionAppend } from './commit-group.ts';
import type { StoredBatch } from './stored-batch.ts';
import type { TopicState } from './topic-state.ts';

/** What is stored about a partition besides its batches, in the same commit as they. */
export interface PartitionState {
  /** The first offset that can be read. */
  readonly start: number;
  /** One past the last durable record. */
  readonly end: number;
  readonly bytes: number;
  readonly records: number;
  /** The newest timestamp given; later ones are not smaller, so that time can be searched for. */
  readonly maxTimestampMs: number;
  /** Up to here, compaction has seen every record. */
  readonly cleanedTo: number;
  /** How many commits of compaction have put merged batches in the place of others. */
  readonly merges: number;
}

export const EMPTY_PARTITION: PartitionState = {
  start: 0,
  end: 0,
  bytes: 0,
  records: 0,
  maxTimestampMs: 0,
  cleanedTo: 0,
  merges: 0,
};

/** A partition of a topic: its durable state, and what memory holds of it. */
export class Partition {
  readonly topic: TopicState;
  readonly index: number;
  start: number;
  end: number;
  bytes: number;
  records: number;
  maxTimestampMs: number;
  cleanedTo: number;
  merges: number;
  /**
   * The offsets whose batches a commit that is under way replaces: storage may show the merged ones already, while memory has the others.
   */
  rewriting: { readonly from: number; readonly to: number } | null = null;
  /** The newest batches: a cache in front of a disk, all there is where there is none. */
  readonly ring = new BatchRing();
  /** The batch that was located last, in case the next reader wants it too. */
  recent: StoredBatch | null = null;
  /** What the group that is still open appends here. */
  open: PartitionAppend | null = null;
  /** Records that are appended and not yet durable. */
  recordsPending = 0;
  /** When the oldest tombstone that the last compaction left may go; null as long as none told. */
  tombstonesDueMs: number | null = null;

  constructor(topic: TopicState, index: number, state: PartitionState) {
    this.topic = topic;
    this.index = index;
    this.start = state.start;
    this.end = state.end;
    this.bytes = state.bytes;
    this.records = state.records;
    this.maxTimestampMs = state.maxTimestampMs;
    this.cleanedTo = state.cleanedTo;
    this.merges = state.merges;
  }

  /** The state as it is now, with `changes` in its place. */
  state(changes: Partial<PartitionState> = {}): PartitionState {
    const { start, end, bytes, records, maxTimestampMs, cleanedTo, merges } = this;
    return { start, end, bytes, records, maxTimestampMs, cleanedTo, merges, ...changes };
  }

  /** Takes over a state that has become durable. */
  adopt(state: PartitionState): void {
    this.start = state.start;
    this.end = state.end;
    this.bytes = state.bytes;
    this.records = state.records;
    this.cleanedTo = state.cleanedTo;
    this.merges = state.merges;
  }
}
