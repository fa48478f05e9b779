import { Buffer } from 'node:buffer';
import type { GripRoute } from '../../../src/gateway/grip/port.ts';
import type {
  OriginExchange,
  OriginFailure,
  OriginReceiver,
  OriginRequest,
} from '../../../src/gateway/origin/exchange.ts';
import type { GripRule } from '../../../src/gateway/routes/route.ts';
import { type ErrorCode, TidegateError } from '../../../src/kernel/index.ts';

export const RULE: GripRule = {
  key: null,
  upstreamKey: null,
  issuer: 'tidegate',
  prefix: '',
  channels: [],
  session: true,
  websocket: 'over_http',
};

/** What an origin answers; by default with events. */
export interface Answer {
  readonly status?: number;
  /** Null for none. */
  readonly type?: string | null;
  /** Names and values in turn. */
  readonly fields?: readonly string[];
  readonly body?: string | Buffer;
  /** Whether the head says how long the body is. */
  readonly length?: 'known' | 'unknown';
}

/** A request that a test answers. */
export class AskedRequest implements OriginExchange {
  readonly request: OriginRequest;
  readonly #receiver: OriginReceiver;
  #slices: Buffer[] = [];
  isEnded = false;
  isAborted = false;

  constructor(request: OriginRequest, receiver: OriginReceiver) {
    this.request = request;
    this.#receiver = receiver;
  }

  write(slice: Buffer): boolean {
    this.#slices.push(Buffer.from(slice));
    return true;
  }

  end(): void {
    this.isEnded = true;
  }

  pause(): void {}
  resume(): void {}

  abort(): void {
    this.isAborted = true;
  }

  /** The body that was sent. */
  get body(): string {
    return Buffer.concat(this.#slices).toString('latin1');
  }

  /** The value of a field of the request, or undefined. */
  field(name: string): string | undefined {
    const { fields } = this.request;
    const at = fields.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name);
    return at === -1 ? undefined : fields[at + 1];
  }

  answer({
    status = 200,
    type = 'application/websocket-events',
    fields = [],
    body = '',
    length = 'known',
  }: Answer): void {
    const bytes = Buffer.from(body);
    this.#receiver.head({
      status,
      reason: '',
      fields: type === null ? fields : ['Content-Type', type, ...fields],
      bodyBytes: length === 'known' ? bytes.length : null,
    });
    if (bytes.length > 0 && !this.isAborted) this.#receiver.data(bytes);
    if (!this.isAborted) this.#receiver.answerEnded([]);
  }

  /** Only the head of an answer with a body of this length. */
  announce(bodyBytes: number): void {
    this.#receiver.head({ status: 200, reason: '', fields: [], bodyBytes });
  }

  fail(code: ErrorCode, reached: OriginFailure['reached']): void {
    this.#receiver.failed({ error: new TidegateError(code), reached });
  }

  switchProtocols(socket: Parameters<OriginReceiver['upgraded']>[0]): void {
    this.#receiver.upgraded(socket, Buffer.alloc(0));
  }
}

/** A route whose origin is the test. */
export class ScriptedOrigin implements GripRoute {
  readonly name = 'scripted';
  readonly rule = RULE;
  readonly sessionScope = 'scripted';
  readonly requests: AskedRequest[] = [];
  /** What is thrown in place of asking. */
  refusal: TidegateError | null = null;
  ends: (number | null)[] = [];

  gripFields(): string[] {
    return ['Grip-Sig', `signature-${this.requests.length}`];
  }

  ask(request: OriginRequest, receiver: OriginReceiver): OriginExchange {
    if (this.refusal !== null) throw this.refusal;
    const asked = new AskedRequest(request, receiver);
    this.requests.push(asked);
    if (request.bodyBytes !== 0) receiver.bodyWanted();
    return asked;
  }

  responseFields(fields: readonly string[]): readonly string[] {
    return fields;
  }

  ended(status: number | null): void {
    this.ends.push(status);
  }

  /** The request that was made last. */
  get last(): AskedRequest {
    return this.requests[this.requests.length - 1];
  }

  get count(): number {
    return this.requests.length;
  }
}

/** A body with texts. */
export const texts = (...contents: readonly string[]): string =>
  contents.map((content) => `TEXT ${Buffer.byteLength(content).toString(16)}\r\n${content}\r\n`).join('');
