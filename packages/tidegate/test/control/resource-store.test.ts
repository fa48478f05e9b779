import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { noMetrics, resolveLimits, silentLogger, systemClock, systemRandom } from '../../src/kernel/index.ts';
import { openLog } from '../../src/log/index.ts';
import { appendRaw, apply, isCode, keySpec, memoryLog, openStore, put, remove, specsOf } from './fixture.ts';

test('a resource that was written is in the snapshot, in effect, and told of, before the writer is answered', async () => {
  const log = memoryLog();
  const store = await openStore(log);
  const told: unknown[] = [];
  store.onChange((snapshot, { changes }) => {
    assert.equal(snapshot, store.snapshot);
    told.push(...changes.map(({ kind, name }) => `${kind}/${name}`));
  });
  const before = store.snapshot;
  await apply(store, put('topic', 'orders', { partitions: 2 }));
  assert.equal(log.topics.get('orders')?.partitions, 2);
  assert.deepEqual(told, ['topic/orders']);
  assert.equal(store.snapshot.get('topic', 'orders')?.source, 'stored');
  assert.equal(before.get('topic', 'orders'), undefined);
  assert.throws(() => {
    (store.snapshot.of('topic').get('orders') as { partitions: number }).partitions = 3;
  }, TypeError);
});

test('what is stored has every default filled in', async () => {
  const store = await openStore(memoryLog());
  await apply(store, put('topic', 'prices', { compacted: true }));
  assert.deepEqual(store.snapshot.of('topic').get('prices'), {
    partitions: 1,
    durability: 'synced',
    retention: { ageSeconds: null, sizeBytes: null, tombstoneSeconds: 86_400 },
    compacted: true,
    keyIndex: false,
    prefixes: [],
  });
});

test('applying the same again changes nothing and stores nothing', async () => {
  const log = memoryLog();
  const store = await openStore(log);
  await apply(store, put('topic', 'orders', {}));
  const { end } = log.bounds('_resources', 0);
  const { differences } = await apply(store, put('topic', 'orders', { partitions: 1 }));
  assert.equal(differences[0].action, 'unchanged');
  assert.equal(log.bounds('_resources', 0).end, end);
});

test('a dry run says what would change, and changes nothing', async () => {
  const log = memoryLog();
  const store = await openStore(log);
  const { differences } = await store.write({
    who: '',
    changes: [put('topic', 'orders', {})],
    mode: 'dry-run',
  });
  assert.equal(differences[0].action, 'create');
  assert.equal(store.snapshot.of('topic').size, 0);
  assert.equal(log.topics.has('_resources'), false);
});

test('of a change set with one bad resource nothing takes effect', async () => {
  const log = memoryLog();
  const store = await openStore(log);
  await apply(store, put('topic', 'there', { partitions: 2 }));
  const { end } = log.bounds('_resources', 0);
  const bad = [
    [put('topic', 'b', { partitions: 0 }), 'resource_invalid', /topic "b": spec\.partitions/],
    [put('topic', 'b', { colour: 1 }), 'resource_invalid', /"colour"/],
    [put('topic', '_b', {}), 'resource_invalid', /_b/],
    [put('topic', 'there', { partitions: 3 }), 'log_topic_exists', /there has partitions = 2/],
    [put('topic', 'there', { partitions: 2, durability: 'none' }), 'log_topic_exists', /durability/],
    [put('topic', 'there', { partitions: 2, keyIndex: true }), 'log_topic_exists', /keyIndex/],
    [put('topic', 'b', { partitions: 257 }), 'resource_invalid', /limits\.partitionsMax/],
    [put('topic', 'a', {}), 'resource_invalid', /twice/],
    [put('colour', 'b', {}), 'resource_kind_unknown', /"colour" is none of topic, key/],
    [remove('topic', 'gone'), 'resource_unknown', /topic "gone"/],
    [put('key', 'b', { ...keySpec(1), expires: 'tomorrow' }), 'resource_invalid', /expires/],
  ] as const;
  for (const [change, code, detail] of bad) {
    await assert.rejects(apply(store, put('topic', 'a', {}), change), isCode(code, detail));
  }
  assert.equal(log.bounds('_resources', 0).end, end);
  assert.deepEqual([...store.snapshot.of('topic').keys()], ['there']);
  assert.equal(log.topics.has('a'), false);
});

test('no two topics claim the same prefix, within one change set and across them', async () => {
  const store = await openStore(memoryLog());
  const chat = put('topic', 'chat', { prefixes: ['chat:'] });
  await assert.rejects(
    apply(store, chat, put('topic', 'talk', { prefixes: ['chat:'] })),
    isCode('resource_invalid'),
  );
  await apply(store, chat);
  await assert.rejects(
    apply(store, put('topic', 'talk', { prefixes: ['chat:'] })),
    isCode('resource_invalid', /is a prefix of the topic "chat" already/),
  );
  await apply(store, remove('topic', 'chat'), put('topic', 'talk', { prefixes: ['chat:'] }));
  assert.deepEqual([...store.snapshot.of('topic').keys()], ['talk']);
});

test('the config file wins over a stored resource of the same name, and its names cannot be written', async () => {
  const log = memoryLog();
  const first = await openStore(log);
  await apply(first, put('key', 'app', keySpec(1)));
  await first.close();
  const declared = [{ kind: 'key', name: 'app', spec: keySpec(2) }];
  const store = await openStore(log, { declared });
  assert.deepEqual(specsOf(store, 'key'), [['app', keySpec(2)]]);
  assert.equal(store.snapshot.get('key', 'app')?.source, 'config');
  for (const change of [put('key', 'app', keySpec(3)), remove('key', 'app')])
    await assert.rejects(apply(store, change), isCode('resource_read_only', /key "app"/));
  const third = await openStore(log);
  assert.deepEqual(specsOf(third, 'key'), [['app', keySpec(1)]]);
});

test('a version is never used again, not even by a resource that is made anew', async () => {
  const store = await openStore(memoryLog());
  await apply(store, put('key', 'app', keySpec(1)));
  const { version } = store.snapshot.get('key', 'app')!;
  await apply(store, remove('key', 'app'));
  await apply(store, put('key', 'app', keySpec(1)));
  assert.ok(store.snapshot.get('key', 'app')!.version > version);
  await assert.rejects(
    apply(store, put('key', 'app', keySpec(2), version)),
    isCode('resource_conflict', /key "app" has version \d+; version \d+ was expected/),
  );
  await assert.rejects(apply(store, put('key', 'app', keySpec(2), 0)), isCode('resource_conflict'));
  await assert.rejects(
    apply(store, put('key', 'other', keySpec(3), 5)),
    isCode('resource_conflict', /is not there/),
  );
});

test('of two servers that change the same version at once exactly one wins, and both see the same', async () => {
  const log = memoryLog();
  const [one, two] = [await openStore(log), await openStore(log)];
  await apply(one, put('key', 'app', keySpec(1)));
  const { version } = two.snapshot.get('key', 'app')!;
  const outcomes = await Promise.allSettled([
    apply(one, put('key', 'app', keySpec(2), version)),
    apply(two, put('key', 'app', keySpec(3), version), put('key', 'other', keySpec(4))),
  ]);
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
  assert.equal(failed.length, 1);
  assert.ok(isCode('resource_conflict', /key "app"/)(failed[0].reason));
  assert.deepEqual(specsOf(one, 'key'), specsOf(two, 'key'));
  // All of the winner's change set, nothing of the loser's.
  const won = outcomes[0].status === 'fulfilled';
  assert.deepEqual(specsOf(one, 'key').length, won ? 1 : 2);
});

test('two servers that expect nothing both get their way, one after the other', async () => {
  const log = memoryLog();
  const [one, two] = [await openStore(log), await openStore(log)];
  const writes = [];
  for (let number = 1; number <= 20; number++) {
    writes.push(apply(number % 2 === 0 ? one : two, put('key', 'app', keySpec(number))));
  }
  await Promise.all(writes);
  assert.deepEqual(specsOf(one, 'key'), specsOf(two, 'key'));
});

test('deleting a topic deletes it from the log; one that was created anew since is left alone', async () => {
  const log = memoryLog();
  const store = await openStore(log);
  await apply(store, put('topic', 'orders', {}));
  const old = log.topics.get('orders')!.epoch;
  await apply(store, remove('topic', 'orders'));
  assert.equal(log.topics.has('orders'), false);
  await apply(store, put('topic', 'orders', { partitions: 3 }));
  const { epoch } = log.topics.get('orders')!;
  assert.notEqual(epoch, old);
  // Reads the deletion again, whose topic is gone.
  await openStore(log);
  assert.equal(log.topics.get('orders')!.epoch, epoch);
  assert.equal(log.topics.get('orders')!.partitions, 3);
});

test('a topic that nobody declares any more is left as it is', async () => {
  const log = memoryLog();
  await openStore(log, { declared: [{ kind: 'topic', name: 'orders', spec: {} }] });
  await openStore(log);
  assert.ok(log.topics.has('orders'));
});

test('a restart finds what was stored, deletes what was to be deleted, and reads on from the newest snapshot', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-test-'));
  const open = () =>
    openLog({
      folder,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      metrics: noMetrics,
      limits: resolveLimits(),
    });
  try {
    let log = await open();
    let store = await openStore(log);
    await apply(store, put('topic', 'orders', { partitions: 2 }), put('topic', 'gone', {}));
    for (let number = 1; number <= 300; number++)
      await apply(store, put('key', `k${number % 7}`, keySpec(number)));
    await apply(store, remove('key', 'k1'));
    // As if the server had died before it could delete the topic.
    const mark = log.topics.get('gone')!.epoch;
    const change = {
      kind: 'topic',
      name: 'gone',
      expects: store.snapshot.get('topic', 'gone')!.version,
      mark,
    };
    const at = '2026-01-01T00:00:00.000Z';
    await store.close();
    await appendRaw(
      log,
      '_resources',
      'change',
      JSON.stringify({ format: 1, id: 'x', who: '', at, changes: [change] }),
    );
    assert.ok(log.topics.has('gone'));
    const [topics, keys] = [
      specsOf(store, 'topic').filter(([name]) => name !== 'gone'),
      specsOf(store, 'key'),
    ];
    await log.close();

    log = await open();
    const reads: number[] = [];
    const read = log.read.bind(log);
    log.read = (request) => {
      reads.push(request.from);
      return read(request);
    };
    store = await openStore(log);
    assert.deepEqual(specsOf(store, 'topic'), topics);
    assert.deepEqual(specsOf(store, 'key'), keys);
    assert.equal(log.topics.has('gone'), false);
    assert.equal(log.topics.get('orders')?.partitions, 2);
    assert.ok(Math.min(...reads) > 200, `read from ${Math.min(...reads)} on`);
    await store.close();
    await log.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('what came before the newest snapshot can be dropped', async () => {
  const limits = { resourcesBytesMax: 4096 };
  const log = memoryLog({ ...limits, batchStoredBytesMax: 4096 });
  const store = await openStore(log, { limits });
  const wide = { allow: { [`${'x'.repeat(1500)}/#`]: ['subscribe'] } };
  for (let number = 1; number <= 120; number++) {
    await apply(store, put('key', `k${number % 2}`, { ...keySpec(number), ...wide }));
    if (number % 10 === 0) await log.maintain();
  }
  assert.ok(log.bounds('_resources', 0).start > 0);
  const again = await openStore(log, { limits });
  assert.deepEqual(specsOf(again, 'key'), specsOf(store, 'key'));
  assert.equal(specsOf(again, 'key').length, 2);
});

test('all resources together have at most limits.resourcesBytesMax', async () => {
  const store = await openStore(memoryLog(), { limits: { resourcesBytesMax: 4096 } });
  const wide = (number: number) => ({
    ...keySpec(number),
    allow: { [`${'x'.repeat(1800)}/#`]: ['subscribe'] },
  });
  await apply(store, put('key', 'a', wide(1)), put('key', 'b', wide(2)));
  await assert.rejects(
    apply(store, put('key', 'c', wide(3))),
    isCode('resources_too_large', /limits\.resourcesBytesMax = 4096/),
  );
  await apply(store, remove('key', 'a'), put('key', 'c', wide(3)));
  assert.deepEqual([...store.snapshot.of('key').keys()], ['b', 'c']);
});

test('what is larger than a message may be is stored in parts, and found again', async () => {
  const limits = { messageBytesMax: 1024 };
  const log = memoryLog(limits);
  const store = await openStore(log, { limits });
  const wide = (number: number) => ({
    ...keySpec(number),
    allow: { [`${'x'.repeat(400)}/#`]: ['subscribe'] },
  });
  const names = Array.from({ length: 40 }, (_, index) => `k${index}`);
  await apply(store, ...names.map((name, index) => put('key', name, wide(index))));
  assert.ok(log.bounds('_resources', 0).end > 20);
  // Enough for a snapshot, which is in parts too.
  for (let round = 0; round < 140; round++) await apply(store, put('key', 'k0', wide(1000 + round)));
  assert.ok(log.offsetOfLast('_resources', 0, 1, 'snapshot') < log.bounds('_resources', 0).end);
  const again = await openStore(log, { limits });
  assert.deepEqual(specsOf(again, 'key'), specsOf(store, 'key'));
  assert.equal(again.snapshot.position, store.snapshot.position);
  await appendRaw(log, '_resources', 'more', '{}');
  await assert.rejects(openStore(log, { limits }), isCode('resources_damaged', /is not whole/));
});

test('damage that the log reports is refused at the start, and before the newest snapshot it does not matter', async () => {
  const log = memoryLog();
  const store = await openStore(log);
  for (let number = 1; number <= 5; number++) await apply(store, put('key', 'app', keySpec(number)));
  const read = log.read.bind(log);
  const damage = { from: 2, to: 4 };
  log.read = (request) => {
    const result = read(request);
    const { from, to = Number.POSITIVE_INFINITY } = request;
    if (from >= damage.to || to <= damage.from) return result;
    return { ...result, damaged: [damage] };
  };
  await assert.rejects(openStore(log), isCode('resources_damaged', /offsets 2 to 3/));
  for (let number = 6; number <= 140; number++) await apply(store, put('key', 'app', keySpec(number)));
  assert.deepEqual(specsOf(await openStore(log), 'key'), [['app', keySpec(140)]]);
});

test('a record that is damaged or of a later format is refused at the start, with its place', async () => {
  const records = [
    ['{"format":1,"id":', 'resources_damaged', /offset 1 .* is not JSON/],
    ['[]', 'resources_damaged', /offset 1 .* names no format/],
    ['{"format":1,"id":"x"}', 'resources_damaged', /offset 1 .* is not a change set/],
    [
      '{"format":1,"id":"x","who":"","at":"2026-01-01T00:00:00Z","changes":[{"kind":"key"}]}',
      'resources_damaged',
      /offset 1 /,
    ],
    [
      '{"format":2,"anything":true}',
      'resources_version_unsupported',
      /offset 1 .* has the format 2; this version reads 1/,
    ],
  ] as const;
  for (const [text, code, detail] of records) {
    const log = memoryLog();
    const store = await openStore(log);
    await apply(store, put('key', 'app', keySpec(1)));
    await store.close();
    await appendRaw(log, '_resources', 'change', text);
    await assert.rejects(openStore(log), isCode(code, detail));
  }
});

test('a server that meets such a record while it runs keeps what it has, and refuses to write', async () => {
  const log = memoryLog();
  const errors: string[] = [];
  const store = await openStore(log, {
    logger: { ...silentLogger, error: (_fields, message) => errors.push(message) },
  });
  await apply(store, put('key', 'app', keySpec(1)));
  await appendRaw(log, '_resources', 'change', '{"format":2}');
  await assert.rejects(apply(store, put('key', 'app', keySpec(2))), isCode('resources_version_unsupported'));
  assert.deepEqual(specsOf(store, 'key'), [['app', keySpec(1)]]);
  assert.equal(errors.length, 1);
});

test('what comes before the newest snapshot does not matter, damaged or not', async () => {
  const log = memoryLog();
  const store = await openStore(log);
  await apply(store, put('key', 'app', keySpec(1)));
  await store.close();
  await appendRaw(log, '_resources', 'change', 'not JSON');
  const { end } = log.bounds('_resources', 0);
  const resources = [{ kind: 'key', name: 'app', version: 1, spec: keySpec(7) }];
  const snapshot = { format: 1, through: end, resources, removals: [] };
  await appendRaw(log, '_resources', 'snapshot', JSON.stringify(snapshot));
  const again = await openStore(log);
  assert.deepEqual(specsOf(again, 'key'), [['app', keySpec(7)]]);
});

test('a resource of an unknown kind, or one that its schema does not take, is left out and kept', async () => {
  const log = memoryLog();
  const store = await openStore(log);
  await apply(store, put('key', 'app', keySpec(1)));
  await store.close();
  const changes = [
    { kind: 'route', name: 'r', expects: 0, spec: { to: 'x' } },
    { kind: 'key', name: 'odd', expects: 0, spec: { hash: 'md5:1' } },
  ];
  const at = '2026-01-01T00:00:00.000Z';
  await appendRaw(log, '_resources', 'change', JSON.stringify({ format: 1, id: 'x', who: '', at, changes }));
  const errors: unknown[] = [];
  const again = await openStore(log, { logger: { ...silentLogger, error: ({ name }) => errors.push(name) } });
  assert.deepEqual(errors, ['r', 'odd']);
  assert.deepEqual([...again.snapshot.of('key').keys()], ['app']);
  assert.deepEqual([...again.snapshot.of('route').keys()], []);
  // Still there for the version that knows it; and it can be set right.
  await apply(again, put('key', 'odd', keySpec(2)));
  assert.deepEqual([...again.snapshot.of('key').keys()], ['app', 'odd']);
});

test('who was there first is told of what was missed, as far back as it is kept', async () => {
  const store = await openStore(memoryLog());
  await apply(store, put('key', 'a', keySpec(1)));
  const { position } = store.snapshot;
  await apply(store, put('key', 'b', keySpec(2)));
  assert.deepEqual(
    store.changesSince(position).flatMap(({ changes }) => changes.map(({ name }) => name)),
    ['b'],
  );
  assert.throws(() => store.changesSince(position + 10), isCode('resource_history_gone'));
});

test('a resource that cannot be put into effect is told to the writer, and tried again with the next change', async () => {
  const state = { broken: true, applied: [] as string[] };
  const thing = {
    kind: 'thing',
    description: 'A thing.',
    namePattern: '^.*$',
    schema: { type: 'object' },
    complete: (_name: string, spec: object) => spec as Readonly<Record<string, unknown>>,
    async apply(name: string) {
      if (state.broken) throw new Error('not now');
      state.applied.push(name);
    },
  } as const;
  const store = await openStore(memoryLog(), { kinds: [thing] });
  await assert.rejects(apply(store, put('thing', 'a', {})), isCode('internal'));
  assert.equal(store.snapshot.of('thing').size, 1);
  state.broken = false;
  await apply(store, put('thing', 'b', {}));
  assert.deepEqual([...new Set(state.applied)], ['a', 'b']);
});

test('at the start, what stands in the way of the config file ends it, and what stands in the way of a stored resource is logged', async () => {
  const log = memoryLog();
  const errors: unknown[] = [];
  const logger = { ...silentLogger, error: ({ name }: { readonly name?: unknown }) => errors.push(name) };
  const store = await openStore(log);
  await apply(store, put('topic', 'orders', { partitions: 2 }), put('topic', 'notes', {}));
  await store.close();
  const declared = [{ kind: 'topic', name: 'orders', spec: { partitions: 3 } }];
  await assert.rejects(openStore(log, { declared, logger }), isCode('log_topic_exists', /orders/));
  // Somebody took it away behind the store's back, and it cannot be made again as it was.
  await log.deleteTopic('notes');
  await log.createTopic({ ...log.topics.get('orders')!, name: 'notes' });
  errors.length = 0;
  const again = await openStore(log, { logger });
  assert.deepEqual(errors, ['notes']);
  assert.equal(again.snapshot.of('topic').size, 2);
});
