import type { Browser, Page } from 'playwright-core';
import { type RunningClient, type Subscription, subscriptionUrl } from '../clients/index.ts';
import { launchChromium } from './launch.ts';
import { servePageOrigin } from './page-origin.ts';

/** Chromium opens six connections to one address at a time, of which event streams keep theirs. */
const EVENT_SOURCES_PER_CONTEXT = 4;
const TAKE_INTERVAL_MS = 200;

/** What `take` of subscribers.js returns for each subscriber. */
interface Taken {
  readonly number: number;
  readonly connections: number;
  readonly deliveries: readonly (readonly [cursor: string, data: string])[];
  readonly envelopes: readonly string[];
  readonly troubles: readonly string[];
}

export interface ChromiumSubscribersOptions {
  readonly executablePath: string;
  /** The port of the page's origin, `http://127.0.0.1:PORT`. */
  readonly originPort: number;
  readonly eventSources: readonly Subscription[];
  readonly webSockets: readonly Subscription[];
}

/** Subscribers inside Chromium, in a few pages that share no connections. */
export async function startChromiumSubscribers(options: ChromiumSubscribersOptions): Promise<RunningClient> {
  const origin = await servePageOrigin(options.originPort);
  const browser = await launchChromium(options.executablePath);
  const subscriptions: Subscription[] = [];
  const pages: Page[] = [];
  const contexts = Math.ceil(options.eventSources.length / EVENT_SOURCES_PER_CONTEXT);
  for (let index = 0; index < contexts; index++) {
    const page = await openPage(browser, origin.origin);
    pages.push(page);
    const mine = (_: Subscription, place: number): boolean => place % contexts === index;
    for (const subscription of options.eventSources.filter(mine)) {
      const number = subscriptions.push(subscription) - 1;
      await page.evaluate(`startEventSource(${number}, ${JSON.stringify(subscriptionUrl(subscription))})`);
    }
    for (const subscription of options.webSockets.filter(mine)) {
      const number = subscriptions.push(subscription) - 1;
      const url = subscriptionUrl(subscription, { envelope: 'json' }).replace(/^http/, 'ws');
      await page.evaluate(`startWebSocket(${number}, ${JSON.stringify(url)})`);
    }
  }
  return {
    close: takeRegularly(pages, subscriptions, async () => {
      await browser.close();
      await origin.close();
    }),
  };
}

async function openPage(browser: Browser, origin: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(origin);
  return page;
}

/** Moves what the pages received into the records until the returned function is called, which then calls `end`. */
function takeRegularly(
  pages: readonly Page[],
  subscriptions: readonly Subscription[],
  end: () => Promise<void>,
): () => Promise<void> {
  let closed = false;
  const connections = new Map<number, number>();
  const repeat = async (): Promise<void> => {
    while (!closed) {
      for (const page of pages)
        for (const taken of (await page.evaluate('take()')) as readonly Taken[]) record(taken);
      await new Promise((resolve) => setTimeout(resolve, TAKE_INTERVAL_MS));
    }
  };
  const record = (taken: Taken): void => {
    const { pattern, record } = subscriptions[taken.number];
    for (let known = connections.get(taken.number) ?? 0; known < taken.connections; known++)
      record.connected();
    connections.set(taken.number, taken.connections);
    for (const [cursor, data] of taken.deliveries) record.delivered({ cursor, channel: pattern, data });
    for (const envelope of taken.envelopes) record.enveloped(envelope);
    for (const trouble of taken.troubles) record.trouble(trouble);
  };
  const done = repeat();
  return async () => {
    closed = true;
    await done;
    await end();
  };
}
