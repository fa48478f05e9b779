import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PollPace } from '../../../src/gateway/live/poll-pace.ts';
import { resolveLimits } from '../../../src/kernel/index.ts';
import { LiveStage } from './fakes.ts';

/** When the origin was asked, in milliseconds since the start of the test. */
function timesOf(stage: LiveStage): number[] {
  const times: number[] = [];
  const startMs = stage.clock.monotonicMs();
  const { script } = stage.origin;
  stage.origin.script = (asked) => {
    times.push(stage.clock.monotonicMs() - startMs);
    script?.(asked);
  };
  return times;
}

describe('The origin of a live route', () => {
  it('is asked once for all who follow a value, at once for the first and then at the interval', () => {
    const stage = new LiveStage();
    stage.origin.script = () => stage.origin.answer({ a: 1 });
    const times = timesOf(stage);
    for (let i = 0; i < 20; i++) stage.sse();
    stage.socket();
    stage.clock.advance(6000);
    assert.deepEqual(times, [0, 2000, 4000, 6000]);
  });

  it('is not asked while nobody is there', () => {
    const stage = new LiveStage();
    stage.origin.script = () => stage.origin.answer({ a: 1 });
    const [one, other] = [stage.sse(), stage.socket()];
    stage.clock.advance(2000);
    one.owner?.closed();
    stage.clock.advance(2000);
    assert.equal(stage.origin.asked.length, 3);
    other.owner?.closed();
    stage.clock.advance(3_600_000);
    assert.equal(stage.origin.asked.length, 3);
  });

  it('is asked at once for one who comes back late, and not before the interval is over for one who comes back early', () => {
    const stage = new LiveStage();
    stage.origin.script = () => stage.origin.answer({ a: 1 });
    const times = timesOf(stage);
    stage.sse().owner?.closed();
    stage.clock.advance(1500);
    const early = stage.sse();
    assert.deepEqual(early.said(), ['snapshot {"a":1}']);
    stage.clock.advance(500);
    early.owner?.closed();
    stage.clock.advance(5000);
    stage.origin.script = null;
    const late = stage.sse();
    assert.equal(late.status, 0, 'an old value is not shown before it is known to hold');
    const later = stage.sse();
    assert.equal(later.status, 0);
    stage.origin.answer({ a: 2 });
    assert.deepEqual([late.said(), later.said()], [['snapshot {"a":2}'], ['snapshot {"a":2}']]);
    assert.deepEqual(times, [0, 2000]);
    assert.equal(stage.origin.asked.length, 3);
  });

  it('is told what it answered last, by its tag and by its date', () => {
    const stage = new LiveStage();
    stage.sse();
    assert.deepEqual(stage.origin.last.request.headers, [
      ['host', 'api.example'],
      ['accept', 'application/json'],
      ['accept-encoding', 'identity'],
    ]);
    const modified = 'Thu, 01 Jan 2026 00:00:00 GMT';
    stage.origin.answer({ a: 1 }, { etag: 'W/"x"', 'last-modified': modified });
    stage.clock.advance(2000);
    assert.deepEqual(stage.origin.last.request.headers.slice(3), [
      ['if-none-match', 'W/"x"'],
      ['if-modified-since', modified],
    ]);
    stage.origin.unmodified();
    stage.next({ a: 2 });
    stage.clock.advance(2000);
    assert.equal(stage.origin.last.request.headers.length, 3, 'there is nothing to go by any more');
  });

  it('is not asked to confirm an answer that was of no use', () => {
    const stage = new LiveStage();
    stage.sse();
    stage.origin.answer({ a: 1 }, { etag: '"good"' });
    stage.next('<html>', { etag: '"bad"' });
    stage.clock.advance(4000);
    assert.deepEqual(stage.origin.last.request.headers.at(-1), ['if-none-match', '"good"']);
  });

  it('is asked one thing at a time, and left alone for a tenth of the interval if it is slower than that', () => {
    const stage = new LiveStage();
    stage.sse();
    stage.clock.advance(5000);
    assert.equal(stage.origin.asked.length, 1);
    stage.origin.answer({ a: 1 });
    stage.clock.advance(199);
    assert.equal(stage.origin.asked.length, 1);
    stage.clock.advance(1);
    assert.equal(stage.origin.asked.length, 2);
  });

  it('is asked no more often than limits.liveShortestIntervalMs', () => {
    const stage = new LiveStage({ everyMs: 0 });
    stage.origin.script = () => stage.origin.answer({ a: 1 });
    stage.sse();
    stage.clock.advance(1000);
    assert.equal(stage.origin.asked.length, 1 + 1000 / stage.limits.liveShortestIntervalMs);
  });

  it('is given up after limits.livePollTimeoutMs, and the late answer ignored', () => {
    const stage = new LiveStage();
    const stream = stage.sse();
    stage.origin.answer({ a: 1 });
    stage.clock.advance(2000);
    const slow = stage.origin.last;
    stage.clock.advance(stage.limits.livePollTimeoutMs);
    assert.ok(slow.isAborted);
    slow.done(null, { status: 200, headers: [], body: Buffer.from('{"late":true}') });
    assert.deepEqual(stream.said(), ['snapshot {"a":1}', 'problem upstream_timeout']);
  });

  it('is given up when the last one leaves', () => {
    const stage = new LiveStage();
    const exchange = stage.sse();
    exchange.abandon();
    assert.ok(stage.origin.last.isAborted);
    assert.equal(exchange.code, 'upstream_timeout');
    stage.origin.answer({ a: 1 });
    stage.clock.advance(10_000);
    assert.equal(stage.origin.asked.length, 1);
  });

  it('may answer before the asking has returned', () => {
    const stage = new LiveStage();
    stage.origin.script = () => stage.origin.answer({ a: 1 });
    assert.deepEqual(stage.sse().said(), ['snapshot {"a":1}']);
    stage.origin.script = () => stage.origin.answer('', {}, 404);
    assert.equal(stage.sse('/gone').status, 404);
  });
});

describe('A failure of the origin', () => {
  it('is told once, while the last value stays; and that it is over', () => {
    const stage = new LiveStage();
    const stream = stage.sse();
    stage.origin.answer({ a: 1 }, { etag: '"1"' });
    stage.clock.advance(2000);
    stage.origin.answer('busy', {}, 500);
    stage.clock.advance(4000);
    stage.origin.answer('busy', {}, 500);
    stage.clock.advance(8000);
    stage.origin.fail('upstream_unreachable');
    stage.clock.advance(16_000);
    stage.origin.unmodified();
    assert.deepEqual(stream.said(), [
      'snapshot {"a":1}',
      'problem live_status',
      'problem upstream_unreachable',
      'patch []',
    ]);
    assert.equal(stage.read('tidegate_live_polls_total{failed}'), 3);
  });

  it('is problem details with the status of the origin, and leaves the id as it is', () => {
    const stage = new LiveStage();
    const stream = stage.sse();
    stage.origin.answer({ a: 1 });
    stage.next('{}', {});
    stage.clock.advance(2000);
    stage.origin.answer('', {}, 503);
    const [, patch, problem] = stream.told();
    assert.equal(problem.id, patch.id);
    const { status, code, upstreamStatus } = problem.data as Record<string, unknown>;
    assert.deepEqual([status, code, upstreamStatus], [502, 'live_status', 503]);
  });

  it('is over with the next value, which tells it too', () => {
    const stage = new LiveStage({ mode: 'value' });
    const [stream, socket] = [stage.sse(), stage.socket()];
    stage.origin.answer({ a: 1 });
    stage.next('no json');
    stage.clock.advance(4000);
    stage.origin.answer({ a: 1 });
    const said = ['snapshot {"a":1}', 'problem live_value_invalid', 'value {"a":1}'];
    assert.deepEqual([stream.said(), socket.said()], [said, said]);
  });

  for (const [what, answer] of Object.entries({
    'is not JSON': (stage: LiveStage) => stage.origin.answer('{"a":'),
    'is empty': (stage: LiveStage) => stage.origin.answer('', {}, 204),
    'is not UTF-8': (stage: LiveStage) =>
      stage.origin.last.done(null, { status: 200, headers: [], body: Buffer.of(0x22, 0xff, 0x22) }),
    'is larger than limits.liveValueBytesMax': (stage: LiveStage) =>
      stage.origin.answer(JSON.stringify('x'.repeat(1024))),
    'is compressed': (stage: LiveStage) => stage.origin.answer('{}', { 'content-encoding': 'gzip' }),
  })) {
    it(`is also an answer that ${what}`, () => {
      const stage = new LiveStage({}, { liveValueBytesMax: 1024 });
      const stream = stage.sse();
      stage.origin.answer({ a: 1 });
      stage.clock.advance(2000);
      answer(stage);
      assert.deepEqual(stream.said(), ['snapshot {"a":1}', 'problem live_value_invalid']);
    });
  }

  it('doubles the pause each time up to limits.liveBackoffMsMax, and success ends that', () => {
    const stage = new LiveStage({}, { liveBackoffMsMax: 10_000 });
    stage.sse();
    stage.origin.answer({ a: 1 });
    stage.origin.script = () => stage.origin.fail('upstream_unreachable');
    const times = timesOf(stage);
    stage.clock.advance(36_000);
    assert.deepEqual(times, [2000, 6000, 14_000, 24_000, 34_000]);
    stage.origin.script = () => stage.origin.answer({ a: 1 });
    const after = timesOf(stage);
    stage.clock.advance(12_000);
    assert.deepEqual(after, [8000, 10_000, 12_000]);
  });

  it('leaves the origin alone for as long as its Retry-After says, up to limits.liveRetryAfterMsMax', () => {
    const stage = new LiveStage({}, { liveRetryAfterMsMax: 100_000 });
    stage.sse();
    stage.origin.answer({ a: 1 });
    stage.clock.advance(2000);
    stage.origin.answer('', { 'retry-after': '30' }, 503);
    stage.clock.advance(29_999);
    assert.equal(stage.origin.asked.length, 2);
    stage.clock.advance(1);
    assert.equal(stage.origin.asked.length, 3);
    const date = new Date(stage.clock.nowMs() + 50_000).toUTCString();
    stage.origin.answer('', { 'retry-after': date }, 429);
    stage.clock.advance(49_000);
    assert.equal(stage.origin.asked.length, 3);
    stage.clock.advance(1000);
    stage.origin.answer('', { 'retry-after': '86400' }, 503);
    stage.clock.advance(100_000);
    assert.equal(stage.origin.asked.length, 5);
  });

  it('is the answer to the first request, with the status and what goes with it', () => {
    for (const open of ['sse', 'socket'] as const) {
      const stage = new LiveStage();
      const exchange = stage[open]();
      const fields = { 'content-type': 'text/plain', 'retry-after': '9', 'set-cookie': 'a=b', etag: '"e"' };
      stage.origin.answer('come back', fields, 503);
      assert.deepEqual([exchange.status, exchange.body], [503, 'come back']);
      assert.deepEqual(exchange.headers, {
        'cache-control': 'no-store',
        'content-type': 'text/plain',
        'retry-after': '9',
      });
    }
    const stage = new LiveStage();
    const exchange = stage.sse();
    stage.origin.fail('upstream_unreachable');
    assert.deepEqual([exchange.status, exchange.code], [502, 'upstream_unreachable']);
  });

  it('is remembered until the origin may be asked again', () => {
    const stage = new LiveStage();
    stage.sse();
    stage.origin.answer('', {}, 404);
    assert.equal(stage.sse().status, 404);
    stage.clock.advance(3999);
    assert.equal(stage.sse().status, 404);
    assert.equal(stage.origin.asked.length, 1);
    stage.clock.advance(1);
    const stream = stage.sse();
    stage.origin.answer({ a: 1 });
    assert.deepEqual(stream.said(), ['snapshot {"a":1}']);
  });

  it('that passes leaves newcomers the last value, and tells them', () => {
    const stage = new LiveStage();
    stage.sse();
    stage.origin.answer({ a: 1 });
    stage.clock.advance(2000);
    stage.origin.answer('', {}, 503);
    assert.deepEqual(stage.sse().said(), ['snapshot {"a":1}', 'problem live_status']);
  });

  it('that is about the resource leaves newcomers nothing: they may have no right to it any more', () => {
    for (const status of [401, 403, 404, 410]) {
      const stage = new LiveStage();
      const stream = stage.sse();
      stage.origin.answer({ a: 1 });
      stage.clock.advance(2000);
      stage.origin.answer('no', {}, status);
      assert.equal(stage.sse().status, status);
      assert.equal(stage.poll(null).status, status);
      assert.deepEqual(stream.said(), ['snapshot {"a":1}', 'problem live_status']);
    }
  });

  it('to say 304 to a request without conditions is nothing to pass on', () => {
    const stage = new LiveStage();
    const stream = stage.sse();
    stage.origin.unmodified();
    assert.deepEqual([stream.status, stream.code], [502, 'live_status']);
  });
});

describe('The pace of polls', () => {
  it('keeps its mean, varies by a tenth, and never asks earlier than it was asked to', () => {
    const limits = resolveLimits();
    const share = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(
        share,
        fc.integer({ min: 100, max: 100_000 }),
        fc.integer({ min: 0, max: 10 ** 7 }),
        (uint32, everyMs, askedMs) => {
          const pace = new PollPace(everyMs, limits, { uint32: () => uint32 });
          const next = pace.afterSuccess(0, 0);
          assert.ok(next >= everyMs * 0.9 && next <= everyMs * 1.1);
          for (let failures = 0; failures < 40; failures++) {
            const pauseMs = pace.afterFailure(0, askedMs);
            assert.ok(pauseMs >= Math.min(askedMs, limits.liveRetryAfterMsMax));
            assert.ok(pauseMs >= everyMs * 0.9);
            assert.ok(
              pauseMs <=
                1.1 *
                  Math.max(everyMs, limits.liveBackoffMsMax, Math.min(askedMs, limits.liveRetryAfterMsMax)),
            );
          }
        },
      ),
    );
  });
});
