import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { parseItemFrame } from '../../../src/gateway/grip-zmq/item-frame.ts';
import { resolveLimits, TidegateError } from '../../../src/kernel/index.ts';
import { encodeTnetstring } from '../../../src/wire/grip/index.ts';

const limits = resolveLimits();
const ITEM = { channel: 'a', id: '1', formats: { 'http-stream': { content: 'hello' } } };

const parse = (frame: Uint8Array | string, channel: string | null = null) =>
  parseItemFrame(Buffer.from(frame as string), limits, channel);

test('an item is JSON behind a J, or a tnetstring with or without a T before it', () => {
  const tnetstring = encodeTnetstring(ITEM);
  for (const frame of [
    `J${JSON.stringify(ITEM)}`,
    Buffer.concat([Buffer.from('T'), tnetstring]),
    tnetstring,
  ]) {
    const { channel, id, formats } = parse(frame);
    assert.deepEqual([channel, id], ['a', '1']);
    assert.ok(formats.httpStream?.action === 'send');
    assert.equal(Buffer.from(formats.httpStream.content).toString(), 'hello');
  }
});

test('the channel may come in a frame of its own', () => {
  const { channel: _, ...rest } = ITEM;
  assert.equal(parse(`J${JSON.stringify(rest)}`, 'given').channel, 'given');
  assert.throws(() => parse(`J${JSON.stringify(rest)}`), /channel is missing/);
});

for (const [what, frame, said] of [
  ['JSON that is none', 'J{"channel"', /What follows J is not JSON/],
  ['JSON that is not UTF-8', Buffer.from([0x4a, 0x22, 0xff, 0x22]), /not UTF-8/],
  ['a tnetstring that is none', 'T12', /tnetstring has no length/],
  ['an empty frame', '', /tnetstring has no length/],
  ['something that is no object', 'J[]', /not an object/],
  ['an item without a form', 'J{"channel":"a"}', /has none of http-response/],
] as const) {
  test(`${what} is refused with what is wrong`, () => {
    assert.throws(
      () => parse(frame),
      (error) =>
        error instanceof TidegateError && error.code === 'grip_item_invalid' && said.test(error.detail),
    );
  });
}
