import type { Line } from '../kernel/index.ts';
import { encodeBatch, encodePartitions, type ToldPartition } from './follower/messages.ts';
import type { Partition, PartitionState } from './partition.ts';
import type { NewBatch } from './store.ts';
import type { StoredBatch } from './stored-batch.ts';
import type { TopicState } from './topic-state.ts';

/** What is told for one question: less than any bound on what a line may have unsent, and much for the waking of a process. */
const PIECE_BYTES = 256 * 1024;

/** What a commit has brought a partition to. */
interface Reached {
  readonly partition: Partition;
  readonly state: Pick<PartitionState, 'start' | 'end'>;
}

/**
 * Hands the rings of topics in memory over to a process that follows the log, piece by piece, while the log goes on. What is appended to a partition, or dropped
 * from it, before its turn has come is told with its ring.
 */
export class RingHandover {
  readonly #line: Line;
  /** Up to where each ring that is not handed over yet has been told, in the order in which they are. */
  readonly #toldTo = new Map<Partition, number>();

  constructor(line: Line, states: readonly TopicState[]) {
    this.#line = line;
    for (const state of states) {
      if (!isInMemory(state)) continue;
      for (const partition of state.partitions)
        if (partition.ring.length > 0) this.#toldTo.set(partition, partition.ring.start);
    }
  }

  get isDone(): boolean {
    return this.#toldTo.size === 0;
  }

  /** Tells the next piece. */
  next(): void {
    let bytes = 0;
    for (const [partition, toldTo] of this.#toldTo) {
      let at = toldTo;
      for (let batch = batchFrom(partition, at); batch !== undefined; batch = batchFrom(partition, at)) {
        this.#tell(partition, batch);
        at = batch.endOffset;
        bytes += batch.bytes.length;
        this.#toldTo.set(partition, at);
        if (bytes >= PIECE_BYTES) return;
      }
      this.#toldTo.delete(partition);
      this.tellBounds([{ partition, state: partition }]);
    }
  }

  /** Whether a batch that was just stored is to be told now; if not, it comes with the ring. */
  takes({ partition, batch, place }: NewBatch): boolean {
    const toldTo = this.#toldTo.get(partition);
    if (toldTo === undefined) return true;
    if (place === 'end' || batch.baseOffset >= toldTo) return false;
    // It stands for some that were told, and maybe for some that were to follow them.
    this.#toldTo.set(partition, Math.max(toldTo, batch.endOffset));
    return true;
  }

  /** Tells how far partitions go, of those whose rings have been handed over. */
  tellBounds(reached: readonly Reached[]): void {
    const known = reached.filter(({ partition }) => !this.#toldTo.has(partition));
    if (known.length > 0) this.#line.tell('log', encodePartitions(known.map(boundsOf)));
  }

  #tell({ index, topic }: Partition, { bytes }: StoredBatch): void {
    const batch = encodeBatch({ topicId: topic.topic.id, partition: index, place: 'end', bytes });
    this.#line.tell('log', batch);
  }
}

export function boundsOf({ partition, state: { start, end } }: Reached): ToldPartition {
  return { topicId: partition.topic.topic.id, partition: partition.index, start, end };
}

export function isInMemory({ topic }: TopicState): boolean {
  return topic.durability === 'none';
}

/** The first batch of the ring that has something from `offset` on. */
function batchFrom({ ring }: Partition, offset: number): StoredBatch | undefined {
  return ring.find(Math.max(offset, ring.start));
}
