import { durationMs } from '../duration.ts';
import { withDefaults } from '../schema-defaults.ts';
import { type StatusSet, statusSet } from '../statuses.ts';
import { type CompleteUpstreamOptions, type UpstreamOptions, upstreamSchema } from './options.ts';

/** A server of an origin, as it is declared. */
export interface Target {
  readonly scheme: 'http' | 'https';
  /** A name or an address; of IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** As a Host field has it: the port is left out if it is the scheme's. */
  readonly authority: string;
  readonly weight: number;
}

/** What a hash goes by. */
export type HashSource =
  | { readonly kind: 'address' | 'path' }
  | { readonly kind: 'header' | 'cookie'; readonly name: string };

/** The Host that targets see. */
export type HostRule =
  | { readonly kind: 'keep' | 'target' }
  | { readonly kind: 'name'; readonly name: string };

/** TLS towards targets; paths of files are absolute. */
export interface UpstreamTls {
  readonly ca: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
  readonly serverName: string | null;
  readonly verify: boolean;
}

/** How targets are asked whether they are well. */
export interface HealthCheck {
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
  readonly statuses: StatusSet;
}

/** When a target is left alone because of how requests went. */
export interface PassiveCheck {
  readonly failures: number;
  readonly withinMs: number;
  readonly ejectForMs: number;
  readonly ejectForMaxMs: number;
  readonly ejectedPercentMax: number;
}

/** An upstream with nothing missing; immutable. What is null is off. */
export interface Upstream {
  readonly name: string;
  readonly targets: readonly Target[];
  readonly balance: CompleteUpstreamOptions['balance'];
  readonly hashBy: HashSource;
  readonly protocol: CompleteUpstreamOptions['protocol'];
  readonly connectionsMax: number;
  readonly tls: UpstreamTls;
  readonly host: HostRule;
  readonly health: HealthCheck | null;
  readonly passive: PassiveCheck | null;
  /** 0 without slow start. */
  readonly slowStartMs: number;
  readonly resolveEveryMs: number;
  readonly addresses: CompleteUpstreamOptions['addresses'];
}

/** The options with every default filled in. */
export function completeUpstream(options: UpstreamOptions): CompleteUpstreamOptions {
  return withDefaults(upstreamSchema, options) as CompleteUpstreamOptions;
}

const DEFAULT_PORTS = { http: 80, https: 443 } as const;

function targetOf({ url, weight }: CompleteUpstreamOptions['targets'][number]): Target {
  const { protocol, hostname, host, port } = new URL(url);
  const scheme = protocol === 'https:' ? 'https' : 'http';
  return Object.freeze({
    scheme,
    hostname: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    port: port === '' ? DEFAULT_PORTS[scheme] : Number(port),
    authority: host,
    weight,
  });
}

function hashSourceOf(hashBy: string): HashSource {
  const [kind, name] = hashBy.split(':');
  if (kind === 'header') return { kind, name: name.toLowerCase() };
  if (kind === 'cookie') return { kind, name };
  return { kind: kind === 'path' ? 'path' : 'address' };
}

const hostRuleOf = (host: string): HostRule =>
  host === 'keep' || host === 'target' ? { kind: host } : { kind: 'name', name: host };

function healthOf(health: NonNullable<CompleteUpstreamOptions['health']>): HealthCheck {
  return Object.freeze({
    path: health.path,
    intervalMs: durationMs(health.interval),
    timeoutMs: durationMs(health.timeout),
    healthyAfter: health.healthyAfter,
    unhealthyAfter: health.unhealthyAfter,
    statuses: statusSet(health.statuses),
  });
}

function passiveOf(passive: NonNullable<CompleteUpstreamOptions['passive']>): PassiveCheck {
  return Object.freeze({
    failures: passive.failures,
    withinMs: durationMs(passive.within),
    ejectForMs: durationMs(passive.ejectFor),
    ejectForMaxMs: durationMs(passive.ejectForMax),
    ejectedPercentMax: passive.ejectedPercentMax,
  });
}

/** An upstream as the gateway goes by it. The options must be valid: see `findUpstreamProblems`. */
export function upstreamOf(name: string, options: UpstreamOptions): Upstream {
  const complete = completeUpstream(options);
  const { ca = null, certificate = null, key = null, serverName = null, verify } = complete.tls;
  return Object.freeze({
    name,
    targets: Object.freeze(complete.targets.map(targetOf)),
    balance: complete.balance,
    hashBy: Object.freeze(hashSourceOf(complete.hashBy)),
    protocol: complete.protocol,
    connectionsMax: complete.connectionsMax,
    tls: Object.freeze({ ca, certificate, key, serverName, verify }),
    host: Object.freeze(hostRuleOf(complete.host)),
    health: complete.health === undefined ? null : healthOf(complete.health),
    passive: complete.passive === undefined ? null : passiveOf(complete.passive),
    slowStartMs: complete.slowStart === undefined ? 0 : durationMs(complete.slowStart),
    resolveEveryMs: durationMs(complete.resolveEvery),
    addresses: complete.addresses,
  });
}
