import type { Topic } from '../log/index.ts';
import type { Audience } from './audience.ts';
import { type ChannelMap, DEFAULT_TOPIC } from './channel-map.ts';
import { hasWildcard } from './channel-name.ts';
import { PatternTrie } from './pattern-trie.ts';
import type { PartitionProgress } from './source.ts';

/** How many channel names of a topic are kept made up. */
const NAMES_MAX = 16_384;

const NOBODY: readonly Audience[] = [];

/** A partition whose new records are handed to live subscribers. */
export interface LivePartition extends PartitionProgress {
  readonly audiences: TopicAudiences;
  /** The durable end, as far as it was announced. */
  end: number;
}

/** Who wants the records of one topic, by channel and by pattern. */
export class TopicAudiences {
  readonly topic: Topic;
  readonly partitions: readonly LivePartition[];
  readonly #map: ChannelMap;
  readonly #exact = new Map<string, Audience[]>();
  readonly #patterns = new PatternTrie<Audience>();
  readonly #names = new Map<string, string>();
  readonly #all = new Set<Audience>();
  #mark = 0;

  constructor(topic: Topic, map: ChannelMap, endOf: (partition: number) => number) {
    this.topic = topic;
    this.#map = map;
    this.partitions = Array.from({ length: topic.partitions }, (_, partition) => {
      const end = endOf(partition);
      return { topic, partition, dispatched: end, end, audiences: this };
    });
  }

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  /** Everybody who is handed the new records of a partition. */
  readersOf(partition: LivePartition): Audience[] {
    return [...this.#all].filter((audience) =>
      audience.sources.some((source) => source.progress === partition && source.barrier === null),
    );
  }

  /** @param channels those of the audience's that this topic can hold */
  add(audience: Audience, channels: readonly string[]): void {
    this.#all.add(audience);
    for (const channel of channels) {
      if (hasWildcard(channel)) {
        this.#patterns.add(channel, audience);
        continue;
      }
      const list = this.#exact.get(channel);
      if (list === undefined) this.#exact.set(channel, [audience]);
      else list.push(audience);
    }
  }

  delete(audience: Audience): void {
    if (!this.#all.delete(audience)) return;
    for (const channel of audience.channels) {
      if (hasWildcard(channel)) {
        this.#patterns.delete(channel, audience);
        continue;
      }
      const list = this.#exact.get(channel)?.filter((other) => other !== audience) ?? [];
      if (list.length === 0) this.#exact.delete(channel);
      else this.#exact.set(channel, list);
    }
  }

  /** The channel of a record of this topic. */
  nameOf(key: string | null): string {
    if (key === null) return this.#map.channelOf(this.topic.name, null);
    // Here the key is the name, and there may be millions.
    if (this.topic.name === DEFAULT_TOPIC) return key;
    let name = this.#names.get(key);
    if (name === undefined) {
      name = this.#map.channelOf(this.topic.name, key);
      if (this.#names.size >= NAMES_MAX) this.#names.clear();
      this.#names.set(key, name);
    }
    return name;
  }

  /** Who wants the records of a channel. Each audience is named once. */
  wanting(channel: string): readonly Audience[] {
    const exact = this.#exact.get(channel);
    if (this.#patterns.size === 0) return exact ?? NOBODY;
    const mark = ++this.#mark;
    const found: Audience[] = [];
    const take = (audience: Audience): void => {
      if (audience.mark === mark && found.includes(audience)) return;
      audience.mark = mark;
      found.push(audience);
    };
    exact?.forEach(take);
    this.#patterns.match(channel, take);
    return found;
  }
}
