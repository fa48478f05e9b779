import type { Counter } from '../kernel/index.ts';
import type { IdempotenceWindow } from './idempotence-window.ts';
import { EMPTY_PARTITION, Partition, type PartitionState } from './partition.ts';
import type { Topic } from './port.ts';
import { TextHash } from './text-hash.ts';

/** A topic as a backend keeps it: what everybody sees, and the secret seed of its hash tables. */
export interface StoredTopic {
  readonly topic: Topic;
  readonly hashSeed: readonly [high: number, low: number];
  /** Deleted for everybody; what it stored is being removed. */
  readonly deleting: boolean;
}

/** A topic at work. */
export class TopicState {
  topic: Topic;
  readonly hashSeed: readonly [high: number, low: number];
  readonly hash: TextHash;
  readonly partitions: readonly Partition[];
  /** Loaded with the first record that has an identity, because it may be large. */
  window: IdempotenceWindow | null = null;
  /** Deleted, or never created: nothing can be appended any more. */
  gone = false;
  readonly recordsAppended: Counter;
  readonly bytesAppended: Counter;

  constructor(
    stored: StoredTopic,
    states: readonly PartitionState[],
    recordsAppended: Counter,
    bytesAppended: Counter,
  ) {
    this.topic = stored.topic;
    this.hashSeed = stored.hashSeed;
    this.hash = new TextHash(stored.hashSeed[0], stored.hashSeed[1]);
    this.partitions = Array.from(
      { length: stored.topic.partitions },
      (_, index) => new Partition(this, index, states[index] ?? EMPTY_PARTITION),
    );
    this.recordsAppended = recordsAppended;
    this.bytesAppended = bytesAppended;
  }

  get stored(): StoredTopic {
    return { topic: this.topic, hashSeed: this.hashSeed, deleting: false };
  }
}
