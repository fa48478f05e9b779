import type { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { TidegateError } from '../../kernel/index.ts';
import type { HttpExchange, HttpRequest, ResponseHeaders } from '../../listeners/port.ts';
import { GRIP_EXTENSION, type MessagePrefix } from '../../wire/grip/index.ts';
import { acceptHandshake, type Handshake } from '../../wire/websocket/index.ts';
import { linkBaseOf } from '../grip/link-target.ts';
import type { GripRoute } from '../grip/port.ts';
import type { OriginHead, OriginRequest } from '../origin/exchange.ts';
import type { GripRule } from '../routes/route.ts';
import { fieldOf, fieldsForClient, isEventsMediaType, messagePrefixOf } from './events-answer.ts';
import { NativeSocket } from './native-socket.ts';
import { OverHttpOpening } from './over-http-opening.ts';
import type { GripWebSockets } from './port.ts';
import { refuse } from './refusal.ts';
import { GripSession } from './session.ts';
import { SocketContext, type SocketContextOptions } from './socket-context.ts';
import { SWITCHED } from './status.ts';
import { upgradeHeadersOf } from './upgrade-headers.ts';

const EXTENSIONS = 'sec-websocket-extensions';
const ACCEPT = 'sec-websocket-accept';

/** GRIP on WebSockets. Whatever goes wrong before a handshake is answered is an answer to it; nothing is thrown. */
export class GripWebSocketGateway implements GripWebSockets {
  readonly #context: SocketContext;

  constructor(options: SocketContextOptions) {
    this.#context = new SocketContext(options);
  }

  pretendsToBeGateway({ method, headers }: HttpRequest): boolean {
    if (method !== 'POST') return false;
    const type = headers.get('content-type');
    return type !== undefined && isEventsMediaType(type);
  }

  openOverHttp(exchange: HttpExchange, handshake: OriginRequest, route: GripRoute): void {
    try {
      const { request } = exchange;
      if (request.body.lengthBytes !== 0)
        throw new TidegateError('upgrade_invalid', 'the request has a body');
      // An origin is not asked about a handshake that cannot be answered.
      acceptHandshake(request, NO_CHOICES);
    } catch (error) {
      refuse(exchange, TidegateError.from(error), route);
      return;
    }
    new OverHttpOpening(this.#context, exchange, handshake, route).begin();
  }

  offerGrip(handshake: OriginRequest, route: GripRoute): OriginRequest {
    const fields: string[] = [];
    for (let at = 0; at < handshake.fields.length; at += 2) {
      const name = handshake.fields[at].toLowerCase();
      // What two others agree on would reach us as frames that we cannot read; and what is said to be the gateway's, only it may say.
      if (name !== EXTENSIONS && !name.startsWith('grip-'))
        fields.push(handshake.fields[at], handshake.fields[at + 1]);
    }
    fields.push('Sec-WebSocket-Extensions', GRIP_EXTENSION, ...route.gripFields());
    return { ...handshake, fields };
  }

  takesNative({ fields }: OriginHead, { channels }: GripRule): boolean {
    // Whoever is subscribed by the route gets messages between those of an origin that knows nothing of GRIP.
    if (channels.length > 0) return true;
    const extensions = fieldOf(fields, EXTENSIONS);
    // Whatever else stands there, it is `openNative` that says what is wrong with it.
    return extensions?.toLowerCase().includes(GRIP_EXTENSION) === true;
  }

  openNative(
    exchange: HttpExchange,
    asked: OriginRequest,
    head: OriginHead,
    origin: Duplex,
    sentAhead: Buffer,
    route: GripRoute,
  ): void {
    try {
      const handshake = acceptHandshake(exchange.request, NO_CHOICES);
      const messagePrefix = agreedPrefix(head, handshake, route.rule);
      const session = new GripSession(this.#context, {
        mode: 'native',
        request: exchange.request,
        connectionId: null,
        route: route.name,
        rule: route.rule,
        filterScope: { route, base: linkBaseOf(asked, exchange.request.host) },
        messagePrefix,
        ended: () => route.ended(SWITCHED),
      });
      const transport = exchange.upgrade(answerOf(head, handshake, route), session.client);
      const socket = new NativeSocket(origin, this.#context);
      session.open(transport, socket);
      socket.open(session, sentAhead);
    } catch (error) {
      origin.destroy();
      refuse(exchange, TidegateError.from(error), route);
    }
  }
}

const NO_CHOICES = { subprotocols: [], compression: 'none' } as const;

/**
 * Null for an origin that has not accepted GRIP, and need not as the route has channels of its own.
 * @throws TidegateError upstream_malformed, grip_instruct_invalid
 */
function agreedPrefix(
  { fields }: OriginHead,
  handshake: Handshake,
  { channels }: GripRule,
): MessagePrefix | null {
  if (fieldOf(fields, ACCEPT) !== handshake.headers[ACCEPT]) {
    throw new TidegateError('upstream_malformed', 'Sec-WebSocket-Accept does not belong to the handshake.');
  }
  const extensions = fieldOf(fields, EXTENSIONS) ?? '';
  if (extensions === '' && channels.length > 0) return null;
  const prefix = messagePrefixOf(fields);
  if (prefix === null || extensions.includes(',')) {
    throw new TidegateError(
      'upstream_malformed',
      `The origin accepts extensions that it was not offered: ${extensions}.`,
    );
  }
  return prefix;
}

function answerOf({ fields }: OriginHead, { headers }: Handshake, route: GripRoute): ResponseHeaders {
  return { ...upgradeHeadersOf(route.responseFields(fieldsForClient(fields))), ...headers };
}
