import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { EventSource } from 'eventsource';
import type { Page } from 'playwright-core';
import { type Board, boardAt, readAirports } from '../../../../examples/live-departures/departures/index.ts';
import { type Origin, startOrigin } from '../../../../examples/live-departures/origin-server.ts';
import { countViewers } from '../../../../examples/live-departures/viewers.ts';
import { ServerProcess } from '../support/server-process.ts';
import { findChromium } from './browser/find-chromium.ts';
import { launchChromium } from './browser/launch.ts';

const CHROMIUM = findChromium();
const WITH_CHROMIUM = { skip: CHROMIUM === null ? 'there is no Chromium on PATH' : false };
const CONFIG = new URL('../../../../examples/live-departures/tidegate.yaml', import.meta.url);
const WAIT = { timeout: 20_000 };
/** What the page shows first. */
const AIRPORT = 'ORD';

/** Notes the rows that flash, in the order in which they do. */
const NOTE_FLASHES = `
  window.flashed = [];
  const { animate } = Element.prototype;
  Element.prototype.animate = function (...args) {
    window.flashed.push(this.id);
    return animate.apply(this, args);
  };`;

interface Example {
  readonly gateway: ServerProcess;
  readonly origin: Origin;
  readonly page: Page;
  /** What the page complained of: exceptions, and errors on its console. */
  readonly complaints: readonly string[];
  /** The minute after midnight that the boards show. */
  readonly clock: { minute: number };
  /** After it was closed, at the same address. */
  startOriginAgain(): Promise<void>;
}

/** The example as its README starts it, but for the ports, the interval and the clock of the boards. */
async function openExample(t: TestContext, every: string): Promise<Example> {
  const clock = { minute: 12 * 60 };
  let adminUrl = '';
  const startAt = async (port: number): Promise<Origin> => {
    const viewers = (): Promise<number | null> => countViewers(adminUrl);
    const origin = await startOrigin({ port, minute: () => clock.minute, viewers });
    t.after(() => origin.close());
    return origin;
  };
  const origin = await startAt(0);
  const config = (await readFile(CONFIG, 'utf8'))
    .replace('http://127.0.0.1:8091', origin.url)
    .replace('every: 2s', `every: ${every}`);
  const gateway = await ServerProcess.start({ config });
  t.after(() => gateway.remove());
  adminUrl = gateway.adminUrl;
  const browser = await launchChromium(CHROMIUM ?? '');
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.addInitScript(NOTE_FLASHES);
  await page.goto(gateway.url);
  const startOriginAgain = async (): Promise<void> => {
    await startAt(Number(new URL(origin.url).port));
  };
  return { gateway, origin, page, complaints, clock, startOriginAgain };
}

async function phaseIs(page: Page, phase: string): Promise<void> {
  await page.waitForSelector(`#phase[data-phase="${phase}"]`, WAIT);
}

async function textIs(page: Page, id: string, text: string): Promise<void> {
  await page.waitForSelector(`#${id}:text-is("${text}")`, WAIT);
}

async function boardOf(minute: number): Promise<Board> {
  const airport = (await readAirports()).get(AIRPORT);
  assert.ok(airport);
  return boardAt(airport, minute);
}

/** Waits until the page shows the time of the board, and compares all of it. */
async function showsBoard(page: Page, minute: number): Promise<void> {
  const board = await boardOf(minute);
  await textIs(page, 'clock', board.time);
  const rows = await page.$$eval('#departures tr', (all) =>
    all.map((row) => [row.id, ...[...row.children].map((cell) => cell.textContent)]),
  );
  const expected = Object.entries(board.departures).map(([id, { scheduled, city, expected, status }]) => [
    id,
    scheduled,
    city,
    expected === scheduled ? '' : expected,
    status,
  ]);
  assert.ok(expected.length > 0);
  assert.deepEqual(rows.sort(), expected.sort());
}

test('the page shows what changes, and lets the rows flash that do', WITH_CHROMIUM, async (t) => {
  const { page, clock, complaints } = await openExample(t, '100ms');
  await phaseIs(page, 'live');
  await showsBoard(page, clock.minute);
  assert.deepEqual(await page.evaluate('flashed'), []);
  assert.match((await page.textContent('#event-kind')) ?? '', /^snapshot/);

  const before = (await boardOf(clock.minute)).departures;
  clock.minute += 2;
  await showsBoard(page, clock.minute);
  const after = (await boardOf(clock.minute)).departures;
  const changed = Object.keys(after).filter((id) => JSON.stringify(after[id]) !== JSON.stringify(before[id]));
  assert.ok(changed.length > 0 && changed.length < Object.keys(after).length);
  assert.deepEqual(((await page.evaluate('flashed')) as string[]).sort(), changed.sort());
  assert.match((await page.textContent('#event-kind')) ?? '', /^patch/);

  // So much of it is new that the whole value is shorter than what has changed.
  clock.minute += 300;
  await showsBoard(page, clock.minute);
  assert.match((await page.textContent('#event-kind')) ?? '', /^snapshot/);
  assert.equal(
    await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth'),
    false,
  );
  assert.deepEqual(complaints, []);
});

test('another airport is another value, with requests of its own', WITH_CHROMIUM, async (t) => {
  const { page, origin, complaints } = await openExample(t, '1h');
  await textIs(page, 'city', 'Chicago');
  await page.selectOption('#airport', 'DFW');
  await textIs(page, 'city', 'Dallas-Fort Worth');
  assert.match((await page.getAttribute('#departures tr', 'id')) ?? '', /^DFW-/);
  await textIs(page, 'viewers', '1');
  assert.equal(origin.requests, 2);
  assert.deepEqual(complaints, []);
});

test('twenty-one viewers cost the API one request in each interval', WITH_CHROMIUM, async (t) => {
  // The interval does not end during the test, so that it is the same one for all.
  const { gateway, page, origin, complaints } = await openExample(t, '1h');
  await phaseIs(page, 'live');
  const url = `${gateway.url}/api/departures?airport=${AIRPORT}`;
  const sources = Array.from({ length: 10 }, () => new EventSource(url));
  t.after(() => {
    for (const source of sources) source.close();
  });
  const first = await Promise.all(sources.map((source) => once(source, 'snapshot')));
  assert.equal(new Set(first.map(([event]) => (event as MessageEvent).data)).size, 1);
  await textIs(page, 'viewers', '11');
  await page.click('#more');
  await textIs(page, 'viewers', '21');
  await textIs(page, 'requests', '1');
  assert.equal(origin.requests, 1);
  assert.deepEqual(complaints, []);
});

test('the page goes on after a kill of the gateway', WITH_CHROMIUM, async (t) => {
  const { gateway, page, clock } = await openExample(t, '100ms');
  await phaseIs(page, 'live');
  await showsBoard(page, clock.minute);
  await gateway.kill();
  await phaseIs(page, 'reconnecting');
  await showsBoard(page, clock.minute);
  clock.minute += 2;
  await gateway.start();
  await phaseIs(page, 'live');
  await showsBoard(page, clock.minute);
  clock.minute += 2;
  await showsBoard(page, clock.minute);
});

test('the page keeps the last board while the API is down, and goes on', WITH_CHROMIUM, async (t) => {
  const { page, origin, clock, startOriginAgain } = await openExample(t, '100ms');
  await phaseIs(page, 'live');
  await showsBoard(page, clock.minute);
  await origin.close();
  await phaseIs(page, 'stale');
  await showsBoard(page, clock.minute);
  clock.minute += 2;
  await startOriginAgain();
  await phaseIs(page, 'live');
  await showsBoard(page, clock.minute);
});

test('the page goes on after an answer that makes an EventSource give up', WITH_CHROMIUM, async (t) => {
  const { gateway, page, origin, clock, startOriginAgain } = await openExample(t, '100ms');
  await phaseIs(page, 'live');
  await showsBoard(page, clock.minute);
  await gateway.kill();
  await origin.close();
  const refused = page.waitForResponse(
    (response) => response.url().includes('/api/departures') && response.status() === 502,
    WAIT,
  );
  await gateway.start();
  await refused;
  await phaseIs(page, 'reconnecting');
  clock.minute += 2;
  await startOriginAgain();
  await phaseIs(page, 'live');
  await showsBoard(page, clock.minute);
});
