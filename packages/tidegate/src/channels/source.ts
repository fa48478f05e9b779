import { type Limits, TidegateError } from '../kernel/index.ts';
import type { Log, Topic } from '../log/index.ts';
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

/**
 * The partitions that a set of channels and patterns reads, older storage first.
 * @throws TidegateError subscription_too_wide
 */
export function resolveSources(
  channels: readonly string[],
  log: Log,
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
  const older: Source[] = [];
  const current: Source[] = [];
  for (const [topic, wanted] of byTopic) {
    const selector = new Selector(map, topic.name, wanted);
    for (const partition of partitionsOf(topic, wanted, log, map)) {
      current.push(newSource(topic, partition, selector, progressOf(topic, partition), null));
    }
    older.push(...olderSources(topic, wanted, byTopic, log, map, progressOf));
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

/** One partition if the key decides, otherwise all. */
function partitionsOf(
  topic: Topic,
  channels: readonly string[],
  log: Log,
  map: ChannelMap,
): readonly number[] {
  const partitions = new Set<number>();
  for (const channel of channels) {
    if (hasWildcard(channel)) return Array.from({ length: topic.partitions }, (_, partition) => partition);
    partitions.add(log.partitionOf(topic, map.addressOf(channel).key ?? ''));
  }
  return [...partitions].sort((a, b) => a - b);
}

/** What `default` holds of a topic's channels from before the topic was declared, as long as it is still kept. */
function olderSources(
  topic: Topic,
  channels: readonly string[],
  byTopic: ReadonlyMap<Topic, readonly string[]>,
  log: Log,
  map: ChannelMap,
  progressOf: (topic: Topic, partition: number) => PartitionProgress,
): readonly Source[] {
  const before = topic.barrier[DEFAULT_TOPIC];
  const storage = log.topics.get(DEFAULT_TOPIC);
  // A pattern that reads `default` anyway finds the older records there by itself.
  if (before === undefined || storage === undefined || storage === topic || byTopic.has(storage)) return [];
  if (before.epoch !== storage.epoch) return [];
  const keys = channels.filter((channel) => !hasWildcard(channel));
  const patterns = channels.filter((channel) => hasWildcard(channel));
  const selector = Selector.ofKeys(map, DEFAULT_TOPIC, keys, patterns);
  const wanted =
    patterns.length > 0
      ? Array.from({ length: storage.partitions }, (_, partition) => partition)
      : [...new Set(keys.map((key) => log.partitionOf(storage, key)))];
  return wanted.flatMap((partition) => {
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
