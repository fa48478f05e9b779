import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import test, { type TestContext } from 'node:test';
import { Publisher, WebSocketMessageFormat } from '@fanoutio/grip';
import { ServeGrip } from '@fanoutio/serve-grip/node';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { EventSource } from 'eventsource';
import { Hono } from 'hono';
import { WebSocket } from 'ws';
import { until } from '../listeners/lab.ts';
import { behindGateway, type GripOrigin, KEY } from './grip-origin.ts';

// Applications in other frameworks, with libraries as their authors have published them.

const require = createRequire(import.meta.url);

/** What both libraries know of a WebSocket that comes as requests. */
interface SocketContext {
  isOpening(): boolean;
  accept(): void;
  subscribe(channel: string): void;
  canRecv(): boolean;
  /** Null for a close. */
  recv(): string | null;
  send(message: string): void;
  close(): void;
}

/** What serve-grip puts into the requests and responses of Node. */
type Gripped<Message> = Message & {
  readonly grip: {
    readonly isProxied: boolean;
    readonly isSigned: boolean;
    readonly wsContext: SocketContext | null;
    startInstruct(): {
      addChannel(channel: string): void;
      setHoldStream(): void;
      setHoldLongPoll(seconds: number): void;
    };
  };
};

/** Subscribes a new WebSocket, and says what it hears twice. */
function converse(socket: SocketContext): void {
  if (socket.isOpening()) {
    socket.accept();
    socket.subscribe('events');
    socket.send('welcome');
  }
  while (socket.canRecv()) {
    const message = socket.recv();
    if (message === null) {
      socket.close();
      return;
    }
    socket.send(`${message} ${message}`);
  }
}

/** A Hono application, which reaches the library by the requests of Node under it. */
function hono(gripUrl: string): RequestListener {
  const serveGrip = new ServeGrip({ grip: { control_uri: gripUrl, key: KEY }, gripVerifyKey: KEY });
  const application = new Hono<{ Bindings: HttpBindings }>();
  application.use(async ({ env }, next) => {
    await serveGrip.run(env.incoming as never, env.outgoing as never);
    await next();
  });
  application.get('/events', (context) => {
    const { grip } = context.env.outgoing as Gripped<ServerResponse>;
    const instruct = grip.startInstruct();
    instruct.addChannel('events');
    instruct.setHoldStream();
    return context.body('data: hello\n\n', 200, { 'Content-Type': 'text/event-stream' });
  });
  application.get('/wait', (context) => {
    const instruct = (context.env.outgoing as Gripped<ServerResponse>).grip.startInstruct();
    instruct.addChannel('events');
    instruct.setHoldLongPoll(20);
    return context.json({ nothing: true });
  });
  application.get('/plain', (context) => {
    const { isProxied, isSigned } = (context.env.incoming as Gripped<IncomingMessage>).grip;
    return context.json({ isProxied, isSigned });
  });
  application.post('/socket', (context) => {
    const { wsContext } = (context.env.incoming as Gripped<IncomingMessage>).grip;
    if (wsContext === null) return context.text('only for WebSockets', 400);
    converse(wsContext);
    return context.body(null);
  });
  return getRequestListener(application.fetch);
}

/** What is used of Express, and of express-grip, which bring no types. */
type Handler = (request: IncomingMessage, response: ExpressResponse, next: () => void) => void;
type ExpressResponse = ServerResponse & {
  readonly locals: { readonly gripProxied: boolean; readonly gripSigned: boolean };
  send(body: string): void;
  json(body: unknown): void;
};
type Express = RequestListener & {
  use(middleware: Handler): void;
  get(path: string, handler: Handler): void;
  post(path: string, handler: Handler): void;
};
interface ExpressGrip {
  readonly preHandlerGripMiddleware: Handler;
  readonly postHandlerGripMiddleware: Handler;
  configure(config: object): void;
  setHoldStream(response: ExpressResponse, channel: string): void;
  setHoldLongpoll(response: ExpressResponse, channel: string, seconds: number): void;
  getWsContext(response: ExpressResponse): SocketContext | null;
}

/** An Express application with express-grip, in the manner of its readme. */
function expressWithExpressGrip(gripUrl: string): RequestListener {
  const application = (require('express') as () => Express)();
  const expressGrip = require('express-grip') as ExpressGrip;
  expressGrip.configure({
    gripProxies: [{ control_uri: gripUrl.replace(/\/$/, ''), key: KEY }],
    gripProxyRequired: true,
  });
  application.use(expressGrip.preHandlerGripMiddleware);
  application.get('/events', (_request, response, next) => {
    expressGrip.setHoldStream(response, 'events');
    response.setHeader('Content-Type', 'text/event-stream');
    response.send('data: hello\n\n');
    next();
  });
  application.get('/wait', (_request, response, next) => {
    expressGrip.setHoldLongpoll(response, 'events', 20);
    response.json({ nothing: true });
    next();
  });
  application.get('/plain', (_request, response, next) => {
    const { gripProxied, gripSigned } = response.locals;
    response.json({ isProxied: gripProxied, isSigned: gripSigned });
    next();
  });
  application.post('/socket', (_request, response, next) => {
    const socket = expressGrip.getWsContext(response);
    if (socket === null) response.statusCode = 400;
    else converse(socket);
    next();
  });
  application.use(expressGrip.postHandlerGripMiddleware);
  return application;
}

const publisherTo = ({ gripUrl }: GripOrigin): Publisher => new Publisher({ control_uri: gripUrl });

async function holdsAnEventSource(t: TestContext, origin: GripOrigin): Promise<void> {
  const events: string[] = [];
  const source = new EventSource(`${origin.server.url}/events`);
  t.after(() => source.close());
  source.onmessage = ({ data }) => events.push(data);
  await until(() => events.length === 1);
  assert.deepEqual(events, ['hello']);
  const publisher = publisherTo(origin);
  // A hold is set up a moment after its first bytes: what comes before is not for it.
  while (events.length < 2) await publisher.publishHttpStream('events', 'data: probe\n\n');
  await publisher.publishHttpStream('events', 'data: news\n\n');
  await until(() => events.includes('news'));
}

async function holdsALongPoll(origin: GripOrigin): Promise<void> {
  const publisher = publisherTo(origin);
  let isAnswered = false;
  const waiting = fetch(`${origin.server.url}/wait`);
  void waiting.then(() => {
    isAnswered = true;
  });
  while (!isAnswered) await publisher.publishHttpResponse('events', '{"something":true}');
  const answer = await waiting;
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { something: true });
}

async function knowsTheGateway(origin: GripOrigin): Promise<void> {
  const answer = await fetch(`${origin.server.url}/plain`);
  assert.deepEqual(await answer.json(), { isProxied: true, isSigned: true });
}

async function conversesWithASocket(t: TestContext, origin: GripOrigin): Promise<void> {
  const messages: string[] = [];
  const socket = new WebSocket(`${origin.server.url.replace('http', 'ws')}/socket`);
  t.after(() => socket.terminate());
  socket.on('message', (data) => messages.push(String(data)));
  await once(socket, 'open');
  socket.send('hey');
  await until(() => messages.includes('hey hey'));
  assert.deepEqual(messages, ['welcome', 'hey hey']);
  const publisher = publisherTo(origin);
  await publisher.publishFormats('events', new WebSocketMessageFormat('news'));
  await until(() => messages.includes('news'));
  socket.close(1000);
  await once(socket, 'close');
}

const APPLICATIONS = {
  'Hono with serve-grip': hono,
  'Express with express-grip': expressWithExpressGrip,
};

for (const [name, application] of Object.entries(APPLICATIONS)) {
  test(`${name} holds an EventSource and a long-poll, knows who asks it, and talks to a WebSocket`, async (t) => {
    const origin = await behindGateway(t, application);
    await knowsTheGateway(origin);
    await holdsAnEventSource(t, origin);
    await holdsALongPoll(origin);
    await conversesWithASocket(t, origin);
  });
}
