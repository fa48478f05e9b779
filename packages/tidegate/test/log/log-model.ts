import assert from 'node:assert/strict';
import { type Random, seededRandom } from '../../src/kernel/index.ts';
import { type Log, RECORD_CONTROL } from '../../src/log/index.ts';
import { appendTo, range, readAll, record, type Settings, SteppedClock, topicSpec } from './log-fixture.ts';

interface Kept {
  readonly offset: number;
  readonly key: string | null;
  readonly data: string | null;
  readonly control: boolean;
  readonly timestampMs: number;
}

/** What a partition ought to hold: every record that was ever appended, by offset. */
class Model {
  readonly all: Kept[] = [];

  /** What must be there from `start` on: of a compacted partition, at least the latest of each key. */
  latest(start: number): Kept[] {
    const byKey = new Map<string, number>();
    for (const { key, offset, control } of this.all) if (key !== null && !control) byKey.set(key, offset);
    return this.all.filter(
      ({ key, offset, control }) =>
        offset >= start && !control && (key === null || byKey.get(key) === offset),
    );
  }
}

export interface ModelOptions {
  readonly seed: number;
  readonly steps: number;
  readonly compacted: boolean;
  readonly keyIndex: boolean;
  readonly durability: 'none' | 'written' | 'synced';
  /** Opens the log, again after each close if it keeps what it stored. */
  readonly open: (settings: Settings) => Promise<Log>;
  readonly restarts: 'survives restarts' | 'is gone with the process';
}

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[random.uint32() % items.length];

/** Random appends, retries, reads, drops, compactions and restarts, held against a list. */
export async function runModel(options: ModelOptions): Promise<void> {
  const { seed, steps, compacted, keyIndex, durability } = options;
  const random = seededRandom(seed);
  const clock = new SteppedClock();
  const settings = {
    clock,
    limits: {
      batchStoredBytesMax: pick(random, [4096, 16_384, 131_072]),
      tailCacheBytesMax: 1 << 20,
      readCacheBytesMax: 1 << 20,
      compactionKeysMax: pick(random, [1000, 1_000_000]),
    },
  };
  const partitions = 1 + (random.uint32() % 3);
  const retentionMs = compacted ? null : 100_000;
  let log = await options.open(settings);
  await log.createTopic(
    topicSpec('t', { durability, partitions, compacted, keyIndex, retentionMs, tombstoneRetentionMs: 1e9 }),
  );
  const models = range(0, partitions).map(() => new Model());
  const identities = new Map<string, { partition: number; offset: number }>();
  let sequence = 0;
  for (let step = 0; step < steps; step++) {
    const dice = random.uint32() % 100;
    if (dice < 50) {
      const records = range(0, 1 + (random.uint32() % 30)).map(() => {
        const key = random.uint32() % 10 === 0 ? null : `key-${random.uint32() % 12}`;
        const isTombstone = compacted && key !== null && random.uint32() % 10 === 0;
        const data = isTombstone ? null : `${sequence}-`.padEnd(random.uint32() % 500, 'y');
        // A retry: the same id, and other data, by which a second copy would be found out.
        const retried =
          random.uint32() % 8 === 0 && identities.size > 0 ? pick(random, [...identities.keys()]) : null;
        const identity = retried ?? (random.uint32() % 3 === 0 ? `id-${sequence}` : null);
        sequence++;
        return record(data, { key, identity, flags: random.uint32() % 20 === 0 ? RECORD_CONTROL : 0 });
      });
      const { offsets, partitions: placed, duplicates } = await appendTo(log, 't', records);
      for (const [i, { key, data, identity, flags }] of records.entries()) {
        const known = identity === null ? undefined : identities.get(identity);
        assert.equal(duplicates?.has(i) ?? false, known !== undefined, `${identity}`);
        if (known !== undefined) {
          assert.deepEqual({ partition: placed[i], offset: offsets[i] }, known);
          continue;
        }
        const model = models[placed[i]];
        assert.equal(offsets[i], model.all.length);
        if (identity !== null) identities.set(identity, { partition: placed[i], offset: offsets[i] });
        model.all.push({
          offset: offsets[i],
          key,
          data: data === null ? null : Buffer.from(data).toString(),
          control: (flags & RECORD_CONTROL) !== 0,
          timestampMs: clock.nowMs(),
        });
      }
    } else if (dice < 80) {
      for (const partition of range(0, partitions))
        check(log, partition, models[partition], random, compacted);
    } else if (dice < 90) {
      clock.advance(random.uint32() % 20_000);
    } else if (dice < 96) {
      await log.maintain();
      for (const partition of range(0, partitions))
        check(log, partition, models[partition], random, compacted);
    } else if (options.restarts === 'survives restarts') {
      await log.close();
      log = await options.open(settings);
    }
  }
  await log.close();
}

function check(log: Log, partition: number, model: Model, random: Random, compacted: boolean): void {
  const { start, end } = log.bounds('t', partition);
  assert.equal(end, model.all.length);
  const from = random.uint32() % 2 === 0 ? start : start + (random.uint32() % (end - start + 1));
  const bytesMax = pick(random, [1, 2000, 100_000]);
  const { records, damaged } = readAll(log, 't', partition, { from, bytesMax });
  assert.deepEqual(damaged, []);
  for (const [i, { offset, key, data, flags }] of records.entries()) {
    assert.ok(offset >= from && (i === 0 || offset > records[i - 1].offset));
    const kept = model.all[offset];
    assert.deepEqual([key, data, (flags & RECORD_CONTROL) !== 0], [kept.key, kept.data, kept.control]);
  }
  const there = new Set(records.map(({ offset }) => offset));
  const wanted = compacted ? model.latest(from) : model.all.slice(from);
  for (const { offset } of wanted) assert.ok(there.has(offset), `${offset} of ${end}, read from ${from}`);
  const key = `key-${random.uint32() % 13}`;
  const ofKey = readAll(log, 't', partition, { from, bytesMax, key }).records.map(({ offset }) => offset);
  assert.deepEqual(
    ofKey,
    records.filter((one) => one.key === key).map(({ offset }) => offset),
  );
  const count = 1 + (random.uint32() % 5);
  const all = readAll(log, 't', partition, { bytesMax: 100_000 }).records.filter(
    ({ flags }) => (flags & RECORD_CONTROL) === 0,
  );
  for (const wantedKey of [undefined, key]) {
    const last = all.filter((one) => wantedKey === undefined || one.key === wantedKey).slice(-count);
    assert.equal(log.offsetOfLast('t', partition, count, wantedKey), last[0]?.offset ?? end);
  }
  const every = readAll(log, 't', partition, { bytesMax: 100_000 }).records;
  if (every.length > 0) {
    const { timestampMs } = pick(random, every);
    assert.equal(
      log.offsetAtTime('t', partition, timestampMs),
      every.find((one) => one.timestampMs >= timestampMs)!.offset,
    );
  }
  assert.equal(log.statistics('t').recordsStored >= every.length, true);
}
