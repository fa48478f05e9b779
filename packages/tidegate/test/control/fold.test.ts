import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeChangeSet,
  decodeSnapshot,
  encodeChangeSet,
  encodeSnapshot,
} from '../../src/control/change-set.ts';
import { keyOf, StoredState } from '../../src/control/stored-state.ts';
import { apply, keySpec, memoryLog, openStore, put, remove, specsOf } from './fixture.ts';

const name = fc.constantFrom('a', 'b', 'c');
/** Objects as JSON gives them. */
const PLAIN = { noNullPrototype: true } as const;
const spec = fc.record({ n: fc.integer() }, PLAIN);
const change = fc.record(
  {
    kind: fc.constantFrom('x', 'y'),
    name,
    expects: fc.nat(6),
    spec: fc.option(spec),
    schema: fc.constantFrom('', 'abc'),
    mark: fc.option(fc.string()),
  },
  PLAIN,
);
const changeSet = fc.record(
  {
    id: fc.string(),
    who: fc.string(),
    atMs: fc.nat(2 ** 40),
    changes: fc
      .uniqueArray(change, { selector: keyOf, maxLength: 4 })
      // A change that sets has no mark.
      .map((list) =>
        list.map((item) => (item.spec === null ? { ...item, schema: '' } : { ...item, mark: null })),
      ),
  },
  PLAIN,
);

test('a change set is read as it was written', () => {
  fc.assert(
    fc.property(changeSet, (set) => {
      assert.deepEqual(decodeChangeSet(encodeChangeSet(set), 0), set);
    }),
  );
});

test('a change set takes effect whole or not at all, and only if all is as it expects', () => {
  fc.assert(
    fc.property(fc.array(changeSet, { maxLength: 8 }), (sets) => {
      const state = new StoredState();
      let position = 0;
      for (const set of sets) {
        const before = [...state.resources];
        const expected = set.changes.every((each) => (state.get(each)?.version ?? 0) === each.expects);
        const outcome = state.fold(set, ++position);
        assert.equal(outcome.kind, expected ? 'applied' : 'conflict');
        if (!expected) assert.deepEqual([...state.resources], before);
        else for (const each of set.changes) assert.deepEqual(state.get(each)?.spec ?? null, each.spec);
      }
    }),
  );
});

test('a snapshot and what follows it come to the same as everything from the beginning', () => {
  fc.assert(
    fc.property(fc.array(changeSet, { maxLength: 10 }), fc.nat(10), (sets, at) => {
      const whole = new StoredState();
      const resumed = new StoredState();
      for (const [index, set] of sets.entries()) {
        if (index === Math.min(at, sets.length - 1)) {
          const snapshot = encodeSnapshot({ through: index, resources: [...whole.resources], removals: [] });
          resumed.reset(decodeSnapshot(snapshot, index).resources);
        }
        whole.fold(set, index + 1);
        if (index >= at || index === sets.length - 1) resumed.fold(set, index + 1);
      }
      const sorted = (state: StoredState) =>
        [...state.resources].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
      assert.deepEqual(sorted(resumed), sorted(whole));
      assert.equal(resumed.bytes, whole.bytes);
    }),
  );
});

test('servers that write at the same time end up with the same resources, which a restart finds', async () => {
  const action = fc.record({
    server: fc.nat(1),
    name,
    number: fc.integer({ min: 1, max: 1e6 }),
    deletes: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 12 }), async (actions) => {
      const log = memoryLog();
      const stores = [await openStore(log), await openStore(log)];
      const writes = actions.map(({ server, name: key, number, deletes }, index) => {
        const unique = keySpec(number * 100 + index);
        return apply(stores[server], deletes ? remove('key', key) : put('key', key, unique)).catch(
          (error: { readonly code: string }) => assert.equal(error.code, 'resource_unknown'),
        );
      });
      await Promise.all(writes);
      const restarted = await openStore(log);
      assert.deepEqual(specsOf(stores[0], 'key'), specsOf(stores[1], 'key'));
      assert.deepEqual(specsOf(stores[0], 'key'), specsOf(restarted, 'key'));
      for (const store of [...stores, restarted]) await store.close();
      await log.close();
    }),
    { numRuns: 40 },
  );
});
