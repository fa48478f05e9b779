import { readFileSync } from 'node:fs';
import {
  type Clock,
  type Deadlines,
  type Limits,
  type Logger,
  type Random,
  TidegateError,
} from '../../kernel/index.ts';
import { OutlierEjection } from '../../policies/index.ts';
import { type Balancer, balancerOf } from '../upstreams/balancing/index.ts';
import type { Target, Upstream } from '../upstreams/upstream.ts';
import { Connector, type TargetTls } from './connector.ts';
import { HealthChecks } from './health-checks.ts';
import { OriginTarget, type TargetRole } from './origin-target.ts';
import { type NameLookup, Resolver } from './resolver.ts';

/** What all upstreams share. */
export interface OriginContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly deadlines: Deadlines;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly lookup: NameLookup;
}

/** The files of an upstream's TLS, as they were read. */
type TlsFiles = Pick<TargetTls, 'ca' | 'cert' | 'key'>;

/** An upstream as it runs: its targets, what is known of them, and who gets the next request. */
export class OriginSet {
  readonly spec: Upstream;
  readonly targets: readonly OriginTarget[];
  readonly #balancer: Balancer<OriginTarget>;
  readonly #byKey: ReadonlyMap<string, OriginTarget>;
  readonly #ejection: OutlierEjection<OriginTarget> | null;
  readonly #checks: HealthChecks | null;
  readonly #context: OriginContext;

  /**
   * @param earlier the upstream of the same name before a change: targets that are the same keep their connections and what is known of them
   * @throws TidegateError tls_file_unreadable
   */
  constructor(spec: Upstream, earlier: OriginSet | null, context: OriginContext) {
    this.spec = spec;
    this.#context = context;
    const files = readTlsFiles(spec);
    const byKey = new Map<string, OriginTarget>();
    this.targets = spec.targets.map((target) => {
      const key = keyOf(target, spec, files);
      const role = this.#roleOf(target);
      let running = byKey.get(key) ?? earlier?.targetOf(key);
      if (running === undefined) running = this.#open(key, target, files, role);
      else running.adopt(role);
      byKey.set(key, running);
      return running;
    });
    this.#byKey = byKey;
    const isSameRule = JSON.stringify(spec.passive) === JSON.stringify(earlier?.spec.passive ?? null);
    this.#ejection =
      spec.passive === null
        ? null
        : new OutlierEjection(spec.passive, this.targets, isSameRule ? earlier?.ejection : undefined);
    this.#balancer = balancerOf(spec.balance, this.targets, context.random);
    this.#checks =
      spec.health === null ? null : new HealthChecks(spec.name, spec.health, this.targets, context);
    earlier?.retire(byKey);
  }

  /** A target that takes requests and was not tried; null if there is none. */
  pick(hash: number, tried: readonly OriginTarget[]): OriginTarget | null {
    return this.#balancer(hash, tried);
  }

  /** Whether any target takes requests. */
  get isUsable(): boolean {
    return this.targets.some((target) => target.isUsable());
  }

  close(): void {
    this.#checks?.stop();
    for (const target of this.targets) target.close();
  }

  /** The running target of this key. */
  targetOf(key: string): OriginTarget | undefined {
    return this.#byKey.get(key);
  }

  /** What requests have shown of the targets. */
  get ejection(): OutlierEjection<OriginTarget> | undefined {
    return this.#ejection ?? undefined;
  }

  /** Another one takes its place, which goes on with some of the targets. */
  retire(kept: ReadonlyMap<string, OriginTarget>): void {
    this.#checks?.stop();
    for (const [key, target] of this.#byKey) if (!kept.has(key)) target.close();
  }

  #roleOf({ weight }: Target): TargetRole {
    const { clock, logger } = this.#context;
    const { name, slowStartMs } = this.spec;
    return {
      weight,
      slowStartMs,
      isEjected: (target) => this.#ejection?.isEjected(target, clock.monotonicMs()) === true,
      failed: (target) => {
        if (this.#ejection?.fail(target, clock.monotonicMs()) !== true) return;
        logger.warn(
          { upstream: name, target: target.spec.authority },
          'A target has failed too often and is left alone for a while',
        );
      },
    };
  }

  #open(key: string, target: Target, files: TlsFiles, role: TargetRole): OriginTarget {
    const { spec } = this;
    const { clock, deadlines, limits, lookup } = this.#context;
    const connector = new Connector({
      host: target.hostname,
      port: target.port,
      tls:
        target.scheme === 'https'
          ? {
              ...files,
              serverName: spec.tls.serverName ?? target.hostname,
              verification: spec.tls.verify ? 'full' : 'none',
              protocol: spec.protocol === 'http2' ? 'h2' : 'http/1.1',
            }
          : null,
      resolver: new Resolver({ host: target.hostname, ttlMs: spec.resolveEveryMs, clock, lookup }),
      addresses: spec.addresses,
      deadlines,
      reads: spec.protocol === 'http2' ? 'own' : 'shared',
    });
    const { connectionsMax, health, protocol } = spec;
    return new OriginTarget({
      key,
      spec: target,
      role,
      health,
      protocol,
      connector,
      connectionsMax,
      deadlines,
      clock,
      limits,
    });
  }
}

/** Two targets of the same key are the same, down to the bytes of their certificates. */
function keyOf({ scheme, authority, hostname, port }: Target, spec: Upstream, files: TlsFiles): string {
  const { protocol, connectionsMax, tls, health, resolveEveryMs, addresses } = spec;
  const secrets = scheme === 'https' ? [tls.serverName, tls.verify, files] : [];
  return JSON.stringify([
    scheme,
    authority,
    hostname,
    port,
    protocol,
    connectionsMax,
    health,
    resolveEveryMs,
    addresses,
    secrets,
  ]);
}

function readTlsFiles({ tls }: Upstream): TlsFiles {
  return { ca: readPem(tls.ca), cert: readPem(tls.certificate), key: readPem(tls.key) };
}

function readPem(file: string | null): string | null {
  if (file === null) return null;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new TidegateError('tls_file_unreadable', file, { cause: error });
  }
}
