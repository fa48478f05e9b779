import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import { linesOf } from '../../src/cli/line-stream.ts';

async function* slices(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const collected: string[] = [];
  for await (const line of lines) collected.push(line);
  return collected;
}

test('lines come out whole, however the bytes are cut', async () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/\n/g, ''));
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 20 }), async (lines, size) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      assert.deepEqual(await collect(linesOf(slices(bytes, size))), lines);
    }),
  );
});

test('a last line without break is not handed out', async () => {
  assert.deepEqual(await collect(linesOf(slices(Buffer.from('whole\ncut o'), 3))), ['whole']);
});
