import { isUtf8 } from 'node:buffer';
import type { Access, Identity } from '../../access/port.ts';
import { TidegateError } from '../../kernel/index.ts';
import type { HttpExchange } from '../../listeners/port.ts';
import { credentialOf, withoutCredential } from '../authentication.ts';
import { BodyCollector } from '../body-collector.ts';
import { type ApiContext, callApi } from './api.ts';
import { type ApiCommand, apiReplies, readApiCommands } from './api-command.ts';
import { errorText, outcomeText } from './api-outcome.ts';
import { type CallOne, callInOrder } from './api-sequence.ts';
import { parseExactly } from './json-number.ts';
import { MalformedCommand } from './protocol.ts';
import { ERROR } from './status.ts';

/** The method is named in the body, instead of below this path. */
const BARE_PATH = '/api';
const PREFIX = '/api/';
const KEY_HEADER = 'x-api-key';
const KEY_SCHEME = /^apikey +([^ ]+)$/i;

/**
 * Centrifugo's server API: `POST /api/{method}` with a JSON object, answered with `{"result"}` or `{"error"}`, or in the form that it had
 * first, `POST /api` with `{"method", "params"}`, also several of them as lines, which are answered by as many lines.
 */
export class ApiEdge {
  readonly #access: Access;
  readonly #context: ApiContext;

  constructor(access: Access, context: ApiContext) {
    this.#access = access;
    this.#context = context;
  }

  handle(exchange: HttpExchange): void {
    const { method } = exchange.request;
    const allow = 'POST, OPTIONS';
    if (method === 'OPTIONS') exchange.respond(204, { allow });
    else if (method !== 'POST') exchange.fail(new TidegateError('http_method_not_allowed'), { allow });
    else this.#identify(exchange);
  }

  #identify(exchange: HttpExchange): void {
    let credential: string | null;
    try {
      credential = apiKeyOf(exchange) ?? credentialOf(exchange.request);
    } catch (error) {
      exchange.fail(TidegateError.from(error));
      return;
    }
    if (credential !== null) {
      this.#access.verify(credential, exchange.request.remoteAddress, (result) => {
        if (result instanceof TidegateError) exchange.fail(result);
        else this.#receive(exchange, result);
      });
      return;
    }
    const unnamed = withoutCredential(this.#access, exchange.request);
    const isNobody = unnamed === this.#access.anonymous;
    if (!isNobody || unnamed.allows('admin', '#')) this.#receive(exchange, unnamed);
    else exchange.fail(new TidegateError('credential_missing', 'Send an API key as X-API-Key'));
  }

  #receive(exchange: HttpExchange, identity: Identity): void {
    const taker = {
      complete: (body: Buffer) => this.#call(exchange, identity, body),
      failed: (error: TidegateError) => exchange.fail(error),
    };
    exchange.request.body.receive(new BodyCollector(taker), this.#context.limits.batchBytesMax);
  }

  #call(exchange: HttpExchange, identity: Identity, body: Buffer): void {
    const { path } = exchange.request;
    const context = { ...this.#context, channels: this.#access.limitedChannelsFor(identity) };
    const answer = (text: string): void =>
      exchange.respond(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }, text);
    try {
      const text = textOfBody(body);
      if (path === BARE_PATH) this.#callNamed(context, identity, text, answer);
      else {
        callApi(context, identity, path.slice(PREFIX.length), paramsOf(text), (outcome) =>
          answer(`{${outcomeText(outcome)}}`),
        );
      }
    } catch (error) {
      exchange.fail(TidegateError.from(error));
    }
  }

  /** The older form, in which the body names the methods. */
  #callNamed(context: ApiContext, identity: Identity, text: string, answer: (text: string) => void): void {
    let commands: readonly ApiCommand[];
    try {
      commands = readApiCommands(text);
    } catch (error) {
      if (!(error instanceof MalformedCommand)) throw error;
      answer(`{"error":${errorText(ERROR.badRequest)}}`);
      return;
    }
    if (commands.length === 0 || commands.length > context.limits.batchEventsMax) {
      const error = commands.length === 0 ? ERROR.badRequest : ERROR.limitExceeded;
      answer(`{"error":${errorText(error)}}`);
      return;
    }
    const calls = commands.map(({ method, params }) => [method, params] as const);
    const callOne: CallOne = (name, params, done) => callApi(context, identity, name, params, done);
    callInOrder(calls, callOne, (outcomes) => answer(apiReplies(commands, outcomes)));
  }
}

function textOfBody(body: Buffer): string {
  if (!isUtf8(body)) throw new TidegateError('utf8_invalid');
  return body.toString('utf8');
}

function paramsOf(text: string): unknown {
  if (text === '') return {};
  try {
    return parseExactly(text);
  } catch (error) {
    throw new TidegateError('json_malformed', '', { cause: error });
  }
}

/** As Centrifugo has it: a header of its own, or a scheme of its own. */
function apiKeyOf({ request }: HttpExchange): string | null {
  const [key] = request.headers.all(KEY_HEADER);
  if (key !== undefined) return key;
  return KEY_SCHEME.exec(request.headers.get('authorization') ?? '')?.[1] ?? null;
}
