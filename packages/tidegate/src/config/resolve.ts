import { availableParallelism } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import type { AccessOptions } from '../access/options.ts';
import { type WebSocketOptions, websocketSchema } from '../edges/websocket/options.ts';
import type { UpstreamOptions } from '../gateway/options.ts';
import { type Limits, resolveLimits } from '../kernel/index.ts';
import {
  type CorsOptions,
  corsSchema,
  type ListenSettings,
  listenSchema,
  type TlsSettings,
  tlsSchema,
  zmqSettings,
} from '../listeners/options.ts';
import { dataSchema, defaultTopicSchema, type TopicOptions } from '../log/options.ts';
import { WORKERS_MAX } from '../workers/options.ts';
import { type ConfigFile, configSchema, type LogLevel, type TlsFile } from './schema.ts';

/** Settings that the command line gives; each takes the place of what the config file says. */
export interface ConfigOverrides {
  readonly host?: string;
  readonly port?: number;
  readonly adminPort?: number;
  /** Relative to the working directory. */
  readonly data?: string;
  readonly workers?: number;
  readonly insecure?: boolean;
}

/** A resource of the config file: what somebody wants a thing of some kind to be, in the words of the kind's schema. */
export interface DeclaredResource {
  readonly kind: string;
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** All that a server is told before it starts: nothing is missing, nothing can be changed. */
export interface ResolvedConfig {
  readonly listen: ListenSettings;
  /** TLS on the public port; null for plain HTTP. */
  readonly tls: TlsSettings | null;
  /** Processes that serve the public port, the owner of the log included. */
  readonly workers: number;
  /** An absolute path. */
  readonly dataFolder: string;
  /** What is declared, as it was written but for paths, which are absolute; the topic `default` first, which is always there. */
  readonly resources: readonly DeclaredResource[];
  readonly access: AccessOptions;
  /** Everybody may do everything, whatever the address, as long as there is no credential. */
  readonly insecure: boolean;
  readonly limits: Limits;
  readonly cors: { readonly origins: readonly string[] };
  readonly websocket: Readonly<Required<WebSocketOptions>>;
  readonly logLevel: LogLevel;
}

const DEFAULT_TOPIC = 'default';

/** The topic of all channels that no other topic claims: durable, for a day, with an index for its very many keys. */
function defaultTopicOptions(options: Pick<TopicOptions, 'retention'>): TopicOptions {
  const age = defaultTopicSchema.properties.retention.properties.ageSeconds.default;
  return { retention: { ageSeconds: age, ...options.retention }, keyIndex: true };
}

/** The file's resources, the topic `default` first, which is always there. */
function resourcesOf(content: ConfigFile, folder: string): readonly DeclaredResource[] {
  const { default: defaultTopic, ...topics } = content.topics ?? {};
  const declared: DeclaredResource[] = [
    { kind: 'topic', name: DEFAULT_TOPIC, spec: defaultTopicOptions(defaultTopic ?? {}) },
  ];
  for (const [name, spec] of Object.entries(topics)) declared.push({ kind: 'topic', name, spec });
  for (const [name, spec] of Object.entries(content.keys ?? {})) declared.push({ kind: 'key', name, spec });
  for (const [name, upstream] of Object.entries(content.upstreams ?? {}))
    declared.push({ kind: 'upstream', name, spec: withAbsoluteTls(upstream, folder) });
  for (const [name, spec] of Object.entries(content.routes ?? {}))
    declared.push({ kind: 'route', name, spec });
  return deepFreeze(declared);
}

/** The files of an upstream's TLS stand where the config file does. */
function withAbsoluteTls(upstream: UpstreamOptions, folder: string): UpstreamOptions {
  const { tls } = upstream;
  if (tls === undefined) return upstream;
  const files = Object.entries({ ca: tls.ca, certificate: tls.certificate, key: tls.key })
    .filter(([, file]) => file !== undefined)
    .map(([name, file]) => [name, resolve(folder, file as string)]);
  return { ...upstream, tls: { ...tls, ...Object.fromEntries(files) } };
}

/** What the file holds belongs to nobody alone. */
function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}

/** Where the system cannot spread the connections of a port over processes, one process has to do. */
function workersOfMachine(): number {
  const spreads = process.platform === 'linux' || process.platform === 'freebsd';
  return spreads ? Math.min(availableParallelism(), WORKERS_MAX) : 1;
}

/** Where something relative starts. */
export interface BaseFolders {
  /** The working directory, for what the command line gives. */
  readonly working: string;
  /** The folder of the config file, for what stands in it. */
  readonly config: string;
}

function resolveFolder(content: ConfigFile, overrides: ConfigOverrides, base: BaseFolders): string {
  if (overrides.data !== undefined) return resolve(base.working, overrides.data);
  if (content.data === undefined) return resolve(base.working, dataSchema.default);
  return isAbsolute(content.data) ? content.data : resolve(base.config, content.data);
}

/** The files of the issuers' keys stand where the config file does. */
function withAbsoluteFiles(access: AccessOptions, folder: string): AccessOptions {
  const issuers = Object.entries(access.issuers ?? {}).map(([name, issuer]) => [
    name,
    issuer.jwksFile === undefined ? issuer : { ...issuer, jwksFile: resolve(folder, issuer.jwksFile) },
  ]);
  return { ...access, issuers: Object.fromEntries(issuers) };
}

function tlsSettings(tls: TlsFile, folder: string): TlsSettings {
  const { minVersion, clientCertificates } = tlsSchema.properties;
  return Object.freeze({
    certificates: Object.freeze(
      tls.certificates.map(({ certificate, key, names = [] }) =>
        Object.freeze({
          certificate: resolve(folder, certificate),
          key: resolve(folder, key),
          names: Object.freeze([...names]),
        }),
      ),
    ),
    minVersion: tls.minVersion ?? minVersion.default,
    clients:
      tls.clientCa === undefined
        ? null
        : Object.freeze({
            ca: resolve(folder, tls.clientCa),
            certificates: tls.clientCertificates ?? clientCertificates.default,
          }),
  });
}

/** Fills in every default. The content must have been validated. */
export function resolveContent(
  content: ConfigFile,
  overrides: ConfigOverrides,
  base: BaseFolders,
): ResolvedConfig {
  const listen = listenSchema.properties;
  const cors: CorsOptions = { origins: content.cors?.origins ?? [...corsSchema.properties.origins.default] };
  return Object.freeze({
    listen: Object.freeze({
      host: overrides.host ?? content.listen?.host ?? listen.host.default,
      port: overrides.port ?? content.listen?.port ?? listen.port.default,
      adminHost: content.listen?.adminHost ?? listen.adminHost.default,
      adminPort: overrides.adminPort ?? content.listen?.adminPort ?? listen.adminPort.default,
      gripPort: content.listen?.gripPort ?? listen.gripPort.default,
      trustedProxies: Object.freeze(content.listen?.trustedProxies ?? listen.trustedProxies.default),
      trustedFields: Object.freeze(content.listen?.trustedFields ?? listen.trustedFields.default),
      zmq: content.listen?.zmq === undefined ? null : zmqSettings(content.listen.zmq),
    }),
    tls: content.tls === undefined ? null : tlsSettings(content.tls, base.config),
    workers: overrides.workers ?? content.workers ?? workersOfMachine(),
    dataFolder: resolveFolder(content, overrides, base),
    resources: resourcesOf(content, base.config),
    access: Object.freeze(withAbsoluteFiles(content.access ?? {}, base.config)),
    insecure: overrides.insecure === true,
    limits: resolveLimits(content.limits),
    cors: Object.freeze({ origins: Object.freeze(cors.origins) }),
    websocket: Object.freeze({
      compression: content.websocket?.compression ?? websocketSchema.properties.compression.default,
    }),
    logLevel: content.logLevel ?? configSchema.properties.logLevel.default,
  });
}
