import { Buffer } from 'node:buffer';
import { type Limits, type Line, lineJson, readLineJson, TidegateError } from '../../kernel/index.ts';
import { problemResponse } from '../../listeners/index.ts';
import type { SessionAnswer } from './session-answer.ts';
import type { FromSessions, ToSessions } from './session-messages.ts';
import type { SessionRequest, Sessions } from './session-request.ts';
import type { SockJsMetrics } from './sockjs-metrics.ts';

/** A request that is answered elsewhere. */
interface Forwarded {
  readonly answer: SessionAnswer;
  isOpen: boolean;
  /** Bytes that the client has not taken yet. */
  untakenBytes: number;
}

/**
 * Hands requests to the process that holds all sessions, at the other end of the line, and its answers to the clients. Requests of one session come to
 * any process, and only in one place can they find each other.
 */
export class ForwardedSessions implements Sessions {
  readonly #line: Line;
  readonly #metrics: SockJsMetrics;
  /** By the number that the request has on the line. */
  readonly #requests = new Map<number, Forwarded>();
  #count = 0;
  readonly #bytesMax: number;
  /** Bytes of requests that have not arrived yet. */
  #underWay = 0;

  constructor(line: Line, metrics: SockJsMetrics, limits: Limits) {
    this.#line = line;
    this.#metrics = metrics;
    this.#bytesMax = limits.sockJsForwardedBytesMax;
    line.onTold('sockjs', (message) => this.#told(readLineJson<FromSessions>(message)));
    line.onClosed(() => this.#closed());
  }

  handle(request: SessionRequest, answer: SessionAnswer): void {
    const id = this.#count;
    const message = lineJson({ kind: 'request', id, request } satisfies ToSessions);
    if (this.#underWay > 0 && this.#underWay + message.length > this.#bytesMax) {
      respondProblem(answer, new TidegateError('worker_overloaded'));
      return;
    }
    this.#count++;
    this.#underWay += message.length;
    const forwarded: Forwarded = { answer, isOpen: false, untakenBytes: 0 };
    this.#metrics.forwarded.add(1);
    this.#requests.set(id, forwarded);
    answer.heardBy({ drained: () => this.#taken(id, forwarded), left: () => this.#left(id) });
    this.#line.tell('sockjs', message);
  }

  #told(message: FromSessions): void {
    if (message.kind === 'arrived') {
      this.#underWay -= message.bytes;
      return;
    }
    const forwarded = this.#requests.get(message.id);
    // Its client has left meanwhile.
    if (forwarded === undefined) return;
    const { answer } = forwarded;
    switch (message.kind) {
      case 'respond':
        this.#requests.delete(message.id);
        answer.respond(message.status, message.headers, Buffer.from(message.body, 'base64'));
        break;
      case 'open':
        forwarded.isOpen = true;
        answer.open(message.status, message.headers);
        break;
      case 'write':
        forwarded.untakenBytes += Buffer.byteLength(message.text);
        if (answer.write(message.text)) this.#taken(message.id, forwarded);
        break;
      case 'end':
        this.#requests.delete(message.id);
        answer.end();
        break;
    }
  }

  #taken(id: number, forwarded: Forwarded): void {
    const bytes = forwarded.untakenBytes;
    forwarded.untakenBytes = 0;
    if (bytes > 0) this.#tell({ kind: 'taken', id, bytes });
  }

  #left(id: number): void {
    if (this.#requests.delete(id)) this.#tell({ kind: 'left', id });
  }

  /** The other process is gone, and all sessions with it. */
  #closed(): void {
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const { answer, isOpen } of requests) {
      if (isOpen) answer.end();
      else respondProblem(answer, new TidegateError('worker_unavailable'));
    }
  }

  #tell(message: ToSessions): void {
    this.#line.tell('sockjs', lineJson(message));
  }
}

function respondProblem(answer: SessionAnswer, error: TidegateError): void {
  const { status, headers, body } = problemResponse(error);
  answer.respond(status, headers, body);
}
