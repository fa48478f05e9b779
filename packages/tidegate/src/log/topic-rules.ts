import { type Limits, TidegateError } from '../kernel/index.ts';
import type { TopicSpec } from './port.ts';

const NAME = /^[A-Za-z0-9._-]{1,128}$/;

/** Throws unless the topic can be created. */
export function checkTopicSpec(spec: TopicSpec, limits: Limits): void {
  if (!NAME.test(spec.name)) {
    throw new TidegateError(
      'config_invalid',
      `The topic name ${JSON.stringify(spec.name)} must have 1 to 128 letters, digits, ".", "_" and "-".`,
    );
  }
  if (!Number.isInteger(spec.partitions) || spec.partitions < 1 || spec.partitions > limits.partitionsMax) {
    throw new TidegateError(
      'config_invalid',
      `The topic ${spec.name} has ${spec.partitions} partitions; 1 to limits.partitionsMax = ${limits.partitionsMax} are possible.`,
    );
  }
}

/** Just what a topic's declaration says, without whatever else the object carries. */
export function specOf(spec: TopicSpec): TopicSpec {
  const {
    name,
    partitions,
    durability,
    retentionMs,
    retentionBytes,
    compacted,
    tombstoneRetentionMs,
    keyIndex,
  } = spec;
  return {
    name,
    partitions,
    durability,
    retentionMs,
    retentionBytes,
    compacted,
    tombstoneRetentionMs,
    keyIndex,
  };
}

export function isSameSpec(a: TopicSpec, b: TopicSpec): boolean {
  return JSON.stringify(specOf(a)) === JSON.stringify(specOf(b));
}

/** Throws if `spec` differs from `topic` in what cannot be changed in place. */
export function checkAlteration(topic: TopicSpec, spec: TopicSpec): void {
  for (const name of ['partitions', 'durability', 'keyIndex'] as const) {
    if (topic[name] !== spec[name]) {
      throw new TidegateError(
        'log_topic_exists',
        `The topic ${topic.name} has ${name} = ${topic[name]}, which cannot be changed to ${spec[name]}.`,
      );
    }
  }
}
