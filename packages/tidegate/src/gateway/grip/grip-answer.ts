import { Buffer } from 'node:buffer';
import { TidegateError } from '../../kernel/index.ts';
import type { HttpExchange, RelayedBody, RelayOwner } from '../../listeners/port.ts';
import { bodyFilterOf, type GripInstruct } from '../../wire/grip/index.ts';
import type { OriginFailure, OriginHead, OriginReceiver, OriginRequest } from '../origin/exchange.ts';
import { tellGone } from './gone-link.ts';
import { type HeldHead, heldHead } from './held-response.ts';
import type { AskedAt } from './hold-channels.ts';
import type { HoldContext } from './hold-context.ts';
import { linkBaseOf, linkTarget } from './link-target.ts';
import type { LinkFetch, LinkReceiver } from './link-task.ts';
import { lastFields } from './next-fetch.ts';
import type { GripRoute } from './port.ts';
import { CollectedBody, instructOfBody, instructOfFields, placeOfInstruct } from './read-instruct.ts';
import { ResponseHold } from './response-hold.ts';
import { StreamHold } from './stream-hold.ts';

export interface GripAnswerOptions {
  readonly exchange: HttpExchange;
  /** As it was sent to the origin, without a body. */
  readonly request: OriginRequest;
  readonly route: GripRoute;
  readonly context: HoldContext;
  /** Those that are open, for whoever recovers them. */
  readonly streams: Set<StreamHold>;
  /** Where the client was in each channel when the origin was asked again. */
  readonly asked: ReadonlyMap<string, AskedAt>;
  /** How often the origin was asked for this exchange. */
  readonly times: number;
}

/** RFC 9110, section 9.2.1: they can be made again without asking anybody. */
const REPEATABLE: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** The answer of an origin to a client that waits for it: held, streamed or passed on, as its instruction says. */
export class GripAnswer implements OriginReceiver, LinkReceiver, RelayOwner {
  readonly takes = 'any';
  readonly #options: GripAnswerOptions;
  #source: LinkFetch | null = null;
  #head: OriginHead | null = null;
  #instruct: GripInstruct | null = null;
  #collected: CollectedBody | null = null;
  #stream: StreamHold | null = null;
  #relayed: RelayedBody | null = null;
  #status = 0;
  #isOver = false;

  constructor(options: GripAnswerOptions) {
    this.#options = options;
  }

  /** To be called once, with what the answer comes by. */
  attach(source: LinkFetch): void {
    this.#source = source;
    const { exchange } = this.#options;
    exchange.onAbandoned(() => {
      if (this.#isOver) return;
      this.#leave();
      // Whoever has only ended its side is still there, and nothing else would end the other.
      exchange.fail(
        new TidegateError('http_malformed', 'The client ended its side before it had an answer.'),
      );
    });
  }

  // --- What the origin tells. ---

  head(head: OriginHead): void {
    if (this.#isOver) return;
    const { limits } = this.#options.context;
    this.#head = head;
    try {
      const place = placeOfInstruct(head);
      if (place === 'none') {
        const { status, reason, fields, bodyBytes } = head;
        this.#relay({ status, reason, fields: this.#options.route.responseFields(fields) }, bodyBytes);
      } else if (place === 'body') {
        this.#collected = new CollectedBody(limits);
      } else {
        this.#follow(instructOfFields(head, limits), head);
      }
    } catch (error) {
      this.#refuse(TidegateError.from(error));
    }
  }

  data(slice: Buffer): void {
    if (this.#isOver) return;
    if (this.#stream !== null) {
      this.#stream.data(slice);
    } else if (this.#collected !== null) {
      try {
        this.#collected.add(slice);
      } catch (error) {
        this.#refuse(TidegateError.from(error));
      }
    } else if (this.#relayed?.write(slice) === false) {
      this.#source?.pause();
    }
  }

  answerEnded(trailers: readonly string[]): void {
    if (this.#isOver) return;
    this.#source = null;
    if (this.#stream !== null) this.#stream.bodyEnded();
    else if (this.#relayed !== null) this.#relayed.end(trailers);
    else this.#bodyCollected();
  }

  ended(): void {
    this.answerEnded([]);
  }

  failed(failure: OriginFailure | TidegateError | number): void {
    if (this.#isOver) return;
    this.#source = null;
    if (this.#stream !== null) this.#stream.bodyFailed();
    else if (this.#relayed !== null) this.#relayed.abort();
    else this.#refuse(errorOf(failure));
  }

  bodyWanted(): void {}

  interim(): void {}

  upgraded(): void {}

  // --- What the instruction says. ---

  /** Follows an instruction whose response is the origin's own, of which the body is still to come. */
  #follow(instruct: GripInstruct, head: OriginHead): void {
    if (instruct.hold === 'response') {
      this.#instruct = instruct;
      this.#collected = new CollectedBody(this.#options.context.limits);
      return;
    }
    const held = this.#heldHead(head, instruct);
    if (instruct.hold === 'stream' || instruct.nextLink !== null) this.#openStream(held, instruct);
    else this.#relayInstructed(held, head.bodyBytes, instruct);
  }

  /** An answer that is not held may still say something of sessions. */
  #relayInstructed(head: HeldHead, bodyBytes: number | null, instruct: GripInstruct): RelayedBody {
    const { exchange, route, context } = this.#options;
    context.sessions.follow(route, exchange.request.host, instruct);
    return this.#relay(head, bodyBytes);
  }

  #bodyCollected(): void {
    const { limits } = this.#options.context;
    const head = this.#head;
    const body = this.#collected?.take();
    this.#collected = null;
    if (head === null || body === undefined) return;
    try {
      if (this.#instruct !== null) {
        this.#hold(this.#instruct, this.#heldHead(head, this.#instruct), body);
        return;
      }
      const instruct = instructOfBody(head, body, limits);
      const held = this.#heldHead(head, instruct);
      const given = asBuffer(instruct.response?.body ?? new Uint8Array(0));
      if (instruct.hold === 'response') {
        this.#hold(instruct, held, given);
      } else if (instruct.hold === 'stream' || instruct.nextLink !== null) {
        const stream = this.#openStream(held, instruct);
        stream.data(given);
        stream.bodyEnded();
      } else {
        const relayed = this.#relayInstructed(held, given.length, instruct);
        relayed.write(given);
        relayed.end();
      }
    } catch (error) {
      this.#refuse(TidegateError.from(error));
    }
  }

  #heldHead(head: OriginHead, instruct: GripInstruct): HeldHead {
    return heldHead(head, instruct, (fields) => this.#options.route.responseFields(fields));
  }

  #openStream(head: HeldHead, instruct: GripInstruct): StreamHold {
    const { exchange, request, route, context, streams } = this.#options;
    const base = linkBaseOf(request, exchange.request.host);
    for (const uri of [instruct.nextLink?.uri, instruct.goneLink]) if (uri) linkTarget(uri, base);
    // It is told once the answer is the stream's.
    const source: LinkFetch = {
      pause: () => this.#source?.pause(),
      resume: () => this.#source?.resume(),
      abort: () => this.#source?.abort(),
    };
    const ended = (hold: StreamHold): void => {
      streams.delete(hold);
    };
    const stream = new StreamHold({ exchange, head, instruct, base, route, context, source, ended });
    streams.add(stream);
    this.#stream = stream;
    return stream;
  }

  #hold(instruct: GripInstruct, head: HeldHead, body: Buffer): void {
    const { exchange, request, route, context, asked, times } = this.#options;
    const base = linkBaseOf(request, exchange.request.host);
    const { goneLink } = instruct;
    if (goneLink !== null) linkTarget(goneLink, base);
    const filter = bodyFilterOf(instruct, instruct.meta, context.limits);
    const isRepeatable =
      REPEATABLE.has(request.method) && request.bodyBytes === 0 && times < context.limits.gripLinkHopsMax;
    const held = { ...head, body: filter?.whole(body) ?? body };
    this.#isOver = true;
    new ResponseHold({
      exchange,
      held,
      instruct,
      route,
      base,
      context,
      asked,
      again: isRepeatable ? (where) => this.#askAgain(where) : null,
      gone: () => tellGone(goneLink, base, route, context),
    }).start();
  }

  /** Makes the client's request again, with what the client has. */
  #askAgain(asked: ReadonlyMap<string, AskedAt>): void {
    const { request, route, context, times } = this.#options;
    const lasts = lastFields(asked).flatMap((last) => ['Grip-Last', last]);
    const [host, authority, ...others] = request.fields;
    const fields = [host, authority, ...lasts, ...withoutLasts(others)];
    const answer = new GripAnswer({ ...this.#options, asked, times: times + 1 });
    answer.attach(context.links.repeat({ ...request, fields }, route, answer));
  }

  #relay({ status, reason, fields }: HeldHead, bodyBytes: number | null): RelayedBody {
    this.#status = status;
    this.#relayed = this.#options.exchange.relay({ status, reason, fields, bodyBytes }, this);
    return this.#relayed;
  }

  #refuse(error: TidegateError): void {
    const { exchange, context, route } = this.#options;
    this.#isOver = true;
    this.#source?.abort();
    this.#source = null;
    const ours =
      error.entry.blame === 'client' ? new TidegateError('grip_instruct_invalid', error.message) : error;
    if (ours.code === 'grip_instruct_invalid') {
      context.metrics.invalid.add(1);
      context.logger.warn({ error: ours, route: route.name }, 'An instruction of an origin is invalid');
    }
    exchange.fail(ours);
    route.ended(null);
  }

  // --- What the client tells. ---

  drained(): void {
    this.#source?.resume();
  }

  receivedEnd(): void {}

  closed(): void {
    if (this.#source === null) this.#options.route.ended(this.#status);
    else this.#leave();
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#source?.abort();
    this.#source = null;
    this.#options.route.ended(null);
  }
}

function withoutLasts(fields: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at].toLowerCase() !== 'grip-last') kept.push(fields[at], fields[at + 1]);
  }
  return kept;
}

function errorOf(failure: OriginFailure | TidegateError | number): TidegateError {
  if (typeof failure === 'number')
    return new TidegateError('upstream_unavailable', `It answered ${failure}.`);
  return failure instanceof TidegateError ? failure : failure.error;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
