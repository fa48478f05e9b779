import type { Clock, Deadlines, ErrorCode, Limits, TidegateError } from '../../kernel/index.ts';
import { HealthState, slowStartShare } from '../../policies/index.ts';
import type { Candidate } from '../upstreams/balancing/index.ts';
import type { HealthCheck, Target, Upstream } from '../upstreams/upstream.ts';
import type { Connector } from './connector.ts';
import { Http1Pool } from './http1-pool.ts';
import { Http2Pool } from './http2-pool.ts';
import type { LinkWaiter, OriginLink, OriginPool } from './origin-link.ts';

/** What a target is to its upstream, which may change while the target and its connections stay. */
export interface TargetRole {
  readonly weight: number;
  /** 0 for a full share at once. */
  readonly slowStartMs: number;
  /** Whether it is left alone for a while, for how its requests went. */
  isEjected(target: OriginTarget): boolean;
  /** A request failed, by the target's fault. */
  failed(target: OriginTarget): void;
}

export interface OriginTargetOptions {
  /** The same for the same target in every list. */
  readonly key: string;
  readonly spec: Target;
  readonly role: TargetRole;
  readonly health: HealthCheck | null;
  readonly protocol: Upstream['protocol'];
  readonly connector: Connector;
  readonly connectionsMax: number;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly limits: Limits;
}

/** The errors that speak against the target that was asked. */
const TARGETS_FAULT: ReadonlySet<ErrorCode> = new Set([
  'upstream_unreachable',
  'upstream_timeout',
  'upstream_malformed',
  'upstream_reset',
]);

/** The statuses by which a gateway or a server says that it cannot serve now. */
const isServersFault = (status: number): boolean => status === 502 || status === 503 || status === 504;

/** One server of an upstream, as it runs: its connections, and how its requests go. */
export class OriginTarget implements Candidate {
  readonly key: string;
  readonly spec: Target;
  /** Requests under way. */
  active = 0;
  /** What active checks say; null if there are none. */
  readonly #health: HealthState | null;
  #healthySinceMs = Number.NEGATIVE_INFINITY;
  #role: TargetRole;
  readonly #pool: OriginPool;
  readonly #clock: Clock;

  constructor(options: OriginTargetOptions) {
    this.key = options.key;
    this.spec = options.spec;
    this.#clock = options.clock;
    this.#role = options.role;
    this.#health = options.health === null ? null : new HealthState(options.health);
    this.#pool =
      options.protocol === 'http2'
        ? new Http2Pool({ ...options, scheme: options.spec.scheme })
        : new Http1Pool(options);
  }

  /** The upstream has changed, and the target stays. */
  adopt(role: TargetRole): void {
    this.#role = role;
  }

  // --- What a balancer asks. ---

  get weight(): number {
    const { weight, slowStartMs } = this.#role;
    return slowStartMs === 0
      ? weight
      : weight * slowStartShare(this.#healthySinceMs, slowStartMs, this.#clock.monotonicMs());
  }

  isUsable(): boolean {
    return this.isHealthy && !this.#role.isEjected(this);
  }

  // --- What is known of it. ---

  get isHealthy(): boolean {
    return this.#health?.isHealthy !== false;
  }

  /** Takes the answer to a health check in; returns whether another thing is believed than before. */
  observe(answer: 'good' | 'bad'): boolean {
    if (this.#health?.observe(answer) !== true) return false;
    if (this.#health.isHealthy) this.#healthySinceMs = this.#clock.monotonicMs();
    return true;
  }

  /** A head has come. */
  answered(status: number): void {
    if (isServersFault(status)) this.#role.failed(this);
  }

  failed({ code }: TidegateError): void {
    if (TARGETS_FAULT.has(code)) this.#role.failed(this);
  }

  began(): void {
    this.active++;
  }

  /** A request that began is over, however. */
  ended(): void {
    this.active--;
  }

  // --- Connections. ---

  /** Those that are open or being opened. */
  get connections(): number {
    return this.#pool.size;
  }

  /** A link that is there at once, if there is one; whoever takes it begins a request on it. See `OriginPool.take`. */
  take(idleMsMax: number): OriginLink | null {
    return this.#pool.take(this.#clock.monotonicMs() - idleMsMax);
  }

  /** A link, once one can be had. */
  request(waiter: LinkWaiter, connectTimeoutMs: number): void {
    this.#pool.request(waiter, connectTimeoutMs);
  }

  /** A waiter does not wait any longer. */
  withdraw(waiter: LinkWaiter): void {
    this.#pool.withdraw(waiter);
  }

  /** Takes no more requests: idle connections close, and those in use close after their request. */
  close(): void {
    this.#pool.close();
  }
}
