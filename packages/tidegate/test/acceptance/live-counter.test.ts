import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { Crowd } from '../../../../examples/live-counter/crowd.ts';
import { increment, measure } from '../../../../examples/live-counter/measure.ts';
import { type Origin, startOrigin } from '../../../../examples/live-counter/origin-server.ts';
import { until } from '../listeners/lab.ts';
import { freePorts } from '../support/ports.ts';
import { ServerProcess } from '../support/server-process.ts';
import { findChromium } from './browser/find-chromium.ts';
import { launchChromium } from './browser/launch.ts';

const CHROMIUM = findChromium();
const WITH_CHROMIUM = { skip: CHROMIUM === null ? 'there is no Chromium on PATH' : false };
const CONFIG = new URL('../../../../examples/live-counter/tidegate.yaml', import.meta.url);
const PROCESSES = 2;
const WAIT = { timeout: 20_000 };

interface Example {
  readonly gateway: ServerProcess;
  readonly crowd: Crowd;
  /** The app, which can be ended and started again at the same address. */
  readonly origin: { running: Origin };
  restart(): Promise<Origin>;
}

/** The example as its README starts it, but for the ports, and for a count in the cache that is fresh throughout the test. */
async function openExample(t: TestContext, limits = '{}'): Promise<Example> {
  const [gripPort, originPort] = await freePorts(2);
  const config = (await readFile(CONFIG, 'utf8'))
    .replace('gripPort: 5561', `gripPort: ${gripPort}`)
    .replace('http://127.0.0.1:8092', `http://127.0.0.1:${originPort}`)
    .replace('ttl: 5s', 'ttl: 1h');
  const gateway = await ServerProcess.start({ config: `${config}\nlimits: ${limits}\n` });
  t.after(() => gateway.remove());
  const { url: publicUrl, adminUrl } = gateway;
  const crowd = new Crowd(`${publicUrl}/counter`);
  t.after(() => crowd.close());
  const restart = async (): Promise<Origin> => {
    const gripUrl = `http://127.0.0.1:${gripPort}/`;
    const started = await startOrigin(originPort, { publicUrl, adminUrl, gripUrl });
    t.after(() => started.close());
    return started;
  };
  const origin = { running: await restart() };
  const workers = async (): Promise<boolean> =>
    (await metricsOf(gateway)).includes(`tidegate_workers ${PROCESSES}`);
  while (!(await workers())) await new Promise((resolve) => setTimeout(resolve, 10));
  return { gateway, crowd, origin, restart };
}

async function metricsOf({ adminUrl }: ServerProcess): Promise<string> {
  return (await fetch(`${adminUrl}/metrics`)).text();
}

test('a crowd that comes while it is counted gets a count and every following one, for one request of each process, also while the app is down', async (t) => {
  const { gateway, crowd, origin, restart } = await openExample(t);
  const first = origin.running;
  const said: string[] = [];
  await measure({ crowd, viewers: 300, url: gateway.url, origin, restart, print: (line) => said.push(line) });
  assert.equal(crowd.size, 330);
  assert.deepEqual([crowd.wrong, crowd.lost], [0, 0]);
  // None of those who came while it was counted got less than what was counted from the first of them on.
  assert.ok(crowd.received >= 300 * 21 + 30, said.join('\n'));
  assert.ok(first.figures.asked >= 1 && first.figures.asked <= PROCESSES, said.join('\n'));
  assert.equal(origin.running.figures.asked, 0);
  assert.notEqual(origin.running, first);
});

test('whoever comes to a count that is old gets all that was counted since, from the log or from the app', async (t) => {
  const { gateway, crowd, origin } = await openExample(t, '{ gripRecoveryMessagesMax: 20 }');
  await crowd.add(40);
  const { figures } = origin.running;
  const asked = figures.asked;
  assert.ok(asked <= PROCESSES);
  for (let count = 1; count <= 15; count++) await increment(gateway.url);
  await crowd.add(40);
  await until(() => crowd.notAt(15) === 0);
  assert.equal(figures.asked, asked);
  // More than the gateway looks back for: it asks the app for what is missing, once for all who miss the same.
  for (let count = 16; count <= 60; count++) await increment(gateway.url);
  await crowd.add(40);
  await until(() => crowd.notAt(60) === 0);
  assert.ok(figures.asked > asked);
  await increment(gateway.url);
  await until(() => crowd.notAt(61) === 0);
  assert.deepEqual([crowd.wrong, crowd.lost], [0, 0]);
});

test('what many count at once is counted each, and goes on after a restart of the app', async (t) => {
  const { gateway, crowd, origin, restart } = await openExample(t);
  await crowd.add(20);
  const counts = await Promise.all(Array.from({ length: 50 }, () => increment(gateway.url)));
  assert.deepEqual(
    counts.toSorted((a, b) => a - b),
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
  await until(() => crowd.notAt(50) === 0);
  await origin.running.close();
  origin.running = await restart();
  assert.equal(await increment(gateway.url), 51);
  await until(() => crowd.notAt(51) === 0);
  assert.deepEqual([crowd.wrong, crowd.lost], [0, 0]);
});

test('the page shows the count, counts, and goes on while the app is down', WITH_CHROMIUM, async (t) => {
  const { gateway, origin, restart } = await openExample(t);
  const browser = await launchChromium(CHROMIUM ?? '');
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  const shows = (id: string, text: string): Promise<unknown> =>
    page.waitForSelector(`#${id}:text-is("${text}")`, WAIT);
  await page.goto(gateway.url);
  await shows('count', '0');
  await page.click('#more');
  await shows('count', '1');
  await shows('viewers', '1');
  await shows('counted', '1');
  assert.equal(
    await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth'),
    false,
  );
  await origin.running.close();
  await page.click('#more');
  await page.waitForSelector('#problem:text-matches("does not answer")', WAIT);
  await shows('count', '1');
  origin.running = await restart();
  await page.click('#more');
  await shows('count', '2');
  await page.waitForSelector('#problem:text-is("")', { ...WAIT, state: 'attached' });
  await page.waitForSelector('#phase[data-phase="live"]', WAIT);
  assert.deepEqual(complaints, []);
});
