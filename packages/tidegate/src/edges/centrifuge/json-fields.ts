import type { StreamPosition } from '../../channels/index.ts';
import { MalformedCommand } from './protocol.ts';

/** The members of a JSON object, of which nothing is known yet. All readers take null for absent, as protobuf does in JSON. */
export type Fields = Readonly<Record<string, unknown>>;

export function positionOf(fields: Fields): StreamPosition {
  const offset = integerOf(fields.offset, 'offset');
  if (offset < 0) throw new MalformedCommand('offset is negative');
  return { epoch: textOf(fields.epoch, 'epoch'), offset };
}

export function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

export function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MalformedCommand(`${what} is not an object`);
  }
  return value as Fields;
}

export function textOf(value: unknown, what: string): string {
  if (isAbsent(value)) return '';
  if (typeof value !== 'string') throw new MalformedCommand(`${what} is not a string`);
  return value;
}

export function integerOf(value: unknown, what: string): number {
  if (isAbsent(value)) return 0;
  if (!Number.isSafeInteger(value)) throw new MalformedCommand(`${what} is not an integer`);
  return value as number;
}

export function flagOf(value: unknown, what: string): boolean {
  if (isAbsent(value)) return false;
  if (typeof value !== 'boolean') throw new MalformedCommand(`${what} is not a boolean`);
  return value;
}
