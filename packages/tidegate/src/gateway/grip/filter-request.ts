import { Buffer } from 'node:buffer';
import { type Deadlines, type Expiring, type Limits, TidegateError } from '../../kernel/index.ts';
import type {
  OriginExchange,
  OriginFailure,
  OriginHead,
  OriginReceiver,
  OriginRequest,
} from '../origin/exchange.ts';
import { fieldOf } from './held-response.ts';
import type { GripRoute } from './port.ts';

/** What an origin is asked with. */
export interface FilterRequestTerms {
  readonly target: string;
  /** Names and values in turn; Host comes first. */
  readonly fields: readonly string[];
  /** Null for a filter that only checks. */
  readonly body: Uint8Array | null;
  readonly route: GripRoute;
}

/** What an origin answers: that the content is not for the client; or that it is, as it is (null) or in another form. */
export type FilterAnswer =
  | { readonly kind: 'drop' }
  | { readonly kind: 'send'; readonly body: Buffer | null }
  | { readonly kind: 'failed'; readonly error: TidegateError };

export interface FilterRequestContext {
  readonly limits: Limits;
  readonly deadlines: Deadlines;
}

/** One request for http-check or http-modify. */
export class FilterRequest implements OriginReceiver, Expiring {
  deadlineMs: number;
  readonly #terms: FilterRequestTerms;
  readonly #context: FilterRequestContext;
  readonly #answered: (answer: FilterAnswer) => void;
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  #fetch: OriginExchange | null = null;
  #head: OriginHead | null = null;
  #isOver = false;

  /** @param answered comes once, after `start` has returned */
  constructor(
    terms: FilterRequestTerms,
    context: FilterRequestContext,
    answered: (answer: FilterAnswer) => void,
  ) {
    this.#terms = terms;
    this.#context = context;
    this.#answered = answered;
    this.deadlineMs = context.deadlines.after(context.limits.gripFilterTimeoutMs);
  }

  start(): void {
    const { target, fields, body, route } = this.#terms;
    const request: OriginRequest = {
      method: 'POST',
      target,
      fields,
      bodyBytes: body?.length ?? 0,
      upgrade: null,
      expects: 'nothing',
    };
    this.#context.deadlines.add(this);
    this.#fetch = route.ask(request, this);
  }

  abort(): void {
    if (!this.#isOver) this.#finish();
  }

  expired(): void {
    this.#fail(new TidegateError('upstream_timeout', 'The origin did not answer for a filter in time.'));
  }

  // --- What the origin tells. ---

  bodyWanted(): void {
    const { body } = this.#terms;
    if (body !== null) this.#fetch?.write(Buffer.from(body.buffer, body.byteOffset, body.length));
    this.#fetch?.end([]);
  }

  interim(): void {}

  head(head: OriginHead): void {
    if (this.#isOver) return;
    if (head.status === 200 || head.status === 204) this.#head = head;
    else this.#fail(new TidegateError('upstream_unavailable', `For a filter it answered ${head.status}.`));
  }

  data(slice: Buffer): void {
    if (this.#isOver) return;
    const { messageBytesMax } = this.#context.limits;
    this.#bytes += slice.length;
    if (this.#bytes > messageBytesMax) {
      const detail = `The answer for a filter has more than ${messageBytesMax} bytes.`;
      this.#fail(new TidegateError('upstream_malformed', detail));
    } else if (this.#terms.body !== null) {
      this.#parts.push(slice);
    }
  }

  answerEnded(): void {
    const head = this.#head;
    if (this.#isOver || head === null) return;
    this.#fetch = null;
    const isDropped = fieldOf(head.fields, 'action')?.trim() === 'drop';
    const isReplaced = this.#terms.body !== null && head.status === 200;
    const body = isReplaced ? Buffer.concat(this.#parts) : null;
    this.#finish();
    this.#answered(isDropped ? { kind: 'drop' } : { kind: 'send', body });
  }

  failed({ error }: OriginFailure): void {
    this.#fetch = null;
    this.#fail(error);
  }

  drained(): void {}

  upgraded(): void {}

  #fail(error: TidegateError): void {
    if (this.#isOver) return;
    this.#finish();
    this.#answered({ kind: 'failed', error });
  }

  #finish(): void {
    this.#isOver = true;
    this.#context.deadlines.delete(this);
    this.#fetch?.abort();
    this.#fetch = null;
  }
}
