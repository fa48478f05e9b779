import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Limits, resolveLimits } from '../../../src/kernel/index.ts';
import { type ControlMessage, parseControlMessage } from '../../../src/wire/grip/index.ts';
import { faultOf, resultOf } from './faults.ts';

const LIMITS = resolveLimits();

const parse = (json: unknown, limits: Limits = LIMITS): ControlMessage =>
  parseControlMessage(Buffer.from(JSON.stringify(json)), limits);
const fault = (json: unknown, limits: Limits = LIMITS): string =>
  faultOf('grip_instruct_invalid', () => parse(json, limits));
const frame = (type: string, text: string) => ({ type, content: Buffer.from(text, 'latin1') });

describe('A control message', () => {
  test('subscribes to a channel, with filters and the id that the client has, or a position', () => {
    assert.deepEqual(parse({ type: 'subscribe', channel: 'a' }), {
      type: 'subscribe',
      channel: { name: 'a', prevId: null, filters: [] },
      from: null,
    });
    assert.deepEqual(parse({ type: 'subscribe', channel: 'a', from: '-1' }), {
      type: 'subscribe',
      channel: { name: 'a', prevId: null, filters: [] },
      from: '-1',
    });
    assert.deepEqual(parse({ type: 'subscribe', channel: 'a', filters: ['f'], 'prev-id': '7' }), {
      type: 'subscribe',
      channel: { name: 'a', prevId: '7', filters: ['f'] },
      from: null,
    });
    assert.match(
      fault({ type: 'subscribe', channel: 'a', filters: Array(6).fill('f') }),
      /6 filters; the limit is 5/,
    );
  });

  test('unsubscribes, detaches and flushes', () => {
    assert.deepEqual(parse({ type: 'unsubscribe', channel: 'a' }), { type: 'unsubscribe', channel: 'a' });
    assert.deepEqual(parse({ type: 'detach', other: 1 }), { type: 'detach' });
    assert.deepEqual(parse({ type: 'flush-delayed' }), { type: 'flush-delayed' });
  });

  test('names the session, or ends it', () => {
    assert.deepEqual(parse({ type: 'session', id: 's' }), { type: 'session', id: 's' });
    assert.deepEqual(parse({ type: 'session' }), { type: 'session', id: null });
  });

  test('sets meta, and takes it away without a value', () => {
    assert.deepEqual(parse({ type: 'set-meta', name: 'a', value: '' }), {
      type: 'set-meta',
      name: 'a',
      value: '',
    });
    assert.deepEqual(parse({ type: 'set-meta', name: 'a' }), { type: 'set-meta', name: 'a', value: null });
  });

  test('keeps the connection alive, with text every 55 idle seconds by default', () => {
    assert.deepEqual(parse({ type: 'keep-alive', content: 'x' }), {
      type: 'keep-alive',
      keepAlive: { frame: frame('text', 'x'), intervalMs: 55_000, mode: 'idle' },
    });
    const given = { content: '', 'message-type': 'ping', timeout: 0, mode: 'interval' };
    assert.deepEqual(parse({ type: 'keep-alive', ...given }), {
      type: 'keep-alive',
      keepAlive: { frame: frame('ping', ''), intervalMs: 1000, mode: 'interval' },
    });
  });

  test('turns keeping alive off without content', () => {
    assert.deepEqual(parse({ type: 'keep-alive', timeout: 'x' }), { type: 'keep-alive', keepAlive: null });
    assert.deepEqual(parse({ type: 'keep-alive', content: null }), { type: 'keep-alive', keepAlive: null });
  });

  test('sends later, after a second by default', () => {
    assert.deepEqual(parse({ type: 'send-delayed', content: 'x' }), {
      type: 'send-delayed',
      frame: frame('text', 'x'),
      delayMs: 1000,
    });
    const later = parse({ type: 'send-delayed', content: 'x', timeout: '0.25' });
    assert.equal(later.type === 'send-delayed' && later.delayMs, 250);
    const never = parse({ type: 'send-delayed', content: 'x', timeout: 1e300 });
    assert.equal(never.type === 'send-delayed' && never.delayMs, 86_400_000);
  });

  test('has bytes that are text as text unless it says otherwise, and others as binary', () => {
    const sent = (given: unknown): unknown => {
      const message = parse({ type: 'send-delayed', ...(given as object) });
      return message.type === 'send-delayed' && message.frame;
    };
    assert.deepEqual(sent({ 'content-bin': 'YQ==' }), frame('text', 'a'));
    assert.deepEqual(sent({ 'content-bin': '/w==' }), frame('binary', '\xff'));
    assert.deepEqual(sent({ 'content-bin': 'YQ==', 'message-type': 'binary' }), frame('binary', 'a'));
  });

  const faults: [json: unknown, detail: RegExp][] = [
    [[], /^It is not an object/],
    [{}, /^type is missing/],
    [{ type: 1 }, /^type is not text/],
    [{ type: 'shout' }, /^type is not one of subscribe, /],
    [{ type: 'subscribe' }, /^channel is missing/],
    [{ type: 'subscribe', channel: '' }, /^channel is empty/],
    [{ type: 'subscribe', channel: 1 }, /^channel is not text/],
    [{ type: 'subscribe', channel: 'a', filters: 'f' }, /^filters is not an array/],
    [{ type: 'subscribe', channel: 'a', filters: [1] }, /^filters\[0\] is not text/],
    [{ type: 'subscribe', channel: 'a', 'prev-id': 1 }, /^prev-id is not text/],
    [{ type: 'unsubscribe' }, /^channel is missing/],
    [{ type: 'session', id: 1 }, /^id is not text/],
    [{ type: 'session', id: 'a\r\nb' }, /^id has a control character/],
    [{ type: 'set-meta' }, /^name is missing/],
    [{ type: 'set-meta', name: '' }, /^name is empty/],
    [{ type: 'set-meta', name: 'a', value: 1 }, /^value is not text/],
    [{ type: 'keep-alive', content: 1 }, /^content is not text/],
    [{ type: 'keep-alive', 'content-bin': '%' }, /^content-bin is not base64/],
    [{ type: 'keep-alive', content: '', 'message-type': 'x' }, /^message-type is not one of/],
    [{ type: 'keep-alive', content: '', mode: 'x' }, /^mode is not one of idle, interval/],
    [{ type: 'keep-alive', content: '', timeout: -1 }, /^timeout is not a number of seconds/],
    [{ type: 'keep-alive', 'content-bin': '/w==', 'message-type': 'text' }, /not UTF-8/],
    [{ type: 'keep-alive', content: 'x'.repeat(126), 'message-type': 'ping' }, /at most 125/],
    [{ type: 'send-delayed' }, /^content is missing/],
  ];
  for (const [json, detail] of faults) {
    test(`is refused as ${JSON.stringify(json).slice(0, 80)}`, () => assert.match(fault(json), detail));
  }

  test('is JSON of at most gripInstructBytesMax bytes', () => {
    const limits = resolveLimits({ gripInstructBytesMax: 1024 });
    const json = (length: number): Buffer => Buffer.from('{"type":"detach"}'.padEnd(length));
    parseControlMessage(json(1024), limits);
    assert.match(
      faultOf('grip_instruct_invalid', () => parseControlMessage(json(1025), limits)),
      /1025 bytes; the limit is 1024/,
    );
    for (const text of ['', '{', 'detach']) {
      faultOf('grip_instruct_invalid', () => parseControlMessage(Buffer.from(text), LIMITS));
    }
  });

  test('is read or refused, whatever it is', () => {
    const anything = fc.jsonValue({ maxDepth: 1 });
    const message = fc.record(
      {
        type: fc.constantFrom(
          'subscribe',
          'unsubscribe',
          'session',
          'set-meta',
          'keep-alive',
          'send-delayed',
        ),
        channel: anything,
        filters: anything,
        id: anything,
        name: anything,
        value: anything,
        content: anything,
        'content-bin': anything,
        'message-type': anything,
        timeout: anything,
        mode: anything,
      },
      { requiredKeys: ['type'] },
    );
    fc.assert(
      fc.property(message, (json) => void resultOf('grip_instruct_invalid', () => parse(json))),
      { numRuns: 1000 },
    );
  });
});
