import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type Limits,
  type Logger,
  type Metrics,
  noMetrics,
  resolveLimits,
  silentLogger,
  systemClock,
} from '../../src/kernel/index.ts';
import { WorkerPool, type WorkerPoolOptions } from '../../src/workers/index.ts';
import { isAlive } from '../support/worker-processes.ts';
import { PlayedWorker } from './played-worker.ts';

const ENTRY = fileURLToPath(new URL('./sample-worker.ts', import.meta.url));

interface SampleFigures {
  readonly pid: number;
  readonly served: number;
}

interface Settings extends Partial<Omit<WorkerPoolOptions, 'limits'>> {
  readonly limits?: Partial<Limits>;
}

function openPool({ limits = {}, ...others }: Settings = {}): WorkerPool {
  return new WorkerPool({
    count: 2,
    entry: ENTRY,
    clock: systemClock,
    limits: resolveLimits(limits),
    logger: silentLogger,
    metrics: noMetrics,
    counted: (figures) => [figures],
    merge: async (figures) => figures.flat(),
    ...others,
  });
}

/** A logger that keeps what it is told of errors. */
class Errors {
  readonly told: string[] = [];
  readonly delays: unknown[] = [];
  readonly logger: Logger = {
    ...silentLogger,
    error: (fields, message) => {
      this.told.push(message);
      if ('delayMs' in fields) this.delays.push(fields.delayMs);
    },
  };
}

/** The processes that serve now. */
async function servingPids(pool: WorkerPool): Promise<readonly number[]> {
  const figures = (await pool.figures()) as (SampleFigures | SampleFigures[])[];
  return figures.flatMap((one) => (Array.isArray(one) || one.served === 0 ? [] : [one.pid]));
}

async function until<Value>(look: () => Promise<Value>, isIt: (value: Value) => boolean): Promise<Value> {
  for (;;) {
    const value = await look();
    if (isIt(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('workers serve when they are told to, and end when they are told to', async () => {
  const pool = openPool();
  const lines: number[] = [];
  pool.onLine(({ peer }) => lines.push(peer));
  assert.deepEqual(await servingPids(pool), []);
  await pool.serve(() => 'serve');
  const pids = await servingPids(pool);
  assert.equal(pids.length, 2);
  assert.deepEqual(lines, [1, 2]);
  await pool.drain(10_000);
  assert.deepEqual(pids.filter(isAlive), []);
});

test('a worker that dies is replaced by one with another number, which serves, and its figures are kept', async () => {
  const pool = openPool();
  const lines: number[] = [];
  const closed: number[] = [];
  pool.onLine((line) => {
    lines.push(line.peer);
    line.onClosed(() => closed.push(line.peer));
  });
  await pool.serve(() => 'serve');
  const [first, second] = await servingPids(pool);
  process.kill(first, 'SIGKILL');
  const pids = await until(
    () => servingPids(pool),
    (serving) => serving.length === 2 && !serving.includes(first),
  );
  assert.ok(pids.includes(second));
  assert.deepEqual(lines, [1, 2, 3]);
  assert.equal(closed.length, 1);
  const kept = ((await pool.figures()) as unknown[]).filter((one) => Array.isArray(one)).flat();
  assert.deepEqual(
    (kept as SampleFigures[]).map(({ pid }) => pid),
    [first],
  );
  await pool.destroy();
});

test('a worker that does not answer for workerSilenceTimeoutMs is killed and replaced', async () => {
  const pool = openPool({ count: 1, limits: { workerSilenceTimeoutMs: 400 } });
  await pool.serve(() => 'serve');
  const [stuck] = await servingPids(pool);
  process.kill(stuck, 'SIGSTOP');
  const [other] = await until(
    () => servingPids(pool),
    (serving) => serving.length === 1 && serving[0] !== stuck,
  );
  assert.notEqual(other, stuck);
  assert.equal(isAlive(stuck), false);
  await pool.destroy();
});

test('one that does not end in time is killed', async () => {
  const pool = openPool({ count: 1 });
  await pool.serve(() => 'serve');
  const [stuck] = await servingPids(pool);
  process.kill(stuck, 'SIGSTOP');
  await pool.drain(50);
  assert.equal(isAlive(stuck), false);
});

test('figures come without those of a worker that does not answer within workerAnswerTimeoutMs', async () => {
  const pool = openPool({ count: 2 });
  await pool.serve(() => 'serve');
  const [stuck, other] = await servingPids(pool);
  process.kill(stuck, 'SIGSTOP');
  // Those that are known from before.
  assert.deepEqual([...(await servingPids(pool))].sort(), [stuck, other].sort());
  process.kill(stuck, 'SIGCONT');
  await pool.destroy();
});

test('a worker that cannot begin to serve is ended, said to be so, and tried again later and later', async () => {
  const { told, delays, logger } = new Errors();
  const pool = openPool({ count: 1, logger });
  await pool.serve(() => 'fail');
  await until(
    async () => delays.length,
    (count) => count >= 3,
  );
  assert.deepEqual(delays.slice(0, 3), [0, 100, 200]);
  assert.ok(told.includes('A worker could not begin to serve'));
  await pool.destroy();
});

test('one that dies before it serves is said to have died, and nothing else', async () => {
  const { told, logger } = new Errors();
  const played = [1, 2].map((pid) => new PlayedWorker(pid));
  let started = 0;
  const pool = openPool({ count: 1, logger, startProcess: () => played[started++].process });
  const serving = pool.serve(() => 'serve');
  played[0].kill();
  await serving;
  await until(
    async () => started,
    (count) => count === 2,
  );
  assert.deepEqual(told, ['A worker has died and is being replaced; its clients connect again']);
  await pool.destroy();
});

test('tidegate_workers counts the processes that serve, and not those that are about to', async () => {
  let count = (): number => 0;
  const metrics: Metrics = {
    ...noMetrics,
    observedGauge({ name }, read) {
      if (name === 'tidegate_workers') count = read;
    },
  };
  const played = [1, 2, 3].map((pid) => new PlayedWorker(pid));
  let started = 0;
  const pool = openPool({ metrics, startProcess: () => played[started++].process });
  assert.equal(count(), 1);
  const serving = pool.serve(() => 'serve');
  await played[0].answer('serve');
  await until(
    async () => count(),
    (now) => now === 2,
  );
  await played[1].answer('serve');
  await serving;
  assert.equal(count(), 3);
  played[0].kill();
  await until(
    async () => started,
    (now) => now === 3,
  );
  assert.equal(count(), 2);
  await pool.destroy();
  assert.equal(count(), 1);
});

test('what a worker has counted that dies while others are asked is there once', async () => {
  const played = [1, 2, 3].map((pid) => new PlayedWorker(pid));
  let started = 0;
  const pool = openPool({ startProcess: () => played[started++].process });
  const figures = pool.figures();
  await played[0].answer('figures', 'of the first');
  // A later answer on the same line, after which the first has been taken.
  const reached = pool.reached();
  await Promise.all([played[0].answer('pulse'), played[1].answer('pulse')]);
  await reached;
  played[0].kill();
  await until(
    async () => started,
    (count) => count === 3,
  );
  await played[1].answer('figures', 'of the second');
  assert.deepEqual(await figures, ['of the second', ['of the first']]);
  await pool.destroy();
});

test('when no process can be made that is said, and tried again later and later', async () => {
  const { told, delays, logger } = new Errors();
  const lost = new EventEmitter();
  const unmade = new PlayedWorker(undefined);
  const played = new PlayedWorker(4);
  const attempts: readonly (() => ChildProcess)[] = [
    () => {
      throw new Error('spawn ENOMEM');
    },
    // As Node does without file descriptors for the pipe: there is not even a list of pipes.
    () => {
      setImmediate(() => lost.emit('error', new Error('spawn EMFILE')));
      return lost as ChildProcess;
    },
    () => {
      setImmediate(() => unmade.emit('error', new Error('spawn EAGAIN')));
      return unmade.process;
    },
    () => played.process,
  ];
  let started = 0;
  const pool = openPool({ count: 1, logger, startProcess: () => attempts[started++]() });
  const serving = pool.serve(() => 'serve');
  await played.answer('serve');
  await serving;
  assert.equal(started, 4);
  assert.deepEqual(delays, [0, 100, 200]);
  assert.deepEqual(new Set(told), new Set(['No process could be made for a worker, which is tried again']));
  await pool.destroy();
});

test('workerUnsentBytesMax is also what the owner may leave unread of what a worker says', async () => {
  const { told, logger } = new Errors();
  const bytes = 2 << 20;
  const roomy = openPool({ count: 1, logger });
  await roomy.serve(() => bytes);
  assert.equal((await servingPids(roomy)).length, 1);
  assert.deepEqual(told, []);
  await roomy.destroy();
  const narrow = openPool({ count: 1, logger, limits: { workerUnsentBytesMax: 1 << 20 } });
  await narrow.serve(() => bytes);
  await until(
    async () => told,
    ([first]) => first !== undefined,
  );
  assert.equal(told[0], 'A worker has died and is being replaced; its clients connect again');
  await narrow.destroy();
});
