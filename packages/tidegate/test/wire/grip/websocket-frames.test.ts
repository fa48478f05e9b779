import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { parseGripExtension, readOriginFrame } from '../../../src/wire/grip/index.ts';
import { faultOf } from './faults.ts';

const prefixOf = (...values: string[]): string | null =>
  parseGripExtension(values)?.bytes.toString('utf8') ?? null;

describe('The answer of an origin to the offer of the extension grip', () => {
  test('names a prefix, which is m: by default', () => {
    assert.equal(prefixOf('grip'), 'm:');
    assert.equal(prefixOf('Grip ; Message-Prefix="msg, ü; "'.replace('ü', '\xc3\xbc')), 'msg, ü; ');
    assert.equal(prefixOf('grip; message-prefix=""'), '');
    assert.equal(prefixOf('other; x=1, grip; message-prefix=p'), 'p');
    assert.equal(prefixOf('other', 'grip'), 'm:');
  });

  test('may be that it does not know it', () => {
    assert.equal(prefixOf(), null);
    assert.equal(prefixOf('permessage-deflate', 'gripped'), null);
  });

  test('is refused if it is malformed or accepts twice', () => {
    for (const values of [['grip; message-prefix="m'], ['grip, grip'], ['grip', 'GRIP; message-prefix=x']]) {
      assert.match(
        faultOf('grip_instruct_invalid', () => parseGripExtension(values)),
        /^Sec-WebSocket-Extensions /,
      );
    }
  });
});

describe('A frame of an origin', () => {
  const read = (type: 'text' | 'binary', payload: string, prefix = 'm:') => {
    const frame = readOriginFrame(type, Buffer.from(payload), { bytes: Buffer.from(prefix) });
    if (frame.kind === 'message') return frame.content.toString();
    return frame.kind === 'control' ? { control: frame.json.toString() } : null;
  };

  test('is for the client with the prefix, as text or binary, and for nobody without it', () => {
    assert.equal(read('text', 'm:hello'), 'hello');
    assert.equal(read('binary', 'm:'), '');
    for (const other of ['hello', 'm', '', 'M:hello', ' m:x']) assert.equal(read('text', other), null);
    assert.equal(read('text', 'long:x', 'long:'), 'x');
    assert.equal(read('text', 'lon', 'long:'), null);
  });

  test('is a control message if it is text that begins with c:, whatever the prefix', () => {
    assert.deepEqual(read('text', 'c:{"type":"detach"}'), { control: '{"type":"detach"}' });
    assert.deepEqual(read('text', 'c:{}', ''), { control: '{}' });
    assert.equal(read('binary', 'c:{}'), null);
    assert.equal(read('binary', 'c:{}', ''), 'c:{}');
    assert.equal(read('text', 'hello', ''), 'hello');
  });
});
