import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Channel } from '@fanoutio/grip';
import { ServeGrip } from '@fanoutio/serve-grip';
import express from 'express';
import { Counter } from './counter.ts';
import { countViewers, lastPublished } from './gateway.ts';

const CHANNEL = 'counter';
const KEY = 'changeme';
const KEEP_ALIVE_SECONDS = 25;

/** Where the gateway is. */
export interface GatewayUrls {
  /** `http://127.0.0.1:8080` */
  readonly publicUrl: string;
  readonly adminUrl: string;
  readonly gripUrl: string;
}

/** How often the app was asked for something. */
export interface Figures {
  /** For the count, by clients or by the gateway for them. */
  asked: number;
  /** To count one more. */
  counted: number;
}

/**
 * The counter and its page, as an Express app with serve-grip: nothing in it knows how many watch. It keeps no state of its own either; after a
 * restart it goes on from what it published last.
 */
export function createApp({ publicUrl, adminUrl, gripUrl }: GatewayUrls, figures: Figures): RequestListener {
  const grip = new ServeGrip({ grip: { control_uri: gripUrl, key: KEY }, gripProxyRequired: true });
  const counter = new Counter(
    () => lastPublished(publicUrl, CHANNEL),
    (count) =>
      grip.getPublisher().publishHttpStream(CHANNEL, eventOf(count), String(count), String(count - 1)),
  );
  const app = express();
  app.disable('x-powered-by');

  app.get('/counter', grip, async (request, response) => {
    figures.asked++;
    const count = await counter.current();
    const instruct = response.grip!.startInstruct();
    // The client has everything up to this count. What comes after it in the channel is for the gateway to find.
    instruct.addChannel(new Channel(CHANNEL, String(count)));
    instruct.setHoldStream();
    instruct.setKeepAlive(':\n\n', KEEP_ALIVE_SECONDS);
    instruct.setNextLink('/counter');
    response.setHeader('Content-Type', 'text/event-stream');
    response.end(eventsUpTo(count, lastIdOf(request)));
  });

  // Not at the address of the count, which a successful POST would take out of the cache (RFC 9111, section 4.4): there would be nothing for
  // newcomers if the app went down now.
  app.post('/increments', async (_request, response) => {
    figures.counted++;
    sendJson(response, { count: await counter.increment() });
  });

  app.get('/figures', async (_request, response) => {
    response.setHeader('Cache-Control', 'max-age=1');
    sendJson(response, { ...figures, viewers: await countViewers(adminUrl) });
  });

  app.use(
    express.static(join(import.meta.dirname, 'page'), {
      setHeaders(response) {
        response.setHeader('Content-Security-Policy', "default-src 'self'");
        response.setHeader('X-Content-Type-Options', 'nosniff');
      },
    }),
  );

  // Four parameters make it the handler of errors.
  app.use((error: Error, request: IncomingMessage, response: ServerResponse, next: () => void) => {
    if (response.headersSent) {
      next();
      return;
    }
    process.stderr.write(`${request.method} ${request.url}: ${error.message}\n`);
    response.statusCode = 503;
    sendJson(response, { error: 'The count is not known or could not be published.' });
  });
  return app;
}

const eventOf = (count: number): string => `id: ${count}\ndata: ${count}\n\n`;

/** The present count to a newcomer. To the gateway, which asks on behalf of clients that have an earlier one, every count since. */
function eventsUpTo(count: number, last: number | null): string {
  if (last === null) return eventOf(count);
  let events = '';
  for (let next = last + 1; next <= count; next++) events += eventOf(next);
  return events;
}

/** What the gateway says that its clients have: `Grip-Last: counter; last-id=41`. */
function lastIdOf({ headers }: IncomingMessage): number | null {
  const id = /last-id=([0-9]+)/.exec(String(headers['grip-last'] ?? ''))?.[1];
  return id === undefined ? null : Number(id);
}

function sendJson(response: ServerResponse, value: object): void {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(value));
}
