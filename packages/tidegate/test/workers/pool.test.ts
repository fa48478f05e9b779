import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Logger, noMetrics, resolveLimits, silentLogger, systemClock } from '../../src/kernel/index.ts';
import { WorkerPool } from '../../src/workers/index.ts';

const ENTRY = fileURLToPath(new URL('./sample-worker.ts', import.meta.url));

interface SampleFigures {
  readonly pid: number;
  readonly served: number;
}

interface Settings {
  readonly count?: number;
  readonly silenceMs?: number;
  readonly logger?: Logger;
}

function openPool({ count = 2, silenceMs = 15_000, logger = silentLogger }: Settings = {}): WorkerPool {
  return new WorkerPool({
    count,
    entry: ENTRY,
    clock: systemClock,
    limits: resolveLimits({ workerSilenceTimeoutMs: silenceMs }),
    logger,
    metrics: noMetrics,
    counted: (figures) => [figures],
    merge: async (figures) => figures.flat(),
  });
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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
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
  const pool = openPool({ count: 1, silenceMs: 400 });
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
  const told: string[] = [];
  const delays: unknown[] = [];
  const logger: Logger = {
    ...silentLogger,
    error(fields, message) {
      told.push(message);
      if ('delayMs' in fields) delays.push(fields.delayMs);
    },
  };
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
