import { Buffer } from 'node:buffer';
import type { Table } from './environment.ts';

/** A copy of a value: what lmdb hands out is a buffer that it writes over, or a mapped page that a later commit does. */
export function readBytes(table: Table, key: Buffer): Buffer | undefined {
  const fast = table.getBinaryFast(key);
  if (fast === undefined) return undefined;
  // lmdb's reused buffer claims the value's length and really is longer, which `set` would go by.
  const bytes = Buffer.allocUnsafeSlow(fast.length);
  bytes.set(fast.subarray(0, fast.length));
  return bytes;
}
