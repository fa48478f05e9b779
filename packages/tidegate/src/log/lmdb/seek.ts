import type { Buffer } from 'node:buffer';
import type { Table } from './environment.ts';

/** The keys with `prefix`, from `start` on; all read at once, so that no cursor outlives the call. */
export function keysFrom(table: Table, start: Buffer, prefixBytes: number, countMax: number): Buffer[] {
  return collect(table, start, prefixBytes, countMax, false);
}

/** The keys with the prefix of `start`, from `start` backwards. */
export function keysBackFrom(table: Table, start: Buffer, prefixBytes: number, countMax: number): Buffer[] {
  return collect(table, start, prefixBytes, countMax, true);
}

function collect(
  table: Table,
  start: Buffer,
  prefixBytes: number,
  countMax: number,
  reverse: boolean,
): Buffer[] {
  const keys: Buffer[] = [];
  for (const key of table.getKeys({ start, limit: countMax, reverse })) {
    if (!hasPrefix(key, start, prefixBytes)) break;
    keys.push(key);
  }
  return keys;
}

function hasPrefix(key: Uint8Array, other: Uint8Array, prefixBytes: number): boolean {
  for (let i = 0; i < prefixBytes; i++) if (key[i] !== other[i]) return false;
  return true;
}
