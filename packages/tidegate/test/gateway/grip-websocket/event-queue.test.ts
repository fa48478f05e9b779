import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EventQueue } from '../../../src/gateway/grip-websocket/event-queue.ts';
import type { WebSocketEvent } from '../../../src/wire/grip/index.ts';

const text = (content: string): WebSocketEvent => ({ type: 'TEXT', content: Buffer.from(content) });
const contentOf = (event: WebSocketEvent): string =>
  'content' in event ? String(event.content) : event.type;

/** What happens to a queue: an event comes, or the origin is sent what there is and accepts some of it. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant('push' as const),
    content: fc.string({ maxLength: 5, unit: 'binary-ascii' }),
  }),
  fc.record({ kind: fc.constant('send' as const), accepted: fc.option(fc.nat(20)), meanwhile: fc.nat(2) }),
);

describe('A queue of events', () => {
  it('gives each event out in order until it is accepted, and none again after that', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const queue = new EventQueue();
        /** What was pushed and not accepted, and how much of it the origin has seen. */
        let left: string[] = [];
        let seen = 0;
        for (const one of steps) {
          if (one.kind === 'push') {
            queue.push(text(one.content));
            left.push(one.content);
            continue;
          }
          const sent = queue.send();
          assert.deepEqual(sent.map(contentOf), left);
          assert.equal(queue.seenBytes, seen);
          const count = left.length;
          for (let i = 0; i < one.meanwhile; i++) {
            queue.push(text('new'));
            left.push('new');
          }
          let room = one.accepted ?? Number.POSITIVE_INFINITY;
          let accepted = 0;
          while (accepted < count && left[accepted].length <= room) room -= left[accepted++].length;
          left = left.slice(accepted);
          assert.equal(queue.accepted(one.accepted), count - accepted);
          seen = left.slice(0, count - accepted).join('').length;
          assert.equal(queue.seenBytes, seen);
          assert.equal(queue.count, left.length);
        }
        assert.equal(queue.isEmpty, left.length === 0);
        if (queue.isEmpty) assert.equal(queue.bytes, 0);
      }),
    );
  });

  it('counts the code and the reason of a close as content', () => {
    const queue = new EventQueue();
    queue.push({ type: 'CLOSE', code: 1000, reason: 'bye' });
    queue.send();
    assert.equal(queue.accepted(4), 1);
    queue.send();
    assert.equal(queue.accepted(5), 0);
  });

  it('has nothing to be accepted before anything was sent', () => {
    const queue = new EventQueue();
    queue.push(text('a'));
    assert.equal(queue.accepted(null), 0);
    assert.equal(queue.count, 1);
  });
});
