import type { Buffer } from 'node:buffer';
import type { Table } from './environment.ts';

/** The keys with the first `prefixBytes` of `start`, from `start` on; all read at once, so that no cursor outlives the call. */
export function keysFrom(table: Table, start: Buffer, prefixBytes: number, countMax: number): Buffer[] {
  return withPrefix(table.getKeys({ start, limit: countMax }), start, prefixBytes);
}

/** The keys from `start` on and before `end`, in the same way. */
export function keysBetween(table: Table, start: Buffer, end: Buffer, countMax: number): Buffer[] {
  return [...table.getKeys({ start, end, limit: countMax })];
}

/** The same as `keysFrom`, from `start` backwards. */
export function keysBackFrom(table: Table, start: Buffer, prefixBytes: number, countMax: number): Buffer[] {
  return withPrefix(table.getKeys({ start, limit: countMax, reverse: true }), start, prefixBytes);
}

function withPrefix(found: Iterable<Buffer>, start: Buffer, prefixBytes: number): Buffer[] {
  const keys: Buffer[] = [];
  for (const key of found) {
    if (!hasPrefix(key, start, prefixBytes)) break;
    keys.push(key);
  }
  return keys;
}

function hasPrefix(key: Uint8Array, other: Uint8Array, prefixBytes: number): boolean {
  for (let i = 0; i < prefixBytes; i++) if (key[i] !== other[i]) return false;
  return true;
}
