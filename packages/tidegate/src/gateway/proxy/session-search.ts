import type { Buffer } from 'node:buffer';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import type { HttpExchange, RequestBody } from '../../listeners/port.ts';
import { octetsOfText, type SessionRule } from '../../wire/grip/index.ts';
import { lastIdField } from '../grip/last-ids.ts';
import type { GripRoute } from '../grip/port.ts';
import { type GripSessions, type SessionIds, sessionIdIn } from '../grip-sessions/index.ts';
import type { OriginRequest } from '../origin/exchange.ts';
import { ReadAhead, type ReadAheadOwner } from './read-ahead.ts';

/** What comes of a search. */
export interface SessionSearchOwner {
  /** It is over, and the origin may be asked. What it throws is told as `broken`. */
  searched(): void;
  /** The client has gone, or ended its side. */
  left(): void;
  /** The body will not be complete, or the origin cannot be asked. */
  broken(error: TidegateError): void;
}

export interface SessionSearchContext {
  readonly sessions: GripSessions;
  readonly limits: Limits;
}

/** Looks for a session in the body of a request. */
export class SessionSearch implements ReadAheadOwner {
  /** The body for the origin. */
  readonly body: RequestBody;
  /** What the origin is told of the session: names and values in turn. Empty if there is none. */
  #fields: readonly string[] = [];
  readonly #ahead: ReadAhead;
  readonly #rules: readonly SessionRule[];
  readonly #scope: string;
  readonly #context: SessionSearchContext;
  #owner: SessionSearchOwner | null = null;

  constructor(
    body: RequestBody,
    rules: readonly SessionRule[],
    scope: string,
    context: SessionSearchContext,
  ) {
    this.#ahead = new ReadAhead(body, context.limits.gripSessionBodyBytesMax, this);
    this.body = this.#ahead;
    this.#rules = rules;
    this.#scope = scope;
    this.#context = context;
  }

  /** A search in a request; null if there is nothing to look for, which is so in all requests of routes without sessions. */
  static of(
    { request }: HttpExchange,
    { sessionScope: scope }: GripRoute,
    context: SessionSearchContext,
  ): SessionSearch | null {
    if (scope === null || request.body.lengthBytes === 0) return null;
    const rules = context.sessions.rulesFor(scope, request.host, request.path);
    return rules.length === 0 ? null : new SessionSearch(request.body, rules, scope, context);
  }

  start(exchange: HttpExchange, requestBytesMax: number, owner: SessionSearchOwner): void {
    this.#owner = owner;
    exchange.onAbandoned(() => this.#take()?.left());
    this.#ahead.start(requestBytesMax);
  }

  /** The request with what is known of its session. Its body is there already, so that nobody has to ask for it. */
  tell(asked: OriginRequest): OriginRequest {
    const [host, authority, ...others] = asked.fields;
    return { ...asked, fields: [host, authority, ...this.#fields, ...others], expects: 'nothing' };
  }

  readAhead(body: Buffer | null): void {
    const { sessions, limits } = this.#context;
    const id = body === null ? null : sessionIdIn(body, this.#rules, limits.gripSessionIdBytesMax);
    if (id === null) {
      this.#searched();
      return;
    }
    sessions.idsOf(this.#scope, id, (ids) => {
      this.#fields = sessionFields(id, ids);
      this.#searched();
    });
  }

  #searched(): void {
    const owner = this.#take();
    try {
      owner?.searched();
    } catch (error) {
      owner?.broken(TidegateError.from(error));
    }
  }

  broken(error: TidegateError): void {
    this.#take()?.broken(error);
  }

  /** Who is told; once. */
  #take(): SessionSearchOwner | null {
    const owner = this.#owner;
    this.#owner = null;
    return owner;
  }
}

function sessionFields(id: string, ids: SessionIds | null): readonly string[] {
  const fields = ['Grip-Session-Id', octetsOfText(id)];
  for (const [channel, last] of ids ?? []) {
    const field = lastIdField(channel, last);
    if (field !== null) fields.push('Grip-Last', field);
  }
  return fields;
}
