import type { LiveRoute } from '../../../src/gateway/live/index.ts';
import type { Limits } from '../../../src/kernel/index.ts';
import { type LinePair, linePair } from '../../support/line-pair.ts';
import { LiveStage } from './fakes.ts';

/** The live routes of a server with workers: one clock, one origin, and a line from the owner to each worker. */
export class LiveProcesses {
  readonly owner: LiveStage;
  readonly #route: Partial<LiveRoute>;
  readonly #limits: Partial<Limits>;
  readonly #workers: { readonly stage: LiveStage; readonly lines: LinePair }[] = [];

  constructor(workers: number, route: Partial<LiveRoute> = {}, limits: Partial<Limits> = {}) {
    this.#route = route;
    this.#limits = limits;
    this.owner = new LiveStage(route, limits);
    for (let i = 0; i < workers; i++) this.#add(i);
  }

  worker(index = 0): LiveStage {
    return this.#workers[index].stage;
  }

  lines(index = 0): LinePair {
    return this.#workers[index].lines;
  }

  /** All processes, the owner first. */
  get stages(): readonly LiveStage[] {
    return [this.owner, ...this.#workers.map(({ stage }) => stage)];
  }

  /** Lets everything arrive that is under way on the lines. */
  deliver(): void {
    for (const { lines } of this.#workers) lines.deliver();
  }

  /** Lets time pass, and everything arrive that is said meanwhile. */
  advance(ms: number): void {
    this.deliver();
    this.owner.clock.advance(ms);
    this.deliver();
  }

  /** Lets the next poll begin, and answers it. */
  next(body: unknown, headers: Record<string, string> = {}): void {
    this.deliver();
    this.owner.next(body, headers);
    this.deliver();
  }

  /** A worker dies, with all connections of its clients, and another takes its place. */
  replace(index = 0): void {
    this.#workers[index].lines.close();
    this.#add(index);
  }

  #add(index: number): void {
    const stage = new LiveStage(this.#route, this.#limits, this.owner);
    const lines = linePair(index + 1);
    this.owner.routes.join(lines.owner);
    stage.routes.join(lines.worker);
    this.#workers[index] = { stage, lines };
  }
}
