import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keyKind } from '../../src/control/index.ts';
import { apply, keySpec, memoryLog, openStore, put, remove } from './fixture.ts';

test('after any changes a snapshot is what a server that starts then would have, and earlier ones are as they were', async () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const step = fc.record({ name, number: fc.option(fc.nat(3), { nil: null }), isRead: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const log = memoryLog();
      const kinds = [keyKind()];
      const declared = [{ kind: 'key', name: 'declared', spec: keySpec(99) }];
      const store = await openStore(log, { kinds, declared });
      const shown = (snapshot: typeof store.snapshot): string =>
        JSON.stringify([snapshot.position, snapshot.resources('key'), [...snapshot.of('key')].sort()]);
      const earlier: { readonly snapshot: typeof store.snapshot; readonly text: string }[] = [];
      for (const [index, { name, number, isRead }] of steps.entries()) {
        // Whether the specs of the kind were made before the change or are made after it.
        if (isRead) earlier.push({ snapshot: store.snapshot, text: shown(store.snapshot) });
        if (number !== null) await apply(store, put('key', name, keySpec(index * 10 + number)));
        else if (store.snapshot.get('key', name) !== undefined) await apply(store, remove('key', name));
      }
      const restarted = await openStore(log, { kinds, declared });
      assert.equal(shown(store.snapshot), shown(restarted.snapshot));
      for (const { snapshot, text } of earlier) assert.equal(shown(snapshot), text);
      await Promise.all([store.close(), restarted.close()]);
    }),
    { numRuns: 30 },
  );
});

test('what another server stores under a name of the config file stays hidden, and so does that it is gone', async () => {
  const log = memoryLog();
  const kinds = [keyKind()];
  const store = await openStore(log, { kinds, declared: [{ kind: 'key', name: 'own', spec: keySpec(1) }] });
  const other = await openStore(log, { kinds });
  const inForce = () => [store.snapshot.get('key', 'own')?.source, store.snapshot.of('key').get('own')];
  assert.deepEqual(inForce(), ['config', keySpec(1)]);
  await apply(other, put('key', 'own', keySpec(2)));
  assert.equal(store.snapshot.position, other.snapshot.position);
  assert.deepEqual(inForce(), ['config', keySpec(1)]);
  await apply(other, remove('key', 'own'));
  assert.deepEqual(inForce(), ['config', keySpec(1)]);
});
