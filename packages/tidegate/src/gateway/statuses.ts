import type { JSONSchema } from 'json-schema-to-ts';

/** One status, or a class of them. */
export const statusSchema = {
  type: ['integer', 'string'],
  minimum: 100,
  maximum: 599,
  pattern: '^[1-5]xx$',
} as const satisfies JSONSchema;

/** Which statuses a rule is about; immutable. */
export interface StatusSet {
  has(status: number): boolean;
}

const HUNDRED = 100;

/** The set of statuses such as `503`, and classes such as `5xx`. */
export function statusSet(items: readonly (number | string)[]): StatusSet {
  const statuses = new Set<number>();
  for (const item of items) {
    if (typeof item === 'number') statuses.add(item);
    else {
      const first = Number(item[0]) * HUNDRED;
      for (let status = first; status < first + HUNDRED; status++) statuses.add(status);
    }
  }
  return statuses;
}
