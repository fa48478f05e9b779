import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PublishOrder } from '../../../src/gateway/grip/publish-order.ts';
import { type Limits, noMetrics, resolveLimits } from '../../../src/kernel/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';

interface Lab {
  readonly clock: ManualClock;
  readonly order: PublishOrder;
  /** The ids that were let through, with their channels unless that is `c`. */
  readonly released: string[];
  offer(id: string | null, prevId: string | null, channel?: string): void;
}

function lab(overrides: Partial<Limits> = {}): Lab {
  const clock = new ManualClock();
  const order = new PublishOrder({ clock, limits: resolveLimits(overrides), metrics: noMetrics });
  const released: string[] = [];
  return {
    clock,
    order,
    released,
    offer(id, prevId, channel = 'c') {
      order.offer(channel, id, prevId, () => released.push(channel === 'c' ? `${id}` : `${channel} ${id}`));
    },
  };
}

test('items that come in their order do not wait', () => {
  const { offer, released, clock } = lab();
  offer('1', null);
  offer('2', '1');
  offer('3', '2');
  assert.deepEqual(released, ['1', '2', '3']);
  assert.equal(clock.pendingTimers, 0);
});

test('an item waits for the one before it, and so do those behind it', () => {
  const { offer, released } = lab();
  offer('1', null);
  offer('4', '3');
  offer('3', '2');
  assert.deepEqual(released, ['1']);
  offer('2', '1');
  assert.deepEqual(released, ['1', '2', '3', '4']);
});

test('where nothing is known of a channel, nothing waits', () => {
  const { offer, released } = lab();
  offer('9', '8');
  offer('x', 'y', 'other');
  assert.deepEqual(released, ['9', 'other x']);
});

test('channels do not hold each other up', () => {
  const { offer, released } = lab();
  offer('1', null);
  offer('1', null, 'other');
  offer('3', '2');
  offer('2', '1', 'other');
  assert.deepEqual(released, ['1', 'other 1', 'other 2']);
});

test('two publishers of one channel, each with ids of its own, do not hold each other up', () => {
  const { offer, released } = lab();
  offer('a1', null);
  offer('b1', null);
  offer('a2', 'a1');
  offer('b2', 'b1');
  assert.deepEqual(released, ['a1', 'b1', 'a2', 'b2']);
});

test('items without prev-id go at once, and others can follow them', () => {
  const { offer, released } = lab();
  offer('1', null);
  offer('3', '2');
  offer('2', null);
  offer(null, null);
  assert.deepEqual(released, ['1', '2', '3', 'null']);
});

test('an item goes without the one before it after gripOrderWaitMs, and those behind it with it', () => {
  const { offer, released, clock } = lab({ gripOrderWaitMs: 5000 });
  offer('1', null);
  offer('3', '2');
  clock.advance(2000);
  offer('4', '3');
  offer('9', '8');
  clock.advance(2999);
  assert.deepEqual(released, ['1']);
  clock.advance(1);
  assert.deepEqual(released, ['1', '3', '4']);
  clock.advance(2000);
  assert.deepEqual(released, ['1', '3', '4', '9']);
  assert.equal(clock.pendingTimers, 0);
});

test('the item that was missed goes when it comes after all', () => {
  const { offer, released, clock } = lab();
  offer('1', null);
  offer('3', '2');
  clock.advance(5000);
  offer('2', '1');
  assert.deepEqual(released, ['1', '3', '2']);
});

test('of more than gripOrderPendingMax that wait in a channel, the oldest goes', () => {
  const { offer, released } = lab({ gripOrderPendingMax: 2 });
  offer('1', null);
  offer('3', 'x');
  offer('4', 'y');
  assert.deepEqual(released, ['1']);
  offer('5', 'z');
  assert.deepEqual(released, ['1', '3']);
});

test('the latest gripOrderPendingMax ids are remembered', () => {
  const { offer, released } = lab({ gripOrderPendingMax: 2 });
  for (const id of ['1', '2', '3']) offer(id, null);
  offer('b', '2');
  offer('a', '1');
  assert.deepEqual(released, ['1', '2', '3', 'b']);
});

test('of more than gripOrderChannelsMax channels the one that was not used for longest is forgotten, and nothing in it waits any more', () => {
  const { offer, released } = lab({ gripOrderChannelsMax: 2 });
  offer('1', null, 'a');
  offer('3', '2', 'a');
  offer('1', null, 'b');
  assert.deepEqual(released, ['a 1', 'b 1']);
  offer('1', null, 'd');
  assert.deepEqual(released, ['a 1', 'b 1', 'a 3', 'd 1']);
  offer('7', '6', 'b');
  offer('9', '8', 'a');
  assert.deepEqual(released.slice(4), ['b 7', 'a 9'].slice(1));
});

test('however the items of some publishers overtake each other, those of each are let through in order', () => {
  const chains = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(
      chains.chain((lengths) => {
        const items = lengths.flatMap((length, chain) =>
          Array.from({ length }, (_, index) => ({ chain, index })),
        );
        return fc.shuffledSubarray(items, { minLength: items.length, maxLength: items.length });
      }),
      (items) => {
        const { offer, released } = lab();
        offer('start', null);
        for (const { chain, index } of items) {
          offer(`${chain}.${index}`, index === 0 ? 'start' : `${chain}.${index - 1}`);
        }
        assert.equal(released.length, items.length + 1);
        for (const { chain, index } of items) {
          if (index === 0) continue;
          assert.ok(released.indexOf(`${chain}.${index}`) > released.indexOf(`${chain}.${index - 1}`));
        }
      },
    ),
  );
});

test('when it is closed, all that waits goes', () => {
  const { offer, released, order, clock } = lab();
  offer('1', null);
  offer('3', '2');
  order.close();
  assert.deepEqual(released, ['1', '3']);
  assert.equal(clock.pendingTimers, 0);
});
