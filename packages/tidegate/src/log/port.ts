import type { Line, TidegateError } from '../kernel/index.ts';
import type { RecordBatch } from './record-batch.ts';

/**
 * When a record counts as stored, and so may be acknowledged and seen:
 * `none` at once, in memory only; `written` once the operating system has it, so that it survives the death of the
 * process; `synced` once the disk has it, so that it survives the loss of power.
 */
export type Durability = 'none' | 'written' | 'synced';

/** How a topic is stored. */
export interface TopicSpec {
  /** Letters, digits, `.`, `_` and `-`; 1 to 128 characters. A leading `_` marks the server's own. */
  readonly name: string;
  readonly partitions: number;
  readonly durability: Durability;
  /** Batches whose newest record is older are dropped; null keeps them whatever their age. */
  readonly retentionMs: number | null;
  /** Oldest batches are dropped while a partition stores more; null keeps them whatever their size. */
  readonly retentionBytes: number | null;
  /** Keeps, of the records of one key, only the latest; a null value (tombstone) removes the key. */
  readonly compacted: boolean;
  /** How long a tombstone is kept, so that readers learn of the removal. */
  readonly tombstoneRetentionMs: number;
  /** Keeps an index from key to batches, so that one key's records are found without reading the others'. */
  readonly keyIndex: boolean;
}

/** A topic as it is: its declaration and its identity. */
export interface Topic extends TopicSpec {
  /** Never used again, not even for a topic of the same name. */
  readonly id: number;
  /** Drawn anew when the topic is created: offsets of another epoch mean other records. */
  readonly epoch: string;
  readonly createdMs: number;
  /**
   * Where every other topic ended when this one was created: partition ends by the topic's name. Lets a reader that
   * comes from an older topic know up to where the older one is to be read.
   */
  readonly barrier: Readonly<Record<string, { readonly epoch: string; readonly ends: readonly number[] }>>;
}

/** Data is for everybody; control acts on the connections that are live when it is appended and is skipped by all else. */
export const RECORD_CONTROL = 1 << 0;
/** The data is known to be UTF-8. */
export const RECORD_UTF8 = 1 << 1;
/** The data is known to be one JSON text (RFC 8259), in UTF-8. */
export const RECORD_JSON = 1 << 2;
/** There is no data: a tombstone in a compacted topic. Set by the log. */
export const RECORD_NULL = 1 << 3;

/** A record that is offered to the log. */
export interface AppendRecord {
  /** Decides the partition, the order and what compaction keeps. Null goes where the empty key goes, and is never compacted. */
  readonly key: string | null;
  /** The payload; null is a tombstone. Must not be changed until the append is done. */
  readonly data: Uint8Array | null;
  /** Headers as `encodeHeaders` gives them; null for none. */
  readonly headers: Uint8Array | null;
  /** RECORD_* bits. */
  readonly flags: number;
  /**
   * What makes a retry recognisable (channel, source and the id that the client supplied); null if the client supplied
   * no id. Seen again within the window, the record is not stored again and gets the first one's position.
   */
  readonly identity: string | null;
}

export interface TopicAppend {
  readonly topic: string;
  readonly records: readonly AppendRecord[];
}

/** Where the records of one `TopicAppend` were stored; index i belongs to record i. */
export interface AppendedTopic {
  readonly topic: Topic;
  readonly partitions: readonly number[];
  readonly offsets: readonly number[];
  /** The indexes of records that were duplicates of earlier ones; null if there was none. */
  readonly duplicates: ReadonlySet<number> | null;
}

/** Called once: with the error, or with what was stored, in the order of the appends. */
export type AppendCallback = (error: TidegateError | null, appended: readonly AppendedTopic[]) => void;

/** A range of offsets, `from` inclusive and `to` exclusive, of which the records cannot be read. */
export interface DamagedRange {
  readonly from: number;
  readonly to: number;
}

export interface ReadRequest {
  readonly topic: string;
  readonly partition: number;
  /** The first offset wanted. */
  readonly from: number;
  /** Reading stops once the batches hold this many bytes; at least one batch is returned if there is one. */
  readonly bytesMax: number;
  /** Only batches that hold a record of this key are wanted. The batches may hold others too. */
  readonly key?: string;
  /** Reading stops before this offset; default: the durable end. */
  readonly to?: number;
}

export interface ReadResult {
  /** In order. The first may begin before `from`, the last may reach beyond `to`: skip by offset. */
  readonly batches: readonly RecordBatch[];
  /** Ranges between `from` and `next` that are damaged; empty almost always. */
  readonly damaged: readonly DamagedRange[];
  /** Where to read on: everything of interest before it is in `batches` or in `damaged`. */
  readonly next: number;
}

/** The offsets of one partition. */
export interface PartitionBounds {
  /** The first offset that can be read; what lies before it was dropped. */
  readonly start: number;
  /** One past the last record that may be seen. */
  readonly end: number;
}

/** Called in the turn in which records became visible, once per partition; `end` is the new durable end. */
export type TailListener = (topic: Topic, partition: number, end: number) => void;

/** Figures for the metrics and for `topics describe`. */
export interface TopicStatistics {
  readonly recordsStored: number;
  readonly bytesStored: number;
}

/** The event log, to those who read. Reading is synchronous (memory or mapped pages) and never returns what is not yet durable. */
export interface LogReader {
  /** Every topic, by name. The map is replaced, never changed. */
  readonly topics: ReadonlyMap<string, Topic>;
  /** @throws TidegateError log_topic_unknown */
  read(request: ReadRequest): ReadResult;
  /** @throws TidegateError log_topic_unknown */
  bounds(topic: string, partition: number): PartitionBounds;
  /** The first offset whose record is not older than `timeMs`; the end if there is none. */
  offsetAtTime(topic: string, partition: number, timeMs: number): number;
  /** The offset from which the partition holds the last `count` data records (of `key`, if given) before `before`. */
  offsetOfLast(topic: string, partition: number, count: number, key?: string, before?: number): number;
  /** The partition that records of `key` go to; those without key go where the empty key goes. */
  partitionOf(topic: Topic, key: string): number;
  /** Calls `listener` from now on; the returned function ends it. */
  onTail(listener: TailListener): () => void;
}

/** A log that another process owns, read in place. */
export interface FollowedLog extends LogReader {
  /**
   * Calls back once, later, when everything that the owner had acknowledged by now can be read here. What the owner acknowledges it has told before, but the
   * telling may be on its way while the one who was answered comes here.
   */
  reach(done: () => void): void;
  close(): Promise<void>;
}

/**
 * The event log, seen by everything else: appending is grouped and answers by callback, in the order of the calls.
 *
 * Consumer-group offsets and transactions will join `append` as further members of the same atomic commit.
 */
export interface Log extends LogReader {
  /** @throws TidegateError log_topic_exists, log_disk_full, log_write_failed */
  createTopic(spec: TopicSpec): Promise<Topic>;
  /** Changes what can be changed in place: retention, compaction. @throws log_topic_unknown, log_topic_exists */
  alterTopic(spec: TopicSpec): Promise<Topic>;
  /** @throws TidegateError log_topic_unknown */
  deleteTopic(name: string): Promise<void>;
  /**
   * Stores all records of all topics, or none. Appends are stored in the order of the calls. The callback comes when the
   * topics' durability is reached, never before `append` returns; errors: log_disk_full, log_write_failed, log_overloaded,
   * log_closed, log_topic_unknown, log_record_too_large, log_durability_mixed.
   */
  append(appends: readonly TopicAppend[], done: AppendCallback): void;
  statistics(topic: string): TopicStatistics;
  /** Drops what retention and compaction allow to drop, now; the log also does so by itself from time to time. */
  maintain(): Promise<void>;
  /** Lets the process at the other end of `line` read this log in place, for as long as it lives: see `FollowerLog`. */
  lead(line: Line): void;
  /** Waits for what was appended, then closes. Later appends fail with log_closed. */
  close(): Promise<void>;
}
