import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { type Log, openLog } from '../../src/log/index.ts';
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

// What compaction merges while another process has the batches from before in its cache.

const clock = new SteppedClock();
let scratch: ReturnType<typeof scratchFolder>;
let log: Log;

beforeEach(async () => {
  scratch = scratchFolder();
  log = await openLog(logOptions(scratch.folder, { clock }));
});

afterEach(async () => {
  killFollowers();
  await log.close();
  scratch.remove();
});

/** A follower that has read everything, each record in a batch of its own. */
async function followerOf(
  records: readonly (readonly [key: string, data: string | null])[],
  spec: Parameters<typeof topicSpec>[1],
): Promise<Follower> {
  await log.createTopic(topicSpec('t', { compacted: true, ...spec }));
  for (const [key, data] of records) await appendTo(log, 't', [record(data, { key })]);
  const follower = await Follower.start(log, scratch.folder);
  const { records: cached } = await follower.read('t');
  assert.equal(cached.length, records.length);
  return follower;
}

for (const hearing of ['deaf', 'told'] as const) {
  /** Makes the change, of which the follower hears, or does not. */
  const meanwhile = async (follower: Follower, change: () => Promise<void>): Promise<void> => {
    if (hearing === 'deaf') await follower.ask({ about: 'deafen' });
    await change();
  };

  test(`a key whose record was merged into another batch is found by the index, by a follower that is ${hearing}`, async () => {
    const follower = await followerOf(
      [
        ['a', 'one'],
        ['b', 'two'],
      ],
      { keyIndex: true },
    );
    await meanwhile(follower, () => log.maintain());
    assert.equal(log.read({ topic: 't', partition: 0, from: 0, bytesMax: 1 << 20 }).batches.length, 1);
    const found = await follower.read('t', 0, { key: 'b' });
    assert.deepEqual([dataOf(found.records), found.damaged], [['two'], 0]);
    assert.equal(await follower.ask({ about: 'last', topic: 't', count: 1, key: 'b' }), 1);
  });

  test(`of a key that was written again the latest value is found, by a follower that is ${hearing}`, async () => {
    const follower = await followerOf(
      [
        ['x', '0'],
        ['k', 'old'],
        ['y', '2'],
        ['k', 'new'],
      ],
      { keyIndex: true },
    );
    await meanwhile(follower, () => log.maintain());
    const found = await follower.read('t', 0, { key: 'k', from: 1 });
    assert.deepEqual([dataOf(found.records), found.damaged], [['new'], 0]);
    assert.equal(await follower.ask({ about: 'last', topic: 't', count: 1, key: 'k' }), 3);
  });

  for (const keyIndex of [true, false]) {
    test(`what compaction has removed is gone for a follower that is ${hearing}, ${keyIndex ? 'with' : 'without'} a key index`, async () => {
      const follower = await followerOf(
        [
          ['kept', '0'],
          ['k', 'value'],
          ['k', null],
        ],
        { keyIndex, tombstoneRetentionMs: 0 },
      );
      clock.advance(1000);
      await meanwhile(follower, () => log.maintain());
      const { records } = await follower.read('t');
      assert.deepEqual(records, readAll(log, 't').records);
      assert.deepEqual(dataOf(records), ['0']);
      assert.deepEqual((await follower.read('t', 0, { key: 'k' })).records, []);
      await follower.ask({ about: 'listen' });
      assert.deepEqual((await follower.read('t')).records, records);
    });
  }
}

test('a reading by the index learns where the partition begins by now', async () => {
  await log.createTopic(topicSpec('t', { keyIndex: true, retentionMs: 10_000 }));
  for (const i of range(0, 40)) await appendTo(log, 't', [record(`old ${i}`, { key: 'k' })]);
  const follower = await Follower.start(log, scratch.folder);
  await follower.ask({ about: 'deafen' });
  clock.advance(60_000);
  await appendTo(log, 't', [record('young', { key: 'k' })]);
  await log.maintain();
  const { start } = log.bounds('t', 0);
  assert.ok(start > 0);
  const first = await follower.read('t', 0, { key: 'k' });
  assert.ok(first.records.every(({ offset }) => offset >= start));
  assert.equal((await follower.read('t', 0, { key: 'k' })).start, start);
});

test('while the owner compacts, a follower finds the latest value of every key, and meets no damage', async () => {
  await log.createTopic(topicSpec('t', { keyIndex: true, compacted: true }));
  const follower = await Follower.start(log, scratch.folder);
  const keys = range(0, 6).map((i) => `k${i}`);
  let readings = 0;
  for (const round of range(0, 60)) {
    for (const key of keys) await appendTo(log, 't', [record(`${key} ${round}`, { key })]);
    let isDone = false;
    const compacted = log.maintain().then(() => {
      isDone = true;
    });
    while (!isDone) {
      for (const key of keys) {
        const { records, damaged }: FollowerReading = await follower.read('t', 0, { key });
        assert.deepEqual([records.at(-1)?.data, damaged], [`${key} ${round}`, 0]);
      }
      assert.equal((await follower.read('t')).damaged, 0);
      readings++;
    }
    await compacted;
  }
  assert.ok(readings > 0);
  assert.deepEqual((await follower.read('t')).records, readAll(log, 't').records);
});
