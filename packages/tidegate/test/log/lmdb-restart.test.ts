import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { open } from 'lmdb';
import { type Log, openLog } from '../../src/log/index.ts';
import {
  append,
  appendTo,
  dataOf,
  logOptions,
  range,
  readAll,
  record,
  type Settings,
  SteppedClock,
  scratchFolder,
  topicSpec,
} from './log-fixture.ts';

let folder = '';
let remove = (): void => {};

beforeEach(() => {
  ({ folder, remove } = scratchFolder());
});
afterEach(() => remove());

async function withLog<Result>(use: (log: Log) => Promise<Result>, settings: Settings = {}): Promise<Result> {
  const log = await openLog(logOptions(folder, settings));
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}

for (const durability of ['written', 'synced'] as const) {
  test(`topics, records, bounds and indexes are there again after a restart (${durability})`, async () => {
    const created = await withLog(async (log) => {
      const topic = await log.createTopic(topicSpec('t', { durability, partitions: 2, keyIndex: true }));
      for (const i of range(0, 50)) {
        await appendTo(
          log,
          't',
          range(0, 4).map((j) => record(`${i}-${j}`, { key: `k${j}` })),
        );
      }
      return topic;
    });
    await withLog(async (log) => {
      assert.deepEqual(log.topics.get('t'), created);
      assert.equal(log.statistics('t').recordsStored, 200);
      for (const j of range(0, 4)) {
        const partition = log.partitionOf(created, `k${j}`);
        assert.deepEqual(
          dataOf(readAll(log, 't', partition, { key: `k${j}` }).records),
          range(0, 50).map((i) => `${i}-${j}`),
        );
        const { records } = readAll(log, 't', partition);
        assert.deepEqual(
          records.map(({ offset }) => offset),
          range(0, records.length),
        );
      }
      const { offsets, partitions } = await appendTo(log, 't', [record('next', { key: 'k0' })]);
      assert.equal(offsets[0], log.bounds('t', partitions[0]).end - 1);
    });
  });
}

test('a topic of durability none goes with the process, and comes back under another epoch', async () => {
  const spec = topicSpec('t', { durability: 'none' });
  const first = await withLog(async (log) => {
    const topic = await log.createTopic(spec);
    await appendTo(log, 't', [record('1')]);
    return topic;
  });
  await withLog(async (log) => {
    assert.equal(log.topics.has('t'), false);
    const second = await log.createTopic(spec);
    assert.notEqual(second.id, first.id);
    assert.notEqual(second.epoch, first.epoch);
  });
});

test('the id of a topic is not used again after a restart', async () => {
  const first = await withLog(async (log) => {
    const { id } = await log.createTopic(topicSpec('t'));
    await log.deleteTopic('t');
    return id;
  });
  const second = await withLog(
    async (log) => (await log.createTopic(topicSpec('t', { durability: 'written' }))).id,
  );
  const third = await withLog(async (log) => (await log.createTopic(topicSpec('u'))).id);
  assert.ok(first < second && second < third);
});

test('ids are remembered through restarts until their window is over, though their records are gone', async () => {
  const clock = new SteppedClock();
  const records = range(0, 100).map((i) => record(`${i}`, { identity: `id-${i}` }));
  await withLog(
    async (log) => {
      await log.createTopic(topicSpec('t', { retentionMs: 1000 }));
      for (const one of records) void appendTo(log, 't', [one]);
      await appendTo(log, 't', [record('x')]);
    },
    { clock },
  );
  clock.advance(300_000);
  await withLog(
    async (log) => {
      await log.maintain();
      assert.equal(log.statistics('t').recordsStored, 0);
    },
    { clock },
  );
  await withLog(
    async (log) => {
      const again = await appendTo(log, 't', records);
      assert.equal(again.duplicates?.size, 100);
      assert.deepEqual(again.offsets, range(0, 100));
    },
    { clock },
  );
  clock.advance(301_000);
  await withLog(
    async (log) => {
      const fresh = await appendTo(log, 't', records);
      assert.equal(fresh.duplicates, null);
      assert.deepEqual(fresh.offsets, range(101, 201));
    },
    { clock },
  );
});

test('chunks of old ids leave the file', async () => {
  const clock = new SteppedClock();
  const count = (): number => {
    const environment = open({
      path: join(folder, 'synced.mdb'),
      noSubdir: true,
      encoding: 'binary',
      keyEncoding: 'binary',
      overlappingSync: false,
    });
    return environment
      .openDB({ name: 'identities', encoding: 'binary', keyEncoding: 'binary' })
      .getKeysCount();
  };
  await withLog(
    async (log) => {
      await log.createTopic(topicSpec('t'));
      for (const i of range(0, 200)) await appendTo(log, 't', [record('x', { identity: `id-${i}` })]);
      assert.equal(count(), 200);
      clock.advance(601_000);
      await log.maintain();
      assert.equal(count(), 0);
    },
    { clock },
  );
});

test('a topic whose removal was interrupted is removed by the next start', async () => {
  const left = (): number[] => {
    const environment = open({
      path: join(folder, 'synced.mdb'),
      noSubdir: true,
      encoding: 'binary',
      keyEncoding: 'binary',
      overlappingSync: false,
    });
    return ['batches', 'keys', 'identities', 'partitions', 'topics'].map((name) =>
      environment.openDB({ name, encoding: 'binary', keyEncoding: 'binary' }).getKeysCount(),
    );
  };
  await withLog(async (log) => {
    await log.createTopic(topicSpec('t', { keyIndex: true, partitions: 2 }));
    for (const i of range(0, 600)) {
      await appendTo(log, 't', [record('x', { key: `k${i}`, identity: `id-${i}` })]);
    }
    await log.deleteTopic('t');
  });
  await withLog(async (log) => {
    assert.equal(log.topics.size, 0);
    const [batches] = left();
    assert.ok(batches > 0, 'The removal was over before it could be interrupted');
    for (let turns = 0; left().some((count) => count > 0); turns++) {
      assert.ok(turns < 10_000);
      await new Promise(setImmediate);
    }
    assert.deepEqual(left(), [0, 0, 0, 0, 0]);
    await log.createTopic(topicSpec('t'));
    assert.deepEqual(readAll(log, 't').records, []);
  });
});

test('an append to several topics is there whole or not at all', async () => {
  await withLog(async (log) => {
    await log.createTopic(topicSpec('a'));
    await log.createTopic(topicSpec('b'));
    for (const i of range(0, 20)) {
      await append(log, [
        { topic: 'a', records: [record(`${i}`)] },
        { topic: 'b', records: [record(`${i}`), record(`${i}`)] },
      ]);
    }
  });
  await withLog(async (log) => {
    assert.equal(log.bounds('a', 0).end, 20);
    assert.equal(log.bounds('b', 0).end, 40);
  });
});

test('what was dropped and compacted stays so, and holes stay inside batches', async () => {
  await withLog(async (log) => {
    await log.createTopic(topicSpec('t', { compacted: true, keyIndex: true }));
    for (const i of range(0, 100)) await appendTo(log, 't', [record(`${i}`, { key: `k${i % 7}` })]);
    await log.maintain();
  });
  await withLog(async (log) => {
    const { records, damaged } = readAll(log, 't');
    assert.deepEqual(damaged, []);
    assert.deepEqual(dataOf(records), range(93, 100).map(String));
    assert.deepEqual(log.bounds('t', 0), { start: 0, end: 100 });
    assert.deepEqual(dataOf(readAll(log, 't', 0, { key: 'k3' }).records), ['94']);
    for (const from of [0, 50, 93, 97]) {
      assert.deepEqual(
        dataOf(readAll(log, 't', 0, { from }).records),
        range(Math.max(from, 93), 100).map(String),
      );
    }
  });
});
