import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { FEED_NAMES } from '../../../../examples/earthquakes/feed/index.ts';
import { servePage } from '../../../../examples/earthquakes/page-server.ts';
import { freePorts } from '../support/ports.ts';
import { ServerProcess } from '../support/server-process.ts';
import { findChromium } from './browser/find-chromium.ts';
import { launchChromium } from './browser/launch.ts';
import { publicationsOf } from './publication.ts';
import { startReplay } from './replay-process.ts';

const CHROMIUM = findChromium();
const CONFIG = new URL('../../../../examples/earthquakes/tidegate.yaml', import.meta.url);
const FEEDS = ['earthquakes', 'stocks', 'flights'];
const WAIT = { timeout: 20_000 };

interface Example {
  readonly server: ServerProcess;
  readonly page: Page;
  /** What the page complained of: exceptions, and errors on its console. */
  readonly complaints: readonly string[];
}

/** The example as its README starts it, but for the ports: the server with its config, the page, and a browser on it. */
async function openExample(
  t: TestContext,
  view: { readonly width: number; readonly height: number },
): Promise<Example> {
  const [port] = await freePorts(1);
  const config = (await readFile(CONFIG, 'utf8')).replace(
    'http://127.0.0.1:8090',
    `http://127.0.0.1:${port}`,
  );
  const server = await ServerProcess.start({ config });
  t.after(() => server.remove());
  const pageServer = await servePage({ port, tidegateUrl: server.url });
  t.after(() => pageServer.close());
  const browser = await launchChromium(CHROMIUM ?? '');
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: view, reducedMotion: 'reduce' });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(pageServer.url);
  return { server, page, complaints };
}

async function phaseIs(page: Page, phase: string): Promise<void> {
  for (const feed of FEEDS) await page.waitForSelector(`[data-feed="${feed}"][data-phase="${phase}"]`, WAIT);
}

async function countsAre(page: Page, counts: readonly number[]): Promise<void> {
  for (const [index, feed] of FEEDS.entries()) {
    await page.waitForSelector(`[data-feed="${feed}"][data-count="${counts[index]}"]`, WAIT);
  }
}

/** Counts the painted pixels of the map's upper canvas, which shows quakes and flights. */
const PAINTED_PIXELS = `(() => {
  const canvas = document.querySelectorAll('#map canvas')[1];
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let painted = 0;
  for (let i = 3; i < data.length; i += 4) if (data[i] > 0) painted++;
  return painted;
})()`;

/** Waits for the frame in which the map has quakes. The page's own policy forbids `waitForFunction`, which evaluates text. */
async function mapShowsQuakes(page: Page): Promise<void> {
  const deadlineMs = performance.now() + WAIT.timeout;
  for (;;) {
    const painted = await page.evaluate<number>(PAINTED_PIXELS);
    if (painted > 1000) return;
    assert.ok(performance.now() < deadlineMs, `the map shows no quakes: ${painted} pixels are painted`);
    await delay(50);
  }
}

async function overflows(page: Page): Promise<boolean> {
  return page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
}

test('the page shows every event of the replay once, and goes on after a kill of the server', {
  skip: CHROMIUM === null ? 'there is no Chromium on PATH' : false,
}, async (t) => {
  const { server, page, complaints } = await openExample(t, { width: 1280, height: 800 });
  await phaseIs(page, 'live');
  assert.equal(await page.evaluate(PAINTED_PIXELS), 0);

  const first = startReplay({ url: server.url, feeds: FEED_NAMES, speed: 'max', run: 'first' });
  t.after(() => first.kill());
  await first.done;
  const published = await publicationsOf(FEED_NAMES);
  const counts = FEED_NAMES.map(
    (feed) => published.filter(({ channel }) => channel.startsWith(`${feed}/`)).length,
  );
  await countsAre(page, counts);
  assert.deepEqual(complaints, []);
  assert.equal(await page.textContent('#quake-count'), counts[0].toLocaleString('en'));
  await mapShowsQuakes(page);
  assert.equal(await page.locator('#stocks polyline').count(), 5);
  assert.equal(await page.locator('#airports li').count(), 8);
  assert.ok((await page.locator('#latest li').count()) > 0);

  await server.kill();
  await phaseIs(page, 'reconnecting');
  for (const detail of await page.locator('[data-feed] .detail').allTextContents())
    assert.match(detail, /^from .+/);
  await server.start();
  const second = startReplay({ url: server.url, feeds: FEED_NAMES, speed: 'max', run: 'second' });
  t.after(() => second.kill());
  await second.done;
  await phaseIs(page, 'live');
  await countsAre(
    page,
    counts.map((count) => 2 * count),
  );
});

test('a page that is opened later shows what was there before', {
  skip: CHROMIUM === null ? 'there is no Chromium on PATH' : false,
}, async (t) => {
  const { server, page, complaints } = await openExample(t, { width: 360, height: 740 });
  await phaseIs(page, 'live');
  const replay = startReplay({ url: server.url, feeds: FEED_NAMES, speed: 'max', run: 'once' });
  t.after(() => replay.kill());
  await replay.done;
  await page.reload();
  await countsAre(page, [500, 560, 1000]);
  assert.equal(await overflows(page), false);
  await page.getByRole('button', { name: 'North America' }).click();
  await page.setViewportSize({ width: 1600, height: 900 });
  assert.equal(await overflows(page), false);
  await mapShowsQuakes(page);
  assert.deepEqual(complaints, []);
});
