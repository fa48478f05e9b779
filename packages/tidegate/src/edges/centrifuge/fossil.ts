import type { Buffer } from 'node:buffer';
import type { ByteWriter } from '../../kernel/index.ts';

/*
 * The delta format of Fossil (fossil-scm.org, "Fossil Delta Format"), which the protocol's clients can apply:
 *
 *   delta    = length LF *segment checksum ";"
 *   segment  = length "@" offset ","      ; copy from the source
 *            | length ":" bytes           ; insert
 *
 * Numbers are written to the base 64. The length at the beginning and the checksum are those of the target.
 */

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~';

/** Blocks of the source are looked for in the target. Shorter matches are not worth their segment. */
const BLOCK_BYTES = 16;

/** How inserted bytes may be cut: anywhere, or only between characters of UTF-8, as each insert has to be text. */
export type DeltaUnit = 'bytes' | 'characters';

/** Appends what turns `source` into `target`. */
export function writeDelta(source: Buffer, target: Buffer, unit: DeltaUnit, out: ByteWriter): void {
  writeNumber(target.length, out);
  out.byte(0x0a);
  const blocks = blocksOf(source);
  let inserted = 0;
  for (let at = 0; at + BLOCK_BYTES <= target.length; ) {
    const match = longestMatch(source, target, at, inserted, blocks.get(blockKey(target, at)), unit);
    if (match === null) {
      at++;
      continue;
    }
    writeInsert(target, inserted, match.targetAt, out);
    writeNumber(match.length, out);
    out.byte(0x40);
    writeNumber(match.sourceAt, out);
    out.byte(0x2c);
    at = match.targetAt + match.length;
    inserted = at;
  }
  writeInsert(target, inserted, target.length, out);
  writeNumber(checksumOf(target), out);
  out.byte(0x3b);
}

interface Match {
  readonly sourceAt: number;
  readonly targetAt: number;
  readonly length: number;
}

/** Grows the match of a block in both directions. */
function longestMatch(
  source: Buffer,
  target: Buffer,
  at: number,
  from: number,
  block: number | undefined,
  unit: DeltaUnit,
): Match | null {
  if (block === undefined || source.compare(target, at, at + BLOCK_BYTES, block, block + BLOCK_BYTES) !== 0)
    return null;
  let sourceAt = block;
  let targetAt = at;
  while (sourceAt > 0 && targetAt > from && source[sourceAt - 1] === target[targetAt - 1]) {
    sourceAt--;
    targetAt--;
  }
  let end = at + BLOCK_BYTES;
  while (end < target.length && source[sourceAt + end - targetAt] === target[end]) end++;
  if (unit === 'characters') {
    while (targetAt < end && isInsideCharacter(target, targetAt)) {
      targetAt++;
      sourceAt++;
    }
    while (end > targetAt && isInsideCharacter(target, end)) end--;
  }
  return end <= targetAt ? null : { sourceAt, targetAt, length: end - targetAt };
}

/** Whether a place is between two bytes of one character. */
function isInsideCharacter(bytes: Buffer, at: number): boolean {
  return at < bytes.length && (bytes[at] & 0xc0) === 0x80;
}

/** The blocks of the source by a hash of their content; of equal ones, the first. */
function blocksOf(source: Buffer): ReadonlyMap<number, number> {
  const blocks = new Map<number, number>();
  for (let at = 0; at + BLOCK_BYTES <= source.length; at += BLOCK_BYTES) {
    const key = blockKey(source, at);
    if (!blocks.has(key)) blocks.set(key, at);
  }
  return blocks;
}

/** A hash of one block. Whoever finds a block by it compares the bytes. */
function blockKey(bytes: Buffer, at: number): number {
  let hash = 0;
  for (let i = at; i < at + BLOCK_BYTES; i++) hash = (Math.imul(hash, 0x0100_0193) + bytes[i]) | 0;
  return hash;
}

function writeInsert(target: Buffer, start: number, end: number, out: ByteWriter): void {
  if (start === end) return;
  writeNumber(end - start, out);
  out.byte(0x3a);
  out.bytes(target, start, end);
}

function writeNumber(value: number, out: ByteWriter): void {
  let text = '';
  let rest = value;
  do {
    text = DIGITS[rest % 64] + text;
    rest = Math.floor(rest / 64);
  } while (rest > 0);
  out.ascii(text);
}

/** The sum of the bytes, taken four at a time as big-endian numbers, modulo 2^32; the last ones are filled up with zeros. */
function checksumOf(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum = (sum + (bytes[i] << (24 - 8 * (i & 3)))) | 0;
  return sum >>> 0;
}
