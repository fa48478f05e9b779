import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { TopicSpec } from './port.ts';

/** The folder of the log's files. */
export const dataSchema = {
  type: 'string',
  minLength: 1,
  default: 'data',
  description: 'The folder that holds the log. A relative path starts at the folder of the config file.',
} as const satisfies JSONSchema;

/** Letters, digits, `.`, `_` and `-`; a leading `_` is the server's own. */
export const TOPIC_NAME_PATTERN = '^[A-Za-z0-9.-][A-Za-z0-9._-]{0,127}$';

const retentionSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ageSeconds: {
      type: ['integer', 'null'],
      minimum: 1,
      maximum: 3_153_600_000,
      default: 604_800,
      description:
        'Messages older than this are dropped; `null` keeps them whatever their age, as a compacted topic does by default.',
    },
    sizeBytes: {
      type: ['integer', 'null'],
      minimum: 1024,
      maximum: 1_125_899_906_842_624,
      default: null,
      description:
        'The oldest messages of a partition are dropped while it stores more; `null` sets no bound.',
    },
    tombstoneSeconds: {
      type: 'integer',
      minimum: 1,
      maximum: 3_153_600_000,
      default: 86_400,
      description:
        'How long a compacted topic keeps the mark of a removed key, so that readers learn of the removal.',
    },
  },
} as const satisfies JSONSchema;

/** A declared topic. */
export const topicSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    partitions: {
      type: 'integer',
      minimum: 1,
      default: 1,
      description:
        'Messages of one key keep their order within one partition. At most `limits.partitionsMax`. Cannot be changed later.',
    },
    durability: {
      type: 'string',
      enum: ['none', 'written', 'synced'],
      default: 'synced',
      description:
        'When a message counts as published: `none` at once, kept in memory only; `written` once it survives the death of the ' +
        'process; `synced` once it survives the loss of power. Cannot be changed later.',
    },
    retention: retentionSchema,
    compacted: {
      type: 'boolean',
      default: false,
      description: 'Keeps only the latest message of each key; a message without data removes the key.',
    },
    keyIndex: {
      type: 'boolean',
      default: false,
      description:
        "Keeps an index, so that one channel's history is found without reading the others'. For topics of very many channels. Cannot be changed later.",
    },
    prefixes: {
      type: 'array',
      maxItems: 100,
      uniqueItems: true,
      items: {
        type: 'string',
        minLength: 1,
        maxLength: 128,
        pattern: '^[^_\\u0000-\\u001f\\u007f][^\\u0000-\\u001f\\u007f]*$',
      },
      default: [],
      description:
        'Channels whose name begins with one of these are stored in this topic too, such as `chat:`.',
    },
  },
} as const satisfies JSONSchema;

/** As written in the config file: whatever has a default may be missing. */
export type TopicOptions = FromSchema<typeof topicSchema, { keepDefaultedPropertiesOptional: true }>;

/** What may be set for the topic `default`, which is always there. */
export const defaultTopicSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    retention: {
      type: 'object',
      additionalProperties: false,
      properties: {
        ageSeconds: {
          ...retentionSchema.properties.ageSeconds,
          default: 86_400,
          description: 'Messages older than this are dropped; `null` keeps them whatever their age.',
        },
        sizeBytes: retentionSchema.properties.sizeBytes,
      },
    },
  },
} as const satisfies JSONSchema;

const SECOND_MS = 1000;

const inMs = (seconds: number | null): number | null => (seconds === null ? null : seconds * SECOND_MS);

const inSeconds = (milliseconds: number | null): number | null =>
  milliseconds === null ? null : milliseconds / SECOND_MS;

/** A declared topic with its defaults, as the log takes it. A compacted topic keeps each key's latest for good unless an age is given. */
export function topicSpecOf(name: string, options: TopicOptions): TopicSpec {
  const defaults = topicSchema.properties;
  const retention = defaults.retention.properties;
  const compacted = options.compacted ?? defaults.compacted.default;
  const ageSeconds = options.retention?.ageSeconds;
  return Object.freeze({
    name,
    partitions: options.partitions ?? defaults.partitions.default,
    durability: options.durability ?? defaults.durability.default,
    retentionMs: inMs(
      ageSeconds === undefined ? (compacted ? null : retention.ageSeconds.default) : ageSeconds,
    ),
    retentionBytes: options.retention?.sizeBytes ?? retention.sizeBytes.default,
    compacted,
    tombstoneRetentionMs:
      (options.retention?.tombstoneSeconds ?? retention.tombstoneSeconds.default) * SECOND_MS,
    keyIndex: options.keyIndex ?? defaults.keyIndex.default,
  });
}

/** The same the other way round: a topic in the words of its options, with nothing left out but the prefixes. */
export function topicOptionsOf(spec: TopicSpec) {
  return {
    partitions: spec.partitions,
    durability: spec.durability,
    retention: {
      ageSeconds: inSeconds(spec.retentionMs),
      sizeBytes: spec.retentionBytes,
      tombstoneSeconds: spec.tombstoneRetentionMs / SECOND_MS,
    },
    compacted: spec.compacted,
    keyIndex: spec.keyIndex,
  };
}
