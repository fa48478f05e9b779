import { Buffer } from 'node:buffer';
import type { AccessChannels } from '../../access/port.ts';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import type { HttpExchange, HttpHandler, HttpRequest } from '../../listeners/port.ts';
import { preferredType } from '../../wire/http1/index.ts';
import type { PurgeCallback, PurgeRequest } from '../cache/index.ts';
import type { GripPublisher, ItemReceipt } from './grip-publisher.ts';
import { type PublishRequest, parsePublishRequest } from './publish-request.ts';

/** Whoever publishes, with what they may do. */
export type ItemsPublisher = Pick<AccessChannels, 'publish' | 'purgeAs'>;

/** Tells by whom the events of a request are published: the channels as its credential may use them. */
export type Authorize = (
  request: HttpRequest,
  done: (result: ItemsPublisher | TidegateError) => void,
) => void;

export interface ControlPortOptions {
  readonly publisher: GripPublisher;
  /** Asked before the body is read; errors such as access_denied are answered. */
  readonly authorize: Authorize;
  /** Looks after everybody who waits: origins are asked for what was missed. */
  readonly recover: () => void;
  /** Takes answers out of the caches of all processes: see `Gateway.purge`. */
  readonly purge: (requests: readonly PurgeRequest[], credential: string, done: PurgeCallback) => void;
  readonly limits: Limits;
}

/** Says how many subscriptions there were for what was published, all items together. */
const RECEIVERS_HEADER = 'tidegate-receivers';

/** The forms of answers: text where the client does not mind. */
const ANSWER_TYPES = ['text/plain', 'application/json'] as const;

type AnswerType = (typeof ANSWER_TYPES)[number];

type Answer = (exchange: HttpExchange, type: AnswerType) => void;

/**
 * The HTTP control port of Pushpin, for a listener of its own: paths, bodies and answers are those that its clients know. Beyond them, connections stay open, publishing
 * can ask for a credential, and answers tell what became of each item, in a member and a field that those clients pass over.
 */
export function createControlPort(options: ControlPortOptions): HttpHandler {
  const { authorize } = options;
  const routes = new Map<string, Readonly<Record<string, Answer>>>();
  const hello: Answer = (exchange, type) => say(exchange, 200, type, 'Tidegate, with the API of Pushpin');
  routes.set('/', { GET: hello, HEAD: hello });
  routes.set('/publish', {
    POST: (exchange, type) => {
      authorize(exchange.request, (by) => {
        if (by instanceof TidegateError) exchange.fail(by);
        else receivePublish(exchange, type, by, options);
      });
    },
  });
  routes.set('/recover', {
    POST: (exchange, type) => {
      authorize(exchange.request, (by) => {
        if (by instanceof TidegateError) {
          exchange.fail(by);
          return;
        }
        options.recover();
        say(exchange, 200, type, 'Updated');
      });
    },
  });
  return (exchange) => {
    const { path, method, headers } = exchange.request;
    const route = routes.get(path === '/' ? path : path.replace(/\/$/, ''));
    const accept = headers.all('accept').join(',');
    const type = accept === '' ? 'text/plain' : preferredType(accept, ANSWER_TYPES);
    if (route === undefined) {
      say(exchange, 404, type ?? 'text/plain', 'Not Found');
    } else if (!Object.hasOwn(route, method)) {
      say(exchange, 405, type ?? 'text/plain', 'Method Not Allowed', {
        allow: Object.keys(route).join(', '),
      });
    } else if (type === undefined) {
      say(
        exchange,
        406,
        'text/plain',
        'Not Acceptable. Supported formats are text/plain and application/json.',
      );
    } else {
      route[method](exchange, type);
    }
  };
}

function receivePublish(
  exchange: HttpExchange,
  type: AnswerType,
  by: ItemsPublisher,
  options: ControlPortOptions,
): void {
  const { limits } = options;
  const parts: Buffer[] = [];
  const { body } = exchange.request;
  body.receive(
    {
      data: (slice) => parts.push(Buffer.from(slice)),
      end: () => {
        try {
          const request = parsePublishRequest(Buffer.concat(parts), limits);
          purgeAndPublish(exchange, type, request, by, options);
        } catch (error) {
          refuse(exchange, type, TidegateError.from(error));
        }
      },
      failed: (error) => exchange.fail(error),
    },
    limits.batchBytesMax,
  );
}

/** Nothing is published before every process has forgotten what is to be purged: whoever hears of the items may ask again at once. */
function purgeAndPublish(
  exchange: HttpExchange,
  type: AnswerType,
  { items, purges }: PublishRequest,
  by: ItemsPublisher,
  { publisher, purge }: ControlPortOptions,
): void {
  const publish = (): void => publisher.publish(items, by, (outcomes) => answer(exchange, type, outcomes));
  if (purges.length === 0) {
    publish();
    return;
  }
  purge(purges, by.purgeAs(), (outcome) => {
    if (outcome instanceof TidegateError) exchange.fail(outcome);
    else publish();
  });
}

/** Clients of Pushpin look at the status only: it is that of the first item that was not stored. */
function answer(
  exchange: HttpExchange,
  type: AnswerType,
  outcomes: readonly (ItemReceipt | TidegateError)[],
): void {
  let receivers = 0;
  const items: unknown[] = [];
  for (const outcome of outcomes) {
    if (outcome instanceof TidegateError) {
      refuse(exchange, type, outcome);
      return;
    }
    receivers += outcome.receivers;
    const { channel, id, cursor, duplicate } = outcome;
    items.push({ channel, id, cursor, receivers: outcome.receivers, ...(duplicate && { duplicate }) });
  }
  say(exchange, 200, type, 'Published', { [RECEIVERS_HEADER]: String(receivers) }, { receivers, items });
}

function refuse(exchange: HttpExchange, type: AnswerType, error: TidegateError): void {
  if (type === 'text/plain' && error.code === 'grip_item_invalid') {
    say(exchange, 400, type, `Invalid format: ${error.detail}`);
    return;
  }
  exchange.fail(error);
}

function say(
  exchange: HttpExchange,
  status: number,
  type: AnswerType,
  message: string,
  headers: Readonly<Record<string, string>> = {},
  members: Readonly<Record<string, unknown>> = {},
): void {
  const body = type === 'text/plain' ? message : JSON.stringify({ message, ...members });
  exchange.respond(status, { 'content-type': type, ...headers }, `${body}\n`);
}
