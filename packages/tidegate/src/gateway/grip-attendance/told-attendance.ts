import type { Buffer } from 'node:buffer';
import { type Clock, type Line, lineJson, readLineJson, type Timer } from '../../kernel/index.ts';
import type { AttendanceListener, SubscriptionMode, Visitor } from './port.ts';

type Counted = readonly [mode: SubscriptionMode, route: string, channel: string, count: number];
type Times = readonly [route: string, times: number];

/** What changed in a worker, in this order. A connection that came and went since is in both lists. */
interface AttendanceNews {
  readonly arrived: readonly Visitor[];
  readonly counted: readonly Counted[];
  readonly left: readonly string[];
  readonly active: readonly Times[];
  readonly requested: readonly Times[];
}

/** How late the owner hears of what changed: a storm of connections is told in a few messages. */
const GATHERED_MS = 20;
/** Changes that are told at once, so that what is gathered, and each message, stays small. */
const GATHERED_MAX = 1_000;

/** Tells the owner of the log, at the other end of the line, who is held in this worker. */
export class ToldAttendance implements AttendanceListener {
  readonly #line: Line;
  readonly #clock: Clock;
  readonly #arrived: Visitor[] = [];
  readonly #left: string[] = [];
  readonly #counted = new Map<string, Counted>();
  readonly #active = new Map<string, number>();
  readonly #requested = new Map<string, number>();
  #timer: Timer | null = null;

  constructor(line: Line, clock: Clock) {
    this.#line = line;
    this.#clock = clock;
  }

  arrived(visitor: Visitor): void {
    this.#arrived.push(visitor);
    this.#changed();
  }

  left(id: string): void {
    this.#left.push(id);
    this.#changed();
  }

  counted(mode: SubscriptionMode, route: string, channel: string, count: number): void {
    this.#counted.set(`${mode} ${route} ${channel}`, [mode, route, channel, count]);
    this.#changed();
  }

  active(route: string, times: number): void {
    this.#active.set(route, (this.#active.get(route) ?? 0) + times);
    this.#changed();
  }

  requested(route: string, times: number): void {
    this.#requested.set(route, (this.#requested.get(route) ?? 0) + times);
    this.#changed();
  }

  #changed(): void {
    if (this.#arrived.length + this.#left.length + this.#counted.size >= GATHERED_MAX) this.#tell();
    else this.#timer ??= this.#clock.setTimer(() => this.#tell(), GATHERED_MS);
  }

  #tell(): void {
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
    const news: AttendanceNews = {
      arrived: this.#arrived.splice(0),
      counted: [...this.#counted.values()],
      left: this.#left.splice(0),
      active: [...this.#active],
      requested: [...this.#requested],
    };
    this.#counted.clear();
    this.#active.clear();
    this.#requested.clear();
    this.#line.tell('grip', lineJson(news));
  }
}

/** Enters what a worker told into its list. */
export function takeNews(message: Buffer, list: AttendanceListener): void {
  const { arrived, counted, left, active, requested } = readLineJson<AttendanceNews>(message);
  for (const visitor of arrived) list.arrived(visitor);
  for (const [mode, route, channel, count] of counted) list.counted(mode, route, channel, count);
  for (const id of left) list.left(id);
  for (const [route, times] of active) list.active(route, times);
  for (const [route, times] of requested) list.requested(route, times);
}
