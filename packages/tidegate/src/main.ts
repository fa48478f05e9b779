import { fileURLToPath } from 'node:url';
import {
  countedFigures,
  createPinoLogger,
  createPrometheusMetrics,
  loadZeromqSockets,
  mergeFigures,
} from './bindings/index.ts';
import { Hub, PresenceRegistry, servePublishes } from './channels/index.ts';
import { type FollowedConfig, formatProblem, type ResolvedConfig, restartKeys } from './config/index.ts';
import {
  adminAuthorization,
  answeredWhenReached,
  type ConfigReading,
  ConfigReload,
  type ConfigReloadOptions,
  controlRoutes,
  KEY_KIND,
  keyKind,
  prefixesOf,
  REVOCATION_KIND,
  type ReloadResult,
  ResourceStore,
  ROUTE_KIND,
  revocationKind,
  routeKind,
  serveSnapshot,
  TOPIC_KIND,
  topicKind,
  UPSTREAM_KIND,
  upstreamKind,
} from './control/index.ts';
import { type ClientInfo, OwnerProcesses, serveEdges } from './edges/index.ts';
import { type Logger, type Metrics, secretOf, systemClock, systemRandom } from './kernel/index.ts';
import { assertFree, assertListenable, createAdminListener, isLoopback } from './listeners/index.ts';
import { openLog } from './log/index.ts';
import {
  accessRules,
  changedRules,
  gatewayRules,
  openGateOf,
  openGatewayOf,
  openGripControl,
  openGripPort,
  openPublicPort,
  purgerOf,
  type ServingParts,
} from './serving.ts';
import type { WorkerSetup } from './worker.ts';
import type { WorkerPool } from './workers/index.ts';

/** A server that is up. */
export interface RunningServer {
  readonly publicUrl: string;
  readonly adminUrl: string;
  /** Where origins publish by GRIP; null if nowhere. */
  readonly gripUrl: string | null;
  /** Whether it asked for credentials when it started; if not, everybody may do everything until there is a key. */
  readonly asksForCredentials: boolean;
  /**
   * Drains: stops accepting, finishes requests, tells long-lived clients to reconnect, closes the log. Ends within
   * limits.drainTimeoutMs, whatever the clients do.
   */
  close(): Promise<void>;
  /** Reads the config file and the certificates anew. What cannot be used is logged, and what was in use stays so. Never fails. */
  reload(): Promise<void>;
}

/** Where the config comes from, if it is to be read anew while the server runs. */
export type ConfigFile = Pick<FollowedConfig, 'watch' | 'reread'>;

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
  file: ConfigFile | null = null,
): Promise<RunningServer> {
  const { limits, listen } = config;
  const clock = systemClock;
  const metrics = createPrometheusMetrics();
  const state = { ready: false, reloadCertificates: async () => {} };
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
      kinds: [
        topicKind({ log, limits, logger }),
        keyKind(),
        revocationKind(),
        upstreamKind(limits),
        routeKind(limits),
      ],
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
    const gateway = openGatewayOf(parts, resources.snapshot);
    opened.push(() => gateway.close());
    resources.onChange((snapshot, { changes }) =>
      gateway.adopt(gatewayRules(snapshot), changedRules(changes)),
    );
    if (!gate.hasCredentials && !config.insecure) {
      assertListenable(listen.host);
      assertListenable(listen.adminHost);
    }
    const fromFile = configReloadOf(file, config, { resources, logger, metrics });
    opened.push(() => fromFile?.close());
    const reload = async (): Promise<ReloadResult> => {
      // Whatever is wrong with the file is no reason to show an old certificate.
      const [result] = await Promise.allSettled([fromFile?.reload(), state.reloadCertificates()]);
      if (result.status === 'rejected') throw result.reason;
      return result.value ?? { differences: [], hidden: [], restart: [] };
    };
    const admin = await createAdminListener({
      host: listen.adminHost,
      port: listen.adminPort,
      routes: answeredWhenReached(
        pool === null ? null : () => pool.reached(),
        controlRoutes({
          resources,
          metricsText: async () => metrics.text(await pool?.figures()),
          isReady: () => state.ready,
          purge: purgerOf(gateway),
          reload,
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
    const others = pool === null ? 'none' : 'workers';
    const control = await openGripControl(parts, gateway, others, loadZeromqSockets);
    opened.push(() => control.close());
    if (pool !== null) await assertFree(listen.host, listen.port, clock);
    const publicListener = await openPublicPort(parts, gate, gateway, {
      port: listen.port,
      sharing,
      ticketKeys,
    });
    opened.push(() => publicListener.drain(0));
    const gripListener =
      listen.gripPort === null ? null : await openGripPort(parts, gate, gateway, control, listen.gripPort);
    if (gripListener !== null) opened.push(() => gripListener.drain(0));
    if (pool !== null && processes !== null) {
      pool.onLine((line) => {
        log.lead(line);
        serveSnapshot(line, {
          resources,
          kinds: [TOPIC_KIND, KEY_KIND, REVOCATION_KIND, UPSTREAM_KIND, ROUTE_KIND],
          asksForCredentials: () => gate.asksForCredentials,
        });
        servePublishes(line, hub);
        gate.serve(line);
        gateway.serve(line);
        control.serve(line);
        serveEdges(line, { presence, processes });
      });
      const { port } = publicListener;
      const secret = ticketKeys?.toString('base64') ?? '';
      // Whoever comes is served from now on, and a start need not wait for those that join a moment later.
      void pool.serve((): WorkerSetup => ({ config, port, ticketKeys: secret }));
    }
    state.reloadCertificates = async () => {
      await Promise.all([publicListener.reload(), pool?.reload()]);
    };
    file?.watch?.start(async () => void (await fromFile?.reload().catch(() => {})));
    opened.push(() => file?.watch?.close());
    state.ready = true;
    const closing = { started: null as Promise<void> | null };
    const close = async (): Promise<void> => {
      state.ready = false;
      file?.watch?.close();
      fromFile?.close();
      const listenerGone = publicListener.drain(limits.drainTimeoutMs);
      const gripListenerGone = gripListener?.drain(limits.drainTimeoutMs);
      const workersGone = pool?.drain(limits.drainTimeoutMs + WORKERS_MARGIN_MS);
      control.close();
      gateway.drain();
      hub.drain();
      await Promise.all([listenerGone, gripListenerGone, workersGone]);
      gateway.close();
      gate.close();
      hub.close();
      await resources.close();
      await log.close();
      await admin.drain(limits.drainTimeoutMs);
      logger.info({}, 'Stopped');
    };
    return {
      gripUrl: gripListener === null ? null : urlOf(gripListener, 'http'),
      publicUrl: urlOf(publicListener, config.tls === null ? 'http' : 'https'),
      adminUrl: urlOf(admin, 'http'),
      asksForCredentials: gate.asksForCredentials,
      async reload() {
        // Who did not take it has said so in the log.
        await reload().catch(() => {});
      },
      close: () => (closing.started ??= close()),
    };
  } catch (error) {
    for (const close of opened.reverse()) await close();
    throw error;
  }
}

/** Null for a server that was started without a config file. */
function configReloadOf(
  file: ConfigFile | null,
  config: ResolvedConfig,
  parts: Omit<ConfigReloadOptions, 'read'>,
): ConfigReload | null {
  if (file === null || file.watch === null) return null;
  return new ConfigReload({
    ...parts,
    async read(): Promise<ConfigReading> {
      const loaded = await file.reread();
      return loaded.kind === 'problems'
        ? { kind: 'problems', problems: loaded.problems.map(formatProblem) }
        : { kind: 'config', resources: loaded.config.resources, restart: restartKeys(config, loaded.config) };
    },
  });
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
