import { TidegateError } from '../../kernel/index.ts';
import { type Failure, failureOfError } from './failure.ts';
import type { ResourceHost } from './live-resource.ts';
import { idOf, type LiveValue, parseValue, textOf } from './live-value.ts';
import { OriginPoller, type PollerOptions, type PollerOwner } from './origin-poller.ts';
import type { FetchOrigin, LiveRoute, OriginResponse, RoutedPath } from './port.ts';
import type { ValueSource, ValueTaker } from './source.ts';
import { patchLengthMax, type VersionStep } from './version-ring.ts';

/** The patch between values that are equal as JSON. */
const NO_OPERATIONS = '[]';

export interface PolledValueOptions {
  readonly route: LiveRoute;
  readonly host: ResourceHost;
  readonly polling: Omit<PollerOptions, 'everyMs'>;
  readonly path: RoutedPath;
  readonly fetch: FetchOrigin;
}

/** A value that this process polls: it makes versions of what the origin answers. */
export class PolledValue implements ValueSource, PollerOwner {
  readonly #route: LiveRoute;
  readonly #host: ResourceHost;
  readonly #taker: ValueTaker;
  readonly #poller: OriginPoller;
  /** What polls go by. */
  #rules: object;
  /** The last that was logged, if it lasts. */
  #failure: Failure | null = null;

  constructor({ route, host, polling, path, fetch }: PolledValueOptions, taker: ValueTaker) {
    this.#route = route;
    this.#host = host;
    this.#taker = taker;
    this.#rules = path.rules;
    this.#poller = new OriginPoller({ ...polling, everyMs: route.everyMs }, this, fetch);
  }

  get tag(): string | null {
    return this.#poller.tag;
  }

  get isDue(): boolean {
    return this.#poller.isDue;
  }

  use(path: RoutedPath): void {
    if (path.rules === this.#rules) return;
    const fetch = this.#host.originOf(this.#route.name, path);
    // Without a route, those who are there go on as they began.
    if (fetch === null) return;
    this.#rules = path.rules;
    this.#poller.use(fetch);
  }

  start(): void {
    this.#poller.start();
  }

  stop(): void {
    this.#poller.stop();
  }

  // --- Polls. ---

  answered(response: OriginResponse): Failure | null {
    let value: LiveValue | null;
    let step: VersionStep;
    try {
      value = this.#read(response);
      if (value === null) {
        this.confirmed();
        return null;
      }
      step = { id: value.id, patch: this.#patchTo(value) };
    } catch (error) {
      return failureOfError(TidegateError.from(error));
    }
    // White space or the order of members: to whoever reads JSON, the value is as it was.
    if (step.patch === NO_OPERATIONS) {
      this.confirmed();
      return null;
    }
    this.#host.metrics.polls.changed.add(1);
    // Nothing is compared with it in the other mode.
    this.#taker.changed(this.#route.mode === 'patch' ? value : { ...value, json: null }, [step], null);
    this.#log(null);
    return null;
  }

  confirmed(): void {
    this.#host.metrics.polls.unchanged.add(1);
    this.#taker.settled(null);
    this.#log(null);
  }

  failed(failure: Failure): void {
    this.#host.metrics.polls.failed.add(1);
    this.#taker.settled(failure);
    this.#log(failure);
  }

  /** The value of an answer; null if it is the one that there is. @throws TidegateError if the answer is no value */
  #read(response: OriginResponse): LiveValue | null {
    const text = textOf(response, this.#host.limits.liveValueBytesMax);
    const id = idOf(text);
    return id === this.#taker.value?.id ? null : parseValue(id, text);
  }

  /** What makes it of the value before; null if the whole value says it better, or nothing else can. */
  #patchTo(after: LiveValue): string | null {
    const before = this.#taker.value;
    if (before === null || this.#route.mode === 'value' || before.isInexact || after.isInexact) return null;
    try {
      const patch = JSON.stringify(this.#host.diff(before.json, after.json));
      return patch.length > patchLengthMax(after.text.length) ? null : patch;
    } catch {
      // JSON may be nested more deeply than can be compared.
      return null;
    }
  }

  /** Logs that failures begin, are others, or are over. */
  #log(failure: Failure | null): void {
    if (failure?.sameness === this.#failure?.sameness) return;
    this.#failure = failure;
    // What was never there is nobody's loss, and whoever asks for it must not fill the log.
    if (this.#taker.value === null) return;
    const fields = { route: this.#route.name };
    const { logger } = this.#host;
    if (failure === null) logger.info(fields, 'The origin of a live route answers again');
    else
      logger.warn({ ...fields, error: failure.error }, 'The origin of a live route does not give its value');
  }
}
