import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConfigReading, ConfigReload } from '../../src/control/index.ts';
import type { LogFields, Logger, Metrics } from '../../src/kernel/index.ts';
import { noMetrics, silentLogger, TidegateError } from '../../src/kernel/index.ts';
import { isCode, keySpec, memoryLog, openStore } from './fixture.ts';

interface Logged {
  readonly level: string;
  readonly fields: LogFields;
  readonly message: string;
}

const reading = (number: number, restart: readonly string[] = []): ConfigReading => ({
  kind: 'config',
  resources: [{ kind: 'key', name: 'app', spec: keySpec(number) }],
  restart,
});

async function lab(read: () => Promise<ConfigReading>) {
  const logged: Logged[] = [];
  const counts: Record<string, number> = {};
  const logger: Logger = { ...silentLogger };
  for (const level of ['debug', 'info', 'warn', 'error'] as const)
    logger[level] = (fields, message) => void logged.push({ level, fields, message });
  const metrics: Metrics = {
    ...noMetrics,
    counter: (spec, labels) => ({
      add(count) {
        const name = `${spec.name}{${labels?.join()}}`;
        counts[name] = (counts[name] ?? 0) + count;
      },
    }),
  };
  const declared = [{ kind: 'key', name: 'app', spec: keySpec(1) }];
  const resources = await openStore(memoryLog(), { declared });
  const reload = new ConfigReload({ resources, read, logger, metrics });
  const outcome = (name: string) => counts[`tidegate_config_reloads_total{${name}}`] ?? 0;
  return { reload, resources, logged, outcome };
}

test('a reading is counted and logged by what came of it, and what needs a restart is one warning', async () => {
  let next = reading(1);
  const { reload, logged, outcome } = await lab(async () => next);
  assert.deepEqual(await reload.reload(), { differences: [], hidden: [], restart: [] });
  assert.deepEqual([outcome('unchanged'), outcome('changed'), outcome('refused')], [1, 0, 0]);
  next = reading(2, ['limits.routesMax', 'workers']);
  const { differences, restart } = await reload.reload();
  assert.deepEqual([differences.length, restart], [1, ['limits.routesMax', 'workers']]);
  assert.deepEqual([outcome('unchanged'), outcome('changed'), outcome('refused')], [1, 1, 0]);
  const warnings = logged.filter(({ level }) => level === 'warn');
  assert.deepEqual(
    warnings.map(({ fields }) => fields),
    [{ restart: ['limits.routesMax', 'workers'] }],
  );
});

test('a refusal is one error with everything that is wrong, and leaves all as it was', async () => {
  const next: { reading: () => ConfigReading } = {
    reading: () => ({ kind: 'problems', problems: ['a.yaml:1:1: this.', 'a.yaml:2:1: that.'] }),
  };
  const { reload, resources, logged, outcome } = await lab(async () => next.reading());
  const before = resources.snapshot;
  await assert.rejects(reload.reload(), isCode('config_refused', /a\.yaml:1:1: this\.\na\.yaml:2:1: that\./));
  next.reading = () => {
    throw new TidegateError('config_unreadable', 'a.yaml: there is no such file');
  };
  await assert.rejects(
    reload.reload(),
    isCode('config_refused', /cannot be read: a\.yaml: there is no such/),
  );
  next.reading = () => ({
    kind: 'config',
    resources: [{ kind: 'key', name: 'x', spec: {} }],
    restart: ['data'],
  });
  await assert.rejects(reload.reload(), isCode('config_refused', /key "x": spec needs the member "hash"/));
  assert.equal(resources.snapshot, before);
  assert.equal(outcome('refused'), 3);
  assert.deepEqual(
    logged.map(({ level }) => level),
    ['error', 'error', 'error'],
  );
});

test('who asks while a reading is under way gets the next one, and all who ask meanwhile the same', async () => {
  const reads: ((reading: ConfigReading) => void)[] = [];
  const { reload } = await lab(() => new Promise((resolve) => reads.push(resolve)));
  const first = reload.reload();
  while (reads.length < 1) await new Promise(setImmediate);
  const others = [reload.reload(), reload.reload(), reload.reload()];
  reads[0](reading(2));
  assert.equal((await first).differences.length, 1);
  while (reads.length < 2) await new Promise(setImmediate);
  reads[1](reading(3));
  const results = await Promise.all(others);
  assert.equal(new Set(results).size, 1);
  assert.deepEqual(results[0].differences[0].after, keySpec(3));
  assert.equal(reads.length, 2);
});

test('once it is closed nothing is taken any more, also of what is being read', async () => {
  const reads: ((reading: ConfigReading) => void)[] = [];
  const { reload, resources, logged } = await lab(() => new Promise((resolve) => reads.push(resolve)));
  const first = reload.reload();
  while (reads.length < 1) await new Promise(setImmediate);
  reload.close();
  reads[0](reading(2));
  await assert.rejects(first, isCode('draining'));
  await assert.rejects(reload.reload(), isCode('draining'));
  assert.deepEqual(resources.snapshot.of('key').get('app'), keySpec(1));
  assert.deepEqual([reads.length, logged], [1, []]);
});
