import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  noMetrics,
  resolveLimits,
  seededRandom,
  silentLogger,
  systemClock,
  TidegateError,
} from '../../src/kernel/index.ts';
import { EventLog, TailListeners } from '../../src/log/event-log.ts';
import { LogFeed } from '../../src/log/feed.ts';
import type { Log } from '../../src/log/index.ts';
import { logMetrics } from '../../src/log/log-metrics.ts';
import { MemoryStore } from '../../src/log/memory/store.ts';
import { Shard } from '../../src/log/shard.ts';
import type { Changes, CommitCallback } from '../../src/log/store.ts';
import { Topics } from '../../src/log/topics.ts';
import { appendTo, dataOf, readAll, record, topicSpec } from './log-fixture.ts';

/** Memory that takes its time, and fails when told to. */
class FaultyStore extends MemoryStore {
  readonly waiting: { readonly changes: Changes; readonly done: CommitCallback }[] = [];
  held = false;

  override commit(changes: Changes, done: CommitCallback): void {
    if (this.held) this.waiting.push({ changes, done });
    else super.commit(changes, done);
  }

  /** Waits for the next commit, and lets it succeed or fail. */
  async decide(outcome: 'succeed' | 'fail'): Promise<void> {
    while (this.waiting.length === 0) await new Promise(setImmediate);
    const { changes, done } = this.waiting.shift()!;
    if (outcome === 'succeed') super.commit(changes, done);
    else done(new TidegateError('log_disk_full'));
    await new Promise(setImmediate);
  }
}

async function faultyLog(): Promise<{ log: Log; store: FaultyStore }> {
  const store = new FaultyStore();
  const limits = resolveLimits();
  const metrics = logMetrics(noMetrics, 'synced');
  const tailListeners = new TailListeners();
  const shard = new Shard({
    store,
    clock: systemClock,
    limits,
    logger: silentLogger,
    metrics,
    diskSpace: null,
    partitionBytesMax: null,
    announce: (state, partition, end) => tailListeners.announce(state.topic, partition, end),
    committed() {},
  });
  const shards = new Map([['synced', shard]] as const);
  let id = 1;
  const topics = new Topics({
    shards,
    metrics: new Map([['synced', metrics]] as const),
    clock: systemClock,
    random: seededRandom(1),
    limits,
    allocateId: async () => id++,
    changed() {},
  });
  const log = new EventLog({
    topics,
    shards,
    tailListeners,
    feed: new LogFeed(),
    clock: systemClock,
    limits,
    metrics: noMetrics,
    release() {},
  });
  await log.createTopic(topicSpec('t'));
  await appendTo(log, 't', [record('before')]);
  store.held = true;
  return { log, store };
}

const outcome = (
  promise: Promise<{ readonly offsets: readonly number[] }>,
): Promise<readonly number[] | string> =>
  promise.then(
    ({ offsets }) => offsets,
    (error: TidegateError) => error.code,
  );

test('a commit that fails fails all its appends, and the next begins at the durable end', async () => {
  const { log, store } = await faultyLog();
  const failing = [
    outcome(appendTo(log, 't', [record('a'), record('b')])),
    outcome(appendTo(log, 't', [record('c')])),
  ];
  await new Promise(setImmediate);
  const next = outcome(appendTo(log, 't', [record('d')]));
  await store.decide('fail');
  assert.deepEqual(await Promise.all(failing), ['log_disk_full', 'log_disk_full']);
  assert.deepEqual(log.bounds('t', 0), { start: 0, end: 1 });
  await store.decide('succeed');
  assert.deepEqual(await next, [1]);
  assert.deepEqual(dataOf(readAll(log, 't').records), ['before', 'd']);
});

test('a duplicate fails with the first one, and the id is free again', async () => {
  const { log, store } = await faultyLog();
  const first = outcome(appendTo(log, 't', [record('x', { identity: 'id' })]));
  await new Promise(setImmediate);
  const duplicate = outcome(appendTo(log, 't', [record('other'), record('x', { identity: 'id' })]));
  await store.decide('fail');
  assert.equal(await first, 'log_disk_full');
  assert.equal(await duplicate, 'log_disk_full');
  assert.equal(log.bounds('t', 0).end, 1);
  const again = outcome(appendTo(log, 't', [record('x', { identity: 'id' })]));
  await store.decide('succeed');
  assert.deepEqual(await again, [1]);
  assert.deepEqual(dataOf(readAll(log, 't').records), ['before', 'x']);
});

test('a duplicate of a commit under way gets its position, and a later one too', async () => {
  const { log, store } = await faultyLog();
  const first = outcome(appendTo(log, 't', [record('y'), record('x', { identity: 'id' })]));
  await new Promise(setImmediate);
  const duplicate = outcome(appendTo(log, 't', [record('x', { identity: 'id' }), record('z')]));
  await store.decide('succeed');
  assert.deepEqual(await first, [1, 2]);
  await store.decide('succeed');
  assert.deepEqual(await duplicate, [2, 3]);
  store.held = false;
  assert.deepEqual(await outcome(appendTo(log, 't', [record('x', { identity: 'id' })])), [2]);
});

test('a topic whose creation fails is not there, and neither are records appended to it meanwhile', async () => {
  const { log, store } = await faultyLog();
  const creation = log.createTopic(topicSpec('u')).then(
    () => 'created',
    (error: TidegateError) => error.code,
  );
  while (!log.topics.has('u')) await new Promise(setImmediate);
  const appended = outcome(appendTo(log, 'u', [record('x')]));
  await store.decide('fail');
  assert.equal(await creation, 'log_disk_full');
  assert.equal(await appended, 'log_write_failed');
  assert.equal(log.topics.has('u'), false);
});

test('a barrier that was foretold too far is set right when a commit before it fails', async () => {
  const { log, store } = await faultyLog();
  const failing = outcome(appendTo(log, 't', [record('a'), record('b')]));
  const creation = log.createTopic(topicSpec('u'));
  while (!log.topics.has('u')) await new Promise(setImmediate);
  assert.deepEqual(log.topics.get('u')?.barrier.t.ends, [3]);
  await store.decide('fail');
  assert.equal(await failing, 'log_disk_full');
  await store.decide('succeed');
  assert.deepEqual((await creation).barrier.t.ends, [1]);
  assert.deepEqual(log.topics.get('u')?.barrier.t.ends, [1]);
});

test('what retention could not drop can be read again', async () => {
  const { log, store } = await faultyLog();
  await Promise.all([log.alterTopic(topicSpec('t', { retentionMs: 0 })), store.decide('succeed')]);
  await new Promise((resolve) => setTimeout(resolve, 2));
  const maintained = log.maintain().then(
    () => 'dropped',
    (error: TidegateError) => error.code,
  );
  while (store.waiting.length === 0) await new Promise(setImmediate);
  assert.deepEqual(log.bounds('t', 0), { start: 1, end: 1 });
  await store.decide('fail');
  assert.equal(await maintained, 'log_disk_full');
  assert.deepEqual(dataOf(readAll(log, 't').records), ['before']);
});
