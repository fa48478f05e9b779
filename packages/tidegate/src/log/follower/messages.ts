import type { Buffer } from 'node:buffer';
import { ByteReader, ByteWriter } from '../../kernel/index.ts';
import type { NewBatch } from '../store.ts';
import type { StoredTopic } from '../topic-state.ts';

/** What the owner of a log tells those who follow it; the first byte says which. */
const TOPICS = 1;
const PARTITIONS = 2;
const BATCH = 3;
const MERGED = 4;

/** What a follower asks of the owner; the first byte says which. To tell it everything from now on: */
export const FOLLOW = 1;
/** A further piece of what is in memory only. */
export const NEXT_PIECE = 2;
/** Nothing: what the owner had told when the question came is there before the answer. */
export const REACH = 3;

/** The first byte of the owner's answer: whether there are further pieces. */
export const ALL_HANDED_OVER = 0;
export const MORE_TO_HAND_OVER = 1;

/** A topic that is new or another than before. */
export interface ToldTopic {
  readonly stored: StoredTopic;
  /** The bounds of its partitions, and how often compaction has merged batches of them. Counts for those that did not know the topic. */
  readonly bounds: readonly (readonly [start: number, end: number, merges: number])[];
}

export interface ToldTopics {
  readonly put: readonly ToldTopic[];
  /** The ids of topics that are no more. */
  readonly removed: readonly number[];
}

export interface ToldPartition {
  readonly topicId: number;
  readonly partition: number;
  readonly start: number;
  readonly end: number;
}

/** A batch of a topic that is in memory only. */
export interface ToldBatch {
  readonly topicId: number;
  readonly partition: number;
  readonly place: NewBatch['place'];
  readonly bytes: Buffer;
}

/** Batches of a topic that is in a file are no more: one commit of compaction has merged them. */
export interface ToldMerge {
  readonly topicId: number;
  readonly partition: number;
  /** How often that has happened to the partition by now. */
  readonly merges: number;
  /** The base offsets of the batches. */
  readonly bases: readonly number[];
}

/** Takes what a message says. */
export interface LogMessages {
  topics(told: ToldTopics): void;
  partitions(told: readonly ToldPartition[]): void;
  batch(told: ToldBatch): void;
  merged(told: ToldMerge): void;
}

export function encodeTopics(told: ToldTopics): Buffer {
  const out = new ByteWriter();
  out.byte(TOPICS);
  out.utf8(JSON.stringify(told));
  return out.take();
}

export function encodePartitions(told: readonly ToldPartition[]): Buffer {
  const out = new ByteWriter(1 + told.length * 24);
  out.byte(PARTITIONS);
  for (const { topicId, partition, start, end } of told) {
    out.uint32(topicId);
    out.uint32(partition);
    out.float64(start);
    out.float64(end);
  }
  return out.take();
}

export function encodeBatch({ topicId, partition, place, bytes }: ToldBatch): Buffer {
  const out = new ByteWriter(bytes.length + 16);
  out.byte(BATCH);
  out.uint32(topicId);
  out.uint32(partition);
  out.byte(place === 'end' ? 0 : 1);
  out.blob(bytes);
  return out.take();
}

export function encodeMerge({ topicId, partition, merges, bases }: ToldMerge): Buffer {
  const out = new ByteWriter(17 + bases.length * 8);
  out.byte(MERGED);
  out.uint32(topicId);
  out.uint32(partition);
  out.float64(merges);
  for (const base of bases) out.float64(base);
  return out.take();
}

export function readLogMessage(message: Buffer, take: LogMessages): void {
  const reader = new ByteReader(message);
  switch (reader.byte()) {
    case TOPICS:
      take.topics(JSON.parse(message.toString('utf8', 1)) as ToldTopics);
      return;
    case PARTITIONS: {
      const told: ToldPartition[] = [];
      while (!reader.isAtEnd) {
        told.push({
          topicId: reader.uint32(),
          partition: reader.uint32(),
          start: reader.float64(),
          end: reader.float64(),
        });
      }
      take.partitions(told);
      return;
    }
    case BATCH:
      take.batch({
        topicId: reader.uint32(),
        partition: reader.uint32(),
        place: reader.byte() === 0 ? 'end' : 'merged',
        bytes: reader.blob(),
      });
      return;
    case MERGED: {
      const told = { topicId: reader.uint32(), partition: reader.uint32(), merges: reader.float64() };
      const bases: number[] = [];
      while (!reader.isAtEnd) bases.push(reader.float64());
      take.merged({ ...told, bases });
    }
  }
}
