import type { Clock, Deadlines, Logger, Random, Timer } from '../../kernel/index.ts';
import type { HealthCheck } from '../upstreams/upstream.ts';
import type { OriginFailure, OriginHead, OriginReceiver } from './exchange.ts';
import { OriginFetch } from './origin-fetch.ts';
import type { OriginTarget } from './origin-target.ts';

/** What health checks need. */
export interface HealthCheckContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly deadlines: Deadlines;
  readonly logger: Logger;
}

const UINT32_RANGE = 2 ** 32;

/** Asks the targets of an upstream again and again whether they are well. They belong to the upstream and end with it. */
export class HealthChecks {
  readonly #upstream: string;
  readonly #check: HealthCheck;
  readonly #context: HealthCheckContext;
  readonly #timers = new Map<OriginTarget, Timer>();
  #isStopped = false;

  constructor(
    upstream: string,
    check: HealthCheck,
    targets: readonly OriginTarget[],
    context: HealthCheckContext,
  ) {
    this.#upstream = upstream;
    this.#check = check;
    this.#context = context;
    // Each begins at a moment of its own, so that no process asks all of them at once, nor all processes one.
    for (const target of new Set(targets)) {
      this.#askIn((context.random.uint32() / UINT32_RANGE) * check.intervalMs, target);
    }
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers.values()) this.#context.clock.clearTimer(timer);
    this.#timers.clear();
  }

  #askIn(delayMs: number, target: OriginTarget): void {
    if (this.#isStopped) return;
    this.#timers.set(
      target,
      this.#context.clock.setTimer(() => this.#ask(target), delayMs),
    );
  }

  #ask(target: OriginTarget): void {
    const { clock, deadlines } = this.#context;
    const { path, timeoutMs, intervalMs } = this.#check;
    const startedMs = clock.monotonicMs();
    const probe = new Probe((status) => {
      const answer = status !== null && this.#check.statuses.has(status) ? 'good' : 'bad';
      if (!this.#isStopped && target.observe(answer)) this.#tell(target, status);
      this.#askIn(Math.max(0, startedMs + intervalMs - clock.monotonicMs()), target);
    });
    const fetch = new OriginFetch(
      {
        request: {
          method: 'GET',
          target: path,
          fields: ['Host', target.spec.authority, 'User-Agent', 'tidegate-health'],
          bodyBytes: 0,
          upgrade: null,
          expects: 'nothing',
        },
        targets: { pick: () => target },
        timeouts: { connectMs: timeoutMs, firstByteMs: timeoutMs, idleMs: timeoutMs, totalMs: timeoutMs },
        retry: null,
        hostFrom: 'request',
        deadlineMs: deadlines.after(timeoutMs),
        context: { deadlines, continueTimeoutMs: timeoutMs },
      },
      probe,
    );
    probe.fetch = fetch;
    fetch.start();
  }

  #tell(target: OriginTarget, status: number | null): void {
    const fields = { upstream: this.#upstream, target: target.spec.authority, status };
    if (target.isHealthy) this.#context.logger.info(fields, 'A target is well again');
    else this.#context.logger.warn(fields, 'A target is not well, and gets no requests');
  }
}

/** How much of a body is read to keep the connection; past it the connection is dropped. */
const BODY_BYTES_MAX = 64 * 1024;

/** Waits for the answer to one check. */
class Probe implements OriginReceiver {
  fetch: OriginFetch | null = null;
  #done: ((status: number | null) => void) | null;
  #status: number | null = null;
  #bytes = 0;

  /** @param done with null if there was no answer */
  constructor(done: (status: number | null) => void) {
    this.#done = done;
  }

  bodyWanted(): void {}

  interim(): void {}

  drained(): void {}

  upgraded(): void {}

  head({ status }: OriginHead): void {
    this.#status = status;
  }

  data(slice: Buffer): void {
    this.#bytes += slice.length;
    if (this.#bytes <= BODY_BYTES_MAX) return;
    this.fetch?.abort();
    this.#finish();
  }

  answerEnded(): void {
    this.#finish();
  }

  failed(_failure: OriginFailure): void {
    this.#status = null;
    this.#finish();
  }

  #finish(): void {
    const done = this.#done;
    this.#done = null;
    done?.(this.#status);
  }
}
