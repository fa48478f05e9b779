import type { Buffer } from 'node:buffer';
import type { TidegateError } from '../kernel/index.ts';
import type { Partition, PartitionState } from './partition.ts';
import type { DamagedRange } from './port.ts';
import type { StoredBatch } from './stored-batch.ts';
import type { StoredTopic } from './topic-state.ts';

/** A batch that goes; null where its bytes are damaged, and so its keys unknown. */
export interface DroppedBatch {
  readonly partition: Partition;
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly batch: StoredBatch | null;
}

export interface NewBatch {
  readonly partition: Partition;
  readonly batch: StoredBatch;
  /** Whether it stands at the end of the partition, or in the place of others that compaction merged. */
  readonly place: 'end' | 'merged';
}

/** The ids of one commit of one topic. */
export interface IdentityChunk {
  readonly topicId: number;
  readonly sequence: number;
  readonly bytes: Buffer;
}

/** A chunk of ids as it is stored. */
export interface StoredChunk {
  readonly sequence: number;
  readonly bytes: Buffer;
}

/** What one commit changes, all of it or nothing. Drops come before additions. */
export interface Changes {
  readonly dropped?: readonly DroppedBatch[];
  readonly batches?: readonly NewBatch[];
  readonly partitions?: readonly { readonly partition: Partition; readonly state: PartitionState }[];
  readonly identities?: readonly IdentityChunk[];
  readonly forgotten?: readonly { readonly topicId: number; readonly sequence: number }[];
  readonly topics?: readonly StoredTopic[];
  readonly nextTopicId?: number;
}

/** Null if the changes are stored, to the durability of the store. */
export type CommitCallback = (error: TidegateError | null) => void;

/** Batches whose distinct keys include one: their base offsets, in the order asked for. */
export interface KeySearch {
  readonly key: string;
  /** Base offsets from here on, `from` inclusive and `to` exclusive. */
  readonly from: number;
  readonly to: number;
  readonly direction: 'forward' | 'backward';
  readonly countMax: number;
}

/** A damaged range, and how many bytes are stored there. */
export interface Damage extends DamagedRange {
  readonly bytes: number;
}

/**
 * Where the batches of partitions are found. All calls up to `endReading` see storage as it was at the first of them, so that what one of them
 * finds, the next finds too, whatever is committed meanwhile.
 */
export interface BatchSource {
  /**
   * How many bytes of the log one reading through the key index may pass over, with all partitions of the topic together. Readers
   * of different keys that go over the same stretch side by side, reading by reading, then find in memory what the first has read.
   */
  readonly sharedStretchBytes: number;
  /**
   * The batch that covers `offset`, which lies between the partition's start and end, or the damaged range that does.
   * The batch may begin before `offset`. Where nothing is compacted it may come from memory that is a moment older than storage.
   */
  locate(partition: Partition, offset: number): StoredBatch | Damage;
  /**
   * The same, where the key index led: what it finds is of the same state of storage as the index, or it might hold neither the key nor the
   * offset that the index means.
   */
  locateIndexed(partition: Partition, offset: number): StoredBatch | Damage;
  /** Where the batch that covers `offset` begins, without reading it; `offset` itself where none does. */
  baseOf(partition: Partition, offset: number): number;
  /** May name a batch too many, never one too few; null if the store keeps no index for the partition. */
  basesOfKey(partition: Partition, search: KeySearch): readonly number[] | null;
  /** Lets go of the state of storage that was read. To be called in the turn in which reading began: an old state pins what commits free. */
  endReading(): void;
}

/** What a partition's batches rest on: memory, or LMDB. One commit at a time. */
export interface Store extends BatchSource {
  /** What is stored already: topics, and their partitions by index. */
  load(): readonly { readonly stored: StoredTopic; readonly partitions: readonly PartitionState[] }[];
  /** Begins to store; answers at once or later. Takes what is written over into the partitions' rings, not into their states. */
  commit(changes: Changes, done: CommitCallback): void;
  /** Stored chunks of ids of the topic, in order, from `sequence` on; fewer than `countMax` only at the end. */
  identityChunks(topicId: number, sequence: number, countMax: number): readonly StoredChunk[];
  identityChunk(topicId: number, sequence: number): Buffer | undefined;
  /**
   * Removes a bounded part of what a deleted topic stored; answers whether it was the last.
   */
  erase(stored: StoredTopic, done: (error: TidegateError | null, progress: 'more' | 'done') => void): void;
  /** The topic is deleted: lets go of what memory holds of the partition. */
  release(partition: Partition): void;
  /** Bytes of the files; 0 for memory. */
  fileBytes(): number;
  /** Looks after what time does to the store, such as readers that died. */
  check(): void;
  close(): Promise<void>;
}

export function isDamaged(found: StoredBatch | Damage): found is Damage {
  return 'from' in found;
}
