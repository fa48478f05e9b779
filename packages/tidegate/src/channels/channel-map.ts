import { TidegateError } from '../kernel/index.ts';
import type { LogReader, Topic } from '../log/index.ts';
import { ALL_SEGMENTS, hasWildcard, ONE_SEGMENT } from './channel-name.ts';
import { matchesPattern } from './pattern.ts';

/** The topic that stores every channel that no declared topic claims. It cannot be addressed by name. */
export const DEFAULT_TOPIC = 'default';

/** Where a channel is stored. */
export interface ChannelAddress {
  readonly topic: string;
  /** The record key; null for the channel that is the bare name of a topic. */
  readonly key: string | null;
}

/**
 * Which topic stores which channel, and back. The first segment decides; then the further prefixes that topics declare, the
 * longest first; all else is in `default`, keyed by the whole name. A key that begins with one of its topic's
 * prefixes is itself the channel's name.
 */
export class ChannelMap {
  readonly #log: LogReader;
  #prefixes: readonly { readonly prefix: string; readonly topic: string }[];
  #prefixesOf: ReadonlyMap<string, readonly string[]>;

  /** `prefixes` gives the further prefixes by topic. */
  constructor(log: LogReader, prefixes: ReadonlyMap<string, readonly string[]>) {
    this.#log = log;
    this.#prefixesOf = prefixes;
    this.#prefixes = longestFirst(prefixes);
  }

  /** Takes other prefixes from now on. Returns the topics whose prefixes are others than before. */
  setPrefixes(prefixes: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
    const before = this.#prefixesOf;
    this.#prefixesOf = prefixes;
    this.#prefixes = longestFirst(prefixes);
    const changed = [...before.keys(), ...prefixes.keys()].filter(
      (topic) => (before.get(topic) ?? []).join('\n') !== (prefixes.get(topic) ?? []).join('\n'),
    );
    return new Set(changed);
  }

  /**
   * Where a channel without wildcards is stored.
   * @throws TidegateError channel_invalid: it would be a second name of a channel that a prefix of the topic stores
   */
  addressOf(channel: string): ChannelAddress {
    const slash = channel.indexOf('/');
    const first = slash === -1 ? channel : channel.slice(0, slash);
    if (this.#isAddressable(first)) {
      if (slash === -1) return { topic: first, key: null };
      const key = channel.slice(slash + 1);
      if (!this.#isPrefixed(first, key)) return { topic: first, key };
      throw new TidegateError(
        'channel_invalid',
        `"${channel}" begins with a prefix that ${first} declares: the channel's name is "${key}"`,
      );
    }
    for (const { prefix, topic } of this.#prefixes) {
      // A topic can be declared a moment before it is there, and be gone a moment before it is not declared any more.
      if (channel.startsWith(prefix) && this.#log.topics.has(topic)) return { topic, key: channel };
    }
    return { topic: DEFAULT_TOPIC, key: channel };
  }

  /** The channel of a record. */
  channelOf(topic: string, key: string | null): string {
    if (topic === DEFAULT_TOPIC) return key ?? '';
    if (key === null) return topic;
    return this.#isPrefixed(topic, key) ? key : `${topic}/${key}`;
  }

  /** The topics that can hold channels that a pattern matches. */
  topicsOf(pattern: string): readonly Topic[] {
    if (!hasWildcard(pattern)) return this.#existing([this.addressOf(pattern).topic]);
    const slash = pattern.indexOf('/');
    const first = slash === -1 ? pattern : pattern.slice(0, slash);
    if (first === ONE_SEGMENT || first === ALL_SEGMENTS) {
      return [...this.#log.topics.values()].filter((topic) => !topic.name.startsWith('_'));
    }
    if (this.#isAddressable(first)) return this.#existing([first]);
    const stem = `${first}/`;
    const claiming = this.#prefixes.filter(
      ({ prefix }) => stem.startsWith(prefix) || prefix.startsWith(stem),
    );
    return this.#existing([...new Set([...claiming.map(({ topic }) => topic), DEFAULT_TOPIC])]);
  }

  /** Whether a pattern means every channel of a topic, so that its records need not be looked at one by one. */
  coversTopic(pattern: string, topic: string): boolean {
    return (
      pattern === ALL_SEGMENTS ||
      (topic !== DEFAULT_TOPIC && pattern === `${topic}/${ALL_SEGMENTS}` && !this.#prefixesOf.has(topic))
    );
  }

  /** Whether the record of `topic` under `key` belongs to `pattern`. */
  matches(pattern: string, topic: string, key: string | null): boolean {
    return matchesPattern(pattern, this.channelOf(topic, key));
  }

  #isPrefixed(topic: string, key: string): boolean {
    return this.#prefixesOf.get(topic)?.some((prefix) => key.startsWith(prefix)) === true;
  }

  #isAddressable(name: string): boolean {
    return name !== DEFAULT_TOPIC && this.#log.topics.has(name);
  }

  #existing(names: readonly string[]): readonly Topic[] {
    return names.flatMap((name) => this.#log.topics.get(name) ?? []);
  }
}

/** The prefix that says most decides. */
function longestFirst(
  prefixes: ReadonlyMap<string, readonly string[]>,
): readonly { readonly prefix: string; readonly topic: string }[] {
  return [...prefixes]
    .flatMap(([topic, list]) => list.map((prefix) => ({ prefix, topic })))
    .sort((a, b) => b.prefix.length - a.prefix.length);
}
