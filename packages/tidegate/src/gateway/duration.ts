import type { JSONSchema } from 'json-schema-to-ts';

/**
 * A length of time as people write it: a whole number and its unit, at least 1 ms. The digits bound it to 20.8 days, which fits the
 * machine's timers.
 */
export const durationSchema = {
  type: 'string',
  pattern: '^(?:[1-9][0-9]{0,8}ms|[1-9][0-9]{0,5}s|[1-9][0-9]{0,3}m|[1-9][0-9]?h|[1-4][0-9]{2}h)$',
} as const satisfies JSONSchema;

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** The milliseconds of a duration that fits the schema: `500ms`, `2s`, `5m`, `1h`. */
export function durationMs(text: string): number {
  const unit = text.endsWith('ms') ? 'ms' : text.slice(-1);
  return Number.parseInt(text, 10) * UNITS_MS[unit];
}
