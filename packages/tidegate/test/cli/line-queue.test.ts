import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineQueue } from '../../src/cli/line-queue.ts';

async function collect(bytes: Uint8Array, size: number): Promise<readonly Buffer[]> {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  const queue = new LineQueue(Readable.from(pieces));
  const lines: Buffer[] = [];
  for (let line = await queue.next(); line !== null; line = await queue.next()) lines.push(Buffer.from(line));
  return lines;
}

test('lines come out byte for byte, however the input is cut', async () => {
  const line = fc
    .uint8Array({ maxLength: 12 })
    .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a && byte !== 0x0d)));
  await fc.assert(
    fc.asyncProperty(
      fc.array(line),
      fc.constantFrom('\n', '\r\n'),
      fc.integer({ min: 1, max: 9 }),
      async (lines, lineBreak, size) => {
        const bytes = Buffer.concat(lines.flatMap((bytes) => [bytes, Buffer.from(lineBreak)]));
        assert.deepEqual(await collect(bytes, size), lines);
      },
    ),
  );
});

test('only a line feed ends a line: a lone carriage return and the separators of Unicode are text', async () => {
  const lines = ['a\rb', '{"text":"c\u2028d\u2029e\u0085f"}'];
  const collected = await collect(Buffer.from(`${lines.join('\n')}\n`), 7);
  assert.deepEqual(
    collected.map((line) => line.toString()),
    lines,
  );
});

test('a last line counts without a break, and an input that ends with one has no empty line behind it', async () => {
  assert.deepEqual(await collect(Buffer.from('whole\nlast'), 3), [Buffer.from('whole'), Buffer.from('last')]);
  assert.deepEqual(await collect(Buffer.from('whole\n\n'), 3), [Buffer.from('whole'), Buffer.alloc(0)]);
  assert.deepEqual(await collect(Buffer.alloc(0), 3), []);
});

test('more lines than the queue takes at once all come out', async () => {
  const lines = Array.from({ length: 5000 }, (_, index) => Buffer.from(String(index)));
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  assert.deepEqual(await collect(bytes, 4096), lines);
});
