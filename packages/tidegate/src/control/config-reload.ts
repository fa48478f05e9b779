import { type Counter, type Logger, type Metrics, TidegateError } from '../kernel/index.ts';
import type { Difference } from './plan.ts';
import type { DeclaredResource, ResourceName } from './port.ts';
import type { ResourceStore } from './resource-store.ts';

/** What the config file says when it is read anew. */
export type ConfigReading =
  | {
      readonly kind: 'config';
      readonly resources: readonly DeclaredResource[];
      /** The keys that have other values than the server was started with, and take effect at the next start only. */
      readonly restart: readonly string[];
    }
  /** All that is wrong with it, each in words for people, with its place. */
  | { readonly kind: 'problems'; readonly problems: readonly string[] };

export interface ConfigReloadOptions {
  readonly resources: ResourceStore;
  /** Reads the config file. @throws TidegateError config_unreadable */
  readonly read: () => Promise<ConfigReading>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What came of a reading that was taken. */
export interface ReloadResult {
  /** What has changed of what is in force. */
  readonly differences: readonly Difference[];
  /** Stored resources that the file hides from now on. */
  readonly hidden: readonly ResourceName[];
  /** The keys that take effect at the next start only. */
  readonly restart: readonly string[];
}

type Outcome = 'changed' | 'unchanged' | 'refused';

/** Takes the config file anew while the server runs: as a whole, or not at all. */
export class ConfigReload {
  readonly #options: ConfigReloadOptions;
  readonly #outcomes: Readonly<Record<Outcome, Counter>>;
  #lastRun: Promise<unknown> = Promise.resolve();
  /** The one that has not begun to read: who asks meanwhile wants the same. */
  #next: Promise<ReloadResult> | null = null;
  #isClosed = false;

  constructor(options: ConfigReloadOptions) {
    this.#options = options;
    const reloads = {
      name: 'tidegate_config_reloads_total',
      help: 'Times that the config file was read anew, by what came of it.',
      labels: ['outcome'],
    };
    const counter = (outcome: Outcome): Counter => options.metrics.counter(reloads, [outcome]);
    this.#outcomes = {
      changed: counter('changed'),
      unchanged: counter('unchanged'),
      refused: counter('refused'),
    };
  }

  /**
   * Reads the file and puts into effect what can be while the server runs. One reading at a time; resolves with one that began after the call.
   * @throws TidegateError config_refused: nothing has changed; draining; what kept a resource from taking effect, which is tried again
   */
  reload(): Promise<ReloadResult> {
    if (this.#next !== null) return this.#next;
    const next = this.#lastRun.then(() => {
      this.#next = null;
      return this.#run();
    });
    this.#next = next;
    this.#lastRun = next.catch(() => {});
    return next;
  }

  /** Takes nothing any more: not even what is being read, which may take seconds. */
  close(): void {
    this.#isClosed = true;
  }

  async #run(): Promise<ReloadResult> {
    const { resources, logger } = this.#options;
    const { restart, redeclaration } = await this.#redeclare();
    const { differences, hidden, failure } = redeclaration;
    this.#outcomes[differences.length > 0 ? 'changed' : 'unchanged'].add(1);
    const { position } = resources.snapshot;
    logger.info({ position, changed: differences.length }, 'The config file was read anew');
    if (restart.length > 0)
      logger.warn({ restart }, 'The config file has other settings that take effect at the next start only');
    if (failure !== null) throw failure;
    return { differences, hidden, restart };
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new TidegateError('draining');
  }

  async #redeclare() {
    const { resources, read, logger } = this.#options;
    try {
      this.#assertOpen();
      const reading = await read();
      this.#assertOpen();
      if (reading.kind === 'problems')
        throw new TidegateError('config_refused', `\n${reading.problems.join('\n')}`);
      const { restart } = reading;
      return { restart, redeclaration: await resources.redeclare(reading.resources) };
    } catch (error) {
      if (this.#isClosed) throw error;
      const refusal = refusalOf(TidegateError.from(error));
      this.#outcomes.refused.add(1);
      logger.error({ error: refusal }, 'The config file is refused; what was in force stays so');
      throw refusal;
    }
  }
}

/** Whatever is wrong with the file, one code says that it was not taken, and the detail says why. */
function refusalOf(error: TidegateError): TidegateError {
  if (error.code === 'config_refused') return error;
  // A mistake of the server is none of the file.
  if (error.code === 'internal') return error;
  return new TidegateError('config_refused', error.message, { cause: error });
}
