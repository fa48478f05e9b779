import {
  type Clock,
  type Counter,
  type Limits,
  type Line,
  type Lines,
  type Logger,
  type Metrics,
  TidegateError,
} from '../kernel/index.ts';
import { askLife, type LifeQuestion } from './life.ts';
import { type StartProcess, startNode, type WorkerExit, WorkerProcess } from './worker-process.ts';

/** How often every worker is asked whether it is there, over the silence that is allowed. */
const PULSES_PER_SILENCE = 4;
/** A worker that dies is replaced at once, one that dies soon after its start later and later. */
const RESTART_DELAY_MS_MIN = 100;
const RESTART_DELAY_MS_MAX = 5_000;
const SHORT_LIFE_MS = 10_000;
const NOT_STARTED = 'No process could be made for a worker, which is tried again';

export interface WorkerPoolOptions {
  /** How many, besides the owner itself. */
  readonly count: number;
  /** The program that a worker runs. */
  readonly entry: string;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** What goes on counting of the figures of a worker that died. */
  readonly counted: (figures: unknown) => unknown;
  /** Makes one of several such figures. */
  readonly merge: (figures: readonly unknown[]) => Promise<unknown>;
  /** Default: with the Node of this process. */
  readonly startProcess?: StartProcess;
}

/** The workers of an owner: started together, replaced when they die, ended together. */
export class WorkerPool implements Lines {
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Set<WorkerProcess>();
  readonly #lineListeners: ((line: Line) => void)[] = [];
  readonly #restarts: Counter;
  readonly #stopPulses: () => void;
  #setup: (() => unknown) | null = null;
  #lastNumber = 0;
  #shortLives = 0;
  /** What workers that died have counted. */
  #gone: readonly unknown[] = [];
  #isMerging = false;
  #isClosing = false;
  #emptied: (() => void) | null = null;

  /** Starts the processes, which do nothing before `serve`. */
  constructor(options: WorkerPoolOptions) {
    const { clock, count, limits, metrics } = options;
    this.#options = options;
    this.#restarts = metrics.counter({
      name: 'tidegate_worker_restarts_total',
      help: 'Workers that died and were replaced.',
    });
    metrics.observedGauge(
      {
        name: 'tidegate_workers',
        help: 'Processes that serve the public port, the owner of the log included.',
      },
      () => [...this.#workers].filter(({ isServing }) => isServing).length + 1,
    );
    for (let i = 0; i < count; i++) this.#start();
    const timer = clock.setRepeatingTimer(
      () => this.#feelPulses(),
      limits.workerSilenceTimeoutMs / PULSES_PER_SILENCE,
    );
    this.#stopPulses = () => clock.clearTimer(timer);
  }

  onLine(listener: (line: Line) => void): void {
    this.#lineListeners.push(listener);
    if (this.#setup !== null) for (const { line } of this.#workers) listener(line);
  }

  /**
   * Makes all workers serve, and those that take their places later. Resolves when each serves or has failed to.
   * @param setup what a worker is told, as JSON; called for each
   */
  async serve(setup: () => unknown): Promise<void> {
    this.#setup = setup;
    await Promise.all([...this.#workers].map((worker) => this.#begin(worker)));
  }

  /** Resolves once every worker has taken in what it was told before; one that is slower than limits.workerAnswerTimeoutMs is not waited for. */
  async reached(): Promise<void> {
    await this.#inTime(this.#askAll({ about: 'pulse' }));
  }

  /** Has every worker read its certificates anew. */
  async reload(): Promise<void> {
    await this.#askAll({ about: 'reload' });
  }

  /** The figures of every worker, those that died included. One that does not answer in time is given with its last ones. */
  async figures(): Promise<readonly unknown[]> {
    const workers = [...this.#workers];
    const asked = workers.map(async (worker) => {
      worker.figures = await askLife(worker.line, { about: 'figures' });
    });
    await this.#inTime(Promise.allSettled(asked));
    // What one has counted that died meanwhile is among that of the dead.
    const known = workers.filter((worker) => this.#workers.has(worker)).map(({ figures }) => figures);
    return [...known.filter((figures) => figures !== null), ...this.#gone];
  }

  /** Tells every worker to finish, and resolves when all have ended. One that has not after `timeoutMs` is killed. */
  async drain(timeoutMs: number): Promise<void> {
    const { clock } = this.#options;
    this.#close();
    for (const worker of this.#workers) {
      worker.isLeaving = true;
      askLife(worker.line, { about: 'drain' }).catch(() => {});
    }
    const timer = clock.setTimer(() => this.#killAll(), timeoutMs);
    await this.#empty();
    clock.clearTimer(timer);
  }

  /** Ends every worker at once; resolves when they have. */
  async destroy(): Promise<void> {
    this.#close();
    this.#killAll();
    await this.#empty();
  }

  #close(): void {
    this.#isClosing = true;
    this.#stopPulses();
  }

  #killAll(): void {
    for (const worker of this.#workers) {
      worker.isLeaving = true;
      worker.kill();
    }
  }

  #empty(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#workers.size === 0) resolve();
      else this.#emptied = resolve;
    });
  }

  #start(): void {
    const { logger } = this.#options;
    let worker: WorkerProcess;
    try {
      worker = this.#startProcess();
    } catch (error) {
      logger.error({ error, delayMs: this.#startAgain(0) }, NOT_STARTED);
      return;
    }
    this.#workers.add(worker);
    if (this.#setup !== null) void this.#begin(worker);
  }

  #startProcess(): WorkerProcess {
    const { entry, clock, limits, logger, startProcess = startNode } = this.#options;
    return new WorkerProcess({
      number: ++this.#lastNumber,
      entry,
      clock,
      limits,
      startProcess,
      failed({ number, pid }, error) {
        logger.error({ error, worker: number, pid }, 'What a worker said could not be taken');
      },
      exited: (gone, exit) => this.#exited(gone, exit),
    });
  }

  async #begin(worker: WorkerProcess): Promise<void> {
    const { logger } = this.#options;
    for (const listener of this.#lineListeners) listener(worker.line);
    try {
      await askLife(worker.line, { about: 'serve', worker: worker.number, setup: this.#setup?.() });
      worker.isServing = true;
      logger.debug({ worker: worker.number, pid: worker.pid }, 'A worker serves');
    } catch (error) {
      // If it has died, that is said when it has ended.
      if (!worker.isLeaving && TidegateError.from(error).code !== 'worker_unavailable')
        logger.error({ error, worker: worker.number }, 'A worker could not begin to serve');
      worker.kill();
    }
  }

  #exited(worker: WorkerProcess, { code, signal, error }: WorkerExit): void {
    const { clock, logger } = this.#options;
    this.#workers.delete(worker);
    if (this.#isClosing) {
      if (this.#workers.size === 0) this.#emptied?.();
      return;
    }
    void this.#keepFigures(worker.figures);
    const delayMs = this.#startAgain(clock.monotonicMs() - worker.startedMs);
    if (error !== null) {
      logger.error({ error, delayMs }, NOT_STARTED);
      return;
    }
    logger.error(
      { worker: worker.number, pid: worker.pid, code, signal, line: worker.line.closeReason, delayMs },
      'A worker has died and is being replaced; its clients connect again',
    );
    this.#restarts.add(1);
  }

  /**
   * Starts another one in the place of one that is gone.
   * @param livedMs how long that one lived
   * @returns when, in milliseconds: at once, and later and later while they live for a short time only
   */
  #startAgain(livedMs: number): number {
    this.#shortLives = livedMs < SHORT_LIFE_MS ? this.#shortLives + 1 : 0;
    const delayMs =
      this.#shortLives <= 1
        ? 0
        : Math.min(RESTART_DELAY_MS_MAX, RESTART_DELAY_MS_MIN * 2 ** (this.#shortLives - 2));
    this.#options.clock.setTimer(() => {
      if (!this.#isClosing) this.#start();
    }, delayMs);
    return delayMs;
  }

  /** What it counted is there at once, so that no sum goes back, and becomes one with the others' a moment later. */
  async #keepFigures(figures: unknown): Promise<void> {
    if (figures === null) return;
    this.#gone = [...this.#gone, this.#options.counted(figures)];
    if (this.#isMerging) return;
    this.#isMerging = true;
    while (this.#gone.length > 1) {
      const merging = this.#gone;
      const merged = await this.#options.merge(merging);
      this.#gone = [merged, ...this.#gone.slice(merging.length)];
    }
    this.#isMerging = false;
  }

  #feelPulses(): void {
    for (const worker of this.#workers) {
      if (worker.pulse()) continue;
      this.#options.logger.error(
        { worker: worker.number, pid: worker.pid },
        'A worker is silent and is killed',
      );
      worker.kill();
    }
  }

  /** Waits for answers no longer than they may take. */
  #inTime(answers: Promise<unknown>): Promise<void> {
    const { clock, limits } = this.#options;
    return new Promise((resolve) => {
      const timer = clock.setTimer(resolve, limits.workerAnswerTimeoutMs);
      void answers.then(() => {
        clock.clearTimer(timer);
        resolve();
      });
    });
  }

  async #askAll(question: LifeQuestion): Promise<void> {
    await Promise.allSettled([...this.#workers].map(({ line }) => askLife(line, question)));
  }
}
