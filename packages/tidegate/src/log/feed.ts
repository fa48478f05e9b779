import { Buffer } from 'node:buffer';
import { EMPTY, type Line } from '../kernel/index.ts';
import {
  ALL_HANDED_OVER,
  encodeBatch,
  encodeMerge,
  encodePartitions,
  encodeTopics,
  FOLLOW,
  MORE_TO_HAND_OVER,
  NEXT_PIECE,
  type ToldTopic,
} from './follower/messages.ts';
import type { Topic } from './port.ts';
import { boundsOf, isInMemory, RingHandover } from './ring-handover.ts';
import type { Changes } from './store.ts';
import type { TopicState } from './topic-state.ts';
import type { Topics } from './topics.ts';

/**
 * Tells other processes how far the log goes, so that they can read it in place. Those of durability `none`, which are in no file, it tells
 * the records themselves. Costs nothing while nobody follows.
 */
export class LogFeed {
  readonly #followers = new Map<Line, RingHandover>();
  #topics: Topics | null = null;
  /** The topics as all followers were told last, by id. */
  #told = new Map<number, Topic>();

  follow(topics: Topics): void {
    this.#topics = topics;
  }

  /**
   * Whoever asks over the line is told everything from now on. What is in memory is handed over a piece for each question, so that not all of it waits for
   * the other process to read; each partition is told of from the moment at which its ring has been handed over.
   */
  lead(line: Line): void {
    line.onAsked('log', ([question], answer) => {
      if (this.#topics === null) return;
      if (question === FOLLOW) this.#begin(line, [...this.#topics.states]);
      const handover = this.#followers.get(line);
      if (question === NEXT_PIECE) handover?.next();
      // To whatever else is asked the answer is that all there is to know comes before it.
      if (handover === undefined) answer(EMPTY);
      else answer(Buffer.of(handover.isDone ? ALL_HANDED_OVER : MORE_TO_HAND_OVER));
    });
    line.onClosed(() => this.#followers.delete(line));
  }

  #begin(line: Line, states: readonly TopicState[]): void {
    // What has changed since the others were told is still to be told to them.
    if (this.#followers.size === 0) this.#told = new Map(states.map(({ topic }) => [topic.id, topic]));
    line.tell('log', encodeTopics({ put: states.map(whole), removed: [] }));
    this.#followers.set(line, new RingHandover(line, states));
  }

  topicsChanged(): void {
    if (this.#followers.size === 0 || this.#topics === null) return;
    const put: ToldTopic[] = [];
    const told = new Map<number, Topic>();
    for (const state of this.#topics.states) {
      const { topic } = state;
      told.set(topic.id, topic);
      if (this.#told.get(topic.id) !== topic) put.push(whole(state));
    }
    const removed = [...this.#told.keys()].filter((id) => !told.has(id));
    this.#told = told;
    if (put.length === 0 && removed.length === 0) return;
    const message = encodeTopics({ put, removed });
    for (const line of this.#followers.keys()) line.tell('log', message);
  }

  committed(changes: Changes): void {
    if (this.#followers.size === 0) return;
    this.#tellBatches(changes);
    this.#tellMerges(changes);
    const { partitions } = changes;
    if (partitions === undefined || partitions.length === 0) return;
    const message = encodePartitions(partitions.map(boundsOf));
    for (const [line, handover] of this.#followers) {
      if (handover.isDone) line.tell('log', message);
      else handover.tellBounds(partitions);
    }
  }

  #tellBatches({ batches }: Changes): void {
    for (const added of batches ?? []) {
      const { partition, batch, place } = added;
      if (!isInMemory(partition.topic)) continue;
      const { index, topic } = partition;
      const message = encodeBatch({ topicId: topic.topic.id, partition: index, place, bytes: batch.bytes });
      for (const [line, handover] of this.#followers)
        if (handover.isDone || handover.takes(added)) line.tell('log', message);
    }
  }

  /** Of what is in files, followers hold batches that are there no more. */
  #tellMerges({ batches, dropped, partitions }: Changes): void {
    if (dropped === undefined || !batches?.some(({ place }) => place === 'merged')) return;
    for (const { partition, state } of partitions ?? []) {
      const { index, topic } = partition;
      if (isInMemory(topic)) continue;
      const bases = dropped.filter((drop) => drop.partition === partition).map((drop) => drop.baseOffset);
      const message = encodeMerge({
        topicId: topic.topic.id,
        partition: index,
        merges: state.merges,
        bases,
      });
      for (const line of this.#followers.keys()) line.tell('log', message);
    }
  }
}

/** For those in memory, what is told of them afterwards makes their bounds. */
function whole(state: TopicState): ToldTopic {
  const bounds = state.partitions.map(({ start, end, ring, merges }): [number, number, number] => {
    if (!isInMemory(state)) return [start, end, merges];
    const first = ring.length === 0 ? end : ring.start;
    return [first, first, merges];
  });
  return { stored: state.stored, bounds };
}
