import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolveLimits } from '../../../src/kernel/index.ts';
import { type Field, parseWebSocketEventFields } from '../../../src/wire/grip/index.ts';
import { faultOf } from './faults.ts';

const LIMITS = resolveLimits();

const parse = (...fields: Field[]) => parseWebSocketEventFields(fields, LIMITS);

describe('The fields of a response of WebSocket-over-HTTP', () => {
  test('say nothing by default', () => {
    assert.deepEqual(
      parse(['Content-Type', 'application/websocket-events'], ['Set-Meta-', 'x'], ['Meta-A', 'x']),
      {
        keepAliveMs: null,
        meta: [],
        contentBytesAccepted: null,
      },
    );
  });

  test('have requests made at intervals of 20 seconds at least, or no more', () => {
    const interval = (seconds: string) => parse(['Keep-Alive-Interval', seconds]).keepAliveMs;
    assert.deepEqual(
      ['120', '20', '1', '0', '-1', '9999999999'].map(interval),
      [120_000, 20_000, 20_000, 0, 0, 86_400_000],
    );
  });

  test('set meta, and take it away by an empty value', () => {
    const { meta } = parse(['Set-Meta-User', 'Alice'], ['set-meta-OLD', ''], ['SET-META-x-y', '1, 2']);
    assert.deepEqual(meta, [
      ['user', 'Alice'],
      ['old', null],
      ['x-y', '1, 2'],
    ]);
  });

  test('say how much of the content was taken', () => {
    assert.equal(parse(['content-bytes-accepted', '0']).contentBytesAccepted, 0);
    assert.equal(parse(['Content-Bytes-Accepted', '200000']).contentBytesAccepted, 200_000);
  });

  for (const [name, value] of [
    ['Keep-Alive-Interval', 'often'],
    ['Keep-Alive-Interval', ''],
    ['Keep-Alive-Interval', '1.5'],
    ['Content-Bytes-Accepted', '-1'],
    ['Content-Bytes-Accepted', '0x10'],
  ]) {
    test(`are refused with ${name}: ${JSON.stringify(value)}`, () => {
      const detail = faultOf('grip_instruct_invalid', () => parse([name, value]));
      assert.ok(detail.startsWith(`${name} is not a number: ${JSON.stringify(value)}`));
    });
  }
});
