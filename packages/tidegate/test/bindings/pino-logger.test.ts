import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createPinoLogger } from '../../src/bindings/index.ts';
import { type Logger, TidegateError } from '../../src/kernel/index.ts';

/** What a logger at `level` writes while `use` uses it. */
async function written(
  level: 'debug' | 'info' | 'warn' | 'error',
  isTTY: { readonly isTTY: true } | object,
  use: (logger: Logger) => void,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-test-'));
  const handle = await open(join(folder, 'log'), 'w');
  try {
    use(createPinoLogger(level, { fd: handle.fd, ...isTTY }));
    return await readFile(join(folder, 'log'), 'utf8');
  } finally {
    await handle.close();
    await rm(folder, { recursive: true });
  }
}

test('away from a terminal each event is one JSON object on a line', async () => {
  const text = await written('info', {}, (logger) => {
    logger.debug({}, 'Too small to be told');
    logger.info({ topic: 'orders' }, 'Created a topic');
  });
  const [line, ...rest] = text.trimEnd().split('\n');
  assert.deepEqual(rest, []);
  const { time, ...event } = JSON.parse(line);
  assert.match(time, /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(event, { level: 'info', topic: 'orders', msg: 'Created a topic' });
});

test('an error is logged with its code and its cause', async () => {
  const error = new TidegateError('log_write_failed', 'partition 3', {
    cause: new Error('the disk is gone'),
  });
  const text = await written('error', {}, (logger) => logger.error({ error }, 'Failed'));
  const event = JSON.parse(text);
  assert.equal(event.error.code, 'log_write_failed');
  assert.match(event.error.stack, /the disk is gone/);
});

test('on a terminal the events are lines for people', async () => {
  const text = await written('info', { isTTY: true }, (logger) =>
    logger.warn({ topic: 'orders' }, 'Slow disk'),
  );
  assert.match(text, /Slow disk/);
  assert.match(text, /orders/);
  assert.throws(() => JSON.parse(text));
});
