import { type AccessRules, openGate, revokedBy } from './access/index.ts';
import { createPinoLogger, createPrometheusMetrics } from './bindings/index.ts';
import { Hub } from './channels/index.ts';
import type { ResolvedConfig } from './config/index.ts';
import {
  adminAuthorization,
  controlRoutes,
  keyKind,
  prefixesOf,
  type ResourceSnapshot,
  ResourceStore,
  revocationKind,
  topicKind,
} from './control/index.ts';
import { createEdges } from './edges/index.ts';
import { type Logger, packageVersion, systemClock, systemRandom } from './kernel/index.ts';
import {
  assertListenable,
  createAdminListener,
  createHttpListener,
  isLoopback,
  withCrossOrigin,
} from './listeners/index.ts';
import { openLog } from './log/index.ts';

/** A server that is up. */
export interface RunningServer {
  readonly publicUrl: string;
  readonly adminUrl: string;
  /** Whether it asked for credentials when it started; if not, everybody may do everything until there is a key. */
  readonly asksForCredentials: boolean;
  /**
   * Drains: stops accepting, finishes requests, tells long-lived clients to reconnect, closes the log. Ends within
   * limits.drainTimeoutMs, whatever the clients do.
   */
  close(): Promise<void>;
  /** Reads the certificates anew; those that cannot be used are logged, and the earlier ones stay in use. */
  reload(): Promise<void>;
}

/**
 * Starts a server. This is the composition root: the only place where the parts meet.
 * @throws TidegateError listen_refused, listen_failed, tls_file_unreadable, tls_certificate_invalid, log_locked,
 *   log_format_unsupported, log_folder_unusable, resources_damaged, resources_version_unsupported, log_topic_exists
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
    const resources = await ResourceStore.open({
      log,
      kinds: [topicKind({ log, limits, logger }), keyKind(), revocationKind()],
      declared: config.resources,
      clock,
      random: systemRandom,
      logger,
      limits,
    });
    opened.push(() => resources.close());
    const prefixes = prefixesOf(resources.snapshot);
    const hub = new Hub({ log, clock, logger, metrics, limits, prefixes });
    resources.onChange((snapshot) => hub.setPrefixes(prefixesOf(snapshot)));
    opened.push(() => hub.close());
    const gate = await openGate({
      channels: hub,
      clock,
      limits,
      logger,
      metrics,
      access: config.access,
      rules: accessRules(resources.snapshot),
      dataFolder: config.dataFolder,
      openWithoutCredentials: config.insecure || isLoopback(listen.host),
      weakSecrets: isLoopback(listen.host) ? 'allowed' : 'refused',
      closed: () => {
        logger.warn({}, 'The first key is there: who shows no credential is refused from now on');
        hub.endAll('revoked');
      },
    });
    opened.push(() => gate.close());
    resources.onChange((snapshot) => gate.adopt(accessRules(snapshot)));
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
      metrics,
      websocket: config.websocket,
      version: await packageVersion(),
    });
    const common = { limits, clock, logger, metrics };
    const admin = await createAdminListener({
      host: listen.adminHost,
      port: listen.adminPort,
      routes: controlRoutes({
        resources,
        metricsText: () => metrics.text(),
        isReady: () => state.ready,
        clock,
        limits,
      }),
      limits,
      clock,
      logger,
      authorize: adminAuthorization(gate, isLoopback(listen.adminHost) ? 'everybody' : 'admins'),
    });
    opened.push(() => admin.drain(0));
    const publicListener = await createHttpListener(
      { ...common, host: listen.host, port: listen.port, tls: config.tls },
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
      await resources.close();
      await log.close();
      await admin.drain(limits.drainTimeoutMs);
      logger.info({}, 'Stopped');
    };
    return {
      publicUrl: urlOf(publicListener, config.tls === null ? 'http' : 'https'),
      adminUrl: urlOf(admin, 'http'),
      asksForCredentials: gate.asksForCredentials,
      reload: () => publicListener.reload(),
      close: () => (closing.started ??= close()),
    };
  } catch (error) {
    for (const close of opened.reverse()) await close();
    throw error;
  }
}

/** Who may do what, as the resources say. */
function accessRules(snapshot: ResourceSnapshot): AccessRules {
  return {
    keys: snapshot.of('key') as AccessRules['keys'],
    revoked: revokedBy(snapshot.of('revocation').values()),
  };
}

function urlOf(listener: { readonly host: string; readonly port: number }, scheme: 'http' | 'https'): string {
  const host = listener.host.includes(':') ? `[${listener.host}]` : listener.host;
  return `${scheme}://${host}:${listener.port}`;
}
