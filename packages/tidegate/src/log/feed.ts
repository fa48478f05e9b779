import { EMPTY, type Line } from '../kernel/index.ts';
import { encodeBatch, encodePartitions, encodeTopics, type ToldTopic } from './follower/messages.ts';
import type { Partition } from './partition.ts';
import type { Topic } from './port.ts';
import type { Changes } from './store.ts';
import type { TopicState } from './topic-state.ts';
import type { Topics } from './topics.ts';

/**
 * Tells other processes how far the log goes, so that they can read it in place. Those of durability `none`, which are in no file, it tells
 * the records themselves. Costs nothing while nobody follows.
 */
export class LogFeed {
  readonly #lines = new Set<Line>();
  #topics: Topics | null = null;
  /** The topics as they were told last, by id. */
  #told = new Map<number, Topic>();

  follow(topics: Topics): void {
    this.#topics = topics;
  }

  /** Whoever asks over the line is told everything from now on; the answer comes behind all that there is already. */
  lead(line: Line): void {
    line.onAsked('log', (_question, answer) => {
      if (this.#topics === null) return;
      const states = [...this.#topics.states];
      this.#told = new Map(states.map(({ topic }) => [topic.id, topic]));
      line.tell('log', encodeTopics({ put: states.map(whole), removed: [] }));
      for (const state of states) if (isInMemory(state)) tellRings(line, state);
      this.#lines.add(line);
      answer(EMPTY);
    });
    line.onClosed(() => this.#lines.delete(line));
  }

  topicsChanged(): void {
    if (this.#lines.size === 0 || this.#topics === null) return;
    const put: ToldTopic[] = [];
    const told = new Map<number, Topic>();
    for (const state of this.#topics.states) {
      const { topic } = state;
      told.set(topic.id, topic);
      if (this.#told.get(topic.id) !== topic) put.push(whole(state));
    }
    const removed = [...this.#told.keys()].filter((id) => !told.has(id));
    this.#told = told;
    if (put.length > 0 || removed.length > 0) this.#tell(encodeTopics({ put, removed }));
  }

  committed({ batches, partitions }: Changes): void {
    if (this.#lines.size === 0) return;
    for (const { partition, batch, place } of batches ?? []) {
      const { topic, index } = partition;
      if (isInMemory(topic))
        this.#tell(encodeBatch({ topicId: topic.topic.id, partition: index, place, bytes: batch.bytes }));
    }
    if (partitions === undefined || partitions.length === 0) return;
    this.#tell(
      encodePartitions(
        partitions.map(({ partition, state }) => ({
          topicId: partition.topic.topic.id,
          partition: partition.index,
          start: state.start,
          end: state.end,
        })),
      ),
    );
  }

  #tell(message: Uint8Array): void {
    for (const line of this.#lines) line.tell('log', message);
  }
}

function isInMemory({ topic }: TopicState): boolean {
  return topic.durability === 'none';
}

/** For those in memory, what is told of them afterwards makes their bounds. */
function whole(state: TopicState): ToldTopic {
  const bounds = state.partitions.map(({ start, end, ring }): [number, number] => {
    if (!isInMemory(state)) return [start, end];
    const first = ring.length === 0 ? end : ring.start;
    return [first, first];
  });
  return { stored: state.stored, bounds };
}

function tellRings(line: Line, state: TopicState): void {
  const topicId = state.topic.id;
  for (const partition of state.partitions) {
    for (const batch of batchesOf(partition))
      line.tell('log', encodeBatch({ topicId, partition: partition.index, place: 'end', bytes: batch }));
    const { index, start, end } = partition;
    line.tell('log', encodePartitions([{ topicId, partition: index, start, end }]));
  }
}

function* batchesOf({ ring, end }: Partition) {
  for (let at = ring.start; at < end; ) {
    const batch = ring.find(at);
    if (batch === undefined) return;
    yield batch.bytes;
    at = batch.endOffset;
  }
}
