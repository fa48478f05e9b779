import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Crowd } from './crowd.ts';
import { countProcesses } from './gateway.ts';
import { increment, measure } from './measure.ts';
import { openFilesMax } from './open-files.ts';
import { type Origin, startOrigin } from './origin-server.ts';

const HELP = `The counter, its gateway, and those who watch.

  node examples/live-counter/demo.ts [options]

  --viewers N   how many watch (10000)
  --once        ends after the measurement, and leaves nothing for a browser
`;

const ROOT = join(import.meta.dirname, '../..');
const GATEWAY = {
  publicUrl: 'http://127.0.0.1:8080',
  adminUrl: 'http://127.0.0.1:8081',
  gripUrl: 'http://127.0.0.1:5561/',
};
const READY_TIMEOUT_MS = 20_000;
const ORIGIN_PORT = 8092;
const PROCESSES = 2;
/** How often somebody counts one more while the demo runs. */
const COUNTING_MS = 1000;

const print = (line: string): boolean => process.stdout.write(`${line}\n`);

/** Whether the gateway serves, by all processes that tidegate.yaml asks for. */
async function isReady(): Promise<boolean> {
  return (await countProcesses(GATEWAY.adminUrl)) === PROCESSES;
}

/** Starts the gateway, unless one answers already. Returns what ends it. */
async function startGateway(): Promise<() => Promise<void>> {
  if (await isReady()) {
    print(
      `Using the server at ${GATEWAY.publicUrl}. It needs the routes of examples/live-counter/tidegate.yaml.`,
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
  return async () => {
    child.kill('SIGTERM');
    await ended;
  };
}

const { values } = parseArgs({
  options: {
    viewers: { type: 'string', default: '10000' },
    once: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) print(HELP);
else await run(Number(values.viewers), values.once ? 'once' : 'until stopped');

async function run(wanted: number, until: 'once' | 'until stopped'): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const viewers = Math.min(wanted, openFilesMax());
  if (viewers < wanted) print(`This process may open files for ${viewers} clients only: see ulimit -Hn.`);
  const crowd = new Crowd(`${GATEWAY.publicUrl}/counter`);
  const figures = { asked: 0, counted: 0 };
  const start = (): Promise<Origin> => startOrigin(ORIGIN_PORT, GATEWAY, figures);
  const app: { running: Origin } = { running: await start() };
  try {
    const endGateway = await startGateway();
    await measure({
      crowd,
      viewers,
      url: GATEWAY.publicUrl,
      origin: app,
      restart: start,
      print,
    });
    if (until === 'until stopped') {
      print(`\n  Open ${GATEWAY.publicUrl} in a browser. Ctrl-C ends everything.\n`);
      while (!stop.signal.aborted) {
        await increment(GATEWAY.publicUrl).catch(() => {});
        await delay(COUNTING_MS, undefined, { signal: stop.signal }).catch(() => {});
      }
    }
    crowd.close();
    await endGateway();
  } finally {
    crowd.close();
    await app.running.close();
  }
}
