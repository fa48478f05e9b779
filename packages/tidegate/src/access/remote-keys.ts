import type { Clock, Limits, Logger, Timer } from '../kernel/index.ts';
import { type KeySource, readKeySet, type VerificationKeys } from './key-source.ts';

/** Fetches the text at a URL; rejects if there is none within the time, or more than the bytes. */
export type FetchText = (url: string, timeoutMs: number, bytesMax: number) => Promise<string>;

/** Keeps the text of the last good set through a restart. */
export interface KeySetCopy {
  read(): string | null;
  write(text: string): void;
}

export interface RemoteKeysOptions {
  /** The issuer's name in the config file. */
  readonly name: string;
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly fetchText: FetchText;
  readonly copy: KeySetCopy;
}

/** How long after a failure the next try is made at first; it doubles up to the regular interval. */
const RETRY_MS = 1000;

/**
 * An issuer's keys, fetched from its JWK Set ahead of time and regularly. While the issuer is away, what was fetched last is
 * good, also after a restart. A token that names an unknown key makes it look again, but not more often than limits.jwksCooldownMs,
 * however many such tokens come.
 */
export class RemoteKeys implements KeySource {
  readonly #options: RemoteKeysOptions;
  #current: VerificationKeys | null = null;
  #text = '';
  #underWay: Promise<boolean> | null = null;
  #askedMs = Number.NEGATIVE_INFINITY;
  #retryMs = RETRY_MS;
  #timer: Timer | null = null;
  #closed = false;
  readonly #listeners = new Set<(text: string) => void>();

  constructor(options: RemoteKeysOptions) {
    this.#options = options;
    const kept = options.copy.read();
    if (kept !== null) {
      try {
        this.#adopt(kept);
      } catch (error) {
        options.logger.warn({ issuer: options.name, error }, "An issuer's kept keys are damaged");
      }
    }
    void this.#fetch();
  }

  get current(): VerificationKeys | null {
    return this.#current;
  }

  /** The set as the issuer published it; empty while it is not known yet. */
  get text(): string {
    return this.#text;
  }

  /** Calls back whenever there is another set. Returns what ends it. */
  onText(listener: (text: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  refresh(): Promise<boolean> {
    if (this.#underWay !== null) return this.#underWay;
    const { clock, limits } = this.#options;
    if (clock.monotonicMs() - this.#askedMs < limits.jwksCooldownMs) return Promise.resolve(false);
    return this.#fetch();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) this.#options.clock.clearTimer(this.#timer);
  }

  /** Resolves to whether there are other keys now than before. */
  #fetch(): Promise<boolean> {
    const { clock, limits, url, name, logger, fetchText, copy } = this.#options;
    this.#askedMs = clock.monotonicMs();
    const fetched = fetchText(url, limits.jwksTimeoutMs, limits.jwksBytesMax)
      .then((text) => {
        const isNew = text !== this.#text;
        if (isNew) {
          this.#adopt(text);
          copy.write(text);
        }
        this.#retryMs = RETRY_MS;
        this.#later(limits.jwksRefreshMs);
        return isNew;
      })
      .catch((error: unknown) => {
        const kept = this.#current !== null;
        logger.warn({ issuer: name, error, kept }, "An issuer's keys could not be fetched");
        this.#later(this.#retryMs);
        this.#retryMs = Math.min(this.#retryMs * 2, limits.jwksRefreshMs);
        return false;
      });
    this.#underWay = fetched.finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  #later(delayMs: number): void {
    const { clock } = this.#options;
    if (this.#timer !== null) clock.clearTimer(this.#timer);
    this.#timer = this.#closed ? null : clock.setTimer(() => void this.#fetch(), delayMs);
  }

  /** @throws Error that says what is wrong with the set; then nothing has changed */
  #adopt(text: string): void {
    this.#current = { kind: 'set', set: readKeySet(text) };
    this.#text = text;
    for (const listener of this.#listeners) listener(text);
  }
}
