import { type Random, randomId } from '../../kernel/index.ts';
import { GRIP_EXTENSION, octetsOfText, WEBSOCKET_EVENTS_MEDIA_TYPE } from '../../wire/grip/index.ts';
import type { GripRoute } from '../grip/port.ts';
import type { OriginRequest } from '../origin/exchange.ts';
import type { MetaValues } from './meta-values.ts';

/**
 * Of the client's handshake, what concerns its hop, what the requests say themselves, and what a client could only pretend.
 * Sec-WebSocket-Protocol stays, from which the origin chooses.
 */
const REPLACED =
  /^(?:accept|accept-encoding|connection-id|content-bytes-replayed|content-encoding|content-length|content-type|expect|grip-.*|keep-alive-interval|meta-.*|sec-websocket-(?:accept|extensions|key|version)|te|upgrade)$/;

const CONNECTION_ID_CHARACTERS = 24;

/** Makes the requests of one WebSocket. They all say of the client what its handshake said. */
export class OverHttpRequests {
  /** What the origin calls the WebSocket. */
  readonly connectionId: string;
  readonly #target: string;
  readonly #fields: readonly string[];
  readonly #route: GripRoute;
  /** The id that requests name; null for none. */
  sessionId: string | null = null;

  constructor(handshake: OriginRequest, route: GripRoute, random: Random) {
    this.connectionId = randomId(random, CONNECTION_ID_CHARACTERS);
    this.#target = handshake.target;
    this.#route = route;
    const fields: string[] = [];
    for (let at = 0; at < handshake.fields.length; at += 2) {
      if (REPLACED.test(handshake.fields[at].toLowerCase())) continue;
      fields.push(handshake.fields[at], handshake.fields[at + 1]);
    }
    fields.push('Content-Type', WEBSOCKET_EVENTS_MEDIA_TYPE, 'Accept', WEBSOCKET_EVENTS_MEDIA_TYPE);
    fields.push('Connection-Id', this.connectionId);
    fields.push('Sec-WebSocket-Extensions', GRIP_EXTENSION);
    this.#fields = fields;
  }

  /** @param replayedBytes bytes of content that the origin was sent before and has not accepted */
  next(bodyBytes: number, meta: MetaValues, replayedBytes: number): OriginRequest {
    const fields = [...this.#fields, ...this.#route.gripFields()];
    for (const [name, value] of meta) fields.push(`Meta-${name}`, value);
    if (this.sessionId !== null) fields.push('Grip-Session-Id', octetsOfText(this.sessionId));
    if (replayedBytes > 0) fields.push('Content-Bytes-Replayed', String(replayedBytes));
    return { method: 'POST', target: this.#target, fields, bodyBytes, upgrade: null, expects: 'nothing' };
  }
}
