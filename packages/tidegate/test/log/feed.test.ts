import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { BatchRing } from '../../src/log/batch-ring.ts';
import { LogFeed } from '../../src/log/feed.ts';
import {
  FOLLOW,
  MORE_TO_HAND_OVER,
  NEXT_PIECE,
  readLogMessage,
  type ToldTopics,
} from '../../src/log/follower/messages.ts';
import { type Log, openMemoryLog, type Topic } from '../../src/log/index.ts';
import { StoredBatch } from '../../src/log/stored-batch.ts';
import { TopicState } from '../../src/log/topic-state.ts';
import type { Topics } from '../../src/log/topics.ts';
import { linePair } from '../support/line-pair.ts';
import { appendTo, logOptions, range, record, SteppedClock, topicSpec } from './log-fixture.ts';

const clock = new SteppedClock();
let log: Log;

beforeEach(() => {
  log = openMemoryLog(logOptions('', { clock }));
});

afterEach(() => log.close());

/** What a process keeps of the partitions that it was told of. */
class Copy {
  readonly #line = linePair();
  readonly #rings = new Map<string, BatchRing>();
  readonly #bounds = new Map<string, readonly [number, number]>();
  readonly #toldTo = new Map<string, number>();
  /** How many batches came with the last question. */
  batches = 0;
  topics: ToldTopics[] = [];
  hasMore = true;

  constructor(leads: (line: ReturnType<typeof linePair>['owner']) => void) {
    leads(this.#line.owner);
    this.#line.worker.onTold('log', (message) =>
      readLogMessage(message, {
        topics: (told) => this.topics.push(told),
        batch: ({ topicId, partition, place: kind, bytes }) => {
          const place = `${topicId}/${partition}`;
          const ring = this.#ring(place);
          const batch = new StoredBatch(bytes);
          const toldTo = this.#toldTo.get(place) ?? 0;
          if (kind === 'end') {
            assert.ok(batch.baseOffset >= toldTo, 'it follows what was told');
            ring.push(batch);
          } else {
            assert.ok(batch.baseOffset < toldTo, 'it stands for what was told');
            ring.replace(batch);
          }
          this.#toldTo.set(place, Math.max(toldTo, batch.endOffset));
          this.batches++;
        },
        partitions: (told) => {
          for (const { topicId, partition, start, end } of told) {
            const place = `${topicId}/${partition}`;
            this.#bounds.set(place, [start, end]);
            const ring = this.#ring(place);
            while (ring.oldest !== undefined && ring.oldest.endOffset <= start) ring.shift();
          }
        },
        merged() {},
      }),
    );
  }

  ask(question: number): void {
    this.batches = 0;
    this.#line.worker.ask('log', Uint8Array.of(question), (error, answer) => {
      assert.equal(error, null);
      this.hasMore = answer[0] === MORE_TO_HAND_OVER;
    });
    this.deliver();
  }

  deliver(): void {
    this.#line.deliver();
  }

  /** The records between the bounds that were told; null if none were. */
  records({ id }: Topic, partition = 0): readonly string[] | null {
    const bounds = this.#bounds.get(`${id}/${partition}`);
    if (bounds === undefined) return null;
    const records: string[] = [];
    const ring = this.#ring(`${id}/${partition}`);
    let [at, end] = bounds;
    while (at < end) {
      const batch = ring.find(at);
      assert.ok(batch !== undefined, `${at} is missing`);
      for (let i = batch.lowerBound(at); i < batch.count; i++) records.push(textOf(batch, i));
      at = batch.endOffset;
    }
    return records;
  }

  #ring(place: string): BatchRing {
    let ring = this.#rings.get(place);
    if (ring === undefined) {
      ring = new BatchRing();
      this.#rings.set(place, ring);
    }
    return ring;
  }
}

function textOf(
  batch: Pick<StoredBatch, 'offset' | 'bytes' | 'dataStart' | 'dataEnd'>,
  index: number,
): string {
  const data = batch.bytes.toString('utf8', batch.dataStart(index), batch.dataEnd(index));
  return `${batch.offset(index)} ${data.length}`;
}

function recordsOf(name: string, partition = 0): readonly string[] {
  const { start, end } = log.bounds(name, partition);
  const records: string[] = [];
  for (let at = start; at < end; ) {
    const { batches, next } = log.read({ topic: name, partition, from: at, bytesMax: 1 << 20 });
    for (const batch of batches)
      for (let i = batch.lowerBound(at); i < batch.count; i++) records.push(textOf(batch as StoredBatch, i));
    at = next;
  }
  return records;
}

/** Appends batches of 100 KiB, of which three are a piece. */
async function fill(topic: string, count: number, keyOf: (i: number) => string = () => 'k'): Promise<void> {
  for (const i of range(0, count))
    await appendTo(log, topic, [record('x'.repeat(100_000 + i), { key: keyOf(i) })]);
}

/** Appends batches that are too large to be merged, each with a record that the next one supersedes. */
async function fillPairs(count: number): Promise<void> {
  for (const i of range(0, count)) {
    const size = 100_000 + i;
    await appendTo(log, 'pairs', [
      record('x', { key: 'shared' }),
      record('x'.repeat(size), { key: `${size} ${log.bounds('pairs', 0).end}` }),
    ]);
  }
}

test('what is in memory is handed over in pieces, one for each question', async () => {
  const topics = [await log.createTopic(topicSpec('a', { durability: 'none' }))];
  topics.push(await log.createTopic(topicSpec('b', { durability: 'none', partitions: 2 })));
  await fill('a', 10);
  await fill('b', 10, (i) => `k${i}`);
  const copy = new Copy((line) => log.lead(line));
  copy.ask(FOLLOW);
  assert.equal(copy.batches, 0);
  let questions = 0;
  for (; copy.hasMore; questions++) {
    copy.ask(NEXT_PIECE);
    assert.ok(copy.batches <= 3);
  }
  assert.equal(questions, 7);
  assert.deepEqual(copy.records(topics[0]), recordsOf('a'));
  for (const partition of [0, 1])
    assert.deepEqual(copy.records(topics[1], partition), recordsOf('b', partition));
});

test('a partition is told of once its ring is there, and then as far as it goes by then', async () => {
  const a = await log.createTopic(topicSpec('a', { durability: 'none' }));
  const b = await log.createTopic(topicSpec('b', { durability: 'none' }));
  await fill('a', 2);
  await fill('b', 4);
  const copy = new Copy((line) => log.lead(line));
  copy.ask(FOLLOW);
  await fill('b', 1);
  copy.ask(NEXT_PIECE);
  assert.deepEqual([copy.records(a)?.length, copy.records(b)], [2, null]);
  await fill('a', 1);
  await fill('b', 1);
  copy.deliver();
  assert.deepEqual([copy.records(a)?.length, copy.records(b)], [3, null]);
  while (copy.hasMore) copy.ask(NEXT_PIECE);
  assert.deepEqual([copy.records(a), copy.records(b)], [recordsOf('a'), recordsOf('b')]);
  await fill('b', 1);
  copy.deliver();
  assert.deepEqual(copy.records(b), recordsOf('b'));
});

for (const pieces of [0, 1, 2, 3, 4, 5]) {
  test(`what is compacted, dropped or deleted while it is handed over is so for the follower, after ${pieces} pieces`, async () => {
    const spec = { durability: 'none', compacted: true } as const;
    const pairs = await log.createTopic(topicSpec('pairs', spec));
    const compacted = await log.createTopic(topicSpec('compacted', spec));
    const dropped = await log.createTopic(
      topicSpec('dropped', { durability: 'none', retentionBytes: 250_000 }),
    );
    const deleted = await log.createTopic(topicSpec('deleted', { durability: 'none' }));
    await fill('compacted', 8, (i) => `k${i % 3}`);
    await fill('dropped', 8);
    await fill('deleted', 8);
    await fillPairs(6);
    const copy = new Copy((line) => log.lead(line));
    copy.ask(FOLLOW);
    for (const _ of range(0, pieces)) copy.ask(NEXT_PIECE);
    await fillPairs(2);
    await fill('compacted', 3, (i) => `k${i % 2}`);
    await log.maintain();
    await log.deleteTopic('deleted');
    while (copy.hasMore) copy.ask(NEXT_PIECE);
    assert.deepEqual(copy.records(compacted), recordsOf('compacted'));
    assert.deepEqual(copy.records(pairs), recordsOf('pairs'));
    assert.deepEqual(copy.records(dropped), recordsOf('dropped'));
    assert.ok(copy.topics.some(({ removed }) => removed.includes(deleted.id)));
  });
}

test('a topic that changed while another process began to follow is told to the others', () => {
  const topic = { ...topicSpec('t'), id: 1, epoch: 'e', createdMs: 0, barrier: {} };
  const counter = { add() {} };
  const state = new TopicState({ topic, hashSeed: [1, 2], deleting: false }, [], counter, counter);
  const feed = new LogFeed();
  feed.follow({ states: [state] } as unknown as Topics);
  const first = new Copy((line) => feed.lead(line));
  first.ask(FOLLOW);
  state.topic = { ...topic, barrier: { other: { epoch: 'f', ends: [3] } } };
  const second = new Copy((line) => feed.lead(line));
  second.ask(FOLLOW);
  feed.topicsChanged();
  first.deliver();
  assert.deepEqual(first.topics.at(-1)?.put[0].stored.topic.barrier, state.topic.barrier);
});
