import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lineJson, readLineJson, systemClock } from '../../src/kernel/index.ts';
import { type Log, openLog, type TopicSpec } from '../../src/log/index.ts';
import { StreamLine } from '../../src/workers/index.ts';
import type { FollowerQuestion, FollowerReading } from './follower-process.ts';
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

const PROGRAM = fileURLToPath(new URL('./follower-process.ts', import.meta.url));

const clock = new SteppedClock();
let scratch: ReturnType<typeof scratchFolder>;
let log: Log;
const followers = new Set<Follower>();

/** Another process that follows the log. */
class Follower {
  readonly #child: ChildProcess;
  readonly #line: StreamLine;

  private constructor() {
    this.#child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    this.#line = new StreamLine({
      stream: this.#child.stdio[3] as Duplex,
      peer: 1,
      clock: systemClock,
      sends: 'soon',
      unsentBytesMax: 1 << 26,
      failed: assert.ifError,
    });
  }

  static async start(): Promise<Follower> {
    const follower = new Follower();
    followers.add(follower);
    log.lead(follower.#line);
    await follower.ask({ about: 'follow', folder: scratch.folder });
    return follower;
  }

  /** Answered after all that the log has told the follower by now. */
  ask<Answer>(question: FollowerQuestion): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#line.ask('life', lineJson(question), (error, answer) => {
        if (error === null) resolve(readLineJson<Answer>(answer));
        else reject(error);
      });
    });
  }

  read(topic: string, partition = 0): Promise<FollowerReading> {
    return this.ask({ about: 'read', topic, partition });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

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
  for (const follower of followers) follower.kill();
  followers.clear();
  await log.close();
  scratch.remove();
});

for (const durability of ['none', 'written', 'synced'] as const) {
  test(`a follower reads what was there and hears what comes, of durability ${durability}`, async () => {
    await log.createTopic(topicSpec('t', { durability, partitions: 3 }));
    for (const i of range(0, 20)) await appendTo(log, 't', [record(`before ${i}`, { key: `k${i}` })]);
    const follower = await Follower.start();
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
  const follower = await Follower.start();
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
  const follower = await Follower.start();
  await log.createTopic(topicSpec('new'));
  await log.alterTopic(topicSpec('new', { retentionMs: 5000 }));
  const told = await follower.ask<unknown[]>({ about: 'topics' });
  assert.deepEqual(told, JSON.parse(JSON.stringify([...log.topics.values()])));
});

for (const durability of ['none', 'synced'] as const) {
  test(`what retention drops begins further on for followers too, of durability ${durability}`, async () => {
    await log.createTopic(topicSpec('t', { durability, retentionMs: 10_000 }));
    for (const i of range(0, 50)) await appendTo(log, 't', [record(`old ${i}`)]);
    const follower = await Follower.start();
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
  const follower = await Follower.start();
  for (const i of range(0, 40)) await appendTo(log, 't', [record(`${i} ${'x'.repeat(4000)}`)]);
  const { start } = await assertSame(follower, 't');
  assert.ok(start > 0);
});

for (const durability of ['none', 'synced'] as const) {
  test(`a follower sees each key's latest record after compaction, of durability ${durability}`, async () => {
    await log.createTopic(topicSpec('t', { durability, compacted: true }));
    const follower = await Follower.start();
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
    const late = await Follower.start();
    assert.deepEqual((await late.read('t')).records, readAll(log, 't').records);
  });
}

test('a key of a million others is found by its index', async () => {
  await log.createTopic(topicSpec('t', { keyIndex: true }));
  for (const i of range(0, 30)) await appendTo(log, 't', [record(`value ${i}`, { key: `k${i % 10}` })]);
  const follower = await Follower.start();
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
  const follower = await Follower.start();
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
  const follower = await Follower.start();
  await follower.ask({ about: 'deafen' });
  await log.deleteTopic('t');
  const created = await log.createTopic(topicSpec('t'));
  assert.ok(created.id > 1);
  const { records, damaged } = await follower.read('t');
  assert.deepEqual([records, damaged], [[], 0]);
});

test('while the owner appends and drops, a follower that reads all the time meets no damage and misses nothing', async () => {
  await log.createTopic(topicSpec('t', { retentionBytes: 20_000 }));
  const follower = await Follower.start();
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
