import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Liveness, type Watched } from '../../src/kernel/index.ts';
import { ManualClock } from '../support/manual-clock.ts';

class Visits implements Watched {
  slot = 0;
  readonly visitedAtMs: number[] = [];
  closeTimedOutAtMs = 0;
  readonly #clock: ManualClock;
  readonly #startMs: number;

  constructor(clock: ManualClock) {
    this.#clock = clock;
    this.#startMs = clock.nowMs();
  }

  visited(): void {
    this.visitedAtMs.push(this.#clock.nowMs() - this.#startMs);
  }

  closeTimedOut(): void {
    this.closeTimedOutAtMs = this.#clock.nowMs() - this.#startMs;
  }
}

describe('The watch over connections', () => {
  it('visits each once per interval, and never all of them in one turn', () => {
    const clock = new ManualClock();
    const liveness = new Liveness({ clock, intervalMs: 6400, closeTimeoutMs: 1000 });
    const all: Visits[] = [];
    for (let i = 0; i < 640; i++) {
      const visits = new Visits(clock);
      all.push(visits);
      liveness.add(visits);
      if (i % 10 === 9) clock.advance(100);
    }
    clock.advance(6400 * 3);
    for (const { visitedAtMs } of all) {
      assert.equal(visitedAtMs[0], 6400);
      for (let i = 1; i < visitedAtMs.length; i++) assert.equal(visitedAtMs[i] - visitedAtMs[i - 1], 6400);
    }
  });

  it('tells when a close frame was not answered, in the order of closing', () => {
    const clock = new ManualClock();
    const liveness = new Liveness({ clock, intervalMs: 6400, closeTimeoutMs: 1000 });
    const [first, second, third] = [new Visits(clock), new Visits(clock), new Visits(clock)];
    for (const visits of [first, second, third]) liveness.add(visits);
    liveness.closing(first);
    liveness.closing(third);
    clock.advance(500);
    liveness.closing(second);
    liveness.delete(third);
    clock.advance(5000);
    assert.deepEqual(
      [first, second, third].map((visits) => visits.closeTimedOutAtMs),
      [1000, 1500, 0],
    );
  });

  it('forgets who has left, and may be told so twice', () => {
    const clock = new ManualClock();
    const liveness = new Liveness({ clock, intervalMs: 640, closeTimeoutMs: 100 });
    const [gone, stays] = [new Visits(clock), new Visits(clock)];
    liveness.add(gone);
    liveness.add(stays);
    liveness.delete(gone);
    liveness.delete(gone);
    clock.advance(1300);
    assert.deepEqual([gone.visitedAtMs.length, stays.visitedAtMs.length], [0, 2]);
  });
});
