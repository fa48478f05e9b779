import { type Limits, TidegateError } from '../kernel/index.ts';
import type { LogReader, Topic } from '../log/index.ts';
import { type ChannelMap, DEFAULT_TOPIC } from './channel-map.ts';
import { hasWildcard } from './channel-name.ts';
import { Selector } from './selector.ts';

/** How far the live subscribers of a partition have been served. Shared by all subscriptions of a hub. */
export interface PartitionProgress {
  readonly topic: Topic;
  readonly partition: number;
  /** One past the last record that was handed to live subscribers. */
  dispatched: number;
}

/** One partition that a subscription reads. */
export interface Source {
  readonly topic: Topic;
  readonly partition: number;
  readonly selector: Selector;
  /** Live records are read up to here. */
  readonly progress: PartitionProgress;
  /**
   * Set where a channel was stored before its own topic was declared: records from here on belong to the new
   * topic, and are read there.
   */
  readonly barrier: number | null;
  /** `topic~epoch~partition~`: what stands before the offset in a cursor. */
  readonly cursorPrefix: string;
}

/** Up to where a source has records for its subscribers by now. */
export function sourceEnd(source: Source): number {
  return source.barrier === null
    ? source.progress.dispatched
    : Math.min(source.barrier, source.progress.dispatched);
}

/** Whether these are the topics that sources are of, older storage aside. */
export function readsExactly(sources: readonly Source[], topics: readonly Topic[]): boolean {
  const wanted = new Set(topics.map(({ id }) => id));
  const read = new Set(sources.filter(({ barrier }) => barrier === null).map(({ topic }) => topic.id));
  return wanted.size === read.size && [...wanted].every((id) => read.has(id));
}

/**
 * The partitions that a set of channels and patterns reads, older storage first.
 * @throws TidegateError subscription_too_wide
 */
export function resolveSources(
  channels: readonly string[],
  log: LogReader,
  map: ChannelMap,
  progressOf: (topic: Topic, partition: number) => PartitionProgress,
  limits: Limits,
): readonly Source[] {
  const byTopic = new Map<Topic, string[]>();
  for (const channel of channels) {
    for (const topic of map.topicsOf(channel)) {
      const list = byTopic.get(topic);
      if (list === undefined) byTopic.set(topic, [channel]);
      else list.push(channel);
    }
  }
  const storage = log.topics.get(DEFAULT_TOPIC);
  const older: Source[] = [];
  const current: Source[] = [];
  for (const [topic, wanted] of byTopic) {
    // Who reads `default` anyway finds there also what it holds of the other channels.
    const reader =
      topic === storage ? inDefault(topic, channels, log, map) : inTopic(topic, wanted, log, map);
    for (const partition of reader.partitions) {
      const progress = progressOf(topic, partition);
      current.push(newSource(topic, partition, reader.selector, progress, null));
    }
    if (storage !== undefined && !byTopic.has(storage))
      older.push(...olderSources(topic, storage, wanted, log, map, progressOf));
  }
  const sources = [...older, ...current];
  if (sources.length > limits.subscriptionPartitionsMax) {
    throw new TidegateError(
      'subscription_too_wide',
      `It reads ${sources.length} partitions; the limit is ${limits.subscriptionPartitionsMax}`,
    );
  }
  return sources;
}

/** What is read of one topic. */
interface Reader {
  readonly selector: Selector;
  readonly partitions: readonly number[];
}

function inTopic(topic: Topic, channels: readonly string[], log: LogReader, map: ChannelMap): Reader {
  const keyOf = (channel: string): string => map.addressOf(channel).key ?? '';
  return {
    selector: new Selector(map, topic.name, channels),
    partitions: partitionsOf(topic, channels, keyOf, log),
  };
}

/** Under their whole names, also those that have a topic of their own by now. */
function inDefault(storage: Topic, channels: readonly string[], log: LogReader, map: ChannelMap): Reader {
  const keys = channels.filter((channel) => !hasWildcard(channel));
  const patterns = channels.filter((channel) => hasWildcard(channel));
  return {
    selector: Selector.ofKeys(map, DEFAULT_TOPIC, keys, patterns),
    partitions: partitionsOf(storage, channels, (channel) => channel, log),
  };
}

/** One partition if the key decides, otherwise all. */
function partitionsOf(
  topic: Topic,
  channels: readonly string[],
  keyOf: (channel: string) => string,
  log: LogReader,
): readonly number[] {
  const partitions = new Set<number>();
  for (const channel of channels) {
    if (hasWildcard(channel)) return Array.from({ length: topic.partitions }, (_, partition) => partition);
    partitions.add(log.partitionOf(topic, keyOf(channel)));
  }
  return [...partitions].sort((a, b) => a - b);
}

/** What `default` holds of a topic's channels from before the topic was declared, as long as it is still kept. */
function olderSources(
  topic: Topic,
  storage: Topic,
  channels: readonly string[],
  log: LogReader,
  map: ChannelMap,
  progressOf: (topic: Topic, partition: number) => PartitionProgress,
): readonly Source[] {
  const before = topic.barrier[storage.name];
  if (before === undefined || before.epoch !== storage.epoch) return [];
  const { selector, partitions } = inDefault(storage, channels, log, map);
  return partitions.flatMap((partition) => {
    const barrier = before.ends[partition] ?? 0;
    if (log.bounds(storage.name, partition).start >= barrier) return [];
    return [newSource(storage, partition, selector, progressOf(storage, partition), barrier)];
  });
}

function newSource(
  topic: Topic,
  partition: number,
  selector: Selector,
  progress: PartitionProgress,
  barrier: number | null,
): Source {
  return {
    topic,
    partition,
    selector,
    progress,
    barrier,
    cursorPrefix: `${topic.name}~${topic.epoch}~${partition}~`,
  };
}
