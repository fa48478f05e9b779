import { TidegateError } from '../kernel/index.ts';
import { partitionOfKey } from './murmur2.ts';
import type { Partition } from './partition.ts';
import type { PartitionBounds, ReadRequest, ReadResult, Topic } from './port.ts';
import { offsetAtTime, offsetOfLast, readPartition } from './reading.ts';
import type { BatchSource } from './store.ts';
import type { TopicState } from './topic-state.ts';

/** Where topics and their batches are. */
export interface TopicSource {
  /** @throws TidegateError log_topic_unknown */
  get(name: string): TopicState;
  batchesOf(state: TopicState): BatchSource;
}

/** What can be read of a log, whoever owns it. */
export class TopicReader {
  readonly #source: TopicSource;

  constructor(source: TopicSource) {
    this.#source = source;
  }

  read(request: ReadRequest): ReadResult {
    const state = this.#source.get(request.topic);
    const partition = partitionAt(state, request.partition);
    const batches = this.#source.batchesOf(state);
    try {
      return readPartition(batches, partition, request);
    } finally {
      batches.endReading();
    }
  }

  bounds(topic: string, partition: number): PartitionBounds {
    const { start, end } = partitionAt(this.#source.get(topic), partition);
    return { start, end };
  }

  offsetAtTime(topic: string, partition: number, timeMs: number): number {
    const state = this.#source.get(topic);
    const at = partitionAt(state, partition);
    const batches = this.#source.batchesOf(state);
    try {
      return offsetAtTime(batches, at, timeMs);
    } finally {
      batches.endReading();
    }
  }

  offsetOfLast(topic: string, partition: number, count: number, key?: string, before?: number): number {
    const state = this.#source.get(topic);
    const at = partitionAt(state, partition);
    const batches = this.#source.batchesOf(state);
    try {
      return offsetOfLast(batches, at, count, key, before ?? at.end);
    } finally {
      batches.endReading();
    }
  }

  partitionOf(topic: Topic, key: string): number {
    return partitionOfKey(key, topic.partitions);
  }
}

export function unknownTopic(name: string): TidegateError {
  return new TidegateError('log_topic_unknown', `The topic is ${JSON.stringify(name)}.`);
}

function partitionAt(state: TopicState, index: number): Partition {
  const partition = state.partitions[index];
  if (partition === undefined) {
    throw new TidegateError('log_topic_unknown', `The topic ${state.topic.name} has no partition ${index}.`);
  }
  return partition;
}
