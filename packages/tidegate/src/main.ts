import { fileURLToPath } from 'node:url';
import { countedFigures, createPinoLogger, createPrometheusMetrics, mergeFigures } from './bindings/index.ts';
import { Hub, PresenceRegistry, servePublishes } from './channels/index.ts';
import type { ResolvedConfig } from './config/index.ts';
import {
  adminAuthorization,
  controlRoutes,
  KEY_KIND,
  keyKind,
  prefixesOf,
  REVOCATION_KIND,
  ResourceStore,
  revocationKind,
  serveSnapshot,
  TOPIC_KIND,
  topicKind,
} from './control/index.ts';
import { type ClientInfo, OwnerProcesses, serveEdges } from './edges/index.ts';
import { type Logger, type Metrics, secretOf, systemClock, systemRandom } from './kernel/index.ts';
import {
  type AdminRoute,
  assertFree,
  assertListenable,
  createAdminListener,
  isLoopback,
} from './listeners/index.ts';
import { openLog } from './log/index.ts';
import { accessRules, openGateOf, openPublicPort, type ServingParts } from './serving.ts';
import type { WorkerSetup } from './worker.ts';
import type { WorkerPool } from './workers/index.ts';

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

/** Beyond what clients get, for workers to end after the last of them. */
const WORKERS_MARGIN_MS = 1_000;
const TICKET_KEY_BYTES = 48;
const WORKER_ENTRY = fileURLToPath(new URL('../bin/worker.cjs', import.meta.url));

/**
 * Starts a server. This is the composition root: the only place where the parts meet. With several workers, this process is the first of
 * them, owns the log, and starts the others.
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
  const opened: (() => void | Promise<void>)[] = [];
  try {
    // First of all, so that their code is loaded while the log is opened.
    const pool = await startWorkers(config, logger, metrics);
    if (pool !== null) opened.push(() => pool.destroy());
    const log = await openLog({
      folder: config.dataFolder,
      clock,
      random: systemRandom,
      logger,
      metrics,
      limits,
    });
    opened.push(() => log.close());
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
    const presence = new PresenceRegistry<ClientInfo>(limits);
    const processes = pool === null ? null : new OwnerProcesses({ clock, limits });
    const parts: ServingParts = { config, hub, clock, limits, logger, metrics, presence, processes };
    const gate = await openGateOf(parts, accessRules(resources.snapshot), null);
    opened.push(() => gate.close());
    resources.onChange((snapshot) => gate.adopt(accessRules(snapshot)));
    if (!gate.hasCredentials && !config.insecure) {
      assertListenable(listen.host);
      assertListenable(listen.adminHost);
    }
    const admin = await createAdminListener({
      host: listen.adminHost,
      port: listen.adminPort,
      routes: answeredWhenReached(
        pool,
        controlRoutes({
          resources,
          metricsText: async () => metrics.text(await pool?.figures()),
          isReady: () => state.ready,
          clock,
          limits,
        }),
      ),
      limits,
      clock,
      logger,
      authorize: adminAuthorization(gate, isLoopback(listen.adminHost) ? 'everybody' : 'admins'),
    });
    opened.push(() => admin.drain(0));
    const ticketKeys = pool === null ? undefined : secretOf(systemRandom, TICKET_KEY_BYTES);
    const sharing = pool === null ? 'alone' : 'shared';
    if (pool !== null) await assertFree(listen.host, listen.port, clock);
    const publicListener = await openPublicPort(parts, gate, { port: listen.port, sharing, ticketKeys });
    opened.push(() => publicListener.drain(0));
    if (pool !== null && processes !== null) {
      pool.onLine((line) => {
        log.lead(line);
        serveSnapshot(line, {
          resources,
          kinds: [TOPIC_KIND, KEY_KIND, REVOCATION_KIND],
          asksForCredentials: () => gate.asksForCredentials,
        });
        servePublishes(line, hub);
        gate.serve(line);
        serveEdges(line, { presence, processes });
      });
      const { port } = publicListener;
      const secret = ticketKeys?.toString('base64') ?? '';
      // Whoever comes is served from now on, and a start need not wait for those that join a moment later.
      void pool.serve((): WorkerSetup => ({ config, port, ticketKeys: secret }));
    }
    state.ready = true;
    const closing = { started: null as Promise<void> | null };
    const close = async (): Promise<void> => {
      state.ready = false;
      const listenerGone = publicListener.drain(limits.drainTimeoutMs);
      const workersGone = pool?.drain(limits.drainTimeoutMs + WORKERS_MARGIN_MS);
      hub.drain();
      await Promise.all([listenerGone, workersGone]);
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
      async reload() {
        await Promise.all([publicListener.reload(), pool?.reload()]);
      },
      close: () => (closing.started ??= close()),
    };
  } catch (error) {
    for (const close of opened.reverse()) await close();
    throw error;
  }
}

/** What changes something is answered when the workers go by it, too: a key that was made is good everywhere, and one that was revoked nowhere. */
function answeredWhenReached(pool: WorkerPool | null, routes: readonly AdminRoute[]): readonly AdminRoute[] {
  if (pool === null) return routes;
  return routes.map((route) =>
    route.method === 'GET'
      ? route
      : {
          ...route,
          async handle(request) {
            const response = await route.handle(request);
            await pool.reached();
            return response;
          },
        },
  );
}

/** Null with one worker, which is this process; then nothing of workers is loaded. */
async function startWorkers(
  { workers, limits }: ResolvedConfig,
  logger: Logger,
  metrics: Metrics,
): Promise<WorkerPool | null> {
  if (workers === 1) return null;
  const { WorkerPool } = await import('./workers/index.ts');
  return new WorkerPool({
    count: workers - 1,
    entry: WORKER_ENTRY,
    clock: systemClock,
    limits,
    logger,
    metrics,
    counted: countedFigures,
    merge: mergeFigures,
  });
}

function urlOf(listener: { readonly host: string; readonly port: number }, scheme: 'http' | 'https'): string {
  const host = listener.host.includes(':') ? `[${listener.host}]` : listener.host;
  return `${scheme}://${host}:${listener.port}`;
}
