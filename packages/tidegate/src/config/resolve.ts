import { isAbsolute, resolve } from 'node:path';
import type { AccessOptions, KeyOptions } from '../access/options.ts';
import { type WebSocketOptions, websocketSchema } from '../edges/websocket/options.ts';
import { type Limits, resolveLimits } from '../kernel/index.ts';
import { type CorsOptions, corsSchema, type ListenOptions, listenSchema } from '../listeners/options.ts';
import { dataSchema, defaultTopicSchema, type TopicOptions, topicSchema } from '../log/options.ts';
import type { TopicSpec } from '../log/port.ts';
import { type ConfigFile, configSchema, type LogLevel } from './schema.ts';

/** Settings that the command line gives; each takes the place of what the config file says. */
export interface ConfigOverrides {
  readonly host?: string;
  readonly port?: number;
  readonly adminPort?: number;
  /** Relative to the working directory. */
  readonly data?: string;
  readonly insecure?: boolean;
}

/** All that a server is told before it starts: nothing is missing, nothing can be changed. */
export interface ResolvedConfig {
  readonly listen: Readonly<Required<ListenOptions>>;
  /** An absolute path. */
  readonly dataFolder: string;
  /** The declared topics and `default`, as the log takes them. */
  readonly topics: readonly TopicSpec[];
  /** By topic: the further prefixes of the channels that it stores. Topics without any are left out. */
  readonly prefixes: ReadonlyMap<string, readonly string[]>;
  /** API keys, by name. */
  readonly keys: ReadonlyMap<string, KeyOptions>;
  readonly access: AccessOptions;
  /** Everybody may do everything, whatever the address, as long as there is no credential. */
  readonly insecure: boolean;
  readonly limits: Limits;
  readonly cors: { readonly origins: readonly string[] };
  readonly websocket: Readonly<Required<WebSocketOptions>>;
  readonly logLevel: LogLevel;
}

const DEFAULT_TOPIC = 'default';
const SECOND_MS = 1000;

const inMs = (seconds: number | null): number | null => (seconds === null ? null : seconds * SECOND_MS);

/** A declared topic with its defaults. A compacted topic keeps each key's latest for good unless an age is given. */
function topicSpec(name: string, options: TopicOptions): TopicSpec {
  const defaults = topicSchema.properties;
  const retention = defaults.retention.properties;
  const compacted = options.compacted ?? defaults.compacted.default;
  const ageSeconds = options.retention?.ageSeconds;
  return Object.freeze({
    name,
    partitions: options.partitions ?? defaults.partitions.default,
    durability: options.durability ?? defaults.durability.default,
    retentionMs: inMs(
      ageSeconds === undefined ? (compacted ? null : retention.ageSeconds.default) : ageSeconds,
    ),
    retentionBytes: options.retention?.sizeBytes ?? retention.sizeBytes.default,
    compacted,
    tombstoneRetentionMs:
      (options.retention?.tombstoneSeconds ?? retention.tombstoneSeconds.default) * SECOND_MS,
    keyIndex: options.keyIndex ?? defaults.keyIndex.default,
  });
}

/** The topic of all channels that no other topic claims: durable, for a day, with an index for its very many keys. */
function defaultTopicSpec(options: Pick<TopicOptions, 'retention'>): TopicSpec {
  const age = defaultTopicSchema.properties.retention.properties.ageSeconds.default;
  return topicSpec(DEFAULT_TOPIC, { retention: { ageSeconds: age, ...options.retention }, keyIndex: true });
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

/** Fills in every default. The content must have been validated. */
export function resolveContent(
  content: ConfigFile,
  overrides: ConfigOverrides,
  base: BaseFolders,
): ResolvedConfig {
  const { default: defaultTopic, ...topics } = content.topics ?? {};
  const listen = listenSchema.properties;
  const prefixes = Object.entries(topics).flatMap(([name, topic]) =>
    topic.prefixes === undefined || topic.prefixes.length === 0
      ? []
      : [[name, Object.freeze([...topic.prefixes])] as const],
  );
  const cors: CorsOptions = { origins: content.cors?.origins ?? [...corsSchema.properties.origins.default] };
  return Object.freeze({
    listen: Object.freeze({
      host: overrides.host ?? content.listen?.host ?? listen.host.default,
      port: overrides.port ?? content.listen?.port ?? listen.port.default,
      adminHost: content.listen?.adminHost ?? listen.adminHost.default,
      adminPort: overrides.adminPort ?? content.listen?.adminPort ?? listen.adminPort.default,
    }),
    dataFolder: resolveFolder(content, overrides, base),
    topics: Object.freeze([
      defaultTopicSpec(defaultTopic ?? {}),
      ...Object.entries(topics).map(([name, topic]) => topicSpec(name, topic)),
    ]),
    prefixes: new Map(prefixes),
    keys: new Map(Object.entries(content.keys ?? {})),
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
