import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/kernel/index.ts';
import { IdempotenceWindow } from '../../src/log/idempotence-window.ts';
import { TextHash } from '../../src/log/text-hash.ts';
import { range } from './log-fixture.ts';

/** A hash that has only a few values, so that nearly every look-up meets other ids. */
class PoorHash extends TextHash {
  override of(text: string): void {
    this.high = text.length;
    this.low = text.charCodeAt(text.length - 1) & 3;
  }
}

interface Remembered {
  readonly offset: number;
  readonly partition: number;
  readonly timeMs: number;
}

/** A window over chunks in memory, with one commit after the other. */
class Harness {
  readonly chunks = new Map<number, Buffer>();
  readonly idsMax: number;
  readonly hash: TextHash;
  window: IdempotenceWindow;

  constructor(idsMax: number, hash: TextHash) {
    this.idsMax = idsMax;
    this.hash = hash;
    this.window = this.#open();
  }

  #open(): IdempotenceWindow {
    const { hash, idsMax } = this;
    return new IdempotenceWindow({
      hash,
      idsMax,
      windowMs: 1000,
      chunk: (sequence) => this.chunks.get(sequence),
    });
  }

  commit(
    ids: readonly (readonly [id: string, partition: number])[],
    nowMs: number,
    base: number,
    fails: 'fails' | 'stores',
  ): void {
    const chunk = this.window.open();
    for (const [i, [id, partition]] of ids.entries()) this.window.add(chunk, id, partition, i);
    const bytes = this.window.stamp(chunk, nowMs, () => base);
    if (fails === 'fails') {
      this.window.failed(chunk);
      return;
    }
    this.chunks.set(chunk.sequence, bytes);
    this.window.stored(chunk);
    for (const sequence of this.window.takeForgotten(100)) assert.ok(this.chunks.delete(sequence));
  }

  restart(nowMs: number): void {
    this.window = this.#open();
    for (const [sequence, bytes] of [...this.chunks].sort(([a], [b]) => a - b)) {
      this.window.restore(sequence, bytes, nowMs);
    }
  }
}

for (const [name, hash] of [
  ['a good hash', new TextHash(1, 2)],
  ['a hash that collides all the time', new PoorHash(1, 2)],
] as const) {
  test(`remembers exactly the ids of the window, through failures and restarts (${name}, seeds 1 to 20)`, () => {
    for (const seed of range(1, 21)) {
      const random = seededRandom(seed);
      const harness = new Harness(200, hash);
      let model: [string, Remembered][] = [];
      let nowMs = 1_000_000;
      let base = 0;
      for (const _step of range(0, 120)) {
        nowMs += random.uint32() % 60;
        if (random.uint32() % 15 === 0) harness.restart(nowMs);
        model = model.filter(([, { timeMs }]) => timeMs >= nowMs - 1000);
        const known = new Map(model);
        for (const id of [...known.keys(), 'never seen']) {
          const entry = harness.window.find(id, nowMs);
          const expected = known.get(id);
          if (expected === undefined) assert.equal(entry, -1);
          else {
            assert.equal(harness.window.offsetOf(entry), expected.offset);
            assert.equal(harness.window.partitionOf(entry), expected.partition);
          }
        }
        const fresh = [
          ...new Set(
            range(0, random.uint32() % 30).map(
              () => `id-${random.uint32() % 400}${'x'.repeat(random.uint32() % 3)}`,
            ),
          ),
        ].filter((id) => harness.window.find(id, nowMs) === -1);
        assert.deepEqual(
          fresh.filter((id) => known.has(id)),
          [],
        );
        const ids = fresh.map((id) => [id, random.uint32() % 5] as const);
        const fails = random.uint32() % 5 === 0 ? 'fails' : 'stores';
        harness.commit(ids, nowMs, base, fails);
        if (fails === 'fails') {
          for (const id of fresh) assert.equal(harness.window.find(id, nowMs), -1);
        } else {
          for (const [i, [id, partition]] of ids.entries())
            model.push([id, { offset: base + i, partition, timeMs: nowMs }]);
          base += ids.length;
        }
        // What is over the bound goes, the oldest first.
        model = model.slice(-200);
      }
    }
  });
}

test('ids of a million commits do not pile up', () => {
  const harness = new Harness(1000, new TextHash(3, 4));
  for (const i of range(0, 20_000)) harness.commit([[`id-${i}`, 0]], 1000, i, 'stores');
  assert.ok(harness.chunks.size <= 1001, String(harness.chunks.size));
  assert.equal(harness.window.size, 1000);
  assert.equal(harness.window.find('id-18999', 1000), -1);
  assert.equal(harness.window.offsetOf(harness.window.find('id-19000', 1000)), 19_000);
});
