import { Buffer } from 'node:buffer';
import type { Clock, Limits, Random, TidegateError, Timer } from '../../kernel/index.ts';
import type {
  OriginExchange,
  OriginFailure,
  OriginHead,
  OriginReceiver,
  OriginRequest,
} from '../origin/exchange.ts';
import type { GripMetrics } from './grip-metrics.ts';
import type { GripRoute } from './port.ts';

/** Receives the answer to a link: one with a status of 2xx, or none. */
export interface LinkReceiver {
  /** `any`: answers with other statuses are wanted, too. Default: `success`. */
  readonly takes?: 'success' | 'any';
  head(head: OriginHead): void;
  data(slice: Buffer): void;
  ended(): void;
  /** There is no answer, or no complete one; after as many tries as there may be, if nothing of it had come. */
  failed(error: TidegateError | number): void;
}

/** A link that is being fetched, for one that asked. */
export interface LinkFetch {
  pause(): void;
  resume(): void;
  abort(): void;
}

export interface LinkContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly metrics: GripMetrics;
}

/** What a task tells those who keep order among tasks. */
export interface LinkTaskHost {
  /** The answer has begun: whoever asks for the same from now on asks for another. */
  answering(task: LinkTask): void;
  /** The task is over, or pauses: another may take its place. */
  rests(task: LinkTask): void;
  /** Wants its turn again. */
  queue(task: LinkTask): void;
  /** The answer is too large to be kept for several: this one gets its own. */
  alone(request: OriginRequest, route: GripRoute, participant: LinkParticipant): void;
}

const JITTER_MS_MAX = 1000;

/** One request for a link, for as many as want the same. */
export class LinkTask implements OriginReceiver {
  readonly key: string | null;
  readonly #request: OriginRequest;
  readonly #route: GripRoute;
  readonly #host: LinkTaskHost;
  readonly #context: LinkContext;
  #participants: LinkParticipant[] = [];
  #fetch: OriginExchange | null = null;
  #timer: Timer | null = null;
  #failures = 0;
  #head: OriginHead | null = null;
  /** What came of the answer, while it is kept for several. */
  #parts: Buffer[] | null = null;
  #bytes = 0;
  #isOver = false;

  /** @param key what those have in common who may share the answer; null if nobody may */
  constructor(
    key: string | null,
    request: OriginRequest,
    route: GripRoute,
    host: LinkTaskHost,
    context: LinkContext,
  ) {
    this.key = key;
    this.#request = request;
    this.#route = route;
    this.#host = host;
    this.#context = context;
  }

  join(receiver: LinkReceiver): LinkParticipant {
    const participant = new LinkParticipant(this, receiver);
    this.#participants.push(participant);
    if (this.#participants.length > 1) this.#context.metrics.link('shared');
    return participant;
  }

  adopt(participant: LinkParticipant): void {
    participant.task = this;
    this.#participants.push(participant);
  }

  /** It is its turn. */
  start(): void {
    if (this.#isOver) return;
    this.#fetch = this.#route.ask(this.#request, this);
  }

  pause(): void {
    if (this.#parts === null) this.#fetch?.pause();
  }

  resume(): void {
    if (this.#parts === null) this.#fetch?.resume();
  }

  leave(participant: LinkParticipant): void {
    this.#participants = this.#participants.filter((other) => other !== participant);
    if (this.#participants.length > 0 || this.#isOver) return;
    this.#fetch?.abort();
    this.#finish();
  }

  // --- What the origin tells. ---

  bodyWanted(): void {
    this.#fetch?.end([]);
  }

  interim(): void {}

  head(head: OriginHead): void {
    if (this.#isOver) return;
    const isSuccess = head.status >= 200 && head.status <= 299;
    if (!isSuccess && this.#participants[0].receiver.takes !== 'any') {
      this.#fetch?.abort();
      this.#fetch = null;
      // What the origin says of this request it would say again, unless it is its own fault.
      if (head.status >= 500 && this.#tryAgain()) return;
      this.#fail(head.status);
      return;
    }
    this.#host.answering(this);
    this.#head = head;
    if (this.#participants.length > 1) {
      this.#parts = [];
      return;
    }
    // The origin is done with thinking; the rest goes at the pace of the client.
    this.#host.rests(this);
    this.#participants[0].receiver.head(head);
  }

  data(slice: Buffer): void {
    if (this.#isOver) return;
    if (this.#parts === null) {
      this.#participants[0]?.receiver.data(slice);
      return;
    }
    this.#parts.push(slice);
    this.#bytes += slice.length;
    if (this.#bytes > this.#context.limits.gripInstructBytesMax) this.#part();
  }

  /** The first goes on with what has come; the others begin anew. */
  #part(): void {
    const [first, ...others] = this.#participants;
    const parts = this.#parts ?? [];
    this.#parts = null;
    this.#participants = [first];
    this.#host.rests(this);
    for (const other of others) this.#host.alone(this.#request, this.#route, other);
    first.receiver.head(this.#head as OriginHead);
    for (const part of parts) if (!this.#isOver) first.receiver.data(part);
  }

  answerEnded(): void {
    if (this.#isOver) return;
    this.#fetch = null;
    this.#context.metrics.link('answered');
    const participants = this.#participants;
    const parts = this.#parts;
    const body = parts === null ? null : Buffer.concat(parts);
    this.#finish();
    for (const participant of participants) {
      const { receiver } = participant;
      if (body !== null) {
        receiver.head(this.#head as OriginHead);
        if (body.length > 0 && !participant.hasLeft) receiver.data(body);
      }
      if (!participant.hasLeft) receiver.ended();
    }
  }

  failed({ error }: OriginFailure): void {
    if (this.#isOver) return;
    this.#fetch = null;
    // Bytes that were sent cannot be taken back.
    const hasBegun = this.#head !== null && this.#parts === null;
    this.#head = null;
    this.#parts = null;
    this.#bytes = 0;
    if (!hasBegun && this.#tryAgain()) return;
    this.#fail(error);
  }

  drained(): void {}

  upgraded(): void {}

  #tryAgain(): boolean {
    const { limits, clock, random, metrics } = this.#context;
    if (this.#request.method !== 'GET' || this.#failures >= limits.gripLinkAttemptsMax) return false;
    const pauseMs = limits.gripLinkRetryMs * 2 ** this.#failures + (random.uint32() % JITTER_MS_MAX);
    this.#failures++;
    metrics.link('retried');
    this.#host.rests(this);
    this.#timer = clock.setTimer(() => {
      this.#timer = null;
      this.#host.queue(this);
    }, pauseMs);
    return true;
  }

  #fail(error: TidegateError | number): void {
    this.#context.metrics.link('failed');
    const participants = this.#participants;
    this.#finish();
    for (const { receiver, hasLeft } of participants) if (!hasLeft) receiver.failed(error);
  }

  #finish(): void {
    this.#isOver = true;
    this.#fetch = null;
    this.#participants = [];
    if (this.#timer !== null) this.#context.clock.clearTimer(this.#timer);
    this.#timer = null;
    this.#host.rests(this);
    this.#host.answering(this);
  }
}

/** One of those that a task is for. */
export class LinkParticipant implements LinkFetch {
  task: LinkTask;
  readonly receiver: LinkReceiver;
  hasLeft = false;

  constructor(task: LinkTask, receiver: LinkReceiver) {
    this.task = task;
    this.receiver = receiver;
  }

  pause(): void {
    this.task.pause();
  }

  resume(): void {
    this.task.resume();
  }

  abort(): void {
    if (this.hasLeft) return;
    this.hasLeft = true;
    this.task.leave(this);
  }
}
