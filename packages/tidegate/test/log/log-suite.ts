import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { TidegateError } from '../../src/kernel/index.ts';
import {
  encodeHeaders,
  findHeader,
  type Log,
  RECORD_CONTROL,
  RECORD_JSON,
  RECORD_NULL,
  RECORD_UTF8,
} from '../../src/log/index.ts';
import {
  append,
  appendTo,
  dataOf,
  range,
  readAll,
  record,
  type Settings,
  SteppedClock,
  topicSpec,
} from './log-fixture.ts';

/** A kind of log under test. */
export interface Backend {
  readonly name: string;
  readonly durability: 'none' | 'written' | 'synced';
  /** Opens an empty log. */
  readonly open: (settings: Settings) => Promise<Log>;
}

const coded =
  (code: string) =>
  (error: TidegateError): boolean =>
    error.code === code;

/** What holds for a log whatever it rests on. */
export function describeLog(backend: Backend): void {
  const spec: typeof topicSpec = (name, overrides) =>
    topicSpec(name, { durability: backend.durability, ...overrides });

  describe(`a log (${backend.name})`, () => {
    let log: Log;
    let clock: SteppedClock;
    let sequence = 0;
    let topic = '';

    before(async () => {
      clock = new SteppedClock();
      log = await backend.open({ clock });
    });
    after(() => log.close());
    beforeEach(() => {
      topic = `topic-${sequence++}`;
    });

    test('gives offsets from 0 on, in the order of the appends', async () => {
      await log.createTopic(spec(topic));
      const answers = await Promise.all(
        range(0, 5).map((i) => appendTo(log, topic, [record(`a${i}`), record(`b${i}`)])),
      );
      assert.deepEqual(
        answers.flatMap(({ offsets }) => [...offsets]),
        range(0, 10),
      );
      assert.deepEqual(
        dataOf(readAll(log, topic).records),
        range(0, 5).flatMap((i) => [`a${i}`, `b${i}`]),
      );
      assert.deepEqual(log.bounds(topic, 0), { start: 0, end: 10 });
    });

    test('answers in the order of the calls, refusals included, and never before append returns', async () => {
      await log.createTopic(spec(topic));
      const answers: string[] = [];
      await new Promise<void>((resolve) => {
        log.append([{ topic, records: [record('1')] }], () => answers.push('first'));
        log.append([{ topic, records: [record('x', { key: 'k'.repeat(5000) })] }], (error) =>
          answers.push(error!.code),
        );
        log.append([{ topic, records: [record('2')] }], () => {
          answers.push('last');
          resolve();
        });
        assert.deepEqual(answers, []);
      });
      assert.deepEqual(answers, ['first', 'log_record_too_large', 'last']);
    });

    test('keeps key, headers, flags, timestamp and data of each record', async () => {
      await log.createTopic(spec(topic));
      const headers = encodeHeaders([
        ['ce_type', 'created'],
        ['ce_søurce', 'smørrebrød'],
      ]);
      const beforeMs = clock.nowMs();
      await appendTo(log, topic, [
        record('{"a":1}', { key: 'orders/42', headers, flags: RECORD_JSON | RECORD_UTF8 }),
        record(null, { key: 'orders/42' }),
        record('', { key: 'ключ/🔑' }),
        record('bye', { flags: RECORD_CONTROL }),
      ]);
      const { records } = readAll(log, topic);
      assert.deepEqual(
        records.map(({ key, data, flags }) => [key, data, flags]),
        [
          ['orders/42', '{"a":1}', RECORD_JSON | RECORD_UTF8],
          ['orders/42', null, RECORD_NULL],
          ['ключ/🔑', '', 0],
          [null, 'bye', RECORD_CONTROL],
        ],
      );
      for (const { timestampMs } of records)
        assert.ok(timestampMs >= beforeMs && timestampMs <= clock.nowMs());
      const [batch] = log.read({ topic, partition: 0, from: 0, bytesMax: 1 }).batches;
      assert.equal(
        findHeader(batch.bytes, batch.headersStart(0), batch.headersEnd(0), 'ce_søurce'),
        'smørrebrød',
      );
      assert.equal(batch.headersStart(1), batch.headersEnd(1));
      assert.equal(batch.keyCount, 2);
    });

    test('does not let a caller set RECORD_NULL on data', async () => {
      await log.createTopic(spec(topic));
      await appendTo(log, topic, [record('there', { flags: RECORD_NULL | RECORD_UTF8 })]);
      assert.deepEqual(
        readAll(log, topic).records.map(({ data, flags }) => [data, flags]),
        [['there', RECORD_UTF8]],
      );
    });

    test("spreads keys over partitions as Kafka's default partitioner does, and keeps each key's order", async () => {
      await log.createTopic(spec(topic, { partitions: 7 }));
      const keys = range(0, 50).map((i) => `key-${i}`);
      const { topic: created, partitions } = await appendTo(
        log,
        topic,
        keys.flatMap((key) => [record(`${key}:1`, { key }), record(`${key}:2`, { key })]),
      );
      assert.ok(new Set(partitions).size > 3);
      for (const [i, key] of keys.entries()) {
        const partition = log.partitionOf(created, key);
        assert.equal(partitions[i * 2], partition);
        const { records } = readAll(log, topic, partition, { key });
        assert.deepEqual(dataOf(records), [`${key}:1`, `${key}:2`]);
      }
    });

    test('keeps the order of records without key: all are in the partition of the empty key', async () => {
      const { name } = await log.createTopic(spec(topic, { partitions: 3 }));
      const { topic: created, partitions } = await appendTo(
        log,
        name,
        range(0, 9).map((i) => record(String(i))),
      );
      const partition = log.partitionOf(created, '');
      assert.deepEqual(new Set(partitions), new Set([partition]));
      assert.deepEqual(dataOf(readAll(log, name, partition).records), range(0, 9).map(String));
    });

    test('stores an append to several topics whole', async () => {
      const other = `${topic}-b`;
      await log.createTopic(spec(topic));
      await log.createTopic(spec(other));
      const [first, second] = await append(log, [
        { topic, records: [record('1'), record('2')] },
        { topic: other, records: [record('3')] },
      ]);
      assert.deepEqual([first.offsets, second.offsets], [[0, 1], [0]]);
      assert.deepEqual([first.topic.name, second.topic.name], [topic, other]);
      await assert.rejects(
        append(log, [
          { topic, records: [record('4')] },
          { topic: 'no-such-topic', records: [record('5')] },
        ]),
        coded('log_topic_unknown'),
      );
      assert.equal(log.bounds(topic, 0).end, 2);
    });

    test('refuses one append to topics of different durability', async () => {
      const other = `${topic}-b`;
      await log.createTopic(spec(topic));
      await log.createTopic(spec(other, { durability: backend.durability === 'none' ? 'synced' : 'none' }));
      await assert.rejects(
        append(log, [
          { topic, records: [record('1')] },
          { topic: other, records: [record('2')] },
        ]),
        coded('log_durability_mixed'),
      );
      assert.equal(log.bounds(topic, 0).end + log.bounds(other, 0).end, 0);
    });

    test('tells the tail listeners once per partition, when the records can be read', async () => {
      await log.createTopic(spec(topic));
      const told: number[] = [];
      const stop = log.onTail(({ name }, partition, end) => {
        if (name !== topic) return;
        told.push(end);
        assert.equal(log.bounds(topic, partition).end, end);
        assert.equal(readAll(log, topic, partition).records.length, end);
      });
      await appendTo(log, topic, [record('1'), record('2')]);
      await appendTo(log, topic, [record('3')]);
      stop();
      await appendTo(log, topic, [record('4')]);
      assert.deepEqual(told, [2, 3]);
    });

    test('shows nothing of an append before its durability is reached', async () => {
      await log.createTopic(spec(topic));
      const appended = appendTo(log, topic, [record('1')]);
      assert.equal(log.bounds(topic, 0).end, 0);
      assert.deepEqual(log.read({ topic, partition: 0, from: 0, bytesMax: 1000 }), {
        batches: [],
        damaged: [],
        next: 0,
      });
      await appended;
      assert.equal(log.bounds(topic, 0).end, 1);
    });

    test('reads on from any offset, in portions, up to a given end', async () => {
      await log.createTopic(spec(topic));
      for (const i of range(0, 20))
        await appendTo(
          log,
          topic,
          range(0, 5).map((j) => record(`r${i * 5 + j}`)),
        );
      for (const from of [0, 3, 49, 99]) {
        for (const bytesMax of [1, 200, 1_000_000]) {
          const { records } = readAll(log, topic, 0, { from, bytesMax });
          assert.deepEqual(
            dataOf(records),
            range(from, 100).map((i) => `r${i}`),
          );
        }
      }
      assert.deepEqual(dataOf(readAll(log, topic, 0, { from: 10, to: 12 }).records), ['r10', 'r11']);
      assert.equal(log.read({ topic, partition: 0, from: 100, bytesMax: 1000 }).batches.length, 0);
    });

    test('holds a stored batch to limits.batchStoredBytesMax, but for a single larger record', async () => {
      await log.createTopic(spec(topic));
      const big = 'x'.repeat(300_000);
      await appendTo(log, topic, [
        ...range(0, 400).map(() => record('y'.repeat(1000))),
        record(big),
        record('end'),
      ]);
      const sizes: number[] = [];
      for (let from = 0; from < 402; ) {
        const { batches, next } = log.read({ topic, partition: 0, from, bytesMax: 1 });
        assert.equal(batches.length, 1);
        sizes.push(batches[0].bytes.length);
        if (batches[0].bytes.length > 128 * 1024) assert.equal(batches[0].count, 1);
        from = next;
      }
      assert.ok(sizes.length > 4);
      assert.equal(readAll(log, topic).records[400].data, big);
    });

    test('refuses data, headers and keys over their limits', async () => {
      await log.createTopic(spec(topic));
      for (const tooLarge of [
        record('x'.repeat(1024 * 1024 + 1)),
        record('x', { headers: new Uint8Array(16 * 1024 + 1) }),
        record('x', { key: 'ø'.repeat(257) }),
      ]) {
        await assert.rejects(appendTo(log, topic, [record('fits'), tooLarge]), coded('log_record_too_large'));
      }
      assert.equal(log.bounds(topic, 0).end, 0);
    });

    test('names what is unknown', async () => {
      assert.throws(() => log.bounds('no-such-topic', 0), coded('log_topic_unknown'));
      assert.throws(
        () => log.read({ topic: 'no-such-topic', partition: 0, from: 0, bytesMax: 1 }),
        coded('log_topic_unknown'),
      );
      await assert.rejects(log.deleteTopic('no-such-topic'), coded('log_topic_unknown'));
      await assert.rejects(log.alterTopic(spec('no-such-topic')), coded('log_topic_unknown'));
      await log.createTopic(spec(topic));
      assert.throws(() => log.bounds(topic, 1), coded('log_topic_unknown'));
    });

    for (const keyIndex of [false, true]) {
      test(`finds one key's records among those of many${keyIndex ? ', by the key index' : ''}`, async () => {
        await log.createTopic(spec(topic, { keyIndex }));
        const expected: string[] = [];
        for (const i of range(0, 60)) {
          const rare = i % 20 === 7;
          if (rare) expected.push(`rare-${i}`);
          await appendTo(log, topic, [
            ...range(0, 10).map((j) => record(`${i}-${j}`, { key: `common-${j}` })),
            ...(rare ? [record(`rare-${i}`, { key: 'rare' })] : []),
          ]);
        }
        for (const bytesMax of [1, 100_000]) {
          assert.deepEqual(dataOf(readAll(log, topic, 0, { key: 'rare', bytesMax }).records), expected);
        }
        const { end } = log.bounds(topic, 0);
        assert.deepEqual(
          dataOf(readAll(log, topic, 0, { key: 'rare', from: 81 }).records),
          expected.slice(1),
        );
        assert.deepEqual(readAll(log, topic, 0, { key: 'nobody' }).records, []);
        assert.equal(readAll(log, topic, 0, { key: 'common-3' }).records.length, 60);
        const last = readAll(log, topic, 0, { key: 'rare' }).records[1].offset;
        assert.equal(log.offsetOfLast(topic, 0, 2, 'rare'), last);
        assert.equal(
          log.offsetOfLast(topic, 0, 1, 'rare', last),
          readAll(log, topic, 0, { key: 'rare' }).records[0].offset,
        );
        assert.equal(
          log.offsetOfLast(topic, 0, 100, 'rare'),
          readAll(log, topic, 0, { key: 'rare' }).records[0].offset,
        );
        assert.equal(log.offsetOfLast(topic, 0, 3, 'nobody'), end);
      });
    }

    test('finds where the last data records begin, control records not counted', async () => {
      await log.createTopic(spec(topic));
      assert.equal(log.offsetOfLast(topic, 0, 3), 0);
      for (const i of range(0, 10)) {
        await appendTo(log, topic, [record(`${i}`), record('close', { flags: RECORD_CONTROL })]);
      }
      assert.equal(log.offsetOfLast(topic, 0, 1), 18);
      assert.equal(log.offsetOfLast(topic, 0, 3), 14);
      assert.equal(log.offsetOfLast(topic, 0, 1000), 0);
      assert.equal(log.offsetOfLast(topic, 0, 0), 20);
      assert.equal(log.offsetOfLast(topic, 0, 2, undefined, 5), 2);
    });

    test('finds the first record of a time', async () => {
      await log.createTopic(spec(topic));
      const times: number[] = [];
      for (const i of range(0, 30)) {
        clock.advance(1000);
        const { offsets } = await appendTo(log, topic, [record(`${i}-a`), record(`${i}-b`)]);
        times.push(readAll(log, topic, 0, { from: offsets[0] }).records[0].timestampMs);
      }
      for (const [i, timeMs] of times.entries()) {
        assert.equal(log.offsetAtTime(topic, 0, timeMs), i * 2);
        assert.equal(log.offsetAtTime(topic, 0, timeMs + 1), Math.min((i + 1) * 2, 60));
      }
      assert.equal(log.offsetAtTime(topic, 0, 0), 0);
      assert.equal(log.offsetAtTime(topic, 0, times[29] + 1), 60);
    });

    test('never gives an earlier time to a later record, even if the clock steps back', async () => {
      await log.createTopic(spec(topic));
      await appendTo(log, topic, [record('1')]);
      clock.advance(-3_600_000);
      await appendTo(log, topic, [record('2')]);
      clock.advance(3_600_000);
      const [first, second] = readAll(log, topic).records;
      assert.ok(second.timestampMs >= first.timestampMs);
    });

    test('gives a topic an identity of its own each time', async () => {
      const first = await log.createTopic(spec(topic));
      await appendTo(log, topic, [record('old')]);
      assert.equal(await log.createTopic(spec(topic)), first);
      await assert.rejects(log.createTopic(spec(topic, { partitions: 2 })), coded('log_topic_exists'));
      await log.deleteTopic(topic);
      assert.equal(log.topics.has(topic), false);
      await assert.rejects(appendTo(log, topic, [record('x')]), coded('log_topic_unknown'));
      const second = await log.createTopic(spec(topic));
      assert.notEqual(second.id, first.id);
      assert.notEqual(second.epoch, first.epoch);
      assert.deepEqual(log.bounds(topic, 0), { start: 0, end: 0 });
      assert.deepEqual(readAll(log, topic).records, []);
    });

    test('changes a topic in place where that is possible', async () => {
      const topics = log.topics;
      await log.createTopic(spec(topic));
      assert.notEqual(log.topics, topics);
      const altered = await log.alterTopic(spec(topic, { retentionMs: 5000, compacted: true }));
      assert.equal(altered.retentionMs, 5000);
      assert.equal(log.topics.get(topic), altered);
      await assert.rejects(log.alterTopic(spec(topic, { partitions: 3 })), coded('log_topic_exists'));
      await assert.rejects(log.alterTopic(spec(topic, { keyIndex: true })), coded('log_topic_exists'));
    });

    test('notes in a new topic where all others ended, appends on their way included', async () => {
      const other = `${topic}-older`;
      const empty = `${topic}-empty`;
      const { epoch } = await log.createTopic(spec(other, { partitions: 2 }));
      await log.createTopic(spec(empty));
      await appendTo(log, other, [record('1'), record('2'), record('3')]);
      const created = log.createTopic(spec(topic));
      const onItsWay = appendTo(log, other, [record('4')]);
      const { barrier } = await created;
      await onItsWay;
      const ends = [0, 1].map((partition) => log.bounds(other, partition).end);
      assert.equal(barrier[other].epoch, epoch);
      assert.deepEqual(barrier[other].ends, ends);
      assert.equal(barrier[topic], undefined);
      assert.equal(barrier[empty], undefined);
    });

    test('drops batches by age', async () => {
      await log.createTopic(spec(topic, { retentionMs: 10_000 }));
      await appendTo(log, topic, [record('old 1'), record('old 2')]);
      clock.advance(6000);
      await appendTo(log, topic, [record('new')]);
      await log.maintain();
      assert.equal(log.bounds(topic, 0).start, 0);
      clock.advance(6000);
      await log.maintain();
      assert.deepEqual(log.bounds(topic, 0), { start: 2, end: 3 });
      assert.deepEqual(dataOf(readAll(log, topic).records), ['new']);
      assert.equal(log.statistics(topic).recordsStored, 1);
      clock.advance(60_000);
      await log.maintain();
      assert.deepEqual(log.bounds(topic, 0), { start: 3, end: 3 });
      assert.deepEqual(log.statistics(topic), { recordsStored: 0, bytesStored: 0 });
      const { offsets } = await appendTo(log, topic, [record('after')]);
      assert.deepEqual(offsets, [3]);
    });

    test('drops batches by size', async () => {
      await log.createTopic(spec(topic, { retentionBytes: 10_000 }));
      for (const i of range(0, 300)) void appendTo(log, topic, [record(`${i}`.padEnd(300))]);
      for (const i of range(300, 330)) await appendTo(log, topic, [record(`${i}`.padEnd(300))]);
      await log.maintain();
      const { start, end } = log.bounds(topic, 0);
      assert.equal(end, 330);
      assert.ok(start > 290 && start < 310, String(start));
      assert.ok(log.statistics(topic).bytesStored <= 10_000);
      assert.equal(readAll(log, topic).records.length, end - start);
    });

    test('drops by itself from time to time', async () => {
      await log.createTopic(spec(topic, { retentionMs: 1000 }));
      await appendTo(log, topic, [record('old')]);
      clock.advance(5000);
      clock.repeat();
      while (log.bounds(topic, 0).start === 0) await new Promise(setImmediate);
      assert.deepEqual(log.bounds(topic, 0), { start: 1, end: 1 });
    });

    for (const keyIndex of [false, true]) {
      test(`compacts to the latest record of each key${keyIndex ? ', with a key index' : ''}`, async () => {
        await log.createTopic(spec(topic, { compacted: true, keyIndex }));
        for (const round of range(0, 30)) {
          await appendTo(
            log,
            topic,
            range(0, 10).map((i) => record(`${round}`, { key: `k${i}` })),
          );
        }
        await appendTo(log, topic, [
          record(null, { key: 'k3' }),
          record('none'),
          record('c', { flags: RECORD_CONTROL }),
        ]);
        await log.maintain();
        const seen = readAll(log, topic).records;
        assert.deepEqual(
          seen.map(({ key, data }) => [key, data]),
          [
            ...range(0, 10)
              .filter((i) => i !== 3)
              .map((i) => [`k${i}`, '29']),
            ['k3', null],
            [null, 'none'],
          ],
        );
        assert.deepEqual(
          seen.map(({ offset }) => offset),
          [...range(290, 300).filter((i) => i !== 293), 300, 301],
        );
        assert.deepEqual(log.bounds(topic, 0), { start: 0, end: 303 });
        assert.equal(log.statistics(topic).recordsStored, 11);
        assert.deepEqual(dataOf(readAll(log, topic, 0, { key: 'k5' }).records), ['29']);
        assert.equal(log.offsetOfLast(topic, 0, 1, 'k5'), 295);
        clock.advance(120_000);
        await appendTo(log, topic, [record('30', { key: 'k5' })]);
        await log.maintain();
        assert.deepEqual(
          readAll(log, topic).records.map(({ key }) => key),
          ['k0', 'k1', 'k2', 'k4', 'k6', 'k7', 'k8', 'k9', null, 'k5'],
        );
        assert.deepEqual(readAll(log, topic, 0, { key: 'k3' }).records, []);
      });
    }

    test('answers a repeated id with the first position, without storing it again', async () => {
      await log.createTopic(spec(topic));
      const first = await appendTo(log, topic, [
        record('1', { identity: 'a' }),
        record('2', { identity: 'b' }),
      ]);
      assert.equal(first.duplicates, null);
      const second = await appendTo(log, topic, [
        record('again', { identity: 'b' }),
        record('3', { identity: 'c' }),
      ]);
      assert.deepEqual(second.offsets, [1, 2]);
      assert.deepEqual([...second.duplicates!], [0]);
      const within = await appendTo(log, topic, [
        record('4', { identity: 'd' }),
        record('5', { identity: 'd' }),
        record('6', { identity: 'e' }),
      ]);
      assert.deepEqual(within.offsets, [3, 3, 4]);
      assert.deepEqual([...within.duplicates!], [1]);
      assert.deepEqual(dataOf(readAll(log, topic).records), ['1', '2', '3', '4', '6']);
    });

    test('lets a duplicate wait for the first one, whatever stage that is at', async () => {
      await log.createTopic(spec(topic));
      const once = (): Promise<unknown> => appendTo(log, topic, [record('x', { identity: 'same' })]);
      const first = once();
      const sameTurn = once();
      await new Promise(setImmediate);
      const underWay = once();
      const job = log.alterTopic(spec(topic, { retentionMs: 1e9 }));
      const behindJob = once();
      const answers = (await Promise.all([first, sameTurn, underWay, behindJob])) as { offsets: number[] }[];
      await job;
      assert.deepEqual(
        answers.map(({ offsets }) => offsets),
        [[0], [0], [0], [0]],
      );
      assert.equal(log.bounds(topic, 0).end, 1);
    });

    test('remembers ids by partition, though their records are dropped, until the window is over', async () => {
      await log.createTopic(spec(topic, { partitions: 3, retentionMs: 1000 }));
      const records = range(0, 20).map((i) => record(`${i}`, { key: `k${i}`, identity: `id-${i}` }));
      const first = await appendTo(log, topic, records);
      clock.advance(590_000);
      await log.maintain();
      assert.equal(log.statistics(topic).recordsStored, 0);
      const again = await appendTo(log, topic, records);
      assert.equal(again.duplicates?.size, 20);
      assert.deepEqual(again.offsets, first.offsets);
      assert.deepEqual(again.partitions, first.partitions);
      clock.advance(11_000);
      const fresh = await appendTo(log, topic, records);
      assert.equal(fresh.duplicates, null);
    });
  });

  describe(`a log with other limits (${backend.name})`, () => {
    test('remembers at most limits.idempotenceIdsMax ids', async () => {
      const log = await backend.open({ limits: { idempotenceIdsMax: 100 } });
      await log.createTopic(spec('t'));
      for (const i of range(0, 30)) {
        await appendTo(
          log,
          't',
          range(0, 10).map((j) => record('x', { identity: `id-${i * 10 + j}` })),
        );
      }
      const oldest = await appendTo(log, 't', [record('x', { identity: 'id-199' })]);
      assert.equal(oldest.duplicates, null);
      const kept = await appendTo(
        log,
        't',
        range(210, 300).map((i) => record('x', { identity: `id-${i}` })),
      );
      assert.equal(kept.duplicates?.size, 90);
      await log.close();
    });

    test('compacts in several passes what has more keys than limits.compactionKeysMax', async () => {
      const log = await backend.open({ limits: { compactionKeysMax: 1000, batchStoredBytesMax: 4096 } });
      await log.createTopic(spec('t', { compacted: true }));
      for (const round of ['old', 'new']) {
        for (const i of range(0, 35)) {
          await appendTo(
            log,
            't',
            range(0, 100).map((j) => record(round, { key: `key-${i * 100 + j}` })),
          );
        }
      }
      await log.maintain();
      const { records } = readAll(log, 't');
      assert.equal(records.length, 3500);
      assert.ok(records.every(({ data }) => data === 'new'));
      await log.close();
    });

    test('refuses what would wait beyond limits.appendBytesPendingMax, and takes it again later', async () => {
      const log = await backend.open({ limits: { appendBytesPendingMax: 10_000 } });
      await log.createTopic(spec('t'));
      const attempts = range(0, 20).map(() => appendTo(log, 't', [record('x'.repeat(1000))]));
      const results = await Promise.allSettled(attempts);
      const refused = results.filter((result) => result.status === 'rejected');
      assert.ok(refused.length >= 10 && refused.length < 15, String(refused.length));
      for (const { reason } of refused) assert.equal(reason.code, 'log_overloaded');
      await appendTo(log, 't', [record('x'.repeat(20_000))]);
      assert.equal(log.bounds('t', 0).end, 20 - refused.length + 1);
      await log.close();
    });

    test('finishes what was appended when it closes, and refuses what comes later', async () => {
      const log = await backend.open({});
      await log.createTopic(spec('t'));
      const appended = appendTo(log, 't', [record('1')]);
      const closed = log.close();
      const late = assert.rejects(appendTo(log, 't', [record('2')]), coded('log_closed'));
      assert.deepEqual((await appended).offsets, [0]);
      await closed;
      await late;
      await assert.rejects(log.createTopic(spec('u')), coded('log_closed'));
    });
  });
}
