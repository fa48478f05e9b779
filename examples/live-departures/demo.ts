import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { minuteAfter } from './departures/index.ts';
import { startOrigin } from './origin-server.ts';
import { countViewers } from './viewers.ts';

const ROOT = join(import.meta.dirname, '../..');
const GATEWAY_URL = 'http://127.0.0.1:8080';
const ADMIN_URL = 'http://127.0.0.1:8081';
const READY_TIMEOUT_MS = 20_000;
const ORIGIN_PORT = 8091;
const SPEED = 60;

const print = (line: string): boolean => process.stdout.write(`${line}\n`);

async function isReady(): Promise<boolean> {
  try {
    return (await fetch(`${ADMIN_URL}/readyz`)).ok;
  } catch {
    return false;
  }
}

/** Starts the gateway, unless one answers already. Returns what ends it. */
async function startGateway(): Promise<() => Promise<void>> {
  if (await isReady()) {
    print(
      `Using the server at ${GATEWAY_URL}. It needs the routes of examples/live-departures/tidegate.yaml.`,
    );
    return async () => {};
  }
  const program = join(ROOT, 'packages/tidegate/bin/tidegate.cjs');
  const config = join(import.meta.dirname, 'tidegate.yaml');
  const child = spawn(process.execPath, [program, 'start', '--config', config], { stdio: 'inherit' });
  // Whatever goes wrong here, no server is left behind.
  process.once('exit', () => child.kill('SIGTERM'));
  const ended = once(child, 'exit');
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error('the gateway did not start');
    if (performance.now() > deadlineMs)
      throw new Error(`the gateway was not ready after ${READY_TIMEOUT_MS} ms`);
    await delay(50);
  }
  print(`The gateway is process ${child.pid}: kill -9 ${child.pid} shows what a page does without it.`);
  return async () => {
    child.kill('SIGTERM');
    await ended;
  };
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const startedMs = performance.now();
const origin = await startOrigin({
  port: ORIGIN_PORT,
  minute: () => minuteAfter(performance.now() - startedMs, SPEED),
  viewers: () => countViewers(ADMIN_URL),
});
try {
  const endGateway = await startGateway();
  print(`\n  Open ${GATEWAY_URL} in a browser. Ctrl-C ends everything.\n`);
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
  await endGateway();
} finally {
  await origin.close();
}
