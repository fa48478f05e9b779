import { DEFAULT_TOPIC } from '../channels/index.ts';
import { type Limits, type Logger, TidegateError } from '../kernel/index.ts';
import {
  checkAlteration,
  isSameSpec,
  type Log,
  TOPIC_NAME_PATTERN,
  type Topic,
  type TopicOptions,
  topicOptionsOf,
  topicSchema,
  topicSpecOf,
} from '../log/index.ts';
import type { ObservedThing, ResourceKind, ResourceSpec } from './port.ts';
import type { ResourceSpecs } from './snapshot-feed.ts';

/** The name of the kind. */
export const TOPIC_KIND = 'topic';

export interface TopicKindOptions {
  readonly log: Log;
  readonly limits: Limits;
  readonly logger: Logger;
}

/** By topic: the further prefixes of the channels that it stores. Topics without any are left out. */
export function prefixesOf(snapshot: ResourceSpecs): ReadonlyMap<string, readonly string[]> {
  const prefixes = new Map<string, readonly string[]>();
  for (const [name, spec] of snapshot.of(TOPIC_KIND)) {
    const own = (spec as TopicOptions).prefixes ?? [];
    if (own.length > 0) prefixes.set(name, own);
  }
  return prefixes;
}

const refuse = (name: string, what: string): never => {
  throw new TidegateError('resource_invalid', `The topic ${JSON.stringify(name)}: ${what}.`);
};

/** No two topics claim the same channels. */
function checkPrefixes(name: string, proposed: ReadonlyMap<string, ResourceSpec>): void {
  for (const prefix of (proposed.get(name) as TopicOptions).prefixes ?? []) {
    const shown = JSON.stringify(prefix);
    for (const [other, spec] of proposed) {
      if (other !== name && (spec as TopicOptions).prefixes?.includes(prefix))
        refuse(name, `${shown} is a prefix of the topic ${JSON.stringify(other)} already`);
    }
    const first = prefix.split('/')[0];
    if (prefix.includes('/') && proposed.has(first))
      refuse(
        name,
        `channels that begin with ${shown} belong to the topic ${JSON.stringify(first)}, by its name`,
      );
  }
}

function observe({ log }: TopicKindOptions, topic: Topic): ObservedThing {
  const partitions = Array.from({ length: topic.partitions }, (_, partition) => {
    const { start, end } = log.bounds(topic.name, partition);
    return { partition, start, end };
  });
  const { recordsStored, bytesStored } = log.statistics(topic.name);
  return {
    spec: topicOptionsOf(topic),
    status: {
      epoch: topic.epoch,
      created: new Date(topic.createdMs).toISOString(),
      records: recordsStored,
      bytes: bytesStored,
      partitions,
    },
  };
}

/** Topics of the log. Deleting one deletes its messages. */
export function topicKind(options: TopicKindOptions): ResourceKind {
  const { log, limits, logger } = options;
  return {
    kind: TOPIC_KIND,
    description: 'A topic of the log: how it stores the channels of its name.',
    namePattern: TOPIC_NAME_PATTERN,
    schema: topicSchema,
    unknownCode: 'log_topic_unknown',
    complete(name, spec) {
      const given = spec as TopicOptions;
      return { ...topicOptionsOf(topicSpecOf(name, given)), prefixes: given.prefixes ?? [] };
    },
    check(proposed, changed) {
      let count = log.topics.size;
      for (const name of changed) {
        const spec = topicSpecOf(name, proposed.get(name) as TopicOptions);
        if (spec.partitions > limits.partitionsMax)
          refuse(
            name,
            `it has ${spec.partitions} partitions; limits.partitionsMax = ${limits.partitionsMax}`,
          );
        checkPrefixes(name, proposed);
        const existing = log.topics.get(name);
        if (existing !== undefined) checkAlteration(existing, spec);
        else if (++count > limits.topicsMax)
          refuse(name, `there are limits.topicsMax = ${limits.topicsMax} already`);
      }
    },
    async apply(name, spec) {
      const wanted = topicSpecOf(name, spec as TopicOptions);
      const existing = log.topics.get(name);
      if (existing === undefined) {
        await log.createTopic(wanted);
        const { durability, partitions } = wanted;
        logger.info({ topic: name, durability, partitions }, 'Created a topic');
      } else if (!isSameSpec(existing, wanted)) {
        await log.alterTopic(wanted);
      }
    },
    mark: (name) => log.topics.get(name)?.epoch ?? null,
    async remove(name, epoch) {
      if (name === DEFAULT_TOPIC || log.topics.get(name)?.epoch !== epoch) return;
      await log.deleteTopic(name);
      logger.info({ topic: name }, 'Deleted a topic');
    },
    observed() {
      const visible = [...log.topics.values()].filter(({ name }) => !name.startsWith('_'));
      return new Map(visible.map((topic) => [topic.name, observe(options, topic)]));
    },
  };
}
