import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { type Log, openLog, type TopicSpec } from '../../src/log/index.ts';
import { Follower, killFollowers } from './follower-lab.ts';
import type { FollowerReading } from './follower-process.ts';
import {
  appendTo,
  dataOf,
  logOptions,
  range,
  readAll,
  record,
  SteppedClock,
  scratchFolder,
  topicSpec,
} from './log-fixture.ts';

const clock = new SteppedClock();
let scratch: ReturnType<typeof scratchFolder>;
let log: Log;

/** Another process that follows the log. */
const follow = (): Promise<Follower> => Follower.start(log, scratch.folder);

/** That the follower sees what the owner does, in every partition. */
async function assertSame(follower: Follower, topic: string, partitions = 1): Promise<FollowerReading> {
  let last!: FollowerReading;
  for (let partition = 0; partition < partitions; partition++) {
    last = await follower.read(topic, partition);
    const bounds = log.bounds(topic, partition);
    assert.deepEqual({ start: last.start, end: last.end }, bounds);
    assert.deepEqual(last.records, readAll(log, topic, partition).records);
    assert.equal(last.damaged, 0);
  }
  return last;
}

beforeEach(async () => {
  scratch = scratchFolder();
  log = await openLog(logOptions(scratch.folder, { clock, limits: { memoryPartitionBytesMax: 64 * 1024 } }));
});

afterEach(async () => {
  killFollowers();
  await log.close();
  scratch.remove();
});

for (const durability of ['none', 'written', 'synced'] as const) {
  test(`a follower reads what was there and hears what comes, of durability ${durability}`, async () => {
    await log.createTopic(topicSpec('t', { durability, partitions: 3 }));
    for (const i of range(0, 20)) await appendTo(log, 't', [record(`before ${i}`, { key: `k${i}` })]);
    const follower = await follow();
    await assertSame(follower, 't', 3);
    for (const i of range(0, 20)) await appendTo(log, 't', [record(`after ${i}`, { key: 'one' })]);
    await assertSame(follower, 't', 3);
    const heard = await follower.ask<string[]>({ about: 'heard', topic: 't' });
    assert.deepEqual(
      heard.filter((data) => data.startsWith('after')),
      range(0, 20).map((i) => `after ${i}`),
    );
  });
}

test('topics come and go with what is in them, and one that is made anew is another', async () => {
  const follower = await follow();
  const names = async (): Promise<unknown> =>
    (await follower.ask<TopicSpec[]>({ about: 'topics' })).map(({ name }) => name);
  assert.deepEqual(await names(), []);
  const first = await log.createTopic(topicSpec('t'));
  await appendTo(log, 't', [record('first')]);
  assert.deepEqual(await names(), ['t']);
  await log.deleteTopic('t');
  assert.deepEqual(await names(), []);
  const second = await log.createTopic(topicSpec('t', { durability: 'none' }));
  assert.notEqual(second.epoch, first.epoch);
  await appendTo(log, 't', [record('second')]);
  assert.deepEqual(dataOf((await assertSame(follower, 't')).records), ['second']);
});

test('a topic that is changed is changed for followers, and its barrier is told', async () => {
  await log.createTopic(topicSpec('old'));
  await appendTo(log, 'old', [record('1'), record('2')]);
  const follower = await follow();
  await log.createTopic(topicSpec('new'));
  await log.alterTopic(topicSpec('new', { retentionMs: 5000 }));
  const told = await follower.ask<unknown[]>({ about: 'topics' });
  assert.deepEqual(told, JSON.parse(JSON.stringify([...log.topics.values()])));
});

for (const durability of ['none', 'synced'] as const) {
  test(`what retention drops begins further on for followers too, of durability ${durability}`, async () => {
    await log.createTopic(topicSpec('t', { durability, retentionMs: 10_000 }));
    for (const i of range(0, 50)) await appendTo(log, 't', [record(`old ${i}`)]);
    const follower = await follow();
    clock.advance(60_000);
    await appendTo(log, 't', [record('young')]);
    await log.maintain();
    const { start, records } = await assertSame(follower, 't');
    assert.ok(start > 0);
    assert.ok(records.length < 51);
  });
}

test('a ring in memory that makes room makes it for followers too', async () => {
  await log.createTopic(topicSpec('t', { durability: 'none' }));
  const follower = await follow();
  for (const i of range(0, 40)) await appendTo(log, 't', [record(`${i} ${'x'.repeat(4000)}`)]);
  const { start } = await assertSame(follower, 't');
  assert.ok(start > 0);
});

for (const durability of ['none', 'synced'] as const) {
  test(`a follower sees each key's latest record after compaction, of durability ${durability}`, async () => {
    await log.createTopic(topicSpec('t', { durability, compacted: true }));
    const follower = await follow();
    for (const i of range(0, 300)) await appendTo(log, 't', [record(`value ${i}`, { key: `k${i % 7}` })]);
    await follower.read('t');
    await log.maintain();
    const { records } = await follower.read('t');
    const latest = new Map(records.map(({ key, data }) => [key, data]));
    assert.deepEqual(
      [...latest.values()].sort(),
      range(293, 300)
        .map((i) => `value ${i}`)
        .sort(),
    );
    const late = await follow();
    assert.deepEqual((await late.read('t')).records, readAll(log, 't').records);
  });
}

test('a key of a million others is found by its index', async () => {
  await log.createTopic(topicSpec('t', { keyIndex: true }));
  for (const i of range(0, 30)) await appendTo(log, 't', [record(`value ${i}`, { key: `k${i % 10}` })]);
  const follower = await follow();
  const { records } = await follower.ask<FollowerReading>({
    about: 'read',
    topic: 't',
    partition: 0,
    key: 'k3',
  });
  assert.deepEqual(dataOf(records), ['value 3', 'value 13', 'value 23']);
  assert.equal(await follower.ask({ about: 'last', topic: 't', count: 5 }), 25);
});

test('what was dropped and not yet told is no damage: the partition begins further on', async () => {
  await log.createTopic(topicSpec('t', { retentionMs: 10_000 }));
  for (const i of range(0, 40)) await appendTo(log, 't', [record(`old ${i}`)]);
  const follower = await follow();
  await follower.ask({ about: 'deafen' });
  clock.advance(60_000);
  await appendTo(log, 't', [record('young')]);
  await log.maintain();
  const { start } = log.bounds('t', 0);
  assert.ok(start > 0);
  const deaf = await follower.read('t');
  assert.equal(deaf.damaged, 0);
  assert.ok(deaf.records.every(({ offset }) => offset >= start));
  assert.equal(await follower.ask({ about: 'last', topic: 't', count: 100 }), start);
  await follower.ask({ about: 'listen' });
  await assertSame(follower, 't');
});

test('of a topic that was deleted and not yet told, nothing is left and nothing is damaged', async () => {
  await log.createTopic(topicSpec('t'));
  for (const i of range(0, 40)) await appendTo(log, 't', [record(`old ${i}`)]);
  const follower = await follow();
  await follower.ask({ about: 'deafen' });
  await log.deleteTopic('t');
  const created = await log.createTopic(topicSpec('t'));
  assert.ok(created.id > 1);
  const { records, damaged } = await follower.read('t');
  assert.deepEqual([records, damaged], [[], 0]);
});

test('while the owner appends and drops, a follower that reads all the time meets no damage and misses nothing', async () => {
  await log.createTopic(topicSpec('t', { retentionBytes: 20_000 }));
  const follower = await follow();
  let isDone = false;
  const readings = (async () => {
    let count = 0;
    for (; !isDone; count++) {
      const { records, damaged, end } = await follower.read('t');
      assert.equal(damaged, 0);
      const offsets = records.map(({ offset }) => offset);
      // Without holes, from where it begins up to its end.
      assert.deepEqual(offsets, range(offsets[0] ?? end, end));
    }
    return count;
  })();
  for (const round of range(0, 30)) {
    await Promise.all(
      range(0, 20).map((i) => appendTo(log, 't', [record(`${round}/${i} ${'x'.repeat(200)}`)])),
    );
    // What is dropped before a follower has read it is gone for everybody; here it has read it.
    await follower.ask({ about: 'heard', topic: 't' });
    await log.maintain();
  }
  isDone = true;
  assert.ok((await readings) > 0);
  await assertSame(follower, 't');
  const heard = await follower.ask<string[]>({ about: 'heard', topic: 't' });
  assert.equal(heard.length, 600);
});

test('a follower can follow a log that has more in memory than its line may hold', async () => {
  for (const i of range(0, 8)) {
    await log.createTopic(topicSpec(`t${i}`, { durability: 'none', partitions: 4 }));
    for (const j of range(0, 80)) await appendTo(log, `t${i}`, [record('x'.repeat(4000), { key: `k${j}` })]);
  }
  const follower = await Follower.start(log, scratch.folder, 1 << 20);
  for (const i of range(0, 8)) await assertSame(follower, `t${i}`, 4);
});

test('a batch in memory keeps nothing else of what came with it', async () => {
  await log.createTopic(topicSpec('t', { durability: 'none' }));
  const follower = await follow();
  await Promise.all(range(0, 100).map((i) => appendTo(log, 't', [record(`${i}`)])));
  for (const i of range(0, 20)) await appendTo(log, 't', [record(`later ${i}`)]);
  const { bytes, kept } = await follower.ask<{ bytes: number; kept: number }>({ about: 'kept', topic: 't' });
  assert.equal(kept, bytes);
});

test('a follower that has not heard yet of what was appended has reached it once it says so', async () => {
  await log.createTopic(topicSpec('t'));
  const follower = await follow();
  await follower.ask({ about: 'deafen' });
  await appendTo(log, 't', [record('1')]);
  let reached: unknown = null;
  const reaching = follower.ask<number>({ about: 'reach', topic: 't' }).then((end) => {
    reached = end;
  });
  assert.equal((await follower.read('t')).end, 0);
  assert.equal(reached, null);
  await follower.ask({ about: 'listen' });
  await reaching;
  assert.equal(reached, 1);
});
