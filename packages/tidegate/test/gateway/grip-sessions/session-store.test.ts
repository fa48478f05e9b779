import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SessionStore } from '../../../src/gateway/grip-sessions/session-store.ts';
import { resolveLimits } from '../../../src/kernel/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const ids = (texts: Record<string, string>): ReadonlyMap<string, string> => new Map(Object.entries(texts));
const had = (store: SessionStore, key: string): unknown => {
  const found = store.idsOf(key);
  return found === null ? null : Object.fromEntries(found);
};

describe('What clients of sessions have', () => {
  it('is known by channel, and the newest counts', () => {
    const store = new SessionStore(new ManualClock(), resolveLimits());
    store.put('a', ids({ news: '1', other: 'x' }), 'newer');
    store.put('a', ids({ news: '2' }), 'newer');
    store.put('b', ids({}), 'newer');
    assert.deepEqual(had(store, 'a'), { other: 'x', news: '2' });
    assert.deepEqual(had(store, 'b'), {});
    assert.equal(had(store, 'c'), null);
  });

  it('is not put back by a connection that ends after another has gone on', () => {
    const store = new SessionStore(new ManualClock(), resolveLimits());
    store.put('a', ids({ news: '2' }), 'newer');
    store.put('a', ids({ news: '1' }), 'unless_known');
    store.put('b', ids({ news: '1' }), 'unless_known');
    assert.deepEqual([had(store, 'a'), had(store, 'b')], [{ news: '2' }, { news: '1' }]);
  });

  it('is forgotten gripSessionKeepMs after it was used last', () => {
    const clock = new ManualClock();
    const store = new SessionStore(clock, resolveLimits({ gripSessionKeepMs: 1000 }));
    for (const key of ['a', 'b', 'c']) store.put(key, ids({ news: '1' }), 'newer');
    clock.advance(600);
    store.idsOf('a');
    store.put('b', ids({}), 'unless_known');
    clock.advance(600);
    assert.deepEqual(
      [had(store, 'c'), had(store, 'a'), had(store, 'b')],
      [null, { news: '1' }, { news: '1' }],
    );
    assert.equal(store.count, 2);
    clock.advance(1000);
    assert.equal(had(store, 'a'), null);
    assert.deepEqual([store.count, store.evicted], [0, 0]);
  });

  it('is no more than gripSessionsBytesMax: those that were used longest ago go', () => {
    const store = new SessionStore(new ManualClock(), resolveLimits({ gripSessionsBytesMax: 2000 }));
    for (let session = 0; session < 100; session++) {
      store.put(`s${session}`, ids({ news: '1' }), 'newer');
      store.idsOf('s0');
    }
    assert.ok(store.count >= 2 && store.count <= 6, String(store.count));
    assert.equal(store.evicted, 100 - store.count);
    assert.deepEqual(
      [had(store, 's0'), had(store, 's99'), had(store, 's50')],
      [{ news: '1' }, { news: '1' }, null],
    );
    store.put('large', ids({ news: 'x'.repeat(3000) }), 'newer');
    assert.equal(store.count, 0);
    store.put('s0', ids({ news: '1' }), 'newer');
    assert.equal(store.count, 1, 'what was forgotten is not counted any more');
  });

  it('has no more channels than gripChannelsMax for each', () => {
    const store = new SessionStore(new ManualClock(), resolveLimits({ gripChannelsMax: 2 }));
    store.put('a', ids({ x: '1', y: '1' }), 'newer');
    store.put('a', ids({ x: '2', z: '1' }), 'newer');
    assert.deepEqual(had(store, 'a'), { x: '2', z: '1' });
  });
});
