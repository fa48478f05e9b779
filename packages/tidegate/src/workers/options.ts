import type { JSONSchema } from 'json-schema-to-ts';

/** The most processes that one server may have; LMDB's lock file has room for 126 readers. */
export const WORKERS_MAX = 64;

/** How many processes serve the public port. */
export const workersSchema = {
  type: 'integer',
  minimum: 1,
  maximum: WORKERS_MAX,
  description:
    'Processes that serve the public port, with one log. The first one owns the log and the admin port. Default: as many as there are cores.',
} as const satisfies JSONSchema;
