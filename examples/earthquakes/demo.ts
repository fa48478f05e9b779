import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FEED_NAMES, readFeeds } from './feed/index.ts';
import { servePage } from './page-server.ts';
import { replay } from './replay/index.ts';

const ROOT = join(import.meta.dirname, '../..');
const TIDEGATE_URL = 'http://127.0.0.1:8080';
const READY_URL = 'http://127.0.0.1:8081/readyz';
const READY_TIMEOUT_MS = 20_000;
const PAGE_PORT = 8090;

const print = (line: string): boolean => process.stdout.write(`${line}\n`);

async function isReady(): Promise<boolean> {
  try {
    return (await fetch(READY_URL)).ok;
  } catch {
    return false;
  }
}

/** Starts the server, unless one answers already. Returns what ends it. */
async function startServer(): Promise<() => Promise<void>> {
  if (await isReady()) {
    print(
      `Using the server at ${TIDEGATE_URL}. It needs the topics and the origins of examples/earthquakes/tidegate.yaml.`,
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
    if (child.exitCode !== null) throw new Error('the server did not start');
    if (performance.now() > deadlineMs)
      throw new Error(`the server was not ready after ${READY_TIMEOUT_MS} ms`);
    await delay(50);
  }
  print(`The server is process ${child.pid}: kill -9 ${child.pid} shows what a page does without it.`);
  return async () => {
    child.kill('SIGTERM');
    await ended;
  };
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const endServer = await startServer();
try {
  const page = await servePage({ port: PAGE_PORT, tidegateUrl: TIDEGATE_URL });
  print(`\n  Open ${page.url} in a browser. Ctrl-C ends everything.\n`);
  await replay({
    feeds: await readFeeds(FEED_NAMES),
    url: TIDEGATE_URL,
    speed: 1000,
    run: Date.now().toString(36),
    repeat: 'forever',
    print,
    signal: stop.signal,
  });
  await page.close();
} finally {
  await endServer();
}
