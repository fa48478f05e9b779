import type { FromSchema, JSONSchema } from 'json-schema-to-ts';

export const websocketSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    compression: {
      type: 'boolean',
      default: false,
      description: 'Accepts permessage-deflate. Saves bandwidth for a little memory and time.',
    },
  },
} as const satisfies JSONSchema;

export type WebSocketOptions = FromSchema<typeof websocketSchema>;
