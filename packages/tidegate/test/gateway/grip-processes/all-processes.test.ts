import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AllProcesses } from '../../../src/gateway/grip-processes/all-processes.ts';
import type { GripProcess, RefreshOutcome, RefreshTarget } from '../../../src/gateway/grip-processes/port.ts';
import { serveProcess } from '../../../src/gateway/grip-processes/serve-process.ts';
import { resolveLimits } from '../../../src/kernel/index.ts';
import { type LinePair, linePair } from '../../support/line-pair.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** A process with these subscriptions and connections, which remembers what it was told to do. */
class Played implements GripProcess {
  readonly counts: Readonly<Record<string, number>>;
  readonly ids: readonly string[];
  readonly refreshed: RefreshTarget[] = [];
  recoveries = 0;

  constructor(counts: Readonly<Record<string, number>>, ids: readonly string[]) {
    this.counts = counts;
    this.ids = ids;
  }

  count(channel: string): number {
    return this.counts[channel] ?? 0;
  }

  connected(ids: readonly string[]): readonly string[] {
    return ids.filter((id) => this.ids.includes(id));
  }

  refresh(target: RefreshTarget): RefreshOutcome {
    this.refreshed.push(target);
    return 'id' in target && this.ids.includes(target.id) ? 'found' : 'not_found';
  }

  recover(): void {
    this.recoveries++;
  }
}

interface Stage {
  readonly clock: ManualClock;
  readonly own: Played;
  readonly workers: readonly Played[];
  readonly lines: readonly LinePair[];
  readonly all: AllProcesses;
  deliver(): void;
}

/** An owner with two workers. */
function stage(): Stage {
  const clock = new ManualClock();
  const own = new Played({ a: 1 }, ['own']);
  const workers = [new Played({ a: 10, b: 20 }, ['first']), new Played({ b: 300 }, ['second'])];
  const lines = [linePair(1), linePair(2)];
  const all = new AllProcesses({ own, clock, limits: resolveLimits() });
  for (const [index, line] of lines.entries()) {
    all.serve(line.owner);
    serveProcess(line.worker, workers[index]);
  }
  const deliver = (): void => {
    for (const line of lines) line.deliver();
  };
  deliver();
  return { clock, own, workers, lines, all, deliver };
}

test('subscriptions of the workers are added up by channel', () => {
  const { all, deliver, clock } = stage();
  const told: (readonly number[])[] = [];
  all.count(['a', 'b', 'c'], (counts) => told.push(counts));
  deliver();
  assert.deepEqual(told, [[10, 320, 0]]);
  assert.equal(clock.pendingTimers, 0);
});

test('without workers nobody is asked', () => {
  const clock = new ManualClock();
  const all = new AllProcesses({ own: new Played({ a: 1 }, []), clock, limits: resolveLimits() });
  const told: (readonly number[])[] = [];
  all.count(['a'], (counts) => told.push(counts));
  assert.deepEqual(told, [[0]]);
});

test('a connection is there if any process has it', () => {
  const { all, deliver } = stage();
  const told: (readonly string[])[] = [];
  all.connected(['second', 'nobody', 'own', 'first', 'own'], (live) => told.push(live));
  deliver();
  assert.deepEqual(told, [['second', 'own', 'first']]);
});

test('whoever has a connection asks its origin', () => {
  const { all, deliver, workers, own } = stage();
  const told: RefreshOutcome[] = [];
  for (const id of ['second', 'own', 'nobody']) all.refresh({ id }, (outcome) => told.push(outcome));
  deliver();
  assert.deepEqual(told, ['found', 'found', 'not_found']);
  for (const each of [own, ...workers]) assert.equal(each.refreshed.length, 3);
});

test('all processes look after those who wait', () => {
  const { all, deliver, workers, own } = stage();
  all.recover();
  deliver();
  assert.deepEqual(
    [own, ...workers].map(({ recoveries }) => recoveries),
    [1, 1, 1],
  );
});

test('a worker that does not answer has nobody, and its late answer changes nothing', () => {
  const { all, clock, lines } = stage();
  const told: (readonly number[])[] = [];
  all.count(['b'], (counts) => told.push(counts));
  lines[0].deliver();
  assert.deepEqual(told, []);
  clock.advance(resolveLimits().workerAnswerTimeoutMs);
  assert.deepEqual(told, [[20]]);
  lines[1].deliver();
  assert.deepEqual(told, [[20]]);
});

test('a worker that dies while it is asked has nobody, and is not asked again', () => {
  const { all, lines, deliver } = stage();
  const told: (readonly number[])[] = [];
  all.count(['b'], (counts) => told.push(counts));
  lines[1].close();
  deliver();
  all.count(['b'], (counts) => told.push(counts));
  deliver();
  assert.deepEqual(told, [[20], [20]]);
});

test('a worker is asked once it has said that it answers', () => {
  const clock = new ManualClock();
  const all = new AllProcesses({ own: new Played({}, []), clock, limits: resolveLimits() });
  const line = linePair();
  const news: string[] = [];
  all.serve(line.owner, (message) => news.push(message.toString()));
  const told: (readonly number[])[] = [];
  all.count(['a'], (counts) => told.push(counts));
  assert.deepEqual(told, [[0]]);
  line.worker.tell('grip', Buffer.from('{"something":"else"}'));
  line.deliver();
  assert.deepEqual(news, ['{"something":"else"}']);
});
