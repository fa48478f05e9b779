import { setTimeout as delay } from 'node:timers/promises';
import type { Entry } from './entry.ts';

const BATCH_EVENTS_MAX = 500;
const ANSWER_TIMEOUT_MS = 15_000;
const RETRY_FIRST_MS = 50;
const RETRY_LONGEST_MS = 2000;

/** What the server says of one event of a batch: a receipt or an error. */
interface Result {
  readonly duplicate?: boolean;
  readonly error?: {
    readonly code: string;
    readonly title: string;
    readonly detail: string;
    readonly retryable: boolean;
  };
}

/** The server refuses an event for good: sending it again would not help. */
export class PublishRefused extends Error {}

export interface PublisherOptions {
  /** The public address of the server, `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Told when a batch could not be published yet and is tried again. */
  readonly onRetry?: (reason: string, eventsWaiting: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Publishes entries in order, and does not let go of one before the server has acknowledged it. What a dying server left
 * unanswered is sent again under the same ids, so that each event is stored once. One batch is under way at a time: a later
 * one cannot overtake one that is tried again.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  #acknowledged = 0;
  #duplicates = 0;
  #retries = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** How many events the server has confirmed. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** How many of them it had stored before: their first acknowledgement was lost. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** How many batches had to be sent again. */
  get retries(): number {
    return this.#retries;
  }

  /**
   * Resolves when every entry is acknowledged, however long the server is away.
   * @throws PublishRefused if the server will never take one of them
   */
  async publish(entries: readonly Entry[]): Promise<void> {
    for (let from = 0; from < entries.length; from += BATCH_EVENTS_MAX) {
      await this.#publishBatch(entries.slice(from, from + BATCH_EVENTS_MAX));
    }
  }

  async #publishBatch(batch: readonly Entry[]): Promise<void> {
    let waiting = batch;
    for (let attempt = 0; waiting.length > 0; attempt++) {
      if (attempt > 0) {
        this.#retries++;
        const pauseMs = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** (attempt - 1));
        await delay(pauseMs, undefined, { signal: this.#options.signal });
      }
      try {
        waiting = this.#unacknowledged(waiting, await this.#send(waiting));
        if (waiting.length > 0) this.#options.onRetry?.('the server took a part only', waiting.length);
      } catch (error) {
        if (error instanceof PublishRefused || this.#options.signal?.aborted) throw error;
        this.#options.onRetry?.(reasonOf(error), waiting.length);
      }
    }
  }

  async #send(batch: readonly Entry[]): Promise<readonly Result[]> {
    const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const signal = this.#options.signal;
    const response = await fetch(`${this.#options.url}/v1/publish`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(batch),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    if (response.ok) return ((await response.json()) as { results: readonly Result[] }).results;
    const problem = await response.text();
    const reason = `${response.status} ${response.statusText}: ${problem}`;
    throw response.status >= 500 ? new Error(reason) : new PublishRefused(reason);
  }

  /** The entries that are to be sent again, in their order. */
  #unacknowledged(batch: readonly Entry[], results: readonly Result[]): readonly Entry[] {
    return batch.filter((entry, index) => {
      const result = results[index];
      if (result?.error === undefined && result !== undefined) {
        this.#acknowledged++;
        if (result.duplicate === true) this.#duplicates++;
        return false;
      }
      if (result?.error?.retryable === false) {
        const { code, title, detail } = result.error;
        throw new PublishRefused(`${entry.channel} ${entry.id}: ${code}: ${title} ${detail}`);
      }
      return true;
    });
  }
}

/** `fetch` wraps what happened to the connection; the cause tells it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}
