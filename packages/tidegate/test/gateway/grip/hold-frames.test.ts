import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  readResponseFrame,
  readStreamFrame,
  writeResponseFrame,
  writeStreamFrame,
} from '../../../src/gateway/grip/hold-frames.ts';
import { ByteReader, ByteWriter } from '../../../src/kernel/index.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const head = fc.record({
  id: text,
  prevId: fc.option(fc.string({ minLength: 1, maxLength: 9 })),
  channel: text,
  offset: fc.maxSafeNat(),
  meta: fc.array(fc.tuple(text, text), { maxLength: 3 }).map((pairs) => new Map(pairs)),
});
const contentFilters = fc.option(fc.array(text, { maxLength: 3 }));
const bytes = fc.uint8Array({ maxLength: 100 });

test('frames of streams are read as they were written, one after the other', () => {
  const frame = fc.tuple(head, fc.option(fc.record({ content: bytes, contentFilters })));
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 4 }), (frames) => {
      const out = new ByteWriter();
      for (const [of, rendering] of frames) writeStreamFrame(out, of, rendering);
      const reader = new ByteReader(out.take());
      for (const [of, rendering] of frames) {
        const { content, ...rest } = readStreamFrame(reader);
        assert.deepEqual(rest, { ...of, contentFilters: rendering?.contentFilters ?? null });
        assert.deepEqual(
          content === null ? null : [...content],
          rendering === null ? null : [...rendering.content],
        );
      }
      assert.equal(reader.isAtEnd, true);
    }),
  );
});

test('frames of responses are read as they were written', () => {
  const message = fc.record({
    action: fc.constant('send' as const),
    code: fc.integer({ min: 200, max: 999 }),
    reason: fc.option(fc.string({ minLength: 1, maxLength: 10 })),
    headers: fc.array(fc.tuple(text, text), { maxLength: 3 }),
    exposeHeaders: fc.array(text, { maxLength: 3 }),
    body: bytes,
    bodyPatch: fc.constant(null),
    contentFilters,
  });
  fc.assert(
    fc.property(head, message, (of, published) => {
      const out = new ByteWriter();
      writeResponseFrame(out, of, { kind: 'item', message: published });
      const { answer, ...rest } = readResponseFrame(new ByteReader(out.take()));
      assert.deepEqual(rest, { ...of, contentFilters: published.contentFilters });
      assert.ok(answer !== null && answer.body.kind === 'whole');
      assert.deepEqual(
        [answer.code, answer.reason, answer.fields, answer.exposed, [...answer.body.bytes]],
        [
          published.code,
          published.reason ?? '',
          published.headers.flat(),
          published.exposeHeaders,
          [...published.body],
        ],
      );
    }),
  );
});

test('a frame tells a patch, plain data, and nothing at all from each other', () => {
  const of = { id: '1', prevId: null, channel: 'c', offset: 0, meta: new Map<string, string>() };
  const read = (...[rendering]: [Parameters<typeof writeResponseFrame>[2]]) => {
    const out = new ByteWriter();
    writeResponseFrame(out, of, rendering);
    return readResponseFrame(new ByteReader(out.take())).answer;
  };
  assert.equal(read(null), null);
  const patch = read({
    kind: 'item',
    message: {
      action: 'send',
      code: 200,
      reason: null,
      headers: [],
      exposeHeaders: [],
      body: null,
      bodyPatch: [{ op: 'remove', path: '/a' }],
      contentFilters: null,
    },
  });
  assert.ok(patch?.body.kind === 'patch');
  assert.equal(String(patch.body.json), '[{"op":"remove","path":"/a"}]');
  const plain = read({ kind: 'plain', body: Buffer.from('x'), contentType: 'text/x' });
  assert.deepEqual([plain?.code, plain?.fields], [null, ['Content-Type', 'text/x']]);
});
