import { Buffer } from 'node:buffer';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import { problemResponse } from '../../listeners/index.ts';
import type {
  ByteChannel,
  ByteChannelOwner,
  HttpExchange,
  HttpRequest,
  RelayedBody,
  RelayedHead,
  RelayOwner,
  ResponseHeaders,
} from '../../listeners/port.ts';
import { REASON_PHRASES } from '../../wire/http1/index.ts';
import { SCRIPT_MEDIA_TYPE } from '../../wire/jsonp/index.ts';
import type { JsonpRule } from '../routes/route.ts';
import { NOWHERE, pairsOf } from './answer-fields.ts';
import type { JsonpRequest } from './jsonp-request.ts';
import { BareScript, EnvelopeScript, type ScriptBody } from './script-body.ts';

/** Beside the call, the browser goes by these itself. Cookies are for it and not for scripts. */
const OF_BROWSER: ReadonlySet<string> = new Set(['cache-control', 'set-cookie']);
/** What a script is not told. */
const NOT_FOR_SCRIPTS = /^(?:connection|grip-.*|keep-alive|set-cookie2?|transfer-encoding)$/;

const OK = 200;

/** What a response is to a script: by its status, its fields, and whether it has a body. */
interface Answered {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly string[];
}

/** An exchange whose answer, whatever it is, becomes a script that calls a function of the page. */
export class JsonpExchange implements HttpExchange {
  readonly request: HttpRequest;
  readonly #exchange: HttpExchange;
  readonly #callback: string;
  readonly #rule: JsonpRule;
  readonly #limits: Limits;

  constructor(exchange: HttpExchange, { request, callback }: JsonpRequest, rule: JsonpRule, limits: Limits) {
    this.request = request;
    this.#exchange = exchange;
    this.#callback = callback;
    this.#rule = rule;
    this.#limits = limits;
  }

  respond(status: number, headers: ResponseHeaders, body: string | Uint8Array = ''): void {
    const answered = { status, reason: '', fields: pairsOf(headers) };
    const bytes = Buffer.from(body as Uint8Array);
    const script = this.#scriptOf(answered);
    try {
      const text = script.begin() + script.part(bytes) + script.end();
      const relayed = this.#begin(answered, NOBODY, Buffer.byteLength(text));
      relayed.write(Buffer.from(text, 'utf8'));
      relayed.end();
    } catch (error) {
      this.#exchange.fail(TidegateError.from(error));
    }
  }

  fail(error: TidegateError, added: ResponseHeaders = {}): void {
    const { status, headers, body } = problemResponse(error);
    this.respond(status, { ...headers, ...added }, body);
  }

  relay(head: RelayedHead, owner: RelayOwner): RelayedBody {
    const coding = head.fields.findIndex(
      (part, at) => at % 2 === 0 && part.toLowerCase() === 'content-encoding',
    );
    if (coding !== -1 && head.fields[coding + 1].toLowerCase() !== 'identity') {
      const detail = `A body with the coding ${JSON.stringify(head.fields[coding + 1])} cannot become a script.`;
      this.fail(new TidegateError('upstream_malformed', detail));
      return NOWHERE(() => owner.closed());
    }
    return new ScriptRelay(this.#scriptOf(head), this.#begin(head, owner, null));
  }

  inform(): void {}

  stream(status: number, headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel {
    const relayed = this.relay(
      { status, reason: '', fields: pairsOf(headers), bodyBytes: null },
      {
        drained: () => owner.drained(),
        // Whoever has ended its side of a stream is nearly always gone.
        receivedEnd: () => relayed.abort(),
        closed: () => owner.closed(),
      },
    );
    return {
      write: (bytes) => relayed.write(bytes),
      end(last) {
        if (last !== undefined) relayed.write(last);
        relayed.end();
      },
      destroy: () => relayed.abort(),
      pause() {},
      resume() {},
    };
  }

  converse(status: number, headers: ResponseHeaders, owner: ByteChannelOwner): ByteChannel {
    return this.stream(status, headers, owner);
  }

  upgrade(): ByteChannel {
    throw new TidegateError('upgrade_invalid', 'A script is no WebSocket.');
  }

  onAbandoned(callback: () => void): void {
    this.#exchange.onAbandoned(callback);
  }

  #begin({ fields }: Answered, owner: RelayOwner, bodyBytes: number | null): RelayedBody {
    const own = ['Content-Type', SCRIPT_MEDIA_TYPE, 'X-Content-Type-Options', 'nosniff'];
    for (let at = 0; at < fields.length; at += 2) {
      if (OF_BROWSER.has(fields[at].toLowerCase())) own.push(fields[at], fields[at + 1]);
    }
    return this.#exchange.relay(
      { status: OK, reason: REASON_PHRASES[OK] ?? '', fields: own, bodyBytes },
      owner,
    );
  }

  #scriptOf({ status, reason, fields }: Answered): ScriptBody {
    if (this.#rule.mode === 'basic') return new BareScript(this.#callback, this.#limits.jsonpBodyBytesMax);
    const headers: Record<string, string> = Object.create(null);
    for (let at = 0; at < fields.length; at += 2) {
      const name = fields[at];
      if (!NOT_FOR_SCRIPTS.test(name.toLowerCase()) && headers[name] === undefined)
        headers[name] = fields[at + 1];
    }
    return new EnvelopeScript(this.#callback, {
      code: status,
      reason: reason === '' ? (REASON_PHRASES[status] ?? '') : reason,
      headers,
    });
  }
}

/** The answer is complete: nobody has to hear what becomes of it. */
const NOBODY: RelayOwner = { drained() {}, receivedEnd() {}, closed() {} };

/** The body of an answer on its way into a script. */
class ScriptRelay implements RelayedBody {
  readonly #script: ScriptBody;
  readonly #relayed: RelayedBody;
  #isOver = false;

  constructor(script: ScriptBody, relayed: RelayedBody) {
    this.#script = script;
    this.#relayed = relayed;
    this.#write(script.begin());
  }

  write(slice: Buffer): boolean {
    if (this.#isOver) return true;
    try {
      return this.#write(this.#script.part(slice));
    } catch {
      // It has begun: all that the page can be told is that it does not end.
      this.abort();
      return true;
    }
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#write(this.#script.end());
    this.#relayed.end();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#relayed.abort();
  }

  #write(text: string): boolean {
    return text === '' || this.#relayed.write(Buffer.from(text, 'utf8'));
  }
}
