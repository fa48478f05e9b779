import { NOTHING_REVOKED, openGate } from './access/index.ts';
import { createPinoLogger, createPrometheusMetrics } from './bindings/index.ts';
import { DEFAULT_TOPIC, Hub } from './channels/index.ts';
import type { ResolvedConfig } from './config/index.ts';
import { adminAuthorization, controlRoutes } from './control/index.ts';
import { createEdges } from './edges/index.ts';
import { type Logger, systemClock, systemRandom } from './kernel/index.ts';
import {
  assertListenable,
  createAdminListener,
  createHttpListener,
  isLoopback,
  withCrossOrigin,
} from './listeners/index.ts';
import { type Log, openLog, type TopicSpec } from './log/index.ts';

/** A server that is up. */
export interface RunningServer {
  readonly publicUrl: string;
  readonly adminUrl: string;
  /**
   * Drains: stops accepting, finishes requests, tells long-lived clients to reconnect, closes the log. Ends within
   * limits.drainTimeoutMs, whatever the clients do.
   */
  close(): Promise<void>;
}

/**
 * Starts a server. This is the composition root: the only place where the parts meet.
 * @throws TidegateError listen_refused, listen_failed, log_locked, log_format_unsupported, log_folder_unusable
 */
export async function startServer(
  config: ResolvedConfig,
  logger: Logger = createPinoLogger(config.logLevel),
): Promise<RunningServer> {
  const { limits, listen } = config;
  const clock = systemClock;
  const metrics = createPrometheusMetrics();
  const state = { ready: false };

  const log = await openLog({
    folder: config.dataFolder,
    clock,
    random: systemRandom,
    logger,
    metrics,
    limits,
  });
  const opened: (() => void | Promise<void>)[] = [() => log.close()];
  try {
    await declareTopics(log, config.topics, logger);
    const hub = new Hub({ log, clock, logger, metrics, limits, prefixes: config.prefixes });
    opened.push(() => hub.close());
    const gate = openGate({
      channels: hub,
      clock,
      limits,
      logger,
      metrics,
      access: config.access,
      rules: { keys: config.keys, revoked: NOTHING_REVOKED },
      dataFolder: config.dataFolder,
      openWithoutCredentials: config.insecure || isLoopback(listen.host),
    });
    opened.push(() => gate.close());
    if (!gate.hasCredentials && !config.insecure) {
      assertListenable(listen.host);
      assertListenable(listen.adminHost);
    }
    const edges = createEdges({
      access: gate,
      channels: hub,
      clock,
      random: systemRandom,
      limits,
      websocket: config.websocket,
    });
    const common = { limits, clock, logger, metrics };
    const admin = await createAdminListener({
      host: listen.adminHost,
      port: listen.adminPort,
      routes: controlRoutes({ log, metricsText: () => metrics.text(), isReady: () => state.ready }),
      limits,
      clock,
      logger,
      authorize: isLoopback(listen.adminHost) ? null : adminAuthorization(gate),
    });
    opened.push(() => admin.drain(0));
    const publicListener = await createHttpListener(
      { ...common, host: listen.host, port: listen.port },
      withCrossOrigin(edges, config.cors),
    );
    state.ready = true;
    const closing = { started: null as Promise<void> | null };
    const close = async (): Promise<void> => {
      state.ready = false;
      const listenerGone = publicListener.drain(limits.drainTimeoutMs);
      hub.drain();
      await listenerGone;
      gate.close();
      hub.close();
      await log.close();
      await admin.drain(limits.drainTimeoutMs);
      logger.info({}, 'Stopped');
    };
    return {
      publicUrl: urlOf(publicListener),
      adminUrl: urlOf(admin),
      close: () => (closing.started ??= close()),
    };
  } catch (error) {
    for (const close of opened.reverse()) await close();
    throw error;
  }
}

/** Brings the log's topics into line with the declarations; topics that are no longer declared stay as they are. */
async function declareTopics(log: Log, declared: readonly TopicSpec[], logger: Logger): Promise<void> {
  // First the topic of all other channels, so that the others know where they begin.
  const ordered = [...declared].sort(
    (a, b) => Number(b.name === DEFAULT_TOPIC) - Number(a.name === DEFAULT_TOPIC),
  );
  for (const spec of ordered) {
    const existing = log.topics.get(spec.name);
    if (existing === undefined) {
      await log.createTopic(spec);
      logger.info(
        { topic: spec.name, durability: spec.durability, partitions: spec.partitions },
        'Created a topic',
      );
    } else {
      await log.alterTopic(spec);
    }
  }
}

function urlOf(listener: { readonly host: string; readonly port: number }): string {
  const host = listener.host.includes(':') ? `[${listener.host}]` : listener.host;
  return `http://${host}:${listener.port}`;
}
