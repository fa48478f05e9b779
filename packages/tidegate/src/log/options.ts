import type { FromSchema, JSONSchema } from 'json-schema-to-ts';

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
