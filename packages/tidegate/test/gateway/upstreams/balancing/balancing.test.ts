import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  balancerOf,
  type Candidate,
  hashOfText,
  NONE_TRIED,
} from '../../../../src/gateway/upstreams/balancing/index.ts';
import { seededRandom } from '../../../../src/kernel/index.ts';

class TestTarget implements Candidate {
  readonly key: string;
  weight: number;
  active = 0;
  state: 'up' | 'down' = 'up';

  constructor(key: string, weight = 1) {
    this.key = key;
    this.weight = weight;
  }

  isUsable(): boolean {
    return this.state === 'up';
  }
}

const targets = (...weights: readonly number[]): readonly TestTarget[] =>
  weights.map((weight, index) => new TestTarget(`http://10.0.0.${index}:80`, weight));

const KINDS = ['round_robin', 'least_connections', 'hash'] as const;

/** How often each of the candidates is chosen, for as many different hashes. */
function chosen(
  kind: (typeof KINDS)[number],
  candidates: readonly TestTarget[],
  times: number,
): readonly number[] {
  const choose = balancerOf(kind, candidates, seededRandom(7));
  const counts = new Map<TestTarget | null, number>();
  for (let i = 0; i < times; i++) {
    const target = choose(hashOfText(`client-${i}`), NONE_TRIED);
    counts.set(target, (counts.get(target) ?? 0) + 1);
  }
  return candidates.map((candidate) => counts.get(candidate) ?? 0);
}

test('each target gets its share of the requests, by its weight', () => {
  for (const kind of KINDS) {
    const counts = chosen(kind, targets(1, 2, 5), 80_000);
    for (const [index, expected] of [10_000, 20_000, 50_000].entries()) {
      const off = Math.abs(counts[index] - expected) / expected;
      assert.ok(off < 0.05, `${kind}: ${counts}`);
    }
  }
});

test('what is not usable is not chosen, and its share goes to the others', () => {
  for (const kind of KINDS) {
    const candidates = targets(1, 1, 1);
    candidates[1].state = 'down';
    const [first, down, last] = chosen(kind, candidates, 10_000);
    assert.equal(down, 0);
    assert.ok(Math.abs(first - last) < 500, `${kind}: ${first} ${last}`);
  }
});

test('what was tried before is not chosen again, and when nothing is left there is no choice', () => {
  for (const kind of KINDS) {
    const candidates = targets(1, 1, 1);
    const choose = balancerOf(kind, candidates, seededRandom(7));
    for (let i = 0; i < 100; i++) {
      const tried: TestTarget[] = [];
      for (;;) {
        const target = choose(i, tried);
        if (target === null) break;
        assert.ok(!tried.includes(target));
        tried.push(target);
      }
      assert.equal(tried.length, 3, kind);
    }
    for (const candidate of candidates) candidate.state = 'down';
    assert.equal(choose(1, NONE_TRIED), null);
    assert.equal(balancerOf(kind, [], seededRandom(7))(1, NONE_TRIED), null);
  }
});

test('turns are spread: a heavy target does not get all of its share in a row', () => {
  const candidates = targets(5, 1, 1);
  const choose = balancerOf('round_robin', candidates, seededRandom(7));
  const turns = Array.from({ length: 7 }, () => candidates.indexOf(choose(0, NONE_TRIED) as TestTarget));
  assert.deepEqual(turns, [0, 0, 1, 0, 2, 0, 0]);
});

test('turns of equal targets are exactly equal, whatever else happens to them', () => {
  const candidates = targets(1, 1, 1);
  const choose = balancerOf('round_robin', candidates, seededRandom(7));
  for (let i = 0; i < 10; i++) choose(0, NONE_TRIED);
  candidates[0].state = 'down';
  for (let i = 0; i < 1000; i++) choose(0, NONE_TRIED);
  candidates[0].state = 'up';
  const counts = [0, 0, 0];
  for (let i = 0; i < 30; i++) counts[candidates.indexOf(choose(0, NONE_TRIED) as TestTarget)]++;
  assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `${counts}`);
});

test('the less busy of two is chosen, so that no target is far behind the others', () => {
  const candidates = targets(1, 1, 1, 1, 2);
  const choose = balancerOf('least_connections', candidates, seededRandom(7));
  for (let i = 0; i < 6_000; i++) (choose(0, NONE_TRIED) as TestTarget).active++;
  const loads = candidates.map(({ active, weight }) => active / weight);
  assert.ok(Math.max(...loads) - Math.min(...loads) < 20, `${loads}`);
});

test('a target that answers slowly gets less', () => {
  const candidates = targets(1, 1, 1);
  candidates[0].active = 50;
  const [slow, ...others] = chosen('least_connections', candidates, 9_000);
  assert.equal(slow, 0);
  assert.ok(others.every((count) => count > 4_000));
});

test('the same hash goes to the same target, whatever the order of the list', () => {
  const candidates = targets(1, 2, 3, 4);
  const one = balancerOf('hash', candidates, seededRandom(1));
  const other = balancerOf('hash', [...candidates].reverse(), seededRandom(2));
  for (let i = 0; i < 1000; i++)
    assert.equal(one(hashOfText(`u${i}`), NONE_TRIED), other(hashOfText(`u${i}`), NONE_TRIED));
});

test('without a target only what was its own goes elsewhere, and that to all others', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), fc.nat(11), (count, removed) => {
      const candidates = targets(...Array.from({ length: count }, () => 1));
      const gone = candidates[removed % count];
      const before = balancerOf('hash', candidates, seededRandom(1));
      const after = balancerOf(
        'hash',
        candidates.filter((each) => each !== gone),
        seededRandom(1),
      );
      const heirs = new Set<TestTarget | null>();
      for (let i = 0; i < 2_000; i++) {
        const hash = hashOfText(`session-${i}`);
        const was = before(hash, NONE_TRIED);
        const is = after(hash, NONE_TRIED);
        if (was === gone) heirs.add(is);
        else assert.equal(is, was);
      }
      assert.equal(heirs.size, count - 1);
    }),
    { numRuns: 20 },
  );
});

test('a heavier weight only draws requests to its target', () => {
  const candidates = targets(1, 1, 1);
  const choose = balancerOf('hash', candidates, seededRandom(1));
  const before = Array.from({ length: 3_000 }, (_, i) => choose(hashOfText(`${i}`), NONE_TRIED));
  candidates[0].weight = 3;
  for (const [i, was] of before.entries()) {
    const is = choose(hashOfText(`${i}`), NONE_TRIED);
    assert.ok(is === was || is === candidates[0]);
  }
});

test('hashes of texts that hardly differ are far apart', () => {
  const buckets = new Array<number>(64).fill(0);
  for (let i = 0; i < 64_000; i++) buckets[hashOfText(`10.0.${i >> 8}.${i & 255}`) >>> 26]++;
  assert.ok(Math.max(...buckets) < 1_200 && Math.min(...buckets) > 800, `${buckets}`);
});
