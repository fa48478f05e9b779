import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AppliedChangeSet,
  type DeclaredResource,
  keyKind,
  type ResourceStore,
  routeKind,
  topicKind,
  upstreamKind,
} from '../../src/control/index.ts';
import { resolveLimits, silentLogger } from '../../src/kernel/index.ts';
import type { Log } from '../../src/log/index.ts';
import { apply, isCode, keySpec, memoryLog, openStore, put, remove, specsOf } from './fixture.ts';

const ORIGIN = { targets: [{ url: 'http://127.0.0.1:3000' }] };

const topic = (name: string, spec: object = {}): DeclaredResource => ({
  kind: 'topic',
  name,
  spec: { ...spec },
});
const key = (name: string, number: number): DeclaredResource => ({
  kind: 'key',
  name,
  spec: keySpec(number),
});
const upstream = (name: string, spec: object = ORIGIN): DeclaredResource => ({
  kind: 'upstream',
  name,
  spec: structuredClone(spec) as DeclaredResource['spec'],
});
const route = (name: string, to: string, path = `/${name}`): DeclaredResource => ({
  kind: 'route',
  name,
  spec: { match: { path }, upstream: to },
});

async function storeOf(declared: readonly DeclaredResource[], log: Log = memoryLog()) {
  const limits = resolveLimits();
  const kinds = [
    topicKind({ log, limits, logger: silentLogger }),
    keyKind(),
    upstreamKind(limits),
    routeKind(limits),
  ];
  const store = await openStore(log, { kinds, declared });
  const told: AppliedChangeSet[] = [];
  store.onChange((snapshot, applied) => {
    assert.equal(snapshot, store.snapshot);
    told.push(applied);
  });
  return { log, store, told };
}

const namesOf = ({ changes }: AppliedChangeSet) => changes.map(({ kind, name }) => `${kind}/${name}`);
const sourceOf = (store: ResourceStore, kind: string, name: string) => store.snapshot.get(kind, name)?.source;

test('another file takes the place of the one before, and exactly what changed is told, at once', async () => {
  const { log, store, told } = await storeOf([
    topic('orders'),
    key('app', 1),
    upstream('a'),
    route('stays', 'a'),
    route('changes', 'a'),
    route('goes', 'a'),
  ]);
  const before = store.snapshot;
  const { differences, hidden, failure } = await store.redeclare([
    topic('orders'),
    topic('prices', { partitions: 2 }),
    key('app', 1),
    upstream('a'),
    upstream('b'),
    route('stays', 'a'),
    route('changes', 'b'),
  ]);
  assert.deepEqual([hidden, failure], [[], null]);
  const summary = differences.map(({ kind, name, action }) => `${action} ${kind}/${name}`);
  assert.deepEqual(summary, [
    'create topic/prices',
    'create upstream/b',
    'update route/changes',
    'delete route/goes',
  ]);
  assert.deepEqual(told.map(namesOf), [['topic/prices', 'upstream/b', 'route/changes', 'route/goes']]);
  assert.equal(log.topics.get('prices')?.partitions, 2);
  assert.equal(store.snapshot.get('route', 'goes'), undefined);
  assert.equal(store.snapshot.get('route', 'stays'), before.get('route', 'stays'));
  assert.equal(store.snapshot.of('upstream').get('a'), before.of('upstream').get('a'));
  assert.notEqual(before.get('route', 'goes'), undefined, 'the snapshot before is as it was');
});

test('the same file, or one that comes to the same, changes nothing and tells nobody', async () => {
  const { store, told } = await storeOf([topic('orders'), upstream('a'), route('r', 'a')]);
  const before = store.snapshot;
  const objects = () => ['topic', 'upstream', 'route'].map((kind) => [...store.snapshot.of(kind).values()]);
  const specs = objects();
  await store.redeclare([topic('orders'), upstream('a'), route('r', 'a')]);
  // In another order, and with a default written out.
  const written = { ...route('r', 'a').spec, preserveHost: undefined };
  const { differences } = await store.redeclare([
    { kind: 'route', name: 'r', spec: JSON.parse(JSON.stringify(written)) },
    upstream('a', { balance: 'round_robin', targets: [{ weight: 1, url: 'http://127.0.0.1:3000' }] }),
    topic('orders', { partitions: 1 }),
  ]);
  assert.deepEqual([differences, told], [[], []]);
  for (const [kind, earlier] of specs.entries())
    for (const [index, spec] of earlier.entries()) assert.equal(objects()[kind][index], spec);
  assert.equal(store.snapshot.position, before.position);
});

test('what the file says as before is not completed again', async () => {
  const kind = keyKind();
  let completed = 0;
  const counting = {
    ...kind,
    complete: (name: string, spec: DeclaredResource['spec']) => {
      completed++;
      return kind.complete(name, spec);
    },
  };
  const many = Array.from({ length: 250 }, (_, index) => key(`k${index}`, index));
  const store = await openStore(memoryLog(), { kinds: [counting], declared: many });
  completed = 0;
  const { differences } = await store.redeclare([...many.slice(0, -1), key('k249', 1000)]);
  assert.deepEqual([differences.length, completed], [1, 1]);
});

test('of a file with one mistake nothing takes effect', async () => {
  const declared = [topic('orders', { partitions: 2 }), upstream('a'), route('r', 'a')];
  const { log, store, told } = await storeOf(declared);
  const before = store.snapshot;
  const fine = [topic('more'), ...declared];
  const bad: readonly (readonly [readonly DeclaredResource[], string, RegExp])[] = [
    [[...fine, route('s', 'nowhere')], 'resource_invalid', /route "s".*no upstream "nowhere"/],
    [[topic('more'), route('r', 'a')], 'resource_invalid', /upstream "a": the route "r" needs it/],
    [[...fine.slice(0, -2), topic('x', { partitions: 0 })], 'resource_invalid', /"x": spec\.partitions/],
    [[topic('more'), topic('orders', { partitions: 3 })], 'log_topic_exists', /partitions = 2/],
    [[...fine, key('a', 1), key('b', 1)], 'resource_invalid', /the same hash/],
    [[...fine, route('s', 'a', '/r')], 'resource_invalid', /exactly the same requests/],
    [[...fine, { kind: 'colour', name: 'red', spec: {} }], 'resource_kind_unknown', /colour/],
  ];
  for (const [resources, code, detail] of bad)
    await assert.rejects(store.redeclare(resources), isCode(code, detail));
  assert.equal(store.snapshot, before);
  assert.deepEqual(told, []);
  assert.equal(log.topics.has('more'), false);
  // What was refused counts as never read: what it would have left out is there to be compared with.
  const { differences } = await store.redeclare(fine);
  assert.deepEqual(
    differences.map(({ name }) => name),
    ['more'],
  );
});

test('an upstream of the file that a stored route needs cannot be left out', async () => {
  const { store } = await storeOf([upstream('a'), upstream('b')]);
  await apply(store, put('route', 'own', { upstream: 'a' }));
  await assert.rejects(
    store.redeclare([upstream('b')]),
    isCode('resource_invalid', /^The upstream "a": the route "own" needs it\.$/),
  );
  await store.redeclare([upstream('a')]);
  await apply(store, remove('route', 'own'));
  await store.redeclare([]);
  assert.deepEqual(specsOf(store, 'upstream'), []);
});

test('a topic that is no longer declared keeps what it stores and is found again', async () => {
  const { log, store, told } = await storeOf([topic('orders', { prefixes: ['o:'] })]);
  const epoch = log.topics.get('orders')?.epoch;
  await store.redeclare([]);
  assert.deepEqual(told.map(namesOf), [['topic/orders']]);
  assert.equal(store.snapshot.of('topic').has('orders'), false);
  assert.equal(log.topics.get('orders')?.epoch, epoch);
  await store.redeclare([topic('orders')]);
  assert.equal(log.topics.get('orders')?.epoch, epoch);
});

test('a stored resource that the file declares is hidden, and in force again when the file leaves it out', async () => {
  const { store, told } = await storeOf([]);
  await apply(store, put('key', 'app', keySpec(1)));
  const { version } = store.snapshot.get('key', 'app') ?? {};
  const { hidden, differences } = await store.redeclare([key('app', 2)]);
  assert.deepEqual(hidden, [{ kind: 'key', name: 'app' }]);
  assert.deepEqual(
    differences.map(({ action }) => action),
    ['update'],
  );
  assert.deepEqual([sourceOf(store, 'key', 'app'), specsOf(store, 'key')], ['config', [['app', keySpec(2)]]]);
  await assert.rejects(apply(store, remove('key', 'app')), isCode('resource_read_only'));
  await store.redeclare([]);
  assert.deepEqual([sourceOf(store, 'key', 'app'), specsOf(store, 'key')], ['stored', [['app', keySpec(1)]]]);
  assert.equal(store.snapshot.get('key', 'app')?.version, version);
  assert.equal(told.at(-1)?.changes[0].version, version);
});

test('a stored resource that is declared just as it is stays the same object for those who follow', async () => {
  const { store, told } = await storeOf([]);
  await apply(store, put('key', 'app', keySpec(1)));
  const spec = store.snapshot.of('key').get('app');
  told.length = 0;
  const { hidden, differences } = await store.redeclare([key('app', 1)]);
  assert.deepEqual([hidden.length, differences, told], [1, [], []]);
  assert.equal(sourceOf(store, 'key', 'app'), 'config');
  assert.equal(store.snapshot.of('key').get('app'), spec);
  await store.redeclare([]);
  assert.equal(store.snapshot.of('key').get('app'), spec);
  assert.deepEqual(told, []);
});

test('a reading of the file and a change that come at the same time are checked one after the other', async () => {
  const { store } = await storeOf([upstream('a')]);
  const [written, redeclared] = await Promise.allSettled([
    apply(store, put('route', 'own', { upstream: 'a' })),
    store.redeclare([]),
  ]);
  assert.deepEqual([written.status, redeclared.status], ['fulfilled', 'rejected']);
  await apply(store, remove('route', 'own'));
  const [first, second] = await Promise.allSettled([
    store.redeclare([]),
    apply(store, put('route', 'own', { upstream: 'a' })),
  ]);
  assert.deepEqual([first.status, second.status], ['fulfilled', 'rejected']);
});

test('what could not be put into effect is told, and tried again with the next reading', async () => {
  const { log, store } = await storeOf([]);
  const { createTopic } = log;
  log.createTopic = () => Promise.reject(new Error('the disk is full'));
  const { failure } = await store.redeclare([topic('orders')]);
  assert.equal(failure?.code, 'internal');
  log.createTopic = createTopic;
  await store.redeclare([topic('orders')]);
  assert.equal(log.topics.has('orders'), true);
});

test('after a restart with the same file everything is as it was', async () => {
  const { log, store } = await storeOf([topic('orders'), key('app', 1)]);
  await apply(store, put('key', 'own', keySpec(5)), put('topic', 'mine', {}));
  const declared = [topic('orders', { retention: { ageSeconds: 60 } }), key('own', 6)];
  await store.redeclare(declared);
  const { store: restarted } = await storeOf(declared, log);
  for (const kind of ['topic', 'key'])
    assert.deepEqual(restarted.snapshot.resources(kind), store.snapshot.resources(kind));
});
