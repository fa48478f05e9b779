import { Buffer } from 'node:buffer';
import {
  type DeclaredResource,
  keyKind,
  type ResourceKind,
  ResourceStore,
  topicKind,
} from '../../src/control/index.ts';
import {
  type Limits,
  type Logger,
  noMetrics,
  resolveLimits,
  seededRandom,
  silentLogger,
  systemClock,
  type TidegateError,
} from '../../src/kernel/index.ts';
import { type Log, openMemoryLog } from '../../src/log/index.ts';

let seed = 1;

export function memoryLog(limits: Partial<Limits> = {}): Log {
  return openMemoryLog({
    clock: systemClock,
    random: seededRandom(seed++),
    logger: silentLogger,
    metrics: noMetrics,
    limits: resolveLimits(limits),
  });
}

export interface StoreSettings {
  readonly declared?: readonly DeclaredResource[];
  readonly limits?: Partial<Limits>;
  readonly logger?: Logger;
  readonly kinds?: readonly ResourceKind[];
}

export function openStore(log: Log, settings: StoreSettings = {}): Promise<ResourceStore> {
  const limits = resolveLimits(settings.limits);
  const logger = settings.logger ?? silentLogger;
  return ResourceStore.open({
    log,
    kinds: settings.kinds ?? [topicKind({ log, limits, logger }), keyKind()],
    declared: settings.declared ?? [],
    clock: systemClock,
    random: seededRandom(seed++),
    logger,
    limits,
  });
}

export const put = (kind: string, name: string, spec: object, expects: number | null = null) => ({
  kind,
  name,
  spec: spec as Readonly<Record<string, unknown>>,
  expects,
});

export const remove = (kind: string, name: string, expects: number | null = null) => ({
  kind,
  name,
  spec: null,
  expects,
});

/** The spec of a key that differs from all others by a number. */
export const keySpec = (number: number, allow: object = { '#': ['subscribe'] }) => ({
  hash: `sha256:${number.toString(16).padStart(64, '0')}`,
  allow,
});

export const apply = (store: ResourceStore, ...changes: readonly ReturnType<typeof put | typeof remove>[]) =>
  store.write({ who: 'test', changes, mode: 'apply' });

/** What a store says of a kind, for comparing. */
export const specsOf = (store: ResourceStore, kind: string) =>
  [...store.snapshot.of(kind)].sort(([a], [b]) => (a < b ? -1 : 1));

export const isCode =
  (code: string, detail: RegExp = /^/) =>
  (error: unknown) =>
    (error as TidegateError).code === code && detail.test((error as TidegateError).detail);

/** Appends a record to a topic as it is, and waits until it is durable. */
export function appendRaw(log: Log, topic: string, key: string, text: string): Promise<void> {
  const record = { key, data: Buffer.from(text), headers: null, flags: 0, identity: null };
  return new Promise((resolve, reject) => {
    log.append([{ topic, records: [record] }], (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}
