import { type BoundPublisher, type Clock, Deadlines, type Expiring, type Timer } from '../../kernel/index.ts';
import type { PublishItem } from '../../wire/grip/index.ts';
import type { FollowedListener } from '../grip-attendance/followed-channels.ts';
import type { SubscriptionMode, Visitor } from '../grip-attendance/port.ts';
import type { TotalAttendance, TotalListener } from '../grip-attendance/total-attendance.ts';
import { RouteReport } from './route-report.ts';
import {
  encodeStatistics,
  type StatisticsFormat,
  type StatisticsMembers,
  type StatisticsType,
} from './statistics-frame.ts';
import type { ZmqMetrics } from './zmq-metrics.ts';

export interface StatisticsOptions {
  readonly socket: BoundPublisher;
  readonly format: StatisticsFormat;
  /** Names the server in each message. */
  readonly from: string;
  readonly attendance: TotalAttendance;
  readonly clock: Clock;
  readonly metrics: ZmqMetrics;
}

/** What is told of connections, subscriptions and their largest number holds for so long; it is told again when three quarters are over. */
const CONNECTION_TTL_SECONDS = 120;
const SUBSCRIPTION_TTL_SECONDS = 60;
const CONNECTIONS_MAX_TTL_SECONDS = 60;
const REFRESHED_AFTER = 0.75;

/** How late activity is told, so that a storm of it is a few messages. */
const ACTIVITY_MS = 100;
const REPORT_MS = 10_000;
const SWEEP_MS = 1_000;
const MINUTE_MS = 60_000;

/** The route of what belongs to none, which reports leave out. */
const NO_ROUTE = '';

/** Of each mode, what it is sent, and where an item has that. */
const TRANSPORTS = [
  ['response', 'http-response', 'httpResponse'],
  ['stream', 'http-stream', 'httpStream'],
  ['ws', 'ws-message', 'webSocketMessage'],
] as const;

/** Tells whoever subscribes to the PUB socket of connections, subscriptions and messages, as Pushpin does, over all processes of the server. */
export class Statistics implements TotalListener, FollowedListener {
  readonly #options: StatisticsOptions;
  readonly #connections = new Map<string, ToldConnection>();
  readonly #reports = new Map<string, RouteReport>();
  readonly #active = new Map<string, number>();
  #requests = 0;
  readonly #deadlines: Deadlines;
  readonly #reportTimer: Timer;
  #activityTimer: Timer | null = null;

  constructor(options: StatisticsOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.clock, SWEEP_MS);
    this.#reportTimer = options.clock.setRepeatingTimer(() => this.#report(), REPORT_MS);
  }

  // --- Connections. ---

  arrived(visitor: Visitor): void {
    const connection: ToldConnection = {
      visitor,
      countedMs: this.#nowMs,
      deadlineMs: this.#deadlines.after(CONNECTION_TTL_SECONDS * REFRESHED_AFTER * 1000),
      expired: () => {
        connection.deadlineMs = this.#deadlines.after(CONNECTION_TTL_SECONDS * REFRESHED_AFTER * 1000);
        this.#countMinutes(connection);
        this.#tellConnection(visitor);
      },
    };
    this.#connections.set(visitor.id, connection);
    this.#deadlines.add(connection);
    this.#reportOf(visitor.route).came();
    this.#tellConnection(visitor);
    this.#tellSoon();
  }

  left(visitor: Visitor): void {
    const connection = this.#connections.get(visitor.id);
    if (connection === undefined) return;
    this.#connections.delete(visitor.id);
    this.#deadlines.delete(connection);
    this.#countMinutes(connection);
    this.#reportOf(visitor.route).left();
    this.#send('conn', visitor.route, { id: visitor.id, unavailable: true });
    this.#tellSoon();
  }

  #tellConnection({ id, type, route, remoteAddress, scheme }: Visitor): void {
    this.#send('conn', route, {
      id,
      type,
      'peer-address': remoteAddress,
      ssl: scheme === 'https' ? true : undefined,
      ttl: CONNECTION_TTL_SECONDS,
    });
  }

  /** Counts the minutes that are over since they were last counted. */
  #countMinutes(connection: ToldConnection): void {
    const minutes = Math.floor((this.#nowMs - connection.countedMs) / MINUTE_MS);
    connection.countedMs += minutes * MINUTE_MS;
    this.#reportOf(connection.visitor.route).lasted(minutes);
  }

  // --- Subscriptions. ---

  counted(): void {}

  began(mode: SubscriptionMode, channel: string, count: number): void {
    this.#send('sub', NO_ROUTE, { mode, channel, ttl: SUBSCRIPTION_TTL_SECONDS, subscribers: count });
  }

  goesOn(mode: SubscriptionMode, channel: string, count: number): void {
    this.began(mode, channel, count);
  }

  ended(mode: SubscriptionMode, channel: string): void {
    this.#send('sub', NO_ROUTE, { mode, channel, unavailable: true });
  }

  // --- Messages. ---

  /** An item was stored, and nobody has been handed it yet. */
  published({ channel, id, formats }: PublishItem): void {
    this.#reportOf(NO_ROUTE).received();
    for (const [mode, transport, format] of TRANSPORTS) {
      if (formats[format] === null) continue;
      let count = 0;
      for (const routes of this.#options.attendance.subscribers(mode, channel)) {
        for (const [route, ofRoute] of routes) {
          count += ofRoute;
          this.#reportOf(route).sent(transport, ofRoute);
        }
      }
      if (count > 0) {
        this.#send('message', NO_ROUTE, { channel, 'item-id': id ?? undefined, count, transport });
      }
    }
  }

  // --- Activity. ---

  active(route: string, times: number): void {
    this.#active.set(route, (this.#active.get(route) ?? 0) + times);
    this.#tellSoon();
  }

  requested(_route: string, times: number): void {
    this.#requests += times;
    this.#tellSoon();
  }

  #tellSoon(): void {
    this.#activityTimer ??= this.#options.clock.setTimer(() => this.#tellActivity(), ACTIVITY_MS);
  }

  #tellActivity(): void {
    this.#activityTimer = null;
    for (const [route, count] of this.#active) this.#send('activity', route, { count });
    this.#active.clear();
    if (this.#requests > 0) this.#send('counts', NO_ROUTE, { 'requests-received': this.#requests });
    this.#requests = 0;
    this.#tellMaxima();
  }

  #tellMaxima(): void {
    const againMs = CONNECTIONS_MAX_TTL_SECONDS * REFRESHED_AFTER * 1000;
    for (const [route, report] of this.#reports) {
      const max = report.takeMax(this.#nowMs, againMs);
      if (max !== null) this.#send('conn-max', route, { max, ttl: CONNECTIONS_MAX_TTL_SECONDS });
    }
  }

  // --- Reports. ---

  #reportOf(route: string): RouteReport {
    let report = this.#reports.get(route);
    if (report === undefined) {
      report = new RouteReport(this.#nowMs);
      this.#reports.set(route, report);
    }
    return report;
  }

  #report(): void {
    this.#tellMaxima();
    for (const [route, report] of this.#reports) {
      // After the last one with figures, one without says that there is nothing more.
      const isIdle = report.isIdle;
      this.#send('report', route, report.take(this.#nowMs));
      if (isIdle) this.#reports.delete(route);
    }
  }

  // --- Sending. ---

  get #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  #send(type: StatisticsType, route: string, members: StatisticsMembers): void {
    const { socket, format, from, metrics } = this.#options;
    const named = { from, route: route === NO_ROUTE ? undefined : route, ...members };
    if (!socket.send(encodeStatistics(type, named, format))) metrics.dropped.add(1);
  }

  close(): void {
    const { clock } = this.#options;
    clock.clearTimer(this.#reportTimer);
    if (this.#activityTimer !== null) clock.clearTimer(this.#activityTimer);
    this.#deadlines.stop();
  }
}

interface ToldConnection extends Expiring {
  readonly visitor: Visitor;
  /** Up to when its minutes are counted. */
  countedMs: number;
}
